// Verification in this browser: of a chain on the server, or of a bundle from anywhere. The server is not trusted.
import { useEffect, useRef, useState } from "preact/hooks";
import { type BundleSource, type ChainReport, type Fault, forgetCheckpoint, type GrowthReport, type Progress as Done, rememberCheckpoint, rememberedCheckpoint, type Report, VerifyError } from "../../verify/api";
import { api, token } from "../lib/api";
import { count, day, exactTime, plural, seconds, size, time } from "../lib/format";
import { useKeys } from "../lib/keys";
import { actorLink } from "../lib/route";
import type { Actor, Job } from "../lib/types";
import { fetcher, verifier } from "../lib/verifying";
import { Button, DropZone, Fact, Failure, Field, Hash, Progress, Prose } from "../ui/controls";
import { useLoad } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { SaveLink } from "../ui/payload";
import { complain, say } from "../ui/toast";
import { ProofView } from "./element";

interface Run {
    progress: Done | null;
    report: Report | null;
    error: string | null;
    cancel: (() => void) | null;
}

const IDLE: Run = { progress: null, report: null, error: null, cancel: null };

/** Runs one verification at a time, and keeps what it came to. */
function useVerification(): [Run, (source: BundleSource, keys?: string[]) => Promise<Report | null>] {
    const [run, setRun] = useState<Run>(IDLE);
    const cancel = useRef<(() => void) | null>(null);
    useEffect(() => () => cancel.current?.(), []);
    const begin = async (source: BundleSource, keys: string[] = []): Promise<Report | null> => {
        cancel.current?.();
        const controller = new AbortController();
        const abort = (): void => controller.abort();
        cancel.current = abort;
        setRun({ ...IDLE, cancel: abort });
        try {
            const report = await verifier.verifyBundle(source, {
                signal: controller.signal,
                onProgress: (progress) => setRun((old) => ({ ...old, progress })),
                ...(keys.length ? { keys } : {}),
            });
            setRun({ ...IDLE, report });
            return report;
        } catch (failed) {
            if (controller.signal.aborted && cancel.current !== abort)
                return null; // another one has begun, and what is shown is its own
            const cancelled = failed instanceof VerifyError && failed.kind === "cancelled";
            setRun(cancelled ? IDLE : { ...IDLE, error: failed instanceof Error ? failed.message : String(failed) });
            return null;
        }
    };
    return [run, begin];
}

const keysOf = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

export function ActorVerify({ name, actor }: { name: string; actor: Actor; sequence: number | null }) {
    const [run, begin] = useVerification();
    const [keys, setKeys] = useState("");
    const start = async (): Promise<void> => {
        const report = await begin({ url: `${api.path(name)}/bundle`, ...(token.value ? { token: token.value } : {}) }, keysOf(keys));
        const chain = report?.verdict === "verified" ? report.chains.find((one) => one.actor === actor.name) : undefined;
        if (chain?.note && chain.key && chain.keySource !== "none" && chain.keySource !== "unsupported") rememberCheckpoint(name, chain.note, chain.key);
    };
    useKeys([{ keys: ["v"], run: () => void start() }]);
    return (
        <div class="verify">
            <section class="card lead">
                <div>
                    <h2>Verify this chain, here</h2>
                    <p>This browser fetches all of the chain and computes every hash, link, state root, tree head and signature itself, in a worker. It takes the server's word for nothing.</p>
                </div>
                <Button look="main" icon="shield" keys="v" busy={run.cancel !== null} onClick={() => void start()}>Verify {plural(actor.elements, "element")}</Button>
            </section>
            <Running run={run} />
            {run.report && <ReportView report={run.report} />}
            <details class="more">
                <summary>With a key of your own</summary>
                <KeyField value={keys} onChange={setKeys} />
            </details>
            <Growth name={name} actor={actor} />
            <Replay name={name} />
        </div>
    );
}

function KeyField({ value, onChange }: { value: string; onChange: (text: string) => void }) {
    return (
        <Field label="Verifier keys" hint={<Prose text="One a line, as `theater keys` prints them. Then every checkpoint has to be signed by one of them. Without one, the key in the file is used, which shows that the file is whole and not who made it." />}>
            {(props) => <textarea {...props} class="mono" rows={2} spellcheck={false} value={value} placeholder="theater.local/counter/…+1a2b3c4d+AQ…" onInput={(event) => onChange(event.currentTarget.value)} />}
        </Field>
    );
}

function Running({ run }: { run: Run }) {
    if (run.error) return <Failure error={run.error} />;
    if (!run.cancel) return null;
    const { progress } = run;
    const rate = progress && progress.milliseconds > 200 ? progress.elements / (progress.milliseconds / 1000) : null;
    return (
        <section class="card running" aria-label="Progress">
            <div class="running-line">
                <b>{progress ? plural(progress.elements, "element") : "Fetching the bundle"}</b>
                {progress && <span class="dim">{size(progress.bytes)}{progress.totalBytes ? ` of ${size(progress.totalBytes)}` : ""}{rate ? `, ${count(Math.round(rate))} a second` : ""}</span>}
                <span class="grow" />
                <Button onClick={run.cancel}>Cancel</Button>
            </div>
            <Progress value={progress?.totalBytes ? progress.bytes / progress.totalBytes : null} label="Verified" />
        </section>
    );
}

