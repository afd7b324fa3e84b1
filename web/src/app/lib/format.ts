// Numbers, times and sizes as people read them.
import type { Whole } from "./types";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const thin = "\u202f";

/** 1234567 as "1 234 567", with thin spaces. */
export const count = (value: Whole): string => whole.format(value).replace(/,/g, thin);

/** A count in few characters: 12.3k, 4.56M. */
export function short(value: number): string {
    const steps: [number, string][] = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
    for (const [size, unit] of steps) if (value >= size) return digits(value / size) + unit;
    return Number.isInteger(value) ? String(value) : digits(value);
}

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

export function size(bytes: Whole): string {
    let value = Number(bytes);
    if (value < 1024) return `${value} B`;
    for (const unit of ["KiB", "MiB", "GiB", "TiB"]) {
        value /= 1024;
        if (value < 1024) return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
    }
    return `${value.toFixed(0)} PiB`;
}

export function seconds(value: number): string {
    if (!Number.isFinite(value)) return "–";
    if (value === 0) return "0";
    if (value >= 1) return `${digits(value)} s`;
    if (value >= 1e-3) return `${digits(value * 1e3)} ms`;
    return `${digits(value * 1e6)} µs`;
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0");

/** A date of a chain (nanoseconds since 1970) in the time zone of the reader, to the millisecond. */
export function time(nanoseconds: Whole): string {
    const date = dateOf(nanoseconds);
    return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`;
}

export function day(nanoseconds: Whole): string {
    const date = dateOf(nanoseconds);
    return `${date.getFullYear()}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)}`;
}

/** All of it, in UTC, with all nine digits. */
export function exactTime(nanoseconds: Whole): string {
    const value = BigInt(nanoseconds);
    return `${dateOf(nanoseconds).toISOString().slice(0, 19)}.${pad(Number(value % 1_000_000_000n), 9)}Z`;
}

const dateOf = (nanoseconds: Whole): Date => new Date(Number(BigInt(nanoseconds) / 1_000_000n));

/** How long ago, for a glance. */
export function ago(nanoseconds: Whole, now = Date.now()): string {
    const gone = (now - Number(BigInt(nanoseconds) / 1_000_000n)) / 1000;
    if (gone < 2) return "now";
    if (gone < 90) return `${Math.round(gone)} s ago`;
    if (gone < 5400) return `${Math.round(gone / 60)} min ago`;
    if (gone < 129600) return `${Math.round(gone / 3600)} h ago`;
    return `${Math.round(gone / 86400)} d ago`;
}

export const shortHash = (hash: string): string => hash.slice(0, 8);

export const plural = (n: number, one: string, many = one + "s"): string => `${count(n)} ${n === 1 ? one : many}`;
