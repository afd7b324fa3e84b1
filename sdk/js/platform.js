// platform.js: what a program in JavaScript expects of its surroundings, on the host of an actor.
//
// Loaded before the actor. QuickJS brings the language; what is missing or would not be the same for everybody is put
// here: text encoders, random numbers, the console. `Date` needs nothing: its clock is the turn's. What runs while the
// module loads runs once, when the actor is built, and is part of the component; only in a turn is there a host.

import host from "theater:actor/host";
import utf8 from "theater:javascript/text";
import { show } from "./show.js";

export { host };

let inTurn = false;

/** The actor's functions call it first: from here on there is a host. */
export function beginTurn() {
    inTurn = true;
}

/** The turn's time. */
export const now = () => new Date();

/** What a turn throws to be rejected: the component's function takes a string as its error. */
export const rejection = (reason) => reason;

/** Random bytes of the turn. */
export function randomBytes(length) {
    if (!inTurn)
        throw new Error("there are no random numbers while the module loads, only in a turn");
    return host.random(length);
}

// ---- text -----------------------------------------------------------------------------------------------------------
//
// QuickJS has nothing for UTF-8, and a loop over bytes would take hundreds of instructions for each. `theater build` puts
// two functions into the component (wit/deps/text.wit). While the module loads they are not there yet.

/** UTF-8 of a string, a byte a character. */
const binaryOf = (text) => unescape(encodeURIComponent(text));

/** UTF-8 of a string; a lone surrogate becomes U+FFFD. */
export function encodeText(text) {
    const formed = text.toWellFormed();
    return inTurn ? utf8.encode(formed) : Uint8Array.fromBase64(btoa(binaryOf(formed)));
}

/** The string of UTF-8 bytes; throws a TypeError where they are none. */
export function decodeText(bytes) {
    const text = inTurn ? utf8.decode(bytes) : decodeLoading(bytes);
    if (typeof text !== "string")
        throw new TypeError("the bytes are not UTF-8");
    return text;
}

function decodeLoading(bytes) {
    try {
        return decodeURIComponent(escape(atob(bytes.toBase64())));
    } catch {
        return undefined;
    }
}

/** As decodeText, with U+FFFD for what is no UTF-8, as the Encoding Standard has it. */
function decodeLossy(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length;) {
        const first = bytes[at++];
        if (first < 0x80) {
            text += String.fromCharCode(first);
            continue;
        }
        let more = first >= 0xc2 && first <= 0xdf ? 1 : (first & 0xf0) === 0xe0 ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
        let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
        let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
        let code = more === 0 ? -1 : first & (0x3f >> more);
        for (; more > 0; more--, low = 0x80, high = 0xbf) {
            if (!(bytes[at] >= low && bytes[at] <= high)) {
                code = -1;
                break;
            }
            code = (code << 6) | (bytes[at++] & 0x3f);
        }
        text += code < 0 ? "\ufffd" : String.fromCodePoint(code);
    }
    return text;
}

function bytesOf(source) {
    if (source === undefined)
        return new Uint8Array(0);
    if (ArrayBuffer.isView(source))
        return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return new Uint8Array(source);
}

class TextEncoder {
    get encoding() {
        return "utf-8";
    }
    encode(text = "") {
        return encodeText(String(text));
    }
    encodeInto(text, target) {
        let read = 0, written = 0;
        for (const character of String(text)) {
            const bytes = encodeText(character);
            if (written + bytes.length > target.length)
                break;
            target.set(bytes, written);
            written += bytes.length;
            read += character.length;
        }
        return { read, written };
    }
}

class TextDecoder {
    #fatal;
    #ignoreBOM;
    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
        if (!["utf-8", "utf8", "unicode-1-1-utf-8"].includes(String(label).trim().toLowerCase()))
            throw new RangeError(`there is no decoder for ${label}, only for UTF-8`);
        this.#fatal = Boolean(fatal);
        this.#ignoreBOM = Boolean(ignoreBOM);
    }
    get encoding() {
        return "utf-8";
    }
    get fatal() {
        return this.#fatal;
    }
    get ignoreBOM() {
        return this.#ignoreBOM;
    }
    decode(source) {
        const bytes = bytesOf(source);
        let text;
        try {
            text = decodeText(bytes);
        } catch (error) {
            if (this.#fatal)
                throw error;
            text = decodeLossy(bytes);
        }
        return !this.#ignoreBOM && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
}

// ---- numbers of 16 bits ---------------------------------------------------------------------------------------------

export const isFloat16 = (value) => Object.is(Math.f16round(value), value);
export const getFloat16 = (view, at) => view.getFloat16(at);
export const setFloat16 = (view, at, value) => view.setFloat16(at, value);

// ---- random numbers -------------------------------------------------------------------------------------------------
//
// QuickJS seeds its own generator when the actor is built, so every turn would draw the same numbers. Here the first
// draw of a turn seeds a generator (sfc32) from the turn's random stream, which the chain fixes.

let generator;

function seed() {
    const words = new Uint32Array(new Uint8Array(randomBytes(16)).buffer);
    generator = { a: words[0], b: words[1], c: words[2], count: words[3] };
}

function random32() {
    const g = generator;
    const sum = (g.a + g.b + g.count) | 0;
    g.count = (g.count + 1) | 0;
    g.a = g.b ^ (g.b >>> 9);
    g.b = (g.c + (g.c << 3)) | 0;
    g.c = (((g.c << 21) | (g.c >>> 11)) + sum) | 0;
    return sum >>> 0;
}

function random() {
    if (generator === undefined)
        seed();
    return ((random32() >>> 5) * 67108864 + (random32() >>> 6)) / 9007199254740992;
}

const crypto = {
    getRandomValues(array) {
        const bytes = bytesOf(array);
        bytes.set(randomBytes(bytes.length));
        return array;
    },
    randomUUID() {
        const bytes = randomBytes(16);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        const hex = bytes.toHex();
        return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
    },
};

// ---- the console ----------------------------------------------------------------------------------------------------

/** Writes a line to the actor's log; while the module loads there is none. */
export function writeLog(level, values) {
    if (inTurn)
        host.log(level, values.map(show).join(" ").toWellFormed());
}

const console = {};
for (const [name, level] of Object.entries({
    log: "info", info: "info", debug: "debug", trace: "trace", warn: "warn", error: "error" }))
    console[name] = (...values) => writeLog(level, values);

// ---- the global object ----------------------------------------------------------------------------------------------

Math.random = random;
for (const [name, value] of Object.entries({
    TextEncoder, TextDecoder, crypto, console,
    // Time does not move within a turn.
    performance: { now: () => 0, get timeOrigin() { return Date.now(); } } }))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
