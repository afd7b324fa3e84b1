// codec.js: values as bytes, each value in one way only.
//
// A state is hashed, so equal values must become equal bytes: members are sorted, numbers are written in one form, and
// what has no such form is refused with its place instead of being dropped.

import { decodeText, encodeText, getFloat16, isFloat16, setFloat16 } from "#platform";

function refuse(what, path) {
    throw new TypeError(`${path || "the value"} is ${what}, which has no place in this encoding`);
}

// ---- bytes and text -------------------------------------------------------------------------------------------------

/** Bytes as they are. */
export const bytes = {
    name: "bytes",
    encode(value) {
        if (!(value instanceof Uint8Array))
            throw new TypeError("a Uint8Array is wanted");
        return value;
    },
    decode: (value) => value,
};

/** A string as UTF-8. */
export const text = {
    name: "text",
    encode(value) {
        if (typeof value !== "string")
            throw new TypeError("a string is wanted");
        return encodeText(value);
    },
    decode: decodeText,
};

// ---- JSON -----------------------------------------------------------------------------------------------------------

function isPlain(value) {
    const prototype = Object.getPrototypeOf(value);
    return prototype === Object.prototype || prototype === null;
}

/** The JSON text of a value, its members sorted by code units. Members that are undefined are left out. */
export const stringify = (value) => (isInOrder(value) ? JSON.stringify(value) : write(value, ""));

/** Whether JSON.stringify, which is native, writes the value as `write` does. Most values are so. */
function isInOrder(value) {
    switch (typeof value) {
    case "string":
        return value.isWellFormed();
    case "number":
        return Number.isFinite(value);
    case "boolean":
        return true;
    case "object":
        break;
    default:
        return false;
    }
    if (value === null)
        return true;
    if (Array.isArray(value)) {
        for (let i = 0; i < value.length; i++)
            if (!isInOrder(value[i]))
                return false;
        return value.toJSON === undefined;
    }
    if (!isPlain(value) || value.toJSON !== undefined)
        return false;
    let last;
    for (const key in value) {
        if (last > key || !key.isWellFormed() || !isInOrder(value[key]))
            return false;
        last = key;
    }
    return true;
}

function write(value, path) {
    switch (typeof value) {
    case "string":
        if (!value.isWellFormed())
            refuse("a string with a lone surrogate", path);
        return JSON.stringify(value);
    case "number":
        if (!Number.isFinite(value))
            refuse(String(value), path);
        return Object.is(value, -0) ? "0" : String(value);
    case "boolean":
        return value ? "true" : "false";
    case "object":
        break;
    default:
        refuse(`a ${typeof value}`, path);
    }
    if (value === null)
        return "null";
    if (Array.isArray(value)) {
        const items = [];
        for (let i = 0; i < value.length; i++)
            items.push(write(value[i], `${path}[${i}]`));
        return `[${items.join(",")}]`;
    }
    if (!isPlain(value))
        refuse(`a ${value.constructor?.name ?? "strange object"}`, path);
    const members = [];
    for (const key of Object.keys(value).sort())
        if (value[key] !== undefined)
            members.push(`${write(key, path)}:${write(value[key], path ? `${path}.${key}` : key)}`);
    return `{${members.join(",")}}`;
}

/** JSON with sorted members; no bytes at all stand for undefined. */
export const json = {
    name: "JSON",
    encode: (value) => (value === undefined ? new Uint8Array(0) : encodeText(stringify(value))),
    decode(value) {
        if (value.length === 0)
            return undefined;
        try {
            return JSON.parse(decodeText(value));
        } catch (error) {
            throw new SyntaxError(`this is not JSON: ${error.message}`);
        }
    },
};

// ---- CBOR -----------------------------------------------------------------------------------------------------------
//
// RFC 8949 with the core deterministic encoding of its section 4.2.1: shortest forms, definite lengths, map entries
// sorted by their encoded keys. undefined, null, booleans, numbers, big integers of up to 64 bits, strings, byte
// strings, arrays, plain objects (text keys) and Maps. An integral number within 2^53 is an integer.

const DEPTH = 128;

