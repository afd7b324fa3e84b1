// Short news at the lower edge: what was done, or why not.
import { signal } from "@preact/signals";
import { Icon } from "./icons";

interface Toast {
    id: number;
    text: string;
    mood: "good" | "bad";
}

/** More at once would hide the page. */
const TOASTS_MAX = 4;
const toasts = signal<Toast[]>([]);
let last = 0;

export function say(text: string, mood: "good" | "bad" = "good"): void {
    const id = ++last;
    toasts.value = [...toasts.value, { id, text, mood }].slice(-TOASTS_MAX);
    setTimeout(() => drop(id), mood === "bad" ? 9000 : 4000);
}

/** What went wrong, in its own words. */
export const complain = (error: unknown): void => say(error instanceof Error ? error.message : String(error), "bad");

const drop = (id: number): void => {
    toasts.value = toasts.value.filter((toast) => toast.id !== id);
};

export function Toasts() {
    return (
        <div class="toasts" role="status" aria-live="polite">
            {toasts.value.map((toast) => (
                <div key={toast.id} class={`toast ${toast.mood}`}>
                    <Icon name={toast.mood === "good" ? "tick" : "warn"} />
                    <span>{toast.text}</span>
                    <button type="button" aria-label="Dismiss" onClick={() => drop(toast.id)}><Icon name="close" size={12} /></button>
                </div>
            ))}
        </div>
    );
}
