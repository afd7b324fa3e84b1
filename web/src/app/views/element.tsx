// One element with all that it says: what came in, what came out, why, at what cost, and what it hangs together with.
import { useMemo, useState } from "preact/hooks";
import type { EffectView, ProofReport } from "../../verify/api";
import { decoded, utf8 } from "../lib/bytes";
import { api } from "../lib/api";
import { loadElement, type Whole } from "../lib/elements";
import { count, day, exactTime, size, time } from "../lib/format";
import { formatJson } from "../lib/json";
import { useKeys } from "../lib/keys";
import { actorLink, go } from "../lib/route";
import type { Actor, Descriptor, Element, TraceStep } from "../lib/types";
import { REJECTIONS } from "../lib/types";
import { verifier } from "../lib/verifying";
import { Button, CopyButton, Fact, Failure, Hash, Loading, TypeBadge } from "../ui/controls";
import { useLoad } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { Payload } from "../ui/payload";
import { Rerun } from "./rerun";

/** Steps of the trace that are asked for. */
const TRACE_MAX = 60;

export function ElementPanel({ name, actor, sequence, total, step, onClose }: {
    name: string;
    actor: Actor;
    sequence: number;
    total: number;
    step: (to: number) => void;
    onClose: () => void;
}) {
    const loaded = useLoad(`${name}/${actor.genesis}/${sequence}`, (signal) => loadElement(name, actor.genesis, sequence, signal));
    // While the next one is on its way the last one stays, so that stepping does not flicker.
    const [kept, setKept] = useState<Whole | null>(null);
    if (loaded.value && loaded.value !== kept) setKept(loaded.value);
    const whole = loaded.value ?? (loaded.error ? null : kept);
    return (
        <aside class="panel" aria-label={`Element ${sequence} of ${name}`}>
            <header class="panel-head">
                <Button look="quiet" icon="left" title="Element before" keys="[" disabled={sequence === 0} onClick={() => step(sequence - 1)} />
                <h2>{count(sequence)}</h2>
                <Button look="quiet" icon="right" title="Next element" keys="]" disabled={sequence + 1 >= total} onClick={() => step(sequence + 1)} />
                {whole && <TypeBadge type={whole.element.type} />}
                <span class="grow" />
                <Button icon="flask" keys="s" title="The state after this element" onClick={() => go(actorLink(name, "state", sequence))}>State</Button>
                <CopyButton text={() => new URL(actorLink(name, "chain", sequence), location.href).href} label="Copy a link to this element" />
                <Button look="quiet" icon="close" title="Close" keys="Esc" onClick={onClose} />
            </header>
            <div class={`panel-body ${loaded.loading && whole ? "stale" : ""}`}>
                {loaded.error != null && <Failure error={loaded.error} retry={loaded.reload} />}
                {whole ? <ElementBody key={whole.element.hash} name={name} actor={actor} whole={whole} /> : loaded.loading && <Loading what="Loading the element" />}
            </div>
        </aside>
    );
}

function ElementBody({ name, actor, whole }: { name: string; actor: Actor; whole: Whole }) {
    const { element, effects } = whole;
    const file = `${name}-${element.sequence}`;
    return (
        <>
            <Checked whole={whole} />
            <p class="when"><time title={exactTime(element.timestamp)}>{day(element.timestamp)} {time(element.timestamp)}</time>{" · "}<From element={element} /></p>
            <InputOf element={element} file={file} />
            <OutputOf element={element} file={file} />
            <Effects effects={effects} />
            <Trace name={name} element={element} />
            <Cost element={element} actor={actor} />
            <Rerun name={name} element={element} />
            <Facts name={name} whole={whole} />
        </>
    );
}

/** Whether what is shown is what the element's own bytes say. */
function Checked({ whole }: { whole: Whole }) {
    if (whole.faults.length === 0) return null;
    return (
        <div class="notice bad" role="alert">
            <Icon name="warn" />
            <div>
                <strong>This is not the element that the chain has</strong>
                <ul>{whole.faults.map((fault) => <li key={fault}>{fault}</li>)}</ul>
            </div>
        </div>
    );
}

