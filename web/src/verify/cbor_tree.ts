// Any CBOR (RFC 8949) as a tree to show: states and messages are the actor's own and may hold all of it. Depth and
// number of items are bounded, since the bytes may come from anybody.
import { fromUtf8 } from "./bytes";
import type { CborNode } from "./types";

const DEPTH_MAX = 64;
export const ITEMS_MAX = 100_000;
const BREAK = 0xff, INDEFINITE = 31;

class NotCbor extends Error {}

class TreeReader {
    at = 0;
    private items = 0;
    private readonly view: DataView;

    constructor(private readonly bytes: Uint8Array) {
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }

    private need(size: number): number {
        const at = this.at;
        if (size > this.bytes.length - at)
            throw new NotCbor();
        this.at += size;
        return at;
    }

    /** The argument behind an initial byte; null: an indefinite length. */
    private argument(low: number): bigint | null {
        if (low < 24)
            return BigInt(low);
        switch (low) {
            case 24:
                return BigInt(this.view.getUint8(this.need(1)));
            case 25:
                return BigInt(this.view.getUint16(this.need(2)));
            case 26:
                return BigInt(this.view.getUint32(this.need(4)));
            case 27:
                return this.view.getBigUint64(this.need(8));
            case INDEFINITE:
                return null;
            default:
                throw new NotCbor();
        }
    }

    item(depth = 0): CborNode {
        if (depth > DEPTH_MAX || ++this.items > ITEMS_MAX)
            throw new NotCbor();
        const at = this.need(1), first = this.bytes[at]!, major = first >> 5, low = first & 31;
        const node = major === 7 ? this.simple(low) : this.value(major, this.argument(low), depth);
        return { at, size: this.at - at, ...node } as CborNode;
    }

    private value(major: number, argument: bigint | null, depth: number): object {
        if (argument === null && (major < 2 || major === 6))
            throw new NotCbor();
        switch (major) {
            case 0:
                return { type: "uint", value: argument };
            case 1:
                return { type: "nint", value: -1n - argument! };
            case 2:
            case 3:
                return this.string(major, argument);
            case 4:
                return { type: "array", items: this.sequence(argument, () => this.item(depth + 1)) };
            case 5:
                return { type: "map", entries: this.sequence(argument, () => ({ key: this.item(depth + 1), value: this.item(depth + 1) })) };
            default:
                return { type: "tag", tag: argument, item: this.item(depth + 1) };
        }
    }

    private sequence<T>(count: bigint | null, read: () => T): T[] {
        const found: T[] = [];
        if (count !== null && count > BigInt(this.bytes.length - this.at))
            throw new NotCbor(); // every item has at least a byte
        for (let i = 0n; count === null ? !this.atBreak() : i < count; i++)
            found.push(read());
        return found;
    }

    private atBreak(): boolean {
        if (this.bytes[this.at] !== BREAK)
            return false;
        this.at++;
        return true;
    }

    private string(major: number, size: bigint | null): object {
        const bytes = size === null ? this.pieces(major) : this.piece(size);
        if (major === 2)
            return { type: "bytes", value: bytes };
        const text = fromUtf8(bytes);
        if (text === null)
            throw new NotCbor();
        return { type: "text", value: text };
    }

    private piece(size: bigint): Uint8Array {
        if (size > BigInt(this.bytes.length))
            throw new NotCbor();
        const at = this.need(Number(size));
        return this.bytes.slice(at, at + Number(size));
    }

    /** A string of indefinite length: pieces of its own kind. */
    private pieces(major: number): Uint8Array {
        const found: number[] = [];
        while (!this.atBreak()) {
            const first = this.bytes[this.need(1)]!;
            const size = first >> 5 === major ? this.argument(first & 31) : null;
            if (size === null)
                throw new NotCbor();
            for (const byte of this.piece(size))
                found.push(byte);
        }
        return Uint8Array.from(found);
    }

    private simple(low: number): object {
        switch (low) {
            case 20:
            case 21:
                return { type: "bool", value: low === 21 };
            case 22:
                return { type: "null" };
            case 23:
                return { type: "undefined" };
            case 24: {
                const value = this.view.getUint8(this.need(1));
                if (value < 32)
                    throw new NotCbor();
                return { type: "simple", value };
            }
            case 25:
                return { type: "float", value: half(this.view.getUint16(this.need(2))) };
            case 26:
                return { type: "float", value: this.view.getFloat32(this.need(4)) };
            case 27:
                return { type: "float", value: this.view.getFloat64(this.need(8)) };
            default:
                if (low > 24)
                    throw new NotCbor();
                return { type: "simple", value: low };
        }
    }
}

/** A float of 16 bits (IEEE 754 binary16). */
function half(bits: number): number {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 0)
        return sign * fraction * 2 ** -24;
    if (exponent === 31)
        return fraction ? NaN : sign * Infinity;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The one item that the bytes hold; null where they are no CBOR, hold more than one item, or more than
 * `ITEMS_MAX` in it. */
export function decodeCbor(bytes: Uint8Array): CborNode | null {
    const reader = new TreeReader(bytes);
    try {
        const node = reader.item();
        return reader.at === bytes.length ? node : null;
    } catch (error) {
        if (error instanceof NotCbor)
            return null;
        throw error;
    }
}
