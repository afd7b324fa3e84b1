// The keyboard: views say which keys they take; one listener gives them out.
import { useLayoutEffect, useRef } from "preact/hooks";

export interface Binding {
    keys: string[];
    run: (event: KeyboardEvent) => void;
}

interface Taker {
    /** Parents render before their children, so a part has a higher number than what it is in. */
    order: number;
    bindings: Binding[];
}

const takers: Taker[] = [];
let lastOrder = 0;
let prefix = "";
let prefixTimer = 0;

/** Whether a key belongs to what has the focus: text fields take all of them but Escape. */
function typing(target: EventTarget | null): boolean {
    if (!(target instanceof HTMLElement)) return false;
    if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
    return target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type);
}

/** Enter and Space press the button that has the focus; an arrow moves the choice of a group. */
function belongs(event: KeyboardEvent): boolean {
    const target = event.target instanceof Element ? event.target : null;
    if (event.key === "Enter" || event.key === " ") return target?.closest("button, a, summary, [role=button]") != null;
    if (event.key.startsWith("Arrow")) return target?.closest("[role=radiogroup], [role=tablist], [role=slider]") != null;
    return false;
}

function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
        if (event.key === "Escape") (event.target as HTMLElement).blur();
        return;
    }
    if (document.querySelector("dialog[open]") || belongs(event)) return;
    const key = prefix ? `${prefix} ${event.key}` : event.key;
    prefix = "";
    for (const taker of [...takers].sort((a, b) => b.order - a.order)) {
        const found = taker.bindings.find((binding) => binding.keys.includes(key));
        if (found) {
            event.preventDefault();
            found.run(event);
            return;
        }
    }
    if (event.key === "g") {
        prefix = "g";
        clearTimeout(prefixTimer);
        prefixTimer = window.setTimeout(() => (prefix = ""), 1200);
    }
}

addEventListener("keydown", onKey);

/** Takes keys while the component is shown; the innermost component is asked first. */
export function useKeys(bindings: Binding[]): void {
    // Set while rendering and not after it: the next key must not find what the last one has changed already.
    const taker = useRef<Taker | null>(null);
    taker.current ??= { order: ++lastOrder, bindings };
    taker.current.bindings = bindings;
    useLayoutEffect(() => {
        const own = taker.current!;
        takers.push(own);
        return () => {
            takers.splice(takers.indexOf(own), 1);
        };
    }, []);
}
