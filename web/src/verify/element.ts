// Elements as the chain format has them: decoding, and the rules that one element shows alone.
import { equal, nameValid } from "./bytes";
import { CborReader, Refused } from "./cbor";
import { sha256 } from "./sha256";

export const GENESIS = 0, TRANSITION = 1, REJECTION = 2, UPGRADE = 3;
export const TYPE_NAMES = ["genesis", "transition", "rejection", "upgrade"] as const;

export const EMPTY_HASH = sha256(new Uint8Array());
const ZERO_HASH = new Uint8Array(32);

/** Kinds of causes, by the number that stands in the array. */
export const MESSAGE = 0, ANSWER = 1, UNDELIVERED = 2;

export interface Cause {
    kind: number;
    actor: string;
    /** Of a message and an answer. */
    sequence: bigint;
    hash: Uint8Array;
    /** Of a message. */
    index: bigint;
    /** Of an answer and of news that a request was not delivered. */
    request: bigint;
    failed: boolean;
}

/** An element; the hashes are parts of its encoding, not copies. */
export interface Element {
    sequence: bigint;
    previous: Uint8Array;
    type: number;
    timestamp: bigint;
    input: Uint8Array;
    stateBefore: Uint8Array;
    stateAfter: Uint8Array;
    output: Uint8Array;
    effects: Uint8Array;
    fuel: bigint;
    stateSize: bigint;
    cause: Cause | null;
    principal: string | null;
    id: Uint8Array | null;
}

/** What every version of an element begins with. */
export interface Link {
    version: bigint;
    sequence: bigint;
    previous: Uint8Array;
    fields: number;
}

const NAMES = ["version", "sequence", "", "type", "timestamp", "input", "", "", "output", "effects", "fuel", "state size"];

function key(input: CborReader, number: number): void {
    const name = number === 2 ? "previous" : number === 6 ? "state-before" : number === 7 ? "state-after"
        : `the ${NAMES[number]}`;
    input.expect(number, `${name} (key ${number}) ${number === 9 ? "are" : "is"} missing`);
}

function number(input: CborReader, at: number): bigint {
    key(input, at);
    return input.uint();
}

function hash(input: CborReader, at: number): Uint8Array {
    key(input, at);
    return input.hash();
}

function readLink(input: CborReader): Link {
    const fields = input.map();
    return { fields, version: number(input, 0), sequence: number(input, 1), previous: hash(input, 2) };
}

function readCause(input: CborReader): Cause {
    const count = input.array(), kind = input.small();
    if (kind < 0 || kind > UNDELIVERED)
        input.refuse("a cause of unknown kind");
    if (count !== [5, 6, 3][kind])
        input.refuse("a cause of wrong length");
    const cause: Cause = { kind, actor: input.text(), sequence: 0n, hash: ZERO_HASH, index: 0n, request: 0n, failed: false };
    if (!nameValid(cause.actor))
        input.refuse("a cause from what is no name");
    if (kind !== UNDELIVERED)
        cause.sequence = input.uint();
    if (kind === MESSAGE)
        cause.index = input.uint();
    if (kind !== UNDELIVERED)
        cause.hash = input.hash();
    if (kind !== MESSAGE)
        cause.request = input.uint();
    if (kind === ANSWER)
        cause.failed = input.bool();
    return cause;
}

/** Keys 12 to 14, each of which may be missing. */
function readOptional(input: CborReader, fields: number, into: Element): void {
    let last = 11;
    for (let i = 12; i < fields; i++) {
        const at = input.small();
        if (at >= 0 && at <= last)
            input.refuse("keys that do not ascend");
        last = at;
        if (at === 12) {
            into.cause = readCause(input);
        } else if (at === 13) {
            const begin = input.at;
            into.principal = input.text();
            const whole = input.at - begin, size = whole - (whole > 24 ? 2 : 1);
            if (size < 1 || size > 128)
                input.refuse("a principal that is not 1 to 128 bytes");
        } else if (at === 14) {
            into.id = input.byteString();
            if (into.id.length < 1 || into.id.length > 64)
                input.refuse("an id that is not 1 to 64 bytes");
        } else {
            input.refuse("an unknown key");
        }
    }
}

/** The rules that one element shows alone. */
function brokenRule(e: Element): string | null {
    const genesis = e.type === GENESIS, upgrade = e.type === UPGRADE;
    if (genesis !== (e.sequence === 0n))
        return genesis ? "a genesis has sequence 0" : "only a genesis has sequence 0";
    if (genesis && !equal(e.previous, ZERO_HASH))
        return "a genesis has no previous element";
    if (genesis && !equal(e.stateBefore, EMPTY_HASH))
        return "a genesis has the empty state before";
    if ((upgrade || e.type === REJECTION) && !equal(e.stateBefore, e.stateAfter))
        return upgrade ? "an upgrade keeps the state" : "a rejection keeps the state";
    if ((e.stateSize === 0n) !== equal(e.stateAfter, EMPTY_HASH))
        return "the state size and the root after it contradict each other";
    if ((genesis || upgrade) && e.cause)
        return "a genesis and an upgrade have no cause";
    if ((genesis || upgrade) && !equal(e.output, EMPTY_HASH))
        return "the output of a genesis and of an upgrade is empty";
    if (e.cause && (e.principal !== null || e.id !== null))
        return "an input with a cause has neither principal nor id";
    return null;
}

/** A problem of a whole element, without a place in its bytes. */
export class BrokenRule extends Error {}

/** An element of version 1; null when it is of a later version. Throws `Refused` or `BrokenRule`. */
export function decodeElementStrict(encoding: Uint8Array): Element | null {
    const input = new CborReader(encoding);
    const link = readLink(input);
    if (link.version === 0n)
        throw new BrokenRule("there is no version 0");
    if (link.version !== 1n)
        return null;
    if (link.fields < 12 || link.fields > 15)
        input.refuse("a map of a length that no element has");
    key(input, 3);
    const type = input.small();
    if (type < 0 || type > UPGRADE)
        input.refuse("an unknown type");
    const element: Element = {
        sequence: link.sequence,
        previous: link.previous,
        type,
        timestamp: number(input, 4),
        input: hash(input, 5),
        stateBefore: hash(input, 6),
        stateAfter: hash(input, 7),
        output: hash(input, 8),
        effects: hash(input, 9),
        fuel: number(input, 10),
        stateSize: number(input, 11),
        cause: null,
        principal: null,
        id: null,
    };
    readOptional(input, link.fields, element);
    input.end();
    const rule = brokenRule(element);
    if (rule)
        throw new BrokenRule(rule);
    return element;
}

/** What an element of any version says of its place. Throws like `decodeElementStrict`. */
export function decodeLink(encoding: Uint8Array): Link {
    const link = readLink(new CborReader(encoding));
    if (link.fields >= 0 && link.fields < 3)
        throw new BrokenRule("a map without keys 0 to 2");
    if (link.version === 0n)
        throw new BrokenRule("there is no version 0");
    return link;
}

/** The words of what a decoder threw; other errors go on. */
export function problemOf(error: unknown): string {
    if (error instanceof Refused || error instanceof BrokenRule)
        return error.message;
    throw error;
}
