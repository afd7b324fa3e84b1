// SHA-256 (FIPS 180-4), at once and for small inputs.
//
// The browser's own SHA-256 (WebCrypto) only answers through a promise, which costs some 10 microseconds a call;
// an element's bytes take one or two here. So what is small is hashed here, and what is large by WebCrypto
// (hashing.ts), which also computes a part of the small ones again, so that a fault of this file cannot stay
// unseen.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const K = Int32Array.from(constants(64, Math.cbrt));
/** The same of the square roots of the first 8. */
const INITIAL = Int32Array.from(constants(8, Math.sqrt));

/** Doubles hold these roots exactly enough: 32 bits behind the point and at most 5 before it, of 53. */
function constants(count: number, root: (n: number) => number): number[] {
    const found: number[] = [];
    for (let n = 2; found.length < count; n++) {
        let prime = true;
        for (let d = 2; d * d <= n && prime; d++)
            prime = n % d !== 0;
        if (prime)
            found.push(Math.floor((root(n) % 1) * 2 ** 32) | 0);
    }
    return found;
}

const schedule = new Int32Array(64);
const state = new Int32Array(8);
const block = new Uint8Array(128);

/** Takes one block of 64 bytes into the state. */
function compress(bytes: Uint8Array, at: number): void {
    const w = schedule;
    for (let i = 0; i < 16; i++, at += 4)
        w[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    for (let i = 16; i < 64; i++) {
        const x = w[i - 15]!, y = w[i - 2]!;
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = (w[i - 16]! + s0 + w[i - 7]! + s1) | 0;
    }
    let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
    let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
    for (let i = 0; i < 64; i++) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g, g = f, f = e, e = (d + t1) | 0;
        d = c, c = b, b = a, a = (t1 + t2) | 0;
    }
    state[0] = state[0]! + a, state[1] = state[1]! + b, state[2] = state[2]! + c, state[3] = state[3]! + d;
    state[4] = state[4]! + e, state[5] = state[5]! + f, state[6] = state[6]! + g, state[7] = state[7]! + h;
}

/** SHA-256 of `bytes`, or with `prefix` (0 to 255) of that byte and then `bytes`. */
export function sha256(bytes: Uint8Array, prefix = -1): Uint8Array {
    state.set(INITIAL);
    const size = bytes.length, extra = prefix >= 0 ? 1 : 0;
    let at = 0;
    if (extra && size >= 63) {
        block[0] = prefix;
        block.set(bytes.subarray(0, 63), 1);
        compress(block, 0);
        at = 63;
    }
    for (; size - at >= 64; at += 64)
        compress(bytes, at);
    // What is left, the bit 1, zeros and the length in bits fill one block or two.
    let used = 0;
    if (extra && size < 63)
        block[used++] = prefix;
    for (; at < size; at++)
        block[used++] = bytes[at]!;
    block[used++] = 0x80;
    const end = used <= 56 ? 64 : 128;
    block.fill(0, used, end);
    const total = size + extra;
    const high = Math.floor(total / 2 ** 29), low = total << 3;
    for (let i = 0; i < 4; i++) {
        block[end - 8 + i] = high >>> (24 - 8 * i);
        block[end - 4 + i] = low >>> (24 - 8 * i);
    }
    compress(block, 0);
    if (end === 128)
        compress(block, 64);
    const out = new Uint8Array(32);
    for (let i = 0; i < 8; i++) {
        const word = state[i]!;
        out[4 * i] = word >>> 24, out[4 * i + 1] = word >>> 16, out[4 * i + 2] = word >>> 8, out[4 * i + 3] = word;
    }
    return out;
}
