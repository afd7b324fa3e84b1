// read.ts: strict JSON. As JSON.parse, but a member twice is refused, numbers stay as they are written (an amount is no
// floating point number), and nesting is bounded.

const TOKEN = /[ \t\r\n]*(?:([{}[\]:,])|("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(true|false|null))/y;
const DEPTH = 17;

/** A number, as it is written. */
export class Literal {
    constructor(readonly text: string) {}
}

/** What a JSON text stands for. */
export type Value = string | boolean | null | Literal | Value[] | Map<string, Value>;

class Reader {
    at = 0;

    constructor(readonly text: string) {}
    fail(): never {
        throw new SyntaxError(`no JSON at ${this.at}`);
    }
    /** The next token: [punctuation, string, number, word], of which one is there. */
    next(): RegExpExecArray {
        TOKEN.lastIndex = this.at;
        const match = TOKEN.exec(this.text);
        if (match === null)
            this.fail();
        this.at = TOKEN.lastIndex;
        return match;
    }
    expect(punctuation: string) {
        if (this.next()[1] !== punctuation)
            this.fail();
    }
    string(quoted: string): string {
        const value: string = JSON.parse(quoted);
        return value.isWellFormed() ? value : this.fail();
    }
    object(depth: number): Map<string, Value> {
        const members = new Map<string, Value>();
        for (let token = this.next(); token[1] !== "}"; token = this.next()) {
            if (members.size > 0)
                token = token[1] === "," ? this.next() : this.fail();
            const key = token[2] === undefined ? this.fail() : this.string(token[2]);
            if (members.has(key))
                this.fail();
            this.expect(":");
            members.set(key, this.value(this.next(), depth - 1));
        }
        return members;
    }
    array(depth: number): Value[] {
        const items: Value[] = [];
        for (let token = this.next(); token[1] !== "]"; token = this.next()) {
            if (items.length > 0)
                token = token[1] === "," ? this.next() : this.fail();
            items.push(this.value(token, depth - 1));
        }
        return items;
    }
    value([, punctuation, string, number, word]: RegExpExecArray, depth: number): Value {
        if (depth === 0)
            this.fail();
        if (string !== undefined)
            return this.string(string);
        if (number !== undefined)
            return new Literal(number);
        if (word !== undefined)
            return JSON.parse(word);
        return punctuation === "{" ? this.object(depth) : punctuation === "[" ? this.array(depth) : this.fail();
    }
}

/** The value of a JSON text: objects as Maps in the order of their members, numbers as Literals. */
export function readJson(text: string): Value {
    const reader = new Reader(text);
    const value = reader.value(reader.next(), DEPTH);
    if (/[^ \t\r\n]/.test(text.slice(reader.at)))
        reader.fail();
    return value;
}
