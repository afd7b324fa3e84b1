// Light and dark: the system's choice, until the reader makes one.
import { signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";
const KEY = "theater-theme";

const stored = localStorage.getItem(KEY);
export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

function apply(): void {
    if (theme.value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
}

export function setTheme(value: Theme): void {
    theme.value = value;
    if (value === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
    apply();
}

/** Whether dark is what is seen now. */
export const isDark = (): boolean =>
    theme.value === "dark" || (theme.value === "system" && matchMedia("(prefers-color-scheme: dark)").matches);

apply();
