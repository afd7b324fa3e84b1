// What the verifier takes and gives. All of it can be cloned between the page and the worker.

/** SHA-256 in lower-case hex, 64 digits. */
export type Hex = string;

/** A bundle: an address on this server (`/v1/actors/NAME/bundle`), with the token if one is needed, or a file
 * that the user chose or dropped (a `File` is a `Blob`). */
export type BundleSource = { url: string; token?: string } | Blob;

export interface VerifyOptions {
    /** Verifier keys (`name+hash+base64`) that the user trusts. A checkpoint of a log that none of them is for
     * is a fault, and so is a key that signed nothing. Left out: the bundle's own key is used, and the report
     * says so. */
    keys?: readonly string[];
    /** Called some ten times a second. */
    onProgress?: (progress: Progress) => void;
    /** Aborting rejects the promise with a `VerifyError` of the kind `cancelled`, within some 50 ms. */
    signal?: AbortSignal;
}

export interface Progress {
    /** Bytes of the bundle that were checked, and how many there are; null: the server did not say. */
    bytes: number;
    totalBytes: number | null;
    elements: number;
    /** Of the chain that is being read; empty before the first one. */
    actor: string;
    milliseconds: number;
}

/** `verified`: everything that was looked at holds. `failed`: `fault` says what does not. `unknown-version`: all
 * links hold, but from `fault` on there are elements of a later version of the format, which this page cannot
 * judge. */
export type Verdict = "verified" | "failed" | "unknown-version";

/** What a fault is about, in the names of `theater verify --json`. */
export type CheckName =
    | "bundle" | "encoding" | "version" | "sequence" | "previous" | "timestamp" | "state" | "input" | "output"
    | "effects" | "fuel" | "limit" | "descriptor" | "component" | "cause" | "snapshot" | "checkpoint" | "key"
    | "empty" | "order";

/** The first thing that is wrong. */
export interface Fault {
    check: CheckName;
    /** Empty when the bundle has no header. */
    actor: string;
    /** The element, or of a snapshot the element that it is of. Null: not about one element. */
    sequence: bigint | null;
    /** Whole, as the command line words it: "element 41 of actor cart: previous hash differs". */
    message: string;
}

/** One kind of check, for a list on the page: "100,000 element hashes and links". */
export interface Checked {
    /** For programs. */
    name: "elements" | "links" | "payloads" | "states" | "descriptors" | "limits" | "effects" | "causes" | "other-chains"
        | "components" | "snapshots" | "tree-heads" | "signatures";
    /** For people: what was done, without the count. */
    what: string;
    count: number;
}

/** What was not checked, and why. */
export interface NotChecked {
    name: "execution" | "dropped-payloads" | "signatures" | "key" | "other-chains" | "answers" | "tree-heads" | "length";
    what: string;
    why: string;
    /** How many; null where nothing can be counted. */
    count: number | null;
}

/** How the signatures of the checkpoints were checked. `user`: with the user's key. `bundle`: with the key that
 * came with the bundle, which shows that the file is whole, and not who made it. `none`: there is no key, or no
 * checkpoint. `unsupported`: this browser has no Ed25519. */
export type KeySource = "none" | "user" | "bundle" | "unsupported";

export interface ChainReport {
    actor: string;
    elements: number;
    /** Element hash of the first and the last element, the tree head over all, the state root after the last. */
    genesis: Hex;
    head: Hex;
    treeHead: Hex;
    stateRoot: Hex;
    stateSize: bigint;
    /** Nanoseconds since 1970, of the last element. */
    timestamp: bigint;
    fuel: bigint;
    /** Checkpoints whose tree head was compared, and the largest size among them. */
    checkpoints: number;
    checkpointSize: bigint;
    /** The newest checkpoint that was found right, as a whole note; to be remembered. Null: none. */
    note: string | null;
    keySource: KeySource;
    /** The verifier key that was used, or that came with the bundle; null: none. */
    key: string | null;
}

