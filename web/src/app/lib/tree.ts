// JSON and CBOR as one kind of tree, to be shown and compared.
import { type CborNode, decodeCbor } from "../../verify/api";
import { hexByte, isReadable, textOf, toHex } from "./bytes";
import { parseJson } from "./json";

export type Leaf = "number" | "text" | "bytes" | "word";

export type Tree =
    | { kind: "leaf"; leaf: Leaf; text: string; tag?: string }
    | { kind: "list"; items: Tree[]; tag?: string }
    | { kind: "map"; entries: [string, Tree][]; tag?: string };

/** JSON that is nested deeper is shown as text: no document may hang the page. */
const DEPTH_MAX = 200;

const leaf = (kind: Leaf, text: string): Tree => ({ kind: "leaf", leaf: kind, text });

function fromValue(value: unknown, depth: number): Tree {
    if (depth > DEPTH_MAX) throw new Error("nested too deep");
    if (Array.isArray(value)) return { kind: "list", items: value.map((item) => fromValue(item, depth + 1)) };
    if (value !== null && typeof value === "object")
        return { kind: "map", entries: Object.entries(value).map(([key, item]) => [key, fromValue(item, depth + 1)]) };
    if (typeof value === "string") return leaf("text", value);
    if (typeof value === "number" || typeof value === "bigint") return leaf("number", String(value));
    return leaf("word", String(value));
}

/** The tree of JSON text, or null where it is none. */
export function jsonTree(bytes: Uint8Array): Tree | null {
    const text = textOf(bytes);
    if (text === null || !/^\s*[[{"\-\dtfn]/.test(text)) return null;
    try {
        return fromValue(parseJson(text), 0);
    } catch {
        return null;
    }
}

function fromCbor(node: CborNode): Tree {
    switch (node.type) {
        case "uint":
        case "nint": return leaf("number", String(node.value));
        case "float": return leaf("number", Number.isInteger(node.value) ? node.value.toFixed(1) : String(node.value));
        case "bytes": return leaf("bytes", toHex(node.value));
        case "text": return leaf("text", node.value);
        case "array": return { kind: "list", items: node.items.map(fromCbor) };
        case "map": return { kind: "map", entries: node.entries.map(({ key, value }) => [keyText(fromCbor(key)), fromCbor(value)]) };
        case "tag": return { ...fromCbor(node.item), tag: String(node.tag) };
        case "bool": return leaf("word", String(node.value));
        case "simple": return leaf("word", `simple(${node.value})`);
        default: return leaf("word", node.type);
    }
}

/** All of a key: two that differ must not look alike to a comparison. */
function keyText(key: Tree): string {
    if (key.kind === "list") return `[${key.items.map(keyText).join(", ")}]`;
    if (key.kind === "map") return `{${key.entries.map(([name, value]) => `${name}: ${keyText(value)}`).join(", ")}}`;
    return key.leaf === "bytes" ? `h'${key.text}'` : key.text;
}

/** The tree of CBOR, or null where it is none, or too large to be shown as a tree. */
export function cborTree(bytes: Uint8Array): Tree | null {
    const node = bytes.length === 0 ? null : decodeCbor(bytes);
    return node && fromCbor(node);
}

/** Larger documents are not read as trees unless one asks for it: that takes seconds. */
const TREE_BYTES_MAX = 4_000_000;

export type Form = "text" | "json" | "cbor" | "hex";

/** How bytes are best shown where nobody has chosen. */
export function bestForm(bytes: Uint8Array): Form {
    if (bytes.length === 0) return "text";
    const first = bytes[0]!;
    // Large payloads are judged by their beginning, so that choosing a form stays instant.
    const text = textOf(bytes.length > 65536 ? utf8Prefix(bytes, 65536) : bytes);
    if (text !== null && isReadable(text)) {
        const begin = text.trimStart()[0];
        return (begin === "{" || begin === "[") && bytes.length <= TREE_BYTES_MAX && jsonTree(bytes) ? "json" : "text";
    }
    const major = first >> 5;
    return (major === 4 || major === 5) && bytes.length > 1 && bytes.length <= TREE_BYTES_MAX && cborTree(bytes) ? "cbor" : "hex";
}

function utf8Prefix(bytes: Uint8Array, limit: number): Uint8Array {
    let end = limit;
    while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
    return bytes.subarray(0, end);
}

/** One value in a line. */
export function treeText(tree: Tree, limit = 120): string {
    let out: string;
    if (tree.kind === "leaf") out = tree.leaf === "text" ? JSON.stringify(tree.text) : tree.leaf === "bytes" ? `h'${tree.text}'` : tree.text;
    else if (tree.kind === "list") out = `[${tree.items.length ? `… ${tree.items.length}` : ""}]`;
    else out = `{${tree.entries.length ? `… ${tree.entries.length}` : ""}}`;
    return out.length > limit ? out.slice(0, limit) + "…" : out;
}

/** The bytes of a hex line: "00000010  63 6f … |co|". */
export function hexLine(bytes: Uint8Array, offset: number): { hex: string[]; text: string } {
    const hex: string[] = [];
    let text = "";
    for (let i = offset; i < Math.min(offset + 16, bytes.length); i++) {
        const byte = bytes[i]!;
        hex.push(hexByte(byte));
        text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·";
    }
    return { hex, text };
}