function From({ element }: { element: Element }) {
    const { cause, principal } = element;
    if (!cause) return <>{principal ? <>from <code>{principal}</code></> : element.type === "genesis" || element.type === "upgrade" ? "by the runtime" : "from a client"}</>;
    const what = cause.kind === "message" ? "a message of" : cause.kind === "reply" ? (cause.failed ? "a rejection by" : "the answer of") : "not delivered:";
    return <>{what} {cause.sequence === undefined ? <b>{cause.actor}</b> : <a href={actorLink(cause.actor, "chain", cause.sequence)}>{cause.actor} {count(cause.sequence)}</a>}</>;
}

const isDescribed = (input: Element["input"]): input is { descriptor: Descriptor } => typeof input === "object" && input !== null && "descriptor" in input;

function InputOf({ element, file }: { element: Element; file: string }) {
    const { input } = element;
    const bytes = useMemo(() => {
        if (input === null) return null;
        return isDescribed(input) ? utf8(formatJson(input.descriptor)) : decoded(input);
    }, [input]);
    if (!bytes) return <Dropped what="Input" />;
    return <Payload title={isDescribed(input) ? "Descriptor" : "Input"} bytes={bytes} file={`${file}.input`} />;
}

function OutputOf({ element, file }: { element: Element; file: string }) {
    const { output } = element;
    const bytes = useMemo(() => (output === null || (typeof output === "object" && "code" in output) ? null : decoded(output)), [output]);
    if (output === null) return <Dropped what="Output" />;
    if (typeof output === "object" && "code" in output) {
        return (
            <div class="notice bad rejection">
                <Icon name="cross" />
                <div>
                    <strong>Rejected: {REJECTIONS[output.code] ?? "unknown"} <span class="dim">(code {output.code})</span></strong>
                    <p>{output.message || "The actor gave no reason."}</p>
                    <p class="dim">The state stayed as it was.</p>
                </div>
            </div>
        );
    }
    if (element.type === "genesis" || element.type === "upgrade") return null;
    return <Payload title="Output" bytes={bytes!} file={`${file}.output`} />;
}

const Dropped = ({ what }: { what: string }) => (
    <section class="payload"><header><h3>{what}</h3><span class="dim">dropped from this archive; its hash still stands in the element</span></header></section>
);

/** Log lines and messages of a turn. */
export function Effects({ effects, title = "Effects" }: { effects: EffectView[] | null; title?: string }) {
    if (effects === null) return <Dropped what={title} />;
    if (effects.length === 0) return null;
    return (
        <section class="payload" aria-label={title}>
            <header><h3>{title}</h3><span class="dim">{effects.length}</span></header>
            <ul class="effects">
                {effects.slice(0, 500).map((effect, i) => (
                    <li key={i}>
                        {effect.kind === "log"
                            ? <><span class={`level level-${effect.level}`}>{effect.level}</span><span class="effect-text">{effect.text}</span></>
                            : <><span class="level level-send">{effect.kind}</span><span>to <a href={actorLink(effect.to)}>{effect.to}</a>
                                {effect.kind === "request" && <span class="dim"> as request {String(effect.request)}</span>}</span>
                                <Hash value={effect.payload} label="hash of the payload" /></>}
                    </li>
                ))}
                {effects.length > 500 && <li class="dim">{count(effects.length - 500)} more</li>}
            </ul>
        </section>
    );
}

/** What led here and what followed, across chains. */
function Trace({ name, element }: { name: string; element: Element }) {
    const loaded = useLoad(`trace/${name}/${element.sequence}`, (signal) => api.trace(name, element.sequence, TRACE_MAX, signal));
    const steps = loaded.value?.steps.filter((one) => one.relation !== "element") ?? [];
    if (loaded.error != null) return <Failure error={loaded.error} retry={loaded.reload} />;
    if (steps.length === 0) return null;
    const causes = steps.filter((one) => one.relation === "cause").sort((a, b) => b.distance - a.distance);
    const after = steps.filter((one) => one.relation === "effect");
    return (
        <section class="payload" aria-label="Causes and consequences">
            <header><h3>Causes and consequences</h3><span class="dim">across chains</span></header>
            <ol class="trace">
                {causes.map((one) => <Step key={`c${one.distance}`} step={one} depth={0} />)}
                <li class="trace-here"><i aria-hidden="true" /><b>{name} {count(element.sequence)}</b> <span class="dim">this element</span></li>
                {after.map((one, i) => <Step key={`e${i}`} step={one} depth={Math.min(one.distance, 8)} />)}
                {loaded.value?.more && <li class="dim">It goes on; open one of the last to see further.</li>}
            </ol>
        </section>
    );
}

