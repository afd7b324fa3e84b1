// Light and dark: the system's choice, until the reader makes one.
import { signal } from "@preact/signals";
import { keep, kept } from "./store";

export type Theme = "system" | "light" | "dark";
const KEY = "theater-theme";

const stored = kept("localStorage", KEY);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

function apply(): void {
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
}

export function setTheme(value: Theme): void {
    theme.value = value;
    keep("localStorage", KEY, value === "system" ? null : value);
    apply();
}

/** Whether dark is what is seen now. */
export const isDark = (): boolean =>
    theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);

apply();
