// Reads a bundle, a CBOR sequence, from a stream: one item after another, with no more of the file in memory than
// the item that is being read.
//
// Invariants
//  1. buffer[begin..end) are the bytes of the file from `offset` on that were read and not yet given out.
//  2. The buffer never grows past ITEM_MAX: an item whose heads say more is refused before it is read.
//  3. What an item holds are views of the buffer, which are good until `next` is called again.
import { nameValid } from "./bytes";
import { CborReader, Refused } from "./cbor";
import { Failure } from "./problem";

/** Bytes of one item, at the most. */
export const ITEM_MAX = 256 * 1024 * 1024;
const READ_SIZE = 65536;
/** Values that are looked at to measure an item: an element has five, a header three pairs. */
const FIELDS_MAX = 8;

export type Item =
    | { kind: "header"; actor: string }
    | { kind: "component"; component: Uint8Array }
    | { kind: "snapshot"; sequence: bigint; state: Uint8Array }
    | { kind: "element"; encoding: Uint8Array; input: Uint8Array | null; output: Uint8Array | null; effects: Uint8Array | null }
    | { kind: "checkpoint"; note: Uint8Array }
    | { kind: "key"; text: Uint8Array };

/** A file that is no bundle, with the words and the place of it. */
export class BadBundle extends Error {}

/** Gives more bytes, or null at the end. */
export type Source = () => Promise<Uint8Array | null>;

const BEGIN = 0, HEADER = 1, ITEMS = 2, KEY = 3, CHECKPOINTS = 4;
const KIND_COMPONENT = 1, KIND_SNAPSHOT = 2, KIND_ELEMENT = 3, KIND_CHECKPOINT = 4, KIND_KEY = 5;
const LENGTHS = [0, 2, 3, 5, 2, 2];
const BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5;

export class BundleReader {
    /** Bytes of the file before the next item. */
    offset = 0;
    private buffer: Uint8Array = new Uint8Array(0);
    /** Whether the buffer is ours to write behind `end`, and not a piece that the source gave. */
    private owned = false;
    private begin = 0;
    private end = 0;
    private atEnd = false;
    private stage = BEGIN;

    constructor(private readonly source: Source) {}

    /** The next item if it is whole in memory already; null: `fill` has to bring more, or the file is at its
     * end. Throws `BadBundle`, `Failure`. */
    next(): Item | null {
        const size = this.measure();
        if (size > ITEM_MAX)
            throw new Failure("too-large", `bundle: the item at byte ${this.offset} is over the limit of ${ITEM_MAX} bytes`);
        if (size > this.end - this.begin)
            return null;
        return this.take(size);
    }

    /** Reads on. False: the file is at its end, and there is no item left. Throws what the source throws, and
     * `BadBundle` when the file ends within an item. */
    async fill(): Promise<boolean> {
        if (this.atEnd) {
            if (this.begin < this.end)
                this.bad("the file ends");
            if (this.stage === BEGIN)
                this.bad("no bundle's header: an empty file");
            return false;
        }
        const more = await this.source();
        if (more)
            this.append(more);
        else
            this.atEnd = true;
        return true;
    }

    private bad(problem: string): never {
        throw new BadBundle(`bundle: ${problem} in the item at byte ${this.offset}`);
    }

    private append(more: Uint8Array): void {
        const left = this.end - this.begin;
        if (left === 0) {
            this.buffer = more;
            this.owned = false;
            this.begin = 0;
            this.end = more.length;
            return;
        }
        // Room for the whole item at once, as far as it is known, so that a large one is copied only once.
        const needed = Math.max(left + more.length, Math.min(this.measure(), ITEM_MAX));
        if (this.begin + needed > this.buffer.length || !this.owned) {
            const grown = new Uint8Array(needed + READ_SIZE);
            grown.set(this.buffer.subarray(this.begin, this.end));
            this.buffer = grown;
            this.owned = true;
            this.begin = 0;
            this.end = left;
        }
        this.buffer.set(more, this.end);
        this.end += more.length;
    }

