// How fast actors are: their counts of elements over the last minute.
import { signal } from "@preact/signals";
import { keep, kept } from "./store";
import type { Actor } from "./types";

const SAMPLES = 40;

interface Track {
    times: number[];
    counts: number[];
}

const tracks = new Map<string, Track>();
/** Changes with every reading. */
export const ratesVersion = signal(0);
/** Actors looked at last, for the side bar. */
const RECENT_MAX = 6;
const RECENT = "theater-recent";
export const recent = signal<string[]>(stored());

function stored(): string[] {
    try {
        const list: unknown = JSON.parse(kept("localStorage", RECENT) ?? "[]");
        return Array.isArray(list) ? list.filter((name): name is string => typeof name === "string").slice(0, RECENT_MAX) : [];
    } catch {
        return [];
    }
}

export function visited(name: string): void {
    if (recent.value[0] === name) return;
    recent.value = [name, ...recent.value.filter((other) => other !== name)].slice(0, RECENT_MAX);
    keep("localStorage", RECENT, JSON.stringify(recent.value));
}

export function forget(name: string): void {
    recent.value = recent.value.filter((other) => other !== name);
    keep("localStorage", RECENT, JSON.stringify(recent.value));
}

export function track(actors: Actor[]): void {
    const now = performance.now();
    for (const actor of actors) {
        const key = `${actor.name}#${actor.id}`;
        const one = tracks.get(key) ?? { times: [], counts: [] };
        one.times.push(now);
        one.counts.push(actor.elements);
        if (one.times.length > SAMPLES) {
            one.times.shift();
            one.counts.shift();
        }
        tracks.set(key, one);
    }
    // A page of actors is a hundred; what was not seen for long is let go.
    while (tracks.size > 2000) tracks.delete(tracks.keys().next().value!);
    ratesVersion.value++;
}

/** Elements per second between the readings, the newest last. */
export function rateHistory(actor: Actor): number[] {
    const one = tracks.get(`${actor.name}#${actor.id}`);
    if (!one) return [];
    return one.counts.slice(1).map((count, i) => {
        const seconds = (one.times[i + 1]! - one.times[i]!) / 1000;
        return seconds > 0.05 ? Math.max(0, count - one.counts[i]!) / seconds : 0;
    });
}
