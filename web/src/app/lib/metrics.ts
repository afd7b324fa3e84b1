// The figures of /metrics, kept for the last minutes while the page is open.
import { signal } from "@preact/signals";
import { api } from "./api";

/** One reading: values by name (with labels), and when it was taken, in milliseconds. */
export interface Reading {
    at: number;
    values: Map<string, number>;
}

const EVERY_MS = 2000;
/** Ten minutes. */
const READINGS_MAX = 300;

export const readings = signal<Reading[]>([]);

/** Reads the text format of Prometheus, version 0.0.4. */
export function parseMetrics(text: string): Map<string, number> {
    const values = new Map<string, number>();
    for (const line of text.split("\n")) {
        if (line === "" || line[0] === "#") continue;
        const space = line.lastIndexOf(" ");
        values.set(line.slice(0, space), Number(line.slice(space + 1)));
    }
    return values;
}

/** The growth of a counter per second between readings; a restart of the server counts from zero again. */
export function rates(list: Reading[], name: string): (number | null)[] {
    return list.map((reading, i) => {
        const before = list[i - 1];
        const now = reading.values.get(name);
        const then = before?.values.get(name);
        if (!before || now === undefined || then === undefined) return null;
        return Math.max(0, now >= then ? now - then : now) / ((reading.at - before.at) / 1000);
    });
}

export const values = (list: Reading[], name: string): (number | null)[] => list.map((reading) => reading.values.get(name) ?? null);

/** The bounds and cumulative counts of a histogram that grew between two readings. */
function growth(before: Reading | undefined, now: Reading, name: string): [number, number][] {
    const out: [number, number][] = [];
    const prefix = `${name}_bucket{le="`;
    for (const [key, value] of now.values) {
        if (!key.startsWith(prefix)) continue;
        const bound = key.slice(prefix.length, -2);
        out.push([bound === "+Inf" ? Infinity : Number(bound), value - Math.min(value, before?.values.get(key) ?? 0)]);
    }
    return out.sort((a, b) => a[0] - b[0]);
}

/** A percentile of a histogram over the time between two readings, as Prometheus reckons it; null without events. */
export function percentile(before: Reading | undefined, now: Reading, name: string, share: number): number | null {
    const buckets = growth(before, now, name);
    const total = buckets.at(-1)?.[1] ?? 0;
    if (total === 0) return null;
    const rank = total * share;
    let lower = 0;
    let counted = 0;
    for (const [bound, cumulative] of buckets) {
        if (cumulative >= rank) {
            if (bound === Infinity) return lower;
            const inside = cumulative - counted;
            return inside === 0 ? bound : lower + (bound - lower) * ((rank - counted) / inside);
        }
        lower = bound;
        counted = cumulative;
    }
    return lower;
}

/** A percentile for each reading, over the `span` readings before it. */
export function percentiles(list: Reading[], name: string, share: number, span = 5): (number | null)[] {
    return list.map((reading, i) => (i === 0 ? null : percentile(list[Math.max(0, i - span)], reading, name, share)));
}

async function read(): Promise<void> {
    if (document.hidden) return;
    try {
        const reading = { at: Date.now(), values: parseMetrics(await api.metrics()) };
        readings.value = [...readings.value.slice(1 - READINGS_MAX), reading];
    } catch {
        // The banner says that the server is gone; the charts have a gap.
    }
}

/** Begins to read, for as long as the page lives. */
export function startMetrics(): void {
    const again = (): void => {
        void read().finally(() => setTimeout(again, EVERY_MS));
    };
    again();
}