    /** The size of the item that begins here; if it is not whole, how many bytes must be there to know more.
     * What is not an array or map of strings and integers measures as less than it is, and the strict reading
     * refuses it. */
    private measure(): number {
        const { buffer, begin, end } = this;
        if (begin === end)
            return 1;
        let at = begin, value = 0;
        const head = (): boolean => {
            const low = buffer[at]! & 31;
            const size = low < 24 || low > 27 ? 0 : 1 << (low - 24);
            if (end - at < 1 + size) {
                at += 1 + size;
                return false;
            }
            value = low < 24 ? low : 0;
            for (let i = 1; i <= size; i++)
                value = value * 256 + buffer[at + i]!;
            at += 1 + size;
            return true;
        };
        const major = buffer[at]! >> 5;
        if (!head() || (major !== ARRAY && major !== MAP))
            return at - begin;
        const count = Math.min(major === MAP ? value * 2 : value, FIELDS_MAX);
        for (let i = 0; i < count; i++) {
            if (at >= end)
                return at - begin + 1;
            const kind = buffer[at]! >> 5;
            if (!head())
                return at - begin;
            if (kind !== BYTES && kind !== TEXT)
                continue;
            at += value;
            if (at > end)
                return at - begin;
        }
        return at - begin;
    }

    private take(size: number): Item {
        const input = new CborReader(this.buffer.subarray(this.begin, this.begin + size));
        const header = input.bytes[0]! >> 5 === MAP;
        if (!header && this.stage === BEGIN)
            this.bad("no bundle's header");
        let item: Item;
        try {
            item = header ? readHeader(input) : readItem(input);
        } catch (error) {
            if (error instanceof Refused)
                this.bad(error.problem);
            if (error instanceof LaterVersion)
                throw new Failure("unsupported", `bundle: ${error.message} in the item at byte ${this.offset}`);
            throw error;
        }
        this.enter(item);
        this.begin += size;
        this.offset += size;
        return item;
    }

    /** Holds the order: at most one key, then checkpoints, last. */
    private enter(item: Item): void {
        const { kind } = item;
        if (kind === "key" && this.stage >= KEY)
            this.bad("a key behind a key or a checkpoint");
        if (kind !== "header" && kind !== "key" && kind !== "checkpoint" && this.stage >= KEY)
            this.bad("something else behind the key or the checkpoints");
        this.stage = kind === "header" ? HEADER : kind === "key" ? KEY : kind === "checkpoint" ? CHECKPOINTS : ITEMS;
    }
}

class LaterVersion extends Error {}

function readHeader(input: CborReader): Item {
    const count = input.map();
    input.expect(0, "no bundle's header");
    if (input.text() !== "theater-bundle")
        input.refuse("no bundle's header");
    input.expect(1, "a header without version");
    const version = input.uint();
    if (version > 1n)
        throw new LaterVersion("a version of bundles that is not known");
    if (version !== 1n)
        input.refuse("a version of bundles that is not known");
    if (count !== 3)
        input.refuse("a header that has not three fields");
    input.expect(2, "a header without the actor's name");
    const actor = input.text();
    if (!nameValid(actor))
        input.refuse("a header whose name is no name");
    input.end();
    return { kind: "header", actor };
}

function readItem(input: CborReader): Item {
    const count = input.array(), kind = input.small();
    if (kind < KIND_COMPONENT || kind > KIND_KEY)
        input.refuse("an unknown kind");
    if (count !== LENGTHS[kind])
        input.refuse("a wrong number of fields");
    const item = readFields(input, kind);
    input.end();
    return item;
}

/** A text's bytes, which are UTF-8. */
function textBytes(input: CborReader): Uint8Array {
    const begin = input.at;
    const text = input.text();
    return text ? input.bytes.subarray(begin + headSize(input.bytes[begin]!), input.at) : new Uint8Array();
}

const headSize = (first: number): number => ((first & 31) < 24 ? 1 : 1 + (1 << ((first & 31) - 24)));

function readFields(input: CborReader, kind: number): Item {
    switch (kind) {
        case KIND_COMPONENT:
            return { kind: "component", component: input.byteString() };
        case KIND_SNAPSHOT:
            return { kind: "snapshot", sequence: input.uint(), state: input.byteString() };
        case KIND_ELEMENT:
            return {
                kind: "element",
                encoding: input.byteString(),
                input: input.byteStringOrNull(),
                output: input.byteStringOrNull(),
                effects: input.byteStringOrNull(),
            };
        case KIND_CHECKPOINT:
            return { kind: "checkpoint", note: textBytes(input) };
        default:
            return { kind: "key", text: textBytes(input) };
    }
}