/** A file may hold thousands of chains: more cards than this would only hang the page. */
const CHAINS_SHOWN = 200;

export function ReportView({ report, local = true }: { report: Report; local?: boolean }) {
    const good = report.verdict === "verified";
    return (
        <section class="report" aria-label="Report">
            <div class={`verdict ${good ? "good" : report.verdict === "failed" ? "bad" : "unsure"}`} role={good ? "status" : "alert"}>
                <Icon name={good ? "tick" : "cross"} size={30} />
                <div>
                    <h2>{good ? "Verified" : report.verdict === "failed" ? "Not verified" : "Not judged whole"}</h2>
                    <p><Prose text={report.message} /></p>
                    {report.fault && <FaultLink fault={report.fault} local={local} />}
                </div>
                <span class="dim took">{plural(report.elements, "element")}, {size(report.bytes)} in {seconds(report.milliseconds / 1000)}</span>
            </div>
            <div class="report-lists">
                <div class="card">
                    <h3>Checked here</h3>
                    <ul class="checks">
                        {report.checked.map((one) => <li key={one.name} class="ok"><Icon name="check" /><b>{count(one.count)}</b><span>{one.what}</span></li>)}
                    </ul>
                    <p class="dim">{count(report.hashes.total)} SHA-256 computed, {count(report.hashes.webCrypto)} by WebCrypto.</p>
                </div>
                <div class="card">
                    <h3>Not checked</h3>
                    {report.notChecked.length === 0 && <p class="dim">Nothing was left out.</p>}
                    <ul class="checks">
                        {report.notChecked.map((one) => (
                            <li key={one.name} class="open"><Icon name="ring" /><b>{one.count === null ? "" : count(one.count)}</b><span>{one.what}<small><Prose text={one.why} /></small></span></li>
                        ))}
                    </ul>
                </div>
            </div>
            {report.chains.slice(0, CHAINS_SHOWN).map((chain, i) => <ChainCard key={i} chain={chain} />)}
            {report.chains.length > CHAINS_SHOWN && <p class="dim">{plural(report.chains.length - CHAINS_SHOWN, "more chain")}</p>}
        </section>
    );
}

function FaultLink({ fault, local }: { fault: Fault; local: boolean }) {
    return (
        <p class="fault">
            <span class="badge bad">{fault.check}</span>
            {fault.actor && <> in <b>{fault.actor}</b></>}
            {fault.sequence !== null && <>, {local && fault.actor ? <a href={actorLink(fault.actor, "chain", Number(fault.sequence))}>element {count(fault.sequence)}</a> : <>element {count(fault.sequence)}</>}</>}
        </p>
    );
}

const KEY_SOURCES = {
    none: "no key: signatures were not checked",
    user: "with your key",
    bundle: "with the key that came with it: the file is whole, who made it is not shown",
    unsupported: "this browser has no Ed25519",
} as const;

function ChainCard({ chain }: { chain: ChainReport }) {
    return (
        <details class="card chain-card">
            <summary><b>{chain.actor}</b> <span class="dim">{plural(chain.elements, "element")}, up to {day(chain.timestamp)} {time(chain.timestamp)}</span></summary>
            <dl class="facts">
                <Fact name="Genesis"><Hash whole value={chain.genesis} label="genesis hash" /></Fact>
                <Fact name="Head"><Hash whole value={chain.head} label="head hash" /></Fact>
                <Fact name="Tree head"><Hash whole value={chain.treeHead} label="tree head" /></Fact>
                <Fact name="State root"><Hash whole value={chain.stateRoot} label="state root" /> <span class="dim">{size(chain.stateSize)}</span></Fact>
                <Fact name="Last element"><code>{exactTime(chain.timestamp)}</code></Fact>
                <Fact name="Fuel">{count(chain.fuel)}</Fact>
                <Fact name="Checkpoints">{count(chain.checkpoints)}{chain.checkpoints > 0 && <span class="dim">, the newest of size {count(chain.checkpointSize)}, {KEY_SOURCES[chain.keySource]}</span>}</Fact>
                {chain.key && <Fact name="Key"><code class="wrap">{chain.key}</code></Fact>}
            </dl>
        </details>
    );
}

