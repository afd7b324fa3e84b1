// Bytes and their written forms.
import type { Coded } from "./types";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** The text that bytes are, or null where they are no UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
    try {
        return strict.decode(bytes);
    } catch {
        return null;
    }
}

/** Whether a text is for reading: no control characters but tab, line feed and carriage return. */
export function isReadable(text: string): boolean {
    // eslint-disable-next-line no-control-regex
    return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text);
}

export const hexByte = (value: number): string => HEX[value] ?? "";

export function toHex(bytes: Uint8Array): string {
    let out = "";
    for (const byte of bytes) out += HEX[byte];
    return out;
}

/** Reads hex with any white space in it; null where it is none. */
export function fromHex(text: string): Uint8Array | null {
    const digits = text.replace(/\s+/g, "").replace(/^0x/i, "");
    if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return null;
    const out = new Uint8Array(digits.length / 2);
    for (let i = 0; i < out.length; i++) out[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
    return out;
}

export function fromBase64(text: string): Uint8Array {
    const binary = atob(text);
    const out = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) out[i] = binary.charCodeAt(i);
    return out;
}

/** The bytes that the interface wrote. */
export const decoded = (coded: Coded): Uint8Array => (typeof coded === "string" ? utf8(coded) : fromBase64(coded.base64));

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
}

/** A line of at most `limit` characters for a list: text where it can be read, else hex. */
export function preview(coded: Coded, limit = 160): string {
    if (typeof coded === "string") {
        const cut = coded.length > limit ? coded.slice(0, limit) + "…" : coded;
        // eslint-disable-next-line no-control-regex
        return cut.replace(/\s+/g, " ").replace(/[\u0000-\u001f\u007f]/g, "·");
    }
    const bytes = fromBase64(coded.base64.slice(0, Math.ceil(limit / 6) * 4));
    return "0x" + toHex(bytes) + (coded.base64.length > Math.ceil(limit / 6) * 4 ? "…" : "");
}
