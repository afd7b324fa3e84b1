// A tree of values that can be folded.
import { useState } from "preact/hooks";
import { type Tree, treeText } from "../lib/tree";
import { Button } from "./controls";

/** Children are shown in portions: a list of 100,000 must not hang the page. */
const PORTION = 100;
/** Deeper is folded at first. */
const OPEN_DEPTH = 3;

export function TreeView({ tree }: { tree: Tree }) {
    return <div class="tree">{tree.kind === "leaf" ? <Leaf tree={tree} /> : <Branch tree={tree} depth={0} />}</div>;
}

function Leaf({ tree }: { tree: Extract<Tree, { kind: "leaf" }> }) {
    return <span class={`leaf leaf-${tree.leaf}`}>{tree.tag && <span class="tree-tag">{tree.tag}</span>}{treeText(tree, 4000)}</span>;
}

function Branch({ tree, depth }: { tree: Exclude<Tree, { kind: "leaf" }>; depth: number }) {
    const entries: [string, Tree][] = tree.kind === "map" ? tree.entries : tree.items.map((item, i) => [String(i), item]);
    const [most, setMost] = useState(PORTION);
    if (entries.length === 0) return <span class="leaf">{tree.kind === "map" ? "{}" : "[]"}</span>;
    return (
        <ul>
            {entries.slice(0, most).map(([key, value], i) => (
                <li key={i}><Entry name={key} value={value} isList={tree.kind === "list"} depth={depth} /></li>
            ))}
            {entries.length > most && (
                <li><Button look="quiet" onClick={() => setMost(most * 4)}>{entries.length - most} more</Button></li>
            )}
        </ul>
    );
}

function Entry({ name, value, isList, depth }: { name: string; value: Tree; isList: boolean; depth: number }) {
    const [open, setOpen] = useState(depth < OPEN_DEPTH && size(value) <= 40);
    const label = <span class={isList ? "tree-index" : "tree-key"}>{name}</span>;
    if (value.kind === "leaf") return <>{label}<Leaf tree={value} /></>;
    if (size(value) === 0) return <>{label}<span class="leaf">{value.tag && <span class="tree-tag">{value.tag}</span>}{value.kind === "map" ? "{}" : "[]"}</span></>;
    return (
        <>
            <button type="button" class="tree-fold" aria-expanded={open} onClick={() => setOpen(!open)}>
                <i aria-hidden="true">{open ? "▾" : "▸"}</i>{label}
                <span class="dim">{value.tag && <span class="tree-tag">{value.tag}</span>}{value.kind === "list" ? `[${size(value)}]` : `{${size(value)}}`}</span>
            </button>
            {open && <Branch tree={value} depth={depth + 1} />}
        </>
    );
}

const size = (tree: Tree): number => (tree.kind === "list" ? tree.items.length : tree.kind === "map" ? tree.entries.length : 0);
