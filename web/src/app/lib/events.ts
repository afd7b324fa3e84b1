// Server-sent events over fetch: EventSource cannot carry a token.
import { request } from "./api";
import { parseJson } from "./json";
import type { ElementEvent } from "./types";

/** Splits a text stream into events; keeps what is not whole yet. */
export class EventReader {
    private rest = "";

    /** The data of each event that these characters complete. */
    push(text: string): string[] {
        const parts = (this.rest + text).split("\n\n");
        this.rest = parts.pop() ?? "";
        const out: string[] = [];
        for (const part of parts) {
            const data = part.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
            if (data.length) out.push(data.join("\n"));
        }
        return out;
    }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        signal.addEventListener("abort", () => {
            clearTimeout(timer);
            resolve();
        }, { once: true });
    });

/**
 * Follows one actor from a sequence until `signal` ends it; connects again by itself, from where it stood.
 * What came together is given together.
 */
export async function follow(path: string, from: number, take: (events: ElementEvent[]) => void, signal: AbortSignal): Promise<void> {
    let next = from;
    let wait = 500;
    while (!signal.aborted) {
        let reader: ReadableStreamDefaultReader<string> | null = null;
        try {
            const response = await request(`${path}/events?from=${next}`, { signal });
            wait = 500;
            reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
            const events = new EventReader();
            for (;;) {
                const { done, value } = await reader.read();
                if (done) break;
                const found = events.push(value).map((data) => parseJson(data) as ElementEvent);
                const last = found.at(-1);
                if (!last) continue;
                next = last.sequence + 1;
                take(found);
            }
        } catch {
            if (signal.aborted) return;
            reader?.cancel().catch(() => undefined); // what made no sense must not keep its connection
        }
        await pause(wait, signal);
        wait = Math.min(wait * 2, 8000);
    }
}
