// What the browser keeps for this page. Where it may keep nothing, or has no room, nothing is kept, and the page goes on.

type Place = "localStorage" | "sessionStorage";

export function kept(place: Place, key: string): string | null {
    try {
        return globalThis[place].getItem(key);
    } catch {
        return null;
    }
}

/** Keeps a text; null forgets what was kept. */
export function keep(place: Place, key: string, value: string | null): void {
    try {
        if (value === null) globalThis[place].removeItem(key);
        else globalThis[place].setItem(key, value);
    } catch {
        // It lasts as long as the page does.
    }
}
