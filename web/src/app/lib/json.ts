// JSON whose integers may have 64 bits: JSON.parse would round them without a word.

/** A string (kept as it is), or a number of 16 digits and more, which is marked. */
const LONG = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;
const MARK = "\u0000int:";

/** Parses JSON; an integer that a number cannot hold exactly becomes a bigint. */
export function parseJson(text: string): unknown {
    let marked = false;
    const safe = text.replace(LONG, (found) => {
        if (found[0] === '"' || Number.isSafeInteger(Number(found))) return found;
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
    return marked.replace(/"\\u0000int:(-?\d+)"/g, "$1");
}