class Writer {
    constructor() {
        this.grow(256);
        this.size = 0;
    }
    grow(length) {
        const larger = new Uint8Array(length);
        if (this.bytes)
            larger.set(this.bytes);
        this.bytes = larger;
        this.view = new DataView(larger.buffer);
    }
    room(count) {
        const at = this.size;
        this.size += count;
        if (this.size > this.bytes.length)
            this.grow(2 * this.size);
        return at;
    }
    raw(source) {
        const at = this.room(source.length);
        this.bytes.set(source, at);
    }
    text(text, path) {
        if (!text.isWellFormed())
            refuse("a string with a lone surrogate", path);
        const utf8 = encodeText(text);
        this.head(3, utf8.length);
        this.raw(utf8);
    }
    head(major, count) {
        const type = major << 5;
        if (count < 24) {
            const at = this.room(1); /* before `bytes` is looked at: room may replace it */
            this.bytes[at] = type | count;
        } else if (count < 0x100) {
            const at = this.room(2);
            this.bytes[at] = type | 24;
            this.bytes[at + 1] = count;
        } else if (count < 0x10000) {
            const at = this.room(3);
            this.bytes[at] = type | 25;
            this.view.setUint16(at + 1, count);
        } else if (count < 0x100000000) {
            const at = this.room(5);
            this.bytes[at] = type | 26;
            this.view.setUint32(at + 1, count);
        } else {
            const at = this.room(9);
            this.bytes[at] = type | 27;
            this.view.setBigUint64(at + 1, BigInt(count));
        }
    }
    number(value) {
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
            if (value >= 0)
                this.head(0, value);
            else
                this.head(1, -1 - value);
            return;
        }
        const view = new DataView(new ArrayBuffer(9));
        view.setUint8(0, 0xfb);
        view.setFloat64(1, value);
        if (Number.isNaN(value))
            return this.raw([0xf9, 0x7e, 0x00]);
        let size = 9;
        if (isFloat16(value)) {
            view.setUint8(0, 0xf9);
            setFloat16(view, 1, value);
            size = 3;
        } else if (Object.is(Math.fround(value), value)) {
            view.setUint8(0, 0xfa);
            view.setFloat32(1, value);
            size = 5;
        }
        this.raw(new Uint8Array(view.buffer, 0, size));
    }
    big(value, path) {
        if (value > 0xffffffffffffffffn || value < -0x10000000000000000n)
            refuse("an integer of more than 64 bits", path);
        const count = value >= 0n ? value : -1n - value;
        this.head(value >= 0n ? 0 : 1, count <= 0xffffffffn ? Number(count) : count);
    }
    /** The entries of a map, each encoded in its place; they are put in order afterwards if they are not. */
    entries(entries, path, depth) {
        this.head(5, entries.length);
        const start = this.size, places = [];
        let sorted = true;
        for (const [key, value] of entries) {
            const at = this.size;
            this.value(key, path, depth);
            const place = { at, key: this.size, end: 0 };
            this.value(value, path ? `${path}.${key}` : String(key), depth);
            place.end = this.size;
            sorted &&= places.length === 0 || this.compare(places.at(-1), place) < 0;
            places.push(place);
        }
        if (sorted)
            return;
        places.sort((a, b) => this.compare(a, b));
        for (let i = 1; i < places.length; i++)
            if (this.compare(places[i - 1], places[i]) === 0)
                refuse("a map with a key twice", path);
        const before = this.bytes.slice(start, this.size);
        let to = start;
        for (const { at, end } of places) {
            this.bytes.set(before.subarray(at - start, end - start), to);
            to += end - at;
        }
    }
    compare(a, b) {
        return compare(this.bytes.subarray(a.at, a.key), this.bytes.subarray(b.at, b.key));
    }
    object(value, path, depth) {
        if (value instanceof Uint8Array) {
            this.head(2, value.length);
            this.raw(value);
        } else if (Array.isArray(value)) {
            this.head(4, value.length);
            for (let i = 0; i < value.length; i++)
                this.value(value[i], `${path}[${i}]`, depth + 1);
        } else if (value instanceof Map) {
            this.entries([...value], path, depth + 1);
        } else if (isPlain(value)) {
            this.entries(Object.entries(value).filter((entry) => entry[1] !== undefined), path, depth + 1);
        } else {
            refuse(`a ${value.constructor?.name ?? "strange object"}`, path);
        }
    }
    value(value, path, depth) {
        if (depth > DEPTH)
            refuse(`nested deeper than ${DEPTH}`, path);
        switch (typeof value) {
        case "number":
            return this.number(value);
        case "bigint":
            return this.big(value, path);
        case "boolean":
            return this.raw([value ? 0xf5 : 0xf4]);
        case "undefined":
            return this.raw([0xf7]);
        case "string":
            return this.text(value, path);
        case "object":
            return value === null ? this.raw([0xf6]) : this.object(value, path, depth);
        default:
            return refuse(`a ${typeof value}`, path);
        }
    }
}

