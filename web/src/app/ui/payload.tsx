// Bytes, shown as text, JSON, CBOR or hex.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { request, token } from "../lib/api";
import { textOf, toHex } from "../lib/bytes";
import { size } from "../lib/format";
import { bestForm, cborTree, type Form, hexLine, jsonTree, type Tree } from "../lib/tree";
import { Button, CopyButton, Segmented } from "./controls";
import { complain } from "./toast";
import { TreeView } from "./tree-view";
import { VirtualList } from "./virtual";

export type Shown = "auto" | Form;
export const FORMS = [["auto", "Auto"], ["text", "Text"], ["json", "JSON"], ["cbor", "CBOR"], ["hex", "Hex"]] as const;

/** More text than this is shown from its beginning; the whole can be saved. */
const TEXT_MAX = 400_000;

/** Saves bytes as a file. */
export const save = (bytes: Uint8Array, name: string): void => saveBlob(new Blob([new Uint8Array(bytes)]), name);

function saveBlob(blob: Blob, name: string): void {
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A link that saves what the server has there; with a token the page has to fetch it itself. */
export function SaveLink({ href, name, class: look = "", children }: { href: string; name: string; class?: string; children: ComponentChildren }) {
    const fetchIt = async (event: Event): Promise<void> => {
        if (!token.value) return;
        event.preventDefault();
        try {
            saveBlob(await (await request(href)).blob(), name);
        } catch (error) {
            complain(error);
        }
    };
    return <a class={look} href={href} download={name} onClick={(event) => void fetchIt(event)}>{children}</a>;
}

/** A payload with its name, its size, and what can be done with it. */
export function Payload({ title, bytes, file, note, open = true }: {
    title: string;
    bytes: Uint8Array;
    /** The name under which it is saved. */
    file: string;
    note?: ComponentChildren;
    open?: boolean;
}) {
    const [shown, setShown] = useState<Shown>("auto");
    return (
        <section class="payload" aria-label={title}>
            <header>
                <h3>{title}</h3>
                <span class="dim">{bytes.length === 0 ? "empty" : size(bytes.length)}</span>
                {note}
                <span class="grow" />
                {bytes.length > 0 && open && <div class="payload-tools">
                    <Segmented label={`Form of the ${title.toLowerCase()}`} value={shown} options={FORMS} onChange={setShown} />
                    <CopyButton text={() => copyText(bytes, shown)} label={`Copy the ${title.toLowerCase()}`} />
                    <Button look="quiet" icon="download" title={`Save the ${title.toLowerCase()}`} onClick={() => save(bytes, file)} />
                </div>}
            </header>
            {bytes.length > 0 && open && <BytesView bytes={bytes} shown={shown} label={title} />}
        </section>
    );
}

function copyText(bytes: Uint8Array, shown: Shown): string {
    const form = shown === "auto" ? bestForm(bytes) : shown;
    return form === "hex" || form === "cbor" ? toHex(bytes) : (textOf(bytes) ?? toHex(bytes));
}

/** Bytes in the form that was chosen; says so where they do not have it. */
export function BytesView({ bytes, shown, label, marks }: { bytes: Uint8Array; shown: Shown; label: string; marks?: Marks }) {
    const form = useMemo(() => (shown === "auto" ? bestForm(bytes) : shown), [bytes, shown]);
    const tree = useMemo((): Tree | null => (form === "json" ? jsonTree(bytes) : form === "cbor" ? cborTree(bytes) : null), [bytes, form]);
    if (form === "hex") return <HexView bytes={bytes} label={label} marks={marks} />;
    if (form === "text") return <TextView bytes={bytes} />;
    if (tree) return <div class="bytes tree-box" tabIndex={0} role="group" aria-label={`${label} as ${form.toUpperCase()}`}><TreeView tree={tree} /></div>;
    return <p class="bytes none">These bytes are no {form === "json" ? "JSON" : "CBOR"}.</p>;
}

function TextView({ bytes }: { bytes: Uint8Array }) {
    const text = useMemo(() => textOf(bytes), [bytes]);
    if (text === null) return <p class="bytes none">These bytes are no UTF-8 text.</p>;
    return (
        <>
            <pre class="bytes text" tabIndex={0}>{text.slice(0, TEXT_MAX)}</pre>
            {text.length > TEXT_MAX && <p class="bytes none">The first {size(TEXT_MAX)} are shown.</p>}
        </>
    );
}

export const HEX_ROW = 20;
/** So many rows are shown without a scroller of their own. */
const ROWS_SEEN = 24;

type Marks = (offset: number) => boolean;

/** Sixteen bytes; `kind` says of which side of a difference they are. */
export function HexRow({ bytes, offset, kind, marks }: { bytes: Uint8Array; offset: number; kind?: "removed" | "added"; marks?: Marks | undefined }) {
    const { hex, text } = hexLine(bytes, offset);
    return (
        <div class={`hex-row ${kind ?? ""}`} role="listitem">
            <span class="hex-offset">{kind && (kind === "added" ? "+ " : "− ")}{offset.toString(16).padStart(8, "0")}</span>
            <span class="hex-bytes">{hexSpans(hex, offset, marks)}</span>
            <span class="hex-text">{marks ? textSpans(text, offset, marks) : text}</span>
        </div>
    );
}

/** Hex as `xxd` writes it; `marks` says which bytes are marked (where two states differ). */
export function HexView({ bytes, label, marks }: { bytes: Uint8Array; label: string; marks?: Marks | undefined }) {
    const rows = Math.ceil(bytes.length / 16);
    if (rows === 0) return <p class="bytes none">Empty.</p>;
    return (
        <div class="bytes hex" style={{ "--rows": `${Math.min(rows, ROWS_SEEN) * HEX_ROW}px` }}>
            <VirtualList count={rows} height={HEX_ROW} label={`${label} as hex`}
                row={(index) => <HexRow key={index} bytes={bytes} offset={index * 16} marks={marks} />} />
        </div>
    );
}

function hexSpans(hex: string[], offset: number, marks?: Marks): ComponentChildren {
    const gap = (i: number): string => (i === 0 ? "" : i === 8 ? "  " : " ");
    if (!marks) return hex.map((byte, i) => gap(i) + byte).join("");
    return hex.map((byte, i) => (marks(offset + i) ? <>{gap(i)}<mark>{byte}</mark></> : gap(i) + byte));
}

const textSpans = (text: string, offset: number, marks: Marks): ComponentChildren =>
    [...text].map((char, i) => (marks(offset + i) ? <mark>{char}</mark> : char));