function Step({ step, depth }: { step: TraceStep; depth: number }) {
    return (
        <li class={`depth-${depth}`}>
            <i aria-hidden="true" />
            <a href={actorLink(step.actor, "chain", step.sequence)}>{step.actor} {count(step.sequence)}</a>
            {step.kind && <span class="dim"> {step.kind}</span>}
        </li>
    );
}

function Cost({ element, actor }: { element: Element; actor: Actor }) {
    const limit = actor.limits?.fuel;
    const share = limit ? Number(element.fuel) / Number(limit) : 0;
    return (
        <dl class="facts inline">
            <Fact name="Fuel">{count(element.fuel)}{limit !== undefined && <span class="dim"> of {count(limit)} ({share < 0.0001 ? "<0.01" : (share * 100).toFixed(2)} %)</span>}</Fact>
            <Fact name="State">{size(element.state_size)}{element.state_before === element.state_after && <span class="dim"> unchanged</span>}</Fact>
        </dl>
    );
}

function Facts({ name, whole }: { name: string; whole: Whole }) {
    const { element } = whole;
    return (
        <section class="payload" aria-label="Hashes">
            <header><h3>Hashes</h3></header>
            <dl class="facts">
                <Fact name="Element"><Hash whole value={element.hash} label="element hash" />
                    {whole.faults.length === 0 && <span class="ok-text" title="This page hashed the element's bytes and its payloads, and compared all fields"><Icon name="tick" size={14} />matches</span>}</Fact>
                <Fact name="Previous">{element.sequence === 0 ? <span class="dim">none: this is the first</span> : <Hash whole value={element.previous} label="previous hash" />}</Fact>
                <Fact name="State before"><Hash whole value={element.state_before} label="state before" /></Fact>
                <Fact name="State after"><Hash whole value={element.state_after} label="state after" /></Fact>
                {element.cause?.hash && <Fact name="Cause"><Hash whole value={element.cause.hash} label="hash of the cause" /></Fact>}
                {element.principal !== null && <Fact name="Principal"><code>{element.principal}</code></Fact>}
                {element.id !== null && <Fact name="Key"><code>{typeof element.id === "string" ? element.id : `base64 ${element.id.base64}`}</code></Fact>}
                <Fact name="Time"><code>{exactTime(element.timestamp)}</code></Fact>
            </dl>
            <Inclusion name={name} element={element} />
        </section>
    );
}

/** Whether this element is under a signed checkpoint, checked here. */
function Inclusion({ name, element }: { name: string; element: Element }) {
    const [report, setReport] = useState<ProofReport | null>(null);
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const check = async (): Promise<void> => {
        if (busy) return;
        setBusy(true);
        setError(null);
        try {
            const path = api.path(name);
            const [proof, key] = await Promise.all([api.text(`${path}/elements/${element.sequence}/proof`), api.key(name)]);
            setReport(await verifier.verifyProof(proof, { key: key.trim(), element: element.hash }));
        } catch (failed) {
            setError(failed);
        } finally {
            setBusy(false);
        }
    };
    useKeys([{ keys: ["v"], run: () => void check() }]);
    return (
        <div class="inclusion">
            <Button icon="shield" busy={busy} keys="v" onClick={() => void check()}>Check its proof</Button>
            {error != null && <Failure error={error} />}
            {report && <ProofView report={report} />}
        </div>
    );
}

export function ProofView({ report }: { report: ProofReport }) {
    return (
        <div class={`notice ${report.valid ? "good" : "bad"}`} role="status">
            <Icon name={report.valid ? "tick" : "cross"} />
            <div>
                <strong>{report.message}</strong>
                <ul class="steps">
                    {report.steps.map((one) => <li key={one.what} class={one.ok ? "ok" : "no"}><Icon name={one.ok ? "check" : "close"} size={13} />{one.what}</li>)}
                </ul>
                {!report.signatureChecked && <p class="dim">The signature was not checked: this browser has no Ed25519.</p>}
            </div>
        </div>
    );
}