function compare(a, b) {
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++)
        if (a[i] !== b[i])
            return a[i] - b[i];
    return a.length - b.length;
}

class Reader {
    constructor(bytes) {
        this.bytes = bytes;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        this.at = 0;
    }
    fail(what) {
        throw new SyntaxError(`this is not deterministic CBOR: ${what} at byte ${this.at}`);
    }
    take(count) {
        if (count > this.bytes.length - this.at)
            this.fail("it ends early");
        const at = this.at;
        this.at += count;
        return at;
    }
    /** The argument of a head, as a number where it is one exactly, else as a big integer. */
    argument(info) {
        if (info < 24)
            return info;
        const view = this.view;
        let value, least;
        if (info === 24)
            value = view.getUint8(this.take(1)), least = 24;
        else if (info === 25)
            value = view.getUint16(this.take(2)), least = 0x100;
        else if (info === 26)
            value = view.getUint32(this.take(4)), least = 0x10000;
        else if (info === 27)
            value = view.getBigUint64(this.take(8)), least = 0x100000000n;
        else
            this.fail("a length is missing");
        if (value < least)
            this.fail("a number is longer than it need be");
        return typeof value === "bigint" && value <= 9007199254740991n ? Number(value) : value;
    }
    slice(count) {
        const at = this.take(Number(count));
        return this.bytes.slice(at, this.at);
    }
    integer(negative, argument) {
        if (!negative)
            return argument;
        const value = -1n - BigInt(argument);
        return value >= -9007199254740991n ? Number(value) : value;
    }
    map(count, depth) {
        const entries = [];
        let last = null, text = true;
        for (let i = 0; i < count; i++) {
            const start = this.at, key = this.value(depth), encoded = this.bytes.subarray(start, this.at);
            if (last !== null && compare(last, encoded) >= 0)
                this.fail("keys are out of order");
            last = encoded;
            text &&= typeof key === "string";
            entries.push([key, this.value(depth)]);
        }
        return text ? Object.fromEntries(entries) : new Map(entries);
    }
    simple(info) {
        switch (info) {
        case 20:
            return false;
        case 21:
            return true;
        case 22:
            return null;
        case 23:
            return undefined;
        case 25:
        case 26:
        case 27:
            return this.float(info);
        default:
            return this.fail("a simple value has no meaning here");
        }
    }
    /** A float in its shortest form, with one form for what is no number. */
    float(info) {
        const at = this.take(2 << (info - 25));
        if (info === 25) {
            const value = getFloat16(this.view, at);
            if (Number.isNaN(value) && this.view.getUint16(at) !== 0x7e00)
                this.fail("a float is longer than it need be");
            return value;
        }
        const value = info === 26 ? this.view.getFloat32(at) : this.view.getFloat64(at);
        if (Number.isNaN(value) || (info === 26 ? isFloat16(value) : Object.is(Math.fround(value), value)))
            this.fail("a float is longer than it need be");
        return value;
    }
    value(depth) {
        if (depth > DEPTH)
            this.fail("it is nested too deep");
        const head = this.view.getUint8(this.take(1)), info = head & 31;
        if (head >> 5 === 7)
            return this.simple(info);
        const argument = this.argument(info);
        switch (head >> 5) {
        case 0:
        case 1:
            return this.integer(head >> 5 === 1, argument);
        case 2:
            return this.slice(argument);
        case 3:
            return decodeText(this.slice(argument));
        case 4: {
            const items = [];
            for (let i = 0; i < argument; i++)
                items.push(this.value(depth + 1));
            return items;
        }
        case 5:
            return this.map(argument, depth + 1);
        default:
            return this.fail("a tag has no meaning here");
        }
    }
}

/** Deterministic CBOR: smaller than JSON, with bytes, Maps and big integers. */
export const cbor = {
    name: "CBOR",
    encode(value) {
        const writer = new Writer();
        writer.value(value, "", 0);
        return writer.bytes.slice(0, writer.size);
    },
    decode(value) {
        const reader = new Reader(value);
        const result = reader.value(0);
        if (reader.at !== value.length)
            reader.fail("there is more behind it");
        return result;
    },
};

/** How an output or a payload is written when no codec is named: bytes as they are, a string as UTF-8, nothing as no
 * bytes, all else as JSON. */
export const any = {
    name: "any",
    encode(value) {
        if (value instanceof Uint8Array)
            return value;
        return typeof value === "string" ? encodeText(value) : json.encode(value);
    },
    decode: (value) => value,
};
