// What differs between two states, in the form that they are shown in.
import { useMemo } from "preact/hooks";
import { sameBytes, textOf } from "../lib/bytes";
import { type Change, changedChunks, changedRows, CHANGES_MAX, type LineChange, lineChanges, treeChanges } from "../lib/diff";
import { count, plural, size } from "../lib/format";
import { cborTree, type Form, jsonTree, treeText } from "../lib/tree";
import { HEX_ROW, HexRow } from "../ui/payload";
import { VirtualList } from "../ui/virtual";

/** Lines around a change that are shown with it. */
const CONTEXT = 3;
const LINES_MAX = 3000;

export function Difference({ before, after, form, names }: { before: Uint8Array; after: Uint8Array; form: Form; names: [string, string] }) {
    const same = useMemo(() => sameBytes(before, after), [before, after]);
    return (
        <section class="payload difference" aria-label="Difference">
            <header>
                <h3>Difference</h3>
                <span class="dim">from {names[0]} to {names[1]}</span>
                {!same && before.length !== after.length && <span class="dim">{size(before.length)} → {size(after.length)}</span>}
            </header>
            {same ? <p class="bytes none">Nothing changed.</p> : <Body before={before} after={after} form={form} />}
        </section>
    );
}

function Body({ before, after, form }: { before: Uint8Array; after: Uint8Array; form: Form }) {
    const trees = useMemo(() => {
        if (form !== "json" && form !== "cbor") return null;
        const read = form === "json" ? jsonTree : cborTree;
        const [a, b] = [read(before), read(after)];
        return a && b ? treeChanges(a, b) : null;
    }, [before, after, form]);
    const lines = useMemo(() => {
        if (form !== "text") return null;
        const [a, b] = [textOf(before), textOf(after)];
        return a !== null && b !== null ? lineChanges(a, b) : null;
    }, [before, after, form]);
    if (trees) return <Changes changes={trees} />;
    if (lines) return <Lines lines={lines} />;
    return <Bytes before={before} after={after} />;
}

function Changes({ changes }: { changes: Change[] }) {
    if (changes.length === 0) return <p class="bytes none">The same values; only their encoding differs.</p>;
    return (
        <>
            <ul class="bytes changes">
                {changes.slice(0, 400).map((change) => (
                    <li key={change.path.join("\u0000")} class={change.kind}>
                        <span class="change-path">{change.path.length ? change.path.join(" › ") : "the whole"}</span>
                        <span class="change-values">
                            {change.before && <del>{treeText(change.before)}</del>}
                            {change.before && change.after && <i aria-label="became">→</i>}
                            {change.after && <ins>{treeText(change.after)}</ins>}
                        </span>
                    </li>
                ))}
            </ul>
            {changes.length > 400 && <p class="bytes none">{changes.length >= CHANGES_MAX ? `More than ${count(CHANGES_MAX)}` : count(changes.length)} changes; the first 400 are shown.</p>}
        </>
    );
}

/** The lines that are shown: those that changed, and a few around them. */
function around(lines: LineChange[]): (LineChange | null)[] {
    const out: (LineChange | null)[] = [];
    let last = -1;
    lines.forEach((line, i) => {
        let near = line.kind !== "same";
        for (let k = Math.max(0, i - CONTEXT); !near && k <= Math.min(lines.length - 1, i + CONTEXT); k++) near = lines[k]!.kind !== "same";
        if (!near) return;
        if (i > last + 1) out.push(null);
        out.push(line);
        last = i;
    });
    return out;
}

function Lines({ lines }: { lines: LineChange[] }) {
    const shown = useMemo(() => around(lines).slice(0, LINES_MAX), [lines]);
    const sign = { same: " ", added: "+", removed: "−" };
    return (
        <div class="bytes lines" tabIndex={0} role="group" aria-label="Changed lines">
            {shown.map((line, i) => (line === null ? <div key={i} class="line gap">⋯</div> : (
                <div key={i} class={`line ${line.kind}`}>
                    <span class="line-number">{line.before ?? ""}</span><span class="line-number">{line.after ?? ""}</span>
                    <span class="line-sign">{sign[line.kind]}</span><span class="line-text">{line.text}</span>
                </div>
            )))}
        </div>
    );
}

/** A row of the byte view: of the state before or after; a gap stands for rows that are the same. */
type ByteLine = { kind: "removed" | "added"; offset: number } | { kind: "gap"; rows: number };

function byteLines(rows: number[], before: Uint8Array, after: Uint8Array): ByteLine[] {
    const out: ByteLine[] = [];
    let last = -1;
    for (const row of rows) {
        if (row > last + 1) out.push({ kind: "gap", rows: row - last - 1 });
        if (row * 16 < before.length) out.push({ kind: "removed", offset: row * 16 });
        if (row * 16 < after.length) out.push({ kind: "added", offset: row * 16 });
        last = row;
    }
    return out;
}

/** The rows of 16 bytes that differ, before above after, with a map of the 4 KiB chunks that the state root is made of. */
function Bytes({ before, after }: { before: Uint8Array; after: Uint8Array }) {
    const rows = useMemo(() => changedRows(before, after), [before, after]);
    const chunks = useMemo(() => changedChunks(before, after), [before, after]);
    const lines = useMemo(() => byteLines(rows, before, after), [rows]);
    const total = Math.ceil(Math.max(before.length, after.length) / 4096);
    const differs = (offset: number): boolean => before[offset] !== after[offset];
    return (
        <>
            <p class="bytes byte-bar">{plural(rows.length, "row")} of 16 bytes, in {count(chunks.length)} of {plural(total, "chunk")} of the state tree</p>
            {total > 1 && <ChunkMap chunks={chunks} total={total} />}
            <div class="bytes hex" style={{ "--rows": `${Math.min(lines.length, 18) * HEX_ROW}px` }}>
                <VirtualList count={lines.length} height={HEX_ROW} label="Bytes that differ" row={(index) => {
                    const line = lines[index]!;
                    if (line.kind === "gap") return <div key={index} class="hex-row hex-gap" role="listitem">⋯ {plural(line.rows, "row")} the same</div>;
                    return <HexRow key={index} bytes={line.kind === "removed" ? before : after} offset={line.offset} kind={line.kind} marks={differs} />;
                }} />
            </div>
        </>
    );
}

const CELLS = 128;

function ChunkMap({ chunks, total }: { chunks: number[]; total: number }) {
    const cells = Math.min(total, CELLS);
    const marked = new Set(chunks.map((chunk) => Math.floor((chunk / total) * cells)));
    return (
        <div class="chunks" role="img" aria-label={`Changed chunks: ${chunks.slice(0, 20).join(", ")}${chunks.length > 20 ? " and more" : ""}`}>
            {Array.from({ length: cells }, (_, i) => <i key={i} class={marked.has(i) ? "on" : ""} />)}
        </div>
    );
}
