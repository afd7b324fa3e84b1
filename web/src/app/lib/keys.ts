// The keyboard: views say which keys they take; one listener gives them out.
import { useEffect } from "preact/hooks";

export interface Binding {
    keys: string[];
    run: (event: KeyboardEvent) => void;
}

const stack: Binding[][] = [];
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
    for (let i = stack.length - 1; i >= 0; i--) {
        const found = stack[i]!.find((binding) => binding.keys.includes(key));
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

/** Takes keys while the component is shown; the component shown last is asked first. */
export function useKeys(bindings: Binding[]): void {
    useEffect(() => {
        stack.push(bindings);
        return () => {
            const at = stack.indexOf(bindings);
            if (at >= 0) stack.splice(at, 1);
        };
    });
}
