// The part of a long chain that is looked at: rows are fetched around what is in view and dropped when there are many.
import { signal } from "@preact/signals";
import { api } from "./api";
import { follow } from "./events";
import { preview } from "./bytes";
import type { Element, ElementEvent, ElementType, Whole } from "./types";

/** What a list shows of an element: payloads are cut, so that many rows take little memory. */
export interface Row {
    sequence: number;
    hash: string;
    type: ElementType;
    timestamp: Whole;
    source: string;
    input: string;
    output: string;
    code: number;
    stateSize: number;
    changed: boolean;
    fuel: Whole;
}

const PAGE = 128;
const ROWS_MAX = 12_000;
/** A drag of the scroll bar passes many rows: only where it rests is fetched. */
const REST_MS = 45;
/** What could not be fetched is asked for again, as long as it is in view. */
const RETRY_MS = 2000;
/** An actor faster than this is followed by asking for its end, and not by reading every element. */
const EVENTS_MAX_PER_S = 2000;
const POLL_MS = 500;
/** Events that came together are shown together; so many are not kept waiting. */
const FLUSH_MS = 16;
const PENDING_MAX = 4000;

export function sourceOf(element: Element): string {
    if (element.cause) return element.cause.actor;
    return element.principal ?? "";
}

export function rowOf(element: Element): Row {
    const { input, output } = element;
    const rejected = output !== null && typeof output === "object" && "code" in output;
    return {
        sequence: element.sequence,
        hash: element.hash,
        type: element.type,
        timestamp: element.timestamp,
        source: sourceOf(element),
        input: input === null ? "dropped" : typeof input === "object" && "descriptor" in input ? descriptorLine(input.descriptor) : preview(input),
        output: output === null ? "dropped" : rejected ? output.message : preview(output as Exclude<typeof output, { code: number }>),
        code: rejected ? output.code : 0,
        stateSize: element.state_size,
        changed: element.state_before !== element.state_after,
        fuel: element.fuel,
    };
}

const descriptorLine = (descriptor: { engine: string; component: string; config: Parameters<typeof preview>[0] }): string =>
    `component ${descriptor.component.slice(0, 8)} on ${descriptor.engine}, config ${preview(descriptor.config) || "empty"}`;

/** One actor's chain, as a list sees it. */
export class ChainWindow {
    /** Elements that the chain has. */
    readonly total = signal(0);
    /** Changes whenever rows came. */
    readonly version = signal(0);
    readonly error = signal<unknown>(null);
    readonly live = signal(false);
    private readonly rows = new Map<number, Row>();
    private wanted: [number, number] = [0, -1];
    private fetching: AbortController | null = null;
    private timer = 0;
    private follower: AbortController | null = null;

    constructor(readonly name: string) {}

    row(sequence: number): Row | undefined {
        return this.rows.get(sequence);
    }

    /** Says which rows are in view. */
    need(first: number, last: number): void {
        this.wanted = [first, last];
        clearTimeout(this.timer);
        if (this.missing()) this.timer = window.setTimeout(() => void this.fill(), REST_MS);
    }

    /** The chain is known to have so many elements. */
    grow(total: number): void {
        if (total > this.total.value) this.total.value = total;
        const [first, last] = this.wanted;
        if (last >= first) this.need(first, last);
    }

    /** Follows the chain until `close`: by events, or by polling while it is too fast for that. */
    async follow(): Promise<void> {
        const controller = new AbortController();
        this.follower = controller;
        while (!controller.signal.aborted) {
            this.live.value = true;
            await this.followEvents(controller.signal);
            for (let i = 0; i < 20 && !controller.signal.aborted; i++) {
                await new Promise((resolve) => setTimeout(resolve, POLL_MS));
                const actor = await api.actor(this.name, controller.signal).catch(() => null);
                if (actor) this.grow(actor.elements);
            }
        }
        this.live.value = false;
    }

    private async followEvents(outer: AbortSignal): Promise<void> {
        const controller = new AbortController();
        const end = (): void => controller.abort();
        outer.addEventListener("abort", end, { once: true });
        let began = performance.now();
        let seen = 0;
        let pending: ElementEvent[] = [];
        let timer = 0;
        const flush = (): void => {
            const events = pending;
            pending = [];
            clearTimeout(timer);
            for (const event of events) this.put(event);
            this.grow(events.at(-1)!.sequence + 1);
            this.version.value++;
        };
        await follow(api.path(this.name), this.total.value, (events) => {
            if (performance.now() - began > 1000) {
                began = performance.now();
                seen = 0;
            }
            seen += events.length;
            if (seen > EVENTS_MAX_PER_S) controller.abort();
            // By a timer and not by frames, which a page in the background does not get.
            if (pending.length === 0) timer = window.setTimeout(flush, FLUSH_MS);
            pending.push(...events);
            if (pending.length > PENDING_MAX) flush();
        }, controller.signal);
        outer.removeEventListener("abort", end);
    }

    close(): void {
        clearTimeout(this.timer);
        this.fetching?.abort();
        this.follower?.abort();
    }

    private put(element: Element): void {
        this.rows.delete(element.sequence);
        this.rows.set(element.sequence, rowOf(element));
        while (this.rows.size > ROWS_MAX) this.rows.delete(this.rows.keys().next().value!);
    }

    /** The first and the last row in view that are not here. */
    private missing(): [number, number] | null {
        const last = Math.min(this.wanted[1], this.total.value - 1);
        let first = this.wanted[0];
        while (first <= last && this.rows.has(first)) first++;
        if (first > last) return null;
        let end = last;
        while (end > first && this.rows.has(end)) end--;
        return [first, end];
    }

    private async fill(): Promise<void> {
        this.fetching?.abort();
        const controller = new AbortController();
        this.fetching = controller;
        try {
            let begun = -1;
            for (let gap = this.missing(); gap && !controller.signal.aborted; gap = this.missing()) {
                // A little before the gap, unless that was asked for already: a page of large elements ends before the gap begins.
                const before = gap[0] - (gap[0] % 16);
                const from = before > begun ? before : gap[0];
                begun = from;
                const limit = Math.max(PAGE, gap[1] - from + 1);
                const page = await api.elements(this.name, from, Math.min(limit, 1000), controller.signal);
                if (page.elements.length === 0) break;
                for (const element of page.elements) this.put(element);
                this.error.value = null;
                this.version.value++;
            }
        } catch (error) {
            if (controller.signal.aborted) return;
            this.error.value = error;
            this.timer = window.setTimeout(() => void this.fill(), RETRY_MS);
        }
    }
}
