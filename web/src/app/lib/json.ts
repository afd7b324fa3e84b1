// JSON whose integers may have 64 bits: JSON.parse would round them without a word.

/** A string, a fraction or an exponent (kept as they are), or a whole number of 16 digits and more, which is marked. */
const LONG = /"(?:[^"\\]|\\.)*"|[.eE][+-]?\d+|-?\d{16,}(?![\d.eE])/g;

/** Nobody who writes a document can know it, so no string of one is taken for a marked number. */
const SECRET = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("");
const MARK = `\u0000${SECRET}:`;
const MARKED = new RegExp(`"\\\\u0000${SECRET}:(-?\\d+)"`, "g");

/** Parses JSON; an integer that a number cannot hold exactly becomes a bigint. */
export function parseJson(text: string): unknown {
    let marked = false;
    const safe = text.replace(LONG, (found) => {
        if (/^[".eE]/.test(found) || Number.isSafeInteger(Number(found))) return found;
        marked = true;
        return JSON.stringify(MARK + found);
    });
    if (!marked) return JSON.parse(text);
    return JSON.parse(safe, (_key, value: unknown) =>
        typeof value === "string" && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value);
}

/** The text that a value is written as, bigints included. */
export function formatJson(value: unknown, indent = 2): string {
    const marked = JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? MARK + String(v) : v), indent);
    return marked.replace(MARKED, "$1");
}
