// The strict CBOR of the chain format: core deterministic encoding (RFC 8949, section 4.2.1), of unsigned
// integers, byte strings, texts, arrays, maps, false, true and null. What is not in its one right form is
// refused, because the hash of a value stands for the value.
import { fromUtf8 } from "./bytes";

/** Why bytes were refused; `problem` is without the place. */
export class Refused extends Error {
    constructor(readonly problem: string, readonly at: number) {
        super(`${problem} at byte ${at}`);
    }
}

const UINT = 0, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5;
const WRONG_TYPE = ["not an unsigned integer", "", "not a byte string", "not a text", "not an array", "not a map"];
const ENDS = "the bytes end too early";
const NULL = 0xf6, TRUE = 0xf5, FALSE = 0xf4;

/** Reads one item after another. After a `Refused` it is of no use any more. */
export class CborReader {
    at = 0;

    constructor(readonly bytes: Uint8Array) {}

    refuse(problem: string, at = this.at): never {
        throw new Refused(problem, at);
    }

    /** The argument of a head, when that is below 2^53; else null, with the argument in `wide`. */
    private head(major: number): number | null {
        const { bytes, at } = this;
        if (at >= bytes.length)
            this.refuse(ENDS);
        const first = bytes[at]!, low = first & 31;
        if (first >> 5 !== major)
            this.refuse(WRONG_TYPE[major]!);
        if (low < 24) {
            this.at++;
            return low;
        }
        if (low > 27)
            this.refuse(low === 31 ? "an indefinite length" : "a head that means nothing");
        const size = 1 << (low - 24);
        if (bytes.length - at < 1 + size)
            this.refuse(ENDS);
        let high = 0, value = 0;
        for (let i = 1; i <= size; i++) {
            if (i <= size - 4)
                high = high * 256 + bytes[at + i]!;
            else
                value = value * 256 + bytes[at + i]!;
        }
        const least = size === 1 ? 24 : size === 2 ? 256 : 65536;
        if (size === 8 ? high === 0 : value < least)
            this.refuse("a number in a long form");
        this.at += 1 + size;
        if (high >= 0x200000) {
            this.wide = (BigInt(high) << 32n) | BigInt(value);
            return null;
        }
        return high * 2 ** 32 + value;
    }

    private wide = 0n;

    uint(): bigint {
        const value = this.head(UINT);
        return value === null ? this.wide : BigInt(value);
    }

    /** An unsigned integer that is only asked whether it is small; -1 stands for what is over 2^53. */
    small(): number {
        return this.head(UINT) ?? -1;
    }

    /** Refuses any item but the unsigned integer `value`, at the place where it begins. */
    expect(value: number, otherwise: string): void {
        if (this.bytes[this.at] === value && value < 24) {
            this.at++;
            return;
        }
        this.refuse(otherwise);
    }

    private string(major: number): Uint8Array {
        const size = this.head(major);
        if (size === null || size > this.bytes.length - this.at)
            this.refuse(ENDS);
        const begin = this.at;
        this.at += size;
        return this.bytes.subarray(begin, this.at);
    }

    byteString(): Uint8Array {
        return this.string(BYTES);
    }

    /** Null where a null stands. */
    byteStringOrNull(): Uint8Array | null {
        if (this.bytes[this.at] === NULL) {
            this.at++;
            return null;
        }
        return this.byteString();
    }

    hash(): Uint8Array {
        const bytes = this.byteString();
        return bytes.length === 32 ? bytes : this.refuse("a hash that is not 32 bytes");
    }

    text(): string {
        return fromUtf8(this.string(TEXT)) ?? this.refuse("text that is not UTF-8");
    }

    bool(): boolean {
        const byte = this.bytes[this.at];
        if (byte === undefined)
            this.refuse(ENDS);
        if (byte !== TRUE && byte !== FALSE)
            this.refuse("neither true nor false");
        this.at++;
        return byte === TRUE;
    }

    /** How many items follow; -1 stands for more than any bytes hold. */
    array(): number {
        return this.head(ARRAY) ?? -1;
    }

    map(): number {
        return this.head(MAP) ?? -1;
    }

    end(): void {
        if (this.at !== this.bytes.length)
            this.refuse("bytes behind the end");
    }
}
