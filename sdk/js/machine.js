// machine.js: what platform.js is, where an actor's functions run in Node, for a test (testing.js).
//
// Nothing of Node is replaced: `Date`, `Math.random`, `crypto` and the console are the machine's. Node 20 is old enough: it has no numbers
// of 16 bits, so they are made here.

import { show } from "./show.js";

const nobody = new Proxy({}, {
    get() {
        throw new Error("there is a host in a turn only: an Instance of theater/testing runs turns, a Host everything else");
    },
});

/** What the functions of the host ask now. */
export let host = nobody;

/** Runs `body` with `answers` in the host's place. */
export function onHost(answers, body) {
    const before = host;
    host = answers;
    try {
        return body();
    } finally {
        host = before;
    }
}

export function beginTurn() {}

export const now = () => host.now();
export const randomBytes = (length) => host.random(length);

/** What was thrown, with the reason for a message. */
export const rejection = (reason, error) =>
    error instanceof Error && error.message === reason ? error : new Error(reason, { cause: error });

export function writeLog(level, values) {
    if (host !== nobody)
        host.log(level, values.map(show).join(" ").toWellFormed());
}

// ---- text -----------------------------------------------------------------------------------------------------------

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const encodeText = (text) => encoder.encode(text);

export function decodeText(bytes) {
    try {
        return decoder.decode(bytes);
    } catch {
        throw new TypeError("the bytes are not UTF-8");
    }
}

// ---- numbers of 16 bits ---------------------------------------------------------------------------------------------

/** The bits of a number that has a form of 16 bits; undefined for all others. */
function float16(value) {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    if (!Object.is(view.getFloat32(0), value))
        return undefined;
    const bits = view.getUint32(0), sign = (bits >>> 16) & 0x8000;
    const exponent = ((bits >>> 23) & 0xff) - 127, fraction = bits & 0x7fffff;
    if (!Number.isFinite(value))
        return sign | 0x7c00 | (fraction >> 13);
    if (exponent >= -14)
        return exponent > 15 || fraction & 0x1fff ? undefined : sign | ((exponent + 15) << 10) | (fraction >> 13);
    const small = Math.abs(value) * 2 ** 24;
    return Number.isInteger(small) ? sign | small : undefined;
}

export const isFloat16 = (value) => float16(value) !== undefined;
export const setFloat16 = (view, at, value) => view.setUint16(at, float16(value));

export function getFloat16(view, at) {
    const bits = view.getUint16(at), exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const value = exponent === 31 ? (fraction ? NaN : Infinity)
        : exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    return bits & 0x8000 ? -value : value;
}