/** What this browser remembers of the chain, and whether the chain goes on from there. */
function Growth({ name, actor }: { name: string; actor: Actor }) {
    const [report, setReport] = useState<GrowthReport | null>(null);
    const [busy, setBusy] = useState(false);
    const [, again] = useState(0);
    const known = rememberedCheckpoint(name);
    const act = async (what: () => Promise<void>): Promise<void> => {
        setBusy(true);
        try {
            await what();
        } catch (error) {
            complain(error);
        } finally {
            setBusy(false);
            again((n) => n + 1);
        }
    };
    return (
        <section class="card" aria-label="Checkpoints">
            <header class="section-head"><h2>The past does not change</h2></header>
            <p>{known
                ? <>This browser remembers a chain of <b>{sizeOf(known.note)}</b>, since {new Date(known.at).toLocaleString()}. A consistency proof shows whether the chain still begins with that.</>
                : "A signed checkpoint says how long the chain is and what it holds. This browser can remember it, and later ask for the proof that the chain goes on from there."}</p>
            {report && (
                <div class={`notice ${report.outcome === "broken" ? "bad" : report.outcome === "unproved" ? "unsure" : "good"}`} role={report.outcome === "broken" ? "alert" : "status"}>
                    <Icon name={report.outcome === "broken" ? "cross" : report.outcome === "unproved" ? "ring" : "tick"} />
                    <div><strong>{report.outcome === "broken" ? "The past was changed, or the key" : report.message}</strong>{report.outcome === "broken" && <p>{report.message}</p>}</div>
                </div>
            )}
            {report?.proof && report.outcome === "broken" && <ProofView report={report.proof} />}
            <div class="row">
                <Button icon="shield" busy={busy} onClick={() => void act(async () => setReport(await verifier.checkGrowth(name, fetcher)))}>{known ? "Check that it goes on" : "Remember the newest checkpoint"}</Button>
                <Button icon="plus" busy={busy} onClick={() => void act(async () => {
                    await api.checkpoint(name);
                    say("Signed the chain as it is now.");
                })}>Sign a checkpoint</Button>
                {known && <Button look="quiet" onClick={() => {
                    forgetCheckpoint(name);
                    setReport(null);
                    again((n) => n + 1);
                }}>Forget</Button>}
                <SaveLink class="button plain" href={`${api.path(name)}/bundle`} name={`${actor.name}.bundle`}><Icon name="download" /><span>Bundle</span></SaveLink>
            </div>
        </section>
    );
}

/** The second line of a checkpoint. */
const sizeOf = (note: string): string => plural(Number(note.split("\n")[1] ?? 0), "element");

/** What a browser cannot do, running every turn again, the server or a stranger's command line can. */
function Replay({ name }: { name: string }) {
    const [id, setId] = useState<number | null>(null);
    const running = useLoad(id === null ? null : `job/${id}`, (signal) => api.jobState(id!, signal), id === null ? 0 : 400);
    const job: Job | null = running.value;
    const ended = job !== null && job.state !== "running" && job.state !== "waiting" && job.state !== "queued";
    const ok = ended && job.report?.verdict === "ok";
    return (
        <section class="card" aria-label="Replay">
            <header class="section-head"><h2>Run every turn again</h2></header>
            <p>Hashes show that nothing was changed. That the outputs and states are those that the component makes, only running it again shows: <code>theater replay {name}.bundle</code> on a machine of your own, or this server, if you trust it.</p>
            {job && !ended && running.error == null && <><Progress value={job.total ? job.done / job.total : null} label="Replay" /><p class="dim">{count(job.done)} of {count(job.total)}</p></>}
            {ended && (
                <div class={`notice ${ok ? "good" : "bad"}`} role="status">
                    <Icon name={ok ? "tick" : "cross"} />
                    <div><strong>{job.report?.message ?? job.message ?? job.state}</strong></div>
                </div>
            )}
            {running.error != null && <Failure error={running.error} />}
            <div class="row">
                <Button icon="redo" busy={job !== null && !ended && running.error == null} onClick={() => {
                    api.job("replay", name).then((begun) => setId(begun.id), complain);
                }}>Replay on the server</Button>
            </div>
        </section>
    );
}

/** A bundle that somebody gave you. */
export function BundleView() {
    const [run, begin] = useVerification();
    const [file, setFile] = useState<File | null>(null);
    const [keys, setKeys] = useState("");
    const take = (chosen: File): void => {
        setFile(chosen);
        void begin(chosen, keysOf(keys));
    };
    return (
        <div class="page verify">
            <header class="page-head"><h1>Verify a file</h1></header>
            <p class="lead-text">A bundle holds chains whole. Drop one here: it is read and checked in this browser and sent nowhere, so it does not matter whose server this page came from.</p>
            <DropZone accept=".bundle,application/octet-stream,application/vnd.theater.bundle" label="Choose a bundle" take={take}>
                {file ? <><b>{file.name}</b>, {size(file.size)}</> : "Drop a bundle here."}
            </DropZone>
            <KeyField value={keys} onChange={setKeys} />
            {file && !run.cancel && <div class="row"><Button icon="redo" onClick={() => take(file)}>Verify it again</Button></div>}
            <Running run={run} />
            {run.report && <ReportView report={run.report} local={false} />}
        </div>
    );
}
