// What differs between two states: by value (JSON, CBOR), by line, or by byte.
import type { Tree } from "./tree";

export interface Change {
    kind: "added" | "removed" | "changed";
    path: string[];
    before?: Tree;
    after?: Tree;
}

/** More than this is cut, and said. */
export const CHANGES_MAX = 2000;

function sameTree(a: Tree, b: Tree): boolean {
    if (a.kind !== b.kind || a.tag !== b.tag) return false;
    if (a.kind === "leaf" && b.kind === "leaf") return a.leaf === b.leaf && a.text === b.text;
    if (a.kind === "list" && b.kind === "list") return a.items.length === b.items.length && a.items.every((item, i) => sameTree(item, b.items[i]!));
    if (a.kind === "map" && b.kind === "map")
        return a.entries.length === b.entries.length &&
            a.entries.every(([key, item], i) => b.entries[i]![0] === key && sameTree(item, b.entries[i]![1]));
    return false;
}

/** The changes from one tree to another, in the order of the document, at most CHANGES_MAX. */
export function treeChanges(before: Tree, after: Tree): Change[] {
    const out: Change[] = [];
    compare(before, after, [], out);
    return out;
}

function compare(a: Tree, b: Tree, path: string[], out: Change[]): void {
    if (out.length >= CHANGES_MAX) return;
    if (a.kind === "map" && b.kind === "map") compareMaps(a.entries, b.entries, path, out);
    else if (a.kind === "list" && b.kind === "list") compareLists(a.items, b.items, path, out);
    else if (!sameTree(a, b)) out.push({ kind: "changed", path, before: a, after: b });
}

function compareMaps(a: [string, Tree][], b: [string, Tree][], path: string[], out: Change[]): void {
    const old = new Map(a);
    const fresh = new Map(b);
    for (const [key, value] of a) {
        if (out.length >= CHANGES_MAX) return;
        const other = fresh.get(key);
        if (other) compare(value, other, [...path, key], out);
        else out.push({ kind: "removed", path: [...path, key], before: value });
    }
    for (const [key, value] of b) {
        if (out.length >= CHANGES_MAX) return;
        if (!old.has(key)) out.push({ kind: "added", path: [...path, key], after: value });
    }
}

/** Lists are matched from both ends; what is left in the middle is compared by place. */
function compareLists(a: Tree[], b: Tree[], path: string[], out: Change[]): void {
    let head = 0;
    while (head < a.length && head < b.length && sameTree(a[head]!, b[head]!)) head++;
    let tail = 0;
    while (tail < a.length - head && tail < b.length - head && sameTree(a[a.length - 1 - tail]!, b[b.length - 1 - tail]!)) tail++;
    const oldCount = a.length - head - tail;
    const newCount = b.length - head - tail;
    for (let i = 0; i < Math.max(oldCount, newCount); i++) {
        if (out.length >= CHANGES_MAX) return;
        const at = [...path, String(head + i)];
        if (i >= oldCount) out.push({ kind: "added", path: at, after: b[head + i]! });
        else if (i >= newCount) out.push({ kind: "removed", path: at, before: a[head + i]! });
        else compare(a[head + i]!, b[head + i]!, at, out);
    }
}

export interface LineChange {
    kind: "same" | "added" | "removed";
    text: string;
    before: number | null;
    after: number | null;
}

/** Past so many edits the middle is shown as one block taken out and one put in. */
const EDITS_MAX = 800;

/** Texts of more lines than this are not compared by line: that would hang the page for seconds. */
export const LINES_MAX = 500_000;

function tooManyLines(text: string): boolean {
    let lines = 1;
    for (let at = text.indexOf("\n"); at >= 0 && lines <= LINES_MAX; at = text.indexOf("\n", at + 1)) lines++;
    return lines > LINES_MAX;
}

/** A line diff after Myers ("An O(ND) Difference Algorithm", 1986), with what both ends share taken off first; null where
 * there are too many lines. */
export function lineChanges(before: string, after: string): LineChange[] | null {
    if (tooManyLines(before) || tooManyLines(after)) return null;
    const a = before.split("\n");
    const b = after.split("\n");
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    const out: LineChange[] = [];
    const same = (i: number, j: number): number => out.push({ kind: "same", text: a[i]!, before: i + 1, after: j + 1 });
    for (let i = 0; i < head; i++) same(i, i);
    for (const [kind, i, j] of script(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) {
        if (kind === "same") same(head + i, head + j);
        else if (kind === "removed") out.push({ kind, text: a[head + i]!, before: head + i + 1, after: null });
        else out.push({ kind, text: b[head + j]!, before: null, after: head + j + 1 });
    }
    for (let i = tail; i > 0; i--) same(a.length - i, b.length - i);
    return out;
}

type Step = ["same" | "added" | "removed", number, number];

function script(a: string[], b: string[]): Step[] {
    const trace: Map<number, number>[] = [];
    const reach = new Map<number, number>([[1, 0]]);
    const limit = Math.min(a.length + b.length, EDITS_MAX);
    for (let d = 0; d <= limit; d++) {
        trace.push(new Map(reach));
        for (let k = -d; k <= d; k += 2) {
            const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
            let x = down ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
            let y = x - k;
            while (x < a.length && y < b.length && a[x] === b[y]) {
                x++;
                y++;
            }
            reach.set(k, x);
            if (x >= a.length && y >= b.length) return backtrack(trace, a.length, b.length);
        }
    }
    return [...a.map((_, i): Step => ["removed", i, 0]), ...b.map((_, j): Step => ["added", 0, j])];
}

function backtrack(trace: Map<number, number>[], endX: number, endY: number): Step[] {
    const steps: Step[] = [];
    let x = endX;
    let y = endY;
    for (let d = trace.length - 1; d >= 0; d--) {
        const reach = trace[d]!;
        const k = x - y;
        const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
        const fromK = down ? k + 1 : k - 1;
        const fromX = d === 0 ? 0 : (reach.get(fromK) ?? 0);
        const fromY = d === 0 ? 0 : fromX - fromK;
        while (x > fromX && y > fromY && x > 0 && y > 0) {
            x--;
            y--;
            steps.push(["same", x, y]);
        }
        if (d === 0) break;
        if (down) steps.push(["added", x, --y]);
        else steps.push(["removed", --x, y]);
    }
    return steps.reverse();
}

/** The 4 KiB chunks (those of the state root) that differ, as numbers from 0. */
export function changedChunks(a: Uint8Array, b: Uint8Array): number[] {
    const out: number[] = [];
    const most = Math.max(a.length, b.length);
    for (let chunk = 0; chunk * 4096 < most; chunk++) {
        const end = Math.min((chunk + 1) * 4096, most);
        for (let i = chunk * 4096; i < end; i++) {
            if (a[i] !== b[i]) {
                out.push(chunk);
                break;
            }
        }
    }
    return out;
}

/** The rows of 16 bytes that differ. */
export function changedRows(a: Uint8Array, b: Uint8Array): number[] {
    const out: number[] = [];
    for (const chunk of changedChunks(a, b)) {
        for (let row = chunk * 256; row < (chunk + 1) * 256; row++) {
            for (let i = row * 16; i < row * 16 + 16; i++) {
                if (a[i] !== b[i]) {
                    out.push(row);
                    break;
                }
            }
        }
    }
    return out;
}
