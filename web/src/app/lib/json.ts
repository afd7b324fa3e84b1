// JSON whose integers may have 64 bits: JSON.parse would round them without a word.

/** Where a string begins, a fraction or an exponent (kept as they are), or a whole number of 16 digits and more, which is marked. */
const LONG = /"|[.eE][+-]?\d+|-?\d{16,}(?![\d.eE])/g;

/** Nobody who writes a document can know it, so no string of one is taken for a marked number. */
const SECRET = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("");
const MARK = `\u0000${SECRET}:`;
const MARKED = new RegExp(`"\\\\u0000${SECRET}:(-?\\d+)"`, "g");

/** The place behind the string that begins before `at`. Found by hand, since a pattern for strings fails on one of many megabytes. */
function stringEnd(text: string, at: number): number {
    for (;;) {
        const quote = text.indexOf('"', at);
        if (quote < 0) return text.length;
        let slashes = 0;
        while (quote - slashes > at && text[quote - slashes - 1] === "\\") slashes++;
        at = quote + 1;
        if (slashes % 2 === 0) return at;
    }
}

/** The text with its long numbers marked; null where it has none. */
function marked(text: string): string | null {
    const parts: string[] = [];
    let done = 0;
    LONG.lastIndex = 0;
    for (let found = LONG.exec(text); found; found = LONG.exec(text)) {
        const [token] = found;
        if (token === '"') {
            LONG.lastIndex = stringEnd(text, LONG.lastIndex);
        } else if (!/^[.eE]/.test(token) && !Number.isSafeInteger(Number(token))) {
            parts.push(text.slice(done, found.index), JSON.stringify(MARK + token));
            done = LONG.lastIndex;
        }
    }
    return parts.length ? parts.join("") + text.slice(done) : null;
}

/** Parses JSON; an integer that a number cannot hold exactly becomes a bigint. */
export function parseJson(text: string): unknown {
    const safe = marked(text);
    if (safe === null) return JSON.parse(text);
    return JSON.parse(safe, (_key, value: unknown) =>
        typeof value === "string" && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value);
}

/** The text that a value is written as, bigints included. */
export function formatJson(value: unknown, indent = 2): string {
    const marked = JSON.stringify(value, (_key, v: unknown) => (typeof v === "bigint" ? MARK + String(v) : v), indent);
    return marked.replace(MARKED, "$1");
}
