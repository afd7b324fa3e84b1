// The documents of the HTTP interface (docs/http-api.md), as the page reads them.

/** A number up to 2^64 - 1: a bigint where it does not fit a number exactly. */
export type Whole = number | bigint;

/** Bytes as the interface writes them: text where they are UTF-8, base64 otherwise. */
export type Coded = string | { base64: string };

export interface Limits {
    fuel: Whole;
    memory: Whole;
    state: Whole;
    message: Whole;
    effects: Whole;
}

export type ActorStatus = "starting" | "running" | "stopped" | "removed" | "archive" | "unknown";

export interface Actor {
    name: string;
    id: number;
    status: ActorStatus;
    elements: number;
    genesis?: string;
    head?: string;
    timestamp?: Whole;
    state_size?: number;
    state_root?: string;
    component?: string;
    engine?: string;
    limits?: Limits;
    snapshot?: number | null;
    checkpoint_size?: number;
    undelivered?: number;
}

export interface Descriptor {
    name: string;
    component: string;
    config: Coded;
    limits: Limits;
    engine: string;
    world: string;
}

export type ElementType = "genesis" | "transition" | "rejection" | "upgrade";

export interface Cause {
    kind: "message" | "reply" | "notice";
    actor: string;
    sequence?: number;
    hash?: string;
    index?: number;
    request?: Whole;
    failed?: boolean;
}

export interface Rejection {
    code: number;
    message: string;
}

export interface Element {
    sequence: number;
    hash: string;
    previous: string;
    type: ElementType;
    timestamp: Whole;
    input: Coded | { descriptor: Descriptor } | null;
    output: Coded | Rejection | null;
    state_before: string;
    state_after: string;
    state_size: number;
    fuel: Whole;
    cause: Cause | null;
    principal: string | null;
    id: Coded | null;
}

/** An element of a stream of events: of which actor it is stands with it. */
export interface ElementEvent extends Element {
    actor: string;
    actor_id: number;
}

export interface TraceStep {
    relation: "element" | "cause" | "effect";
    distance: number;
    actor: string;
    id: number;
    sequence: number;
    kind: "client" | "message" | "reply" | "notice" | null;
}

export interface Component {
    hash: string;
    uploaded: boolean;
    actors: number;
    size?: number;
}

export interface Report {
    verdict: string;
    message: string;
    what: string | null;
    actor: string;
    sequence: number;
    elements: number;
    undecided: number;
    skipped: number;
    causes: number;
    missing_causes: number;
}

export interface Job {
    id: number;
    kind: "verify" | "replay";
    actor: string | null;
    state: string;
    done: number;
    total: number;
    status?: string;
    message?: string;
    report?: Report;
}

export interface LogLine {
    level: string;
    message: string;
}

export interface TriedEffect {
    kind: "send" | "request";
    to: string;
    payload: Coded;
    request?: Whole;
}

/** What a turn that was run again, or only tried, came to. */
export interface Turn {
    outcome: "ok" | "rejected";
    code: number | null;
    message: string | null;
    /** Of a trap: where in the component it was. */
    detail: string | null;
    output: Coded | null;
    fuel: Whole;
    state_root: string;
    state_size: number;
    log: LogLine[];
    effects: TriedEffect[];
    matches?: boolean;
    differs?: string[];
    at?: number;
    state?: Coded;
}

/** The reasons of the chain format, by code (docs/chain-format.md, Rejections). */
export const REJECTIONS: Record<number, string> = {
    1: "refused by the actor",
    2: "invalid state",
    3: "trap",
    4: "out of fuel",
    5: "limit passed",
    6: "stack overflow",
};
