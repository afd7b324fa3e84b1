// The verifier's worker: takes tasks one after another, in the order in which they came, and hears cancellations
// while one runs.
import { hex } from "./bytes";
import type { Source } from "./bundle";
import type { Answer, Order, Task } from "./messages";
import { Failure } from "./problem";
import { verifyProof } from "./proof";
import { stateRoot } from "./tree";
import type { BundleSource } from "./types";
import { verifyBundle } from "./verify";

/** What the worker has of the global scope; the library's types are those of a page. */
interface Scope {
    onmessage: ((event: MessageEvent<Order>) => void) | null;
    postMessage(answer: Answer): void;
}
const scope = globalThis as unknown as Scope;

/** Tasks that came and are not done, by id. */
const open = new Map<number, AbortController>();
let line: Promise<void> = Promise.resolve();

scope.onmessage = ({ data: { id, task } }) => {
    if (task.do === "cancel") {
        open.get(id)?.abort();
        return;
    }
    const controller = new AbortController();
    open.set(id, controller);
    line = line.then(() => run(id, task, controller.signal)).finally(() => open.delete(id));
};

/** A turn of the event loop, in which a message can come; a timer would wait 4 ms and more. */
const channel = new MessageChannel();
let resume: (() => void) | null = null;
channel.port1.onmessage = () => resume?.();
function pause(): Promise<void> {
    return new Promise((resolve) => {
        resume = resolve;
        channel.port2.postMessage(null);
    });
}

async function run(id: number, task: Task, signal: AbortSignal): Promise<void> {
    try {
        if (signal.aborted)
            return;
        scope.postMessage({ id, is: "result", result: await perform(id, task, signal) });
    } catch (error) {
        if (signal.aborted)
            return; // the page has answered for us
        const kind = error instanceof Failure ? error.kind : "internal";
        scope.postMessage({ id, is: "error", kind, message: error instanceof Error ? error.message : String(error) });
    }
}

async function perform(id: number, task: Task, signal: AbortSignal) {
    switch (task.do) {
        case "state-root":
            return hex(stateRoot(task.state));
        case "proof":
            return verifyProof(task.text, task.key, task.element);
        case "bundle": {
            const { stream, size } = await openSource(task.source, signal);
            const reader = stream.getReader();
            try {
                return await verifyBundle(sourceOf(reader), {
                    keys: task.keys,
                    totalBytes: size,
                    onProgress: (progress) => scope.postMessage({ id, is: "progress", progress }),
                    cancelled: () => signal.aborted,
                    pause,
                });
            } finally {
                reader.cancel().catch(() => undefined); // behind a fault nothing more is read
            }
        }
    }
}

async function openSource(source: BundleSource, signal: AbortSignal): Promise<{ stream: ReadableStream<Uint8Array>; size: number | null }> {
    if (source instanceof Blob)
        return { stream: source.stream(), size: source.size };
    const headers: Record<string, string> = source.token ? { Authorization: `Bearer ${source.token}` } : {};
    let reply: Response;
    try {
        reply = await fetch(source.url, { headers, signal });
    } catch (error) {
        throw new Failure("network", `the server cannot be reached: ${error instanceof Error ? error.message : error}`);
    }
    if (!reply.ok)
        throw new Failure("network", `the server gave no bundle (${reply.status}): ${await detailOf(reply)}`);
    // The length is that of the compressed bytes where the reply is compressed.
    const length = reply.headers.get("Content-Encoding") ? null : reply.headers.get("Content-Length");
    if (!reply.body)
        throw new Failure("unsupported", "this browser gives no stream of a reply");
    return { stream: reply.body, size: length === null ? null : Number(length) };
}

async function detailOf(reply: Response): Promise<string> {
    const text = await reply.text();
    try {
        return String((JSON.parse(text) as { detail?: unknown }).detail ?? text);
    } catch {
        return text.slice(0, 200);
    }
}

function sourceOf(reader: ReadableStreamDefaultReader<Uint8Array>): Source {
    return async () => {
        try {
            const { done, value } = await reader.read();
            return done ? null : value;
        } catch (error) {
            throw new Failure("network", `the bundle broke off: ${error instanceof Error ? error.message : error}`);
        }
    };
}
