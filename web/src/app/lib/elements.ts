// Elements that were looked at, with their effects: they never change, so the last ones are kept. Each is checked
// when it comes: what the page shows must be what the element's bytes say, and these must have the element's hash.
import { type CauseView, decodeEffects, decodeElement, type EffectView, elementHash, type ElementView, sha256 } from "../../verify/api";
import { api, Problem } from "./api";
import { decoded, sameBytes } from "./bytes";
import type { Cause, Element } from "./types";

export interface Whole {
    element: Element;
    /** null: the payload was dropped from the archive. */
    effects: EffectView[] | null;
    /** What does not fit together; empty when all does. */
    faults: string[];
}

const KEPT = 60;
const KEPT_BYTES = 32 * 1024 * 1024;
/** Those that were looked at, the oldest first, with the bytes of their payloads. */
const kept = new Map<string, { whole: Whole; bytes: number }>();
let keptBytes = 0;

function keep(key: string, whole: Whole, bytes: number): void {
    keptBytes += bytes - (kept.get(key)?.bytes ?? 0);
    kept.set(key, { whole, bytes });
    for (const [old, one] of kept) {
        if ((kept.size <= KEPT && keptBytes <= KEPT_BYTES) || old === key) break;
        kept.delete(old);
        keptBytes -= one.bytes;
    }
}

type Part = "encoding" | "input" | "output" | "effects";

/** A payload's bytes; null where it was dropped. */
const part = (actor: string, sequence: number, which: Part, signal?: AbortSignal): Promise<Uint8Array | null> =>
    api.part(actor, sequence, which, signal).catch((error: unknown) => {
        if (error instanceof Problem && error.status === 404) return null;
        throw error;
    });

/** An element with its effects. `genesis` says of which chain: a name can be given again. */
export async function loadElement(actor: string, genesis: string | undefined, sequence: number, signal?: AbortSignal): Promise<Whole> {
    const key = `${actor}/${genesis}/${sequence}`;
    const known = kept.get(key);
    if (known) return known.whole;
    const [element, encoding, effects] = await Promise.all([
        api.element(actor, sequence, signal), api.part(actor, sequence, "encoding", signal), part(actor, sequence, "effects", signal)]);
    // Descriptors and reasons come decoded; their hashes are of their bytes.
    const described = element.type === "genesis" || element.type === "upgrade";
    const input = described ? await part(actor, sequence, "input", signal) : element.input === null ? null : decoded(element.input as string);
    const output = element.type === "rejection" ? await part(actor, sequence, "output", signal) : element.output === null ? null : decoded(element.output as string);
    const whole: Whole = {
        element,
        effects: effects && decodeEffects(effects, BigInt(sequence)),
        faults: faultsOf(element, encoding, { input, output, effects }),
    };
    keep(key, whole, (input?.length ?? 0) + (output?.length ?? 0) + (effects?.length ?? 0));
    return whole;
}

function faultsOf(element: Element, encoding: Uint8Array, payloads: Record<"input" | "output" | "effects", Uint8Array | null>): string[] {
    const view = decodeElement(encoding);
    if (!view) return ["its encoding is not one of the chain format"];
    const faults: string[] = [];
    if (elementHash(encoding) !== element.hash) faults.push("its encoding does not have the element hash");
    for (const [name, same] of fieldsOf(element, view)) if (!same) faults.push(`the ${name} shown is not the one in its encoding`);
    for (const name of ["input", "output", "effects"] as const) {
        const bytes = payloads[name];
        if (bytes && sha256(bytes) !== view[name]) faults.push(`the ${name} does not have its hash`);
    }
    return faults;
}

const fieldsOf = (element: Element, view: ElementView): [string, boolean][] => [
    ["sequence", BigInt(element.sequence) === view.sequence],
    ["previous hash", element.previous === view.previous],
    ["type", element.type === view.type],
    ["timestamp", BigInt(element.timestamp) === view.timestamp],
    ["state before", element.state_before === view.stateBefore],
    ["state after", element.state_after === view.stateAfter],
    ["state size", BigInt(element.state_size) === view.stateSize],
    ["fuel", BigInt(element.fuel) === view.fuel],
    ["principal", element.principal === view.principal],
    ["cause", sameCause(element.cause, view.cause)],
    ["key", element.id === null || view.id === null ? element.id === view.id : sameBytes(decoded(element.id), view.id)],
];

/** What a cause is called by the interface, and in the chain format. */
const KINDS = { message: "message", reply: "answer", notice: "undelivered" } as const;

function sameCause(cause: Cause | null, view: CauseView | null): boolean {
    if (!cause || !view) return !cause && !view;
    if (KINDS[cause.kind] !== view.kind || cause.actor !== view.actor) return false;
    const same = (shown: number | bigint | undefined, known: bigint): boolean => shown !== undefined && BigInt(shown) === known;
    if (view.kind === "undelivered") return cause.sequence === undefined && cause.hash === undefined && same(cause.request, view.request);
    if (!same(cause.sequence, view.sequence) || cause.hash !== view.hash) return false;
    return view.kind === "message" ? same(cause.index, view.index) : same(cause.request, view.request) && cause.failed === view.failed;
}