export interface Report {
    verdict: Verdict;
    /** One line: the fault's message, or "counter: 12 elements verified, 1 checkpoint, signed by ...". */
    message: string;
    fault: Fault | null;
    chains: ChainReport[];
    /** In sum over all chains, up to the fault. */
    elements: number;
    checked: Checked[];
    notChecked: NotChecked[];
    /** SHA-256 computed, of these by WebCrypto, and how many of our own were computed again by WebCrypto. */
    hashes: { total: number; webCrypto: number; crossChecked: number };
    bytes: number;
    milliseconds: number;
}

/** The verdict on an inclusion or consistency proof. */
export interface ProofReport {
    kind: "inclusion" | "consistency";
    valid: boolean;
    /** One line, as `theater verify-proof` words it. */
    message: string;
    /** What was checked, step by step; the last one is the one that failed when `valid` is false. */
    steps: { what: string; ok: boolean }[];
    /** The log's name and the size of the (newer) checkpoint; empty and 0 where it did not parse. */
    log: string;
    size: bigint;
    /** Of an inclusion proof: the element that is proved, decoded, and its hash. */
    element?: ElementView;
    elementHash?: Hex;
    /** Of a consistency proof. */
    oldSize?: bigint;
    /** False: the signatures were not checked, because this browser has no Ed25519 or no key was given. */
    signatureChecked: boolean;
}

/** An operating error: not a verdict on a chain. */
export type VerifyErrorKind = "cancelled" | "network" | "too-large" | "unsupported" | "argument" | "internal";

/** An element, decoded. */
export interface ElementView {
    version: number;
    sequence: bigint;
    previous: Hex;
    type: "genesis" | "transition" | "rejection" | "upgrade";
    timestamp: bigint;
    input: Hex;
    stateBefore: Hex;
    stateAfter: Hex;
    output: Hex;
    effects: Hex;
    fuel: bigint;
    stateSize: bigint;
    cause: CauseView | null;
    principal: string | null;
    id: Uint8Array | null;
}

export type CauseView =
    | { kind: "message"; actor: string; sequence: bigint; index: bigint; hash: Hex }
    | { kind: "answer"; actor: string; sequence: bigint; hash: Hex; request: bigint; failed: boolean }
    | { kind: "undelivered"; actor: string; request: bigint };

export interface LimitsView {
    fuel: bigint;
    memory: bigint;
    state: bigint;
    message: bigint;
    effects: bigint;
}

export interface DescriptorView {
    actor: string;
    component: Hex;
    config: Uint8Array;
    limits: LimitsView;
    engine: string;
    world: string;
}

export type EffectView =
    | { kind: "log"; level: "trace" | "debug" | "info" | "warn" | "error"; text: string }
    | { kind: "send"; to: string; payload: Hex }
    | { kind: "request"; to: string; payload: Hex; request: bigint };

export interface RejectionView {
    code: number;
    message: string;
}

/** Any CBOR item as a tree to show; unlike the chain's own reader it takes all of RFC 8949. `at` and `size` are
 * the item's place in the bytes. */
export type CborNode = { at: number; size: number } & (
    | { type: "uint" | "nint"; value: bigint }
    | { type: "bytes"; value: Uint8Array }
    | { type: "text"; value: string }
    | { type: "array"; items: CborNode[] }
    | { type: "map"; entries: { key: CborNode; value: CborNode }[] }
    | { type: "tag"; tag: bigint; item: CborNode }
    | { type: "float"; value: number }
    | { type: "bool"; value: boolean }
    | { type: "null" | "undefined" }
    | { type: "simple"; value: number }
);

/** What growth since the remembered checkpoint came to. */
export interface GrowthReport {
    /** `first`: nothing was remembered; `grown`, `same`: the chain continues what was remembered; `broken`: it
     * does not; `unproved`: the server gave no proof. */
    outcome: "first" | "grown" | "same" | "broken" | "unproved";
    message: string;
    /** Sizes of the remembered and the newest checkpoint. */
    oldSize: bigint | null;
    size: bigint | null;
    /** When the old one was remembered, in milliseconds since 1970. */
    rememberedAt: number | null;
    proof: ProofReport | null;
}
