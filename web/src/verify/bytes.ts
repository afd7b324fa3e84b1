// Bytes as text, and small helpers on them.

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
    let text = "";
    for (let i = 0; i < bytes.length; i++)
        text += HEX[bytes[i]!];
    return text;
}

/** Bytes of hex, or null where it is none. */
export function fromHex(text: string): Uint8Array | null {
    if (text.length % 2 || !/^[0-9a-fA-F]*$/.test(text))
        return null;
    const bytes = new Uint8Array(text.length / 2);
    for (let i = 0; i < bytes.length; i++)
        bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
    return bytes;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
    if (a.length !== b.length)
        return false;
    for (let i = 0; i < a.length; i++)
        if (a[i] !== b[i])
            return false;
    return true;
}

/** A string that stands for the bytes as a key of a Map: a character for each. */
export function keyOf(bytes: Uint8Array): string {
    return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
    const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
        all.set(part, at);
        at += part.length;
    }
    return all;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
    return encoder.encode(text);
}

/** The text, or null where the bytes are no UTF-8 (surrogates and overlong forms are none). */
export function fromUtf8(bytes: Uint8Array): string | null {
    if (bytes.length <= 64) {
        let text = "";
        let i = 0;
        for (; i < bytes.length && bytes[i]! < 0x80; i++)
            text += String.fromCharCode(bytes[i]!);
        if (i === bytes.length)
            return text;
    }
    try {
        return decoder.decode(bytes);
    } catch {
        return null;
    }
}

/** Base64 of RFC 4648, section 4, in its only form: with padding, no other characters, no stray bits. */
export function fromBase64(text: string): Uint8Array | null {
    if (text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
        return null;
    let binary: string;
    try {
        binary = atob(text);
    } catch {
        return null;
    }
    if (btoa(binary) !== text)
        return null;
    return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

export function base64(bytes: Uint8Array): string {
    let binary = "";
    for (let i = 0; i < bytes.length; i += 8192)
        binary += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192) as unknown as number[]);
    return btoa(binary);
}

/** The name of an actor: labels joined by single dots. */
export function nameValid(name: string): boolean {
    return name.length <= 128 && /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name);
}
