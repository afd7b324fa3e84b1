// The state debugger: the state after any element, what changed in it, and what an input would do to it.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../lib/api";
import { preview } from "../lib/bytes";
import { loadElement } from "../lib/elements";
import { count, size } from "../lib/format";
import { useKeys } from "../lib/keys";
import { actorLink, go, place } from "../lib/route";
import { bestForm } from "../lib/tree";
import type { Actor, Element } from "../lib/types";
import { verifier } from "../lib/verifying";
import { Button, CopyButton, Failure, Hash, Loading, Segmented, TypeBadge } from "../ui/controls";
import { useLoad } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { BytesView, FORMS, save, type Shown } from "../ui/payload";
import { Difference } from "./difference";
import { Effects } from "./element";
import { Rerun } from "./rerun";
import { TryInput } from "./try";

const KEPT_BYTES = 64 * 1024 * 1024;
const kept = new Map<string, Uint8Array>();

/** States never change; the last ones are kept, up to a bound, so that stepping to and fro is instant. */
async function loadState(name: string, genesis: string | undefined, sequence: number, signal?: AbortSignal): Promise<Uint8Array> {
    const key = `${name}/${genesis}/${sequence}`;
    const known = kept.get(key);
    if (known) return known;
    const state = await api.state(name, sequence, signal);
    kept.set(key, state);
    let total = [...kept.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    for (const [old, bytes] of kept) {
        if ((total <= KEPT_BYTES && kept.size <= 200) || old === key) break;
        kept.delete(old);
        total -= bytes.length;
    }
    return state;
}

type Compare = "before" | "none" | number;

const compareOf = (text: string | null): Compare => (text === "none" ? "none" : text !== null && /^\d+$/.test(text) ? Number(text) : "before");

export function StateView({ name, actor, sequence }: { name: string; actor: Actor; sequence: number | null }) {
    const last = actor.elements - 1;
    // Without a number in the address it is the newest at the time one came here; a debugger must not move by itself.
    const [begin] = useState(last);
    const at = Math.min(sequence ?? begin, last);
    const compare = compareOf(place.value.query.get("with"));
    const other = compare === "none" ? null : compare === "before" ? (at > 0 ? at - 1 : null) : Math.min(compare, last);
    const link = (to: number, next: Compare = compare): string =>
        actorLink(name, "state", to, { with: next === "before" ? "" : String(next) });
    const step = (to: number): void => go(link(Math.min(Math.max(0, to), last)), true);
    useKeys([
        { keys: ["]", "j", "ArrowRight", "ArrowDown"], run: () => step(at + 1) },
        { keys: ["[", "k", "ArrowLeft", "ArrowUp"], run: () => step(at - 1) },
        { keys: ["Home"], run: () => step(0) },
        { keys: ["End", "G"], run: () => step(last) },
        { keys: ["c"], run: () => go(actorLink(name, "chain", at)) },
        { keys: [":"], run: () => document.getElementById("state-at")?.focus() },
    ]);
    const loaded = useLoad(`state/${name}/${actor.genesis}/${at}/${other}`, async (signal) => {
        const [state, before, whole] = await Promise.all([
            loadState(name, actor.genesis, at, signal), other === null ? null : loadState(name, actor.genesis, other, signal),
            loadElement(name, actor.genesis, at, signal)]);
        return { at, other, state, before, whole };
    });
    const keep = useRef(loaded.value);
    if (loaded.value) keep.current = loaded.value;
    const seen = loaded.value ?? (loaded.error ? null : keep.current);
    return (
        <div class="debugger">
            <Stepper at={at} last={last} step={step} />
            <div class="debugger-body">
                <div class="debugger-main">
                    <CompareBar at={at} last={last} compare={compare} other={other} set={(next) => go(link(at, next), true)} />
                    {loaded.error != null && <Failure error={loaded.error} retry={loaded.reload} />}
                    {!seen && loaded.loading && <Loading what="Loading the state" />}
                    {seen && <States name={name} {...seen} element={seen.whole.element} />}
                </div>
                <div class="debugger-side">
                    {seen && <>
                        <TurnCard name={name} element={seen.whole.element} />
                        <Effects effects={seen.whole.effects} />
                        <Rerun key={seen.whole.element.hash} name={name} element={seen.whole.element} />
                        <TryInput key={`${name}/${seen.at}`} name={name} at={seen.at} state={seen.state} />
                    </>}
                </div>
            </div>
        </div>
    );
}

function Stepper({ at, last, step }: { at: number; last: number; step: (to: number) => void }) {
    const [text, setText] = useState<string | null>(null);
    return (
        <div class="stepper" role="toolbar" aria-label="Step through the chain">
            <Button look="quiet" icon="first" title="First element" keys="Home" disabled={at === 0} onClick={() => step(0)} />
            <Button icon="left" title="Back" keys="[" disabled={at === 0} onClick={() => step(at - 1)} />
            <form onSubmit={(event) => {
                event.preventDefault();
                if (text !== null && /^\d+$/.test(text)) step(Number(text));
                setText(null);
                (document.activeElement as HTMLElement | null)?.blur();
            }}>
                <label for="state-at" class="sr">State after element</label>
                <input id="state-at" class="mono" type="text" inputMode="numeric" value={text ?? String(at)} title="State after this element (:)"
                    onFocus={(event) => event.currentTarget.select()} onInput={(event) => setText(event.currentTarget.value.trim())} onBlur={() => setText(null)} />
            </form>
            <Button icon="right" title="Forward" keys="]" disabled={at === last} onClick={() => step(at + 1)} />
            <Button look="quiet" icon="last" title="Newest element" keys="End" disabled={at === last} onClick={() => step(last)} />
            <input type="range" min={0} max={last} value={at} aria-label="Element" onInput={(event) => step(Number(event.currentTarget.value))} />
            <span class="dim">of {count(last)}</span>
        </div>
    );
}

function CompareBar({ at, last, compare, other, set }: { at: number; last: number; compare: Compare; other: number | null; set: (next: Compare) => void }) {
    const kind = compare === "none" || compare === "before" ? compare : "other";
    return (
        <div class="compare">
            <h2>State after {count(at)}</h2>
            <span class="grow" />
            <Segmented label="Compare with" value={kind} options={[["none", "Alone"], ["before", "With the one before"], ["other", "With another"]]}
                onChange={(next) => set(next === "other" ? (other ?? 0) : next)} />
            {kind === "other" && (
                <input class="mono other" type="number" min={0} max={last} value={other ?? 0} aria-label="Compare with the state after element"
                    onChange={(event) => set(Math.min(last, Math.max(0, Math.floor(Number(event.currentTarget.value)) || 0)))} />
            )}
        </div>
    );
}

function States({ name, at, other, state, before, element }: {
    name: string;
    at: number;
    other: number | null;
    state: Uint8Array;
    before: Uint8Array | null;
    element: Element;
}) {
    const [shown, setShown] = useState<Shown>("auto");
    const form = useMemo(() => (shown === "auto" ? bestForm(state.length ? state : (before ?? state)) : shown), [shown, state, before]);
    return (
        <>
            <div class="state-bar">
                <Segmented label="Form of the state" value={shown} options={FORMS} onChange={setShown} />
                <span class="dim">{shown === "auto" ? `as ${form}, ` : ""}{size(state.length)}</span>
                <RootCheck state={state} root={element.state_after} />
                <span class="grow" />
                <Button look="quiet" icon="download" title="Save the state" onClick={() => save(state, `${name}-${at}.state`)} />
            </div>
            {before && other !== null && <Difference before={before} after={state} form={form} names={[`after ${count(other)}`, `after ${count(at)}`]} />}
            <section class="payload" aria-label="State">
                <header><h3>The state</h3><span class="dim">{state.length === 0 ? "empty" : size(state.length)}{form === "hex" && before ? ", what changed is marked" : ""}</span></header>
                {state.length > 0 && <BytesView bytes={state} shown={form} label="State" {...(before ? { marks: (offset: number) => before[offset] !== state[offset] } : {})} />}
            </section>
        </>
    );
}

/** The root of the bytes that came, computed here, against the one on the chain. */
function RootCheck({ state, root }: { state: Uint8Array; root: string }) {
    const [found, setFound] = useState<string | null>(null);
    useEffect(() => {
        let current = true;
        setFound(null);
        void verifier.stateRoot(state).then((hash) => current && setFound(hash), () => null);
        return () => {
            current = false;
        };
    }, [state]);
    if (found === null) return <span class="root-check dim">checking its root …</span>;
    const same = found === root;
    return (
        <span class={`root-check ${same ? "ok" : "no"}`} title={same ? "This page computed the state root of these bytes: it is the one in the element" : `These bytes have the root ${found}`}>
            <Icon name={same ? "tick" : "cross"} size={14} />{same ? "root checked" : "not the state of the chain"}
        </span>
    );
}

function TurnCard({ name, element }: { name: string; element: Element }) {
    const { input, output } = element;
    const line = input === null ? "dropped" : typeof input === "object" && "descriptor" in input ? "the descriptor" : preview(input, 300);
    const answer = output === null ? "dropped" : typeof output === "object" && "code" in output ? output.message : preview(output, 300);
    return (
        <section class="payload" aria-label="The turn">
            <header>
                <h3>The turn</h3><TypeBadge type={element.type} /><span class="grow" />
                <a href={actorLink(name, "chain", element.sequence)} title="In the chain (c)">element {count(element.sequence)}</a>
            </header>
            <dl class="turn-card">
                <dt>Input</dt><dd><code>{line || "empty"}</code>{line && <CopyButton text={() => line} label="Copy the input" />}</dd>
                <dt>{element.type === "rejection" ? "Reason" : "Output"}</dt><dd><code>{answer || "empty"}</code></dd>
                <dt>Fuel</dt><dd>{count(element.fuel)}</dd>
                <dt>Root</dt><dd><Hash value={element.state_after} label="state root" />{element.state_before === element.state_after && <span class="dim"> unchanged</span>}</dd>
            </dl>
        </section>
    );
}
