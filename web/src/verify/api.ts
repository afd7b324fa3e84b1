// The verifier, as the page uses it. Everything that is long runs in a worker; what decodes a few bytes runs at
// once. Nothing here trusts the server: what it says is only what is to be checked.
//
//     const verifier = new Verifier();
//     const report = await verifier.verifyBundle({ url: "/v1/actors/counter/bundle" },
//                                                { onProgress, signal: controller.signal });
//     if (report.fault) ...
import { growthOf, type Fetcher } from "./growth";
import type { BundleSource, GrowthReport, Hex, ProofReport, Report, VerifyErrorKind, VerifyOptions } from "./types";
import type { Answer, Task, TaskResult } from "./messages";

export * from "./types";
export { decodeCbor } from "./cbor_tree";
export { decodeDescriptor, decodeEffects, decodeElement, decodeRejection, elementHash, sha256 } from "./views";
export { forgetCheckpoint, rememberedCheckpoint, rememberCheckpoint, type Remembered } from "./growth";

/** The address of the worker's program; the build puts it in. */
declare const WORKER_URL: string;

/** An operating error: the network, a cancellation, a bound. A fault of a chain is never one; that is a report. */
export class VerifyError extends Error {
    constructor(readonly kind: VerifyErrorKind, message: string) {
        super(message);
        this.name = "VerifyError";
    }
}

interface Pending {
    resolve: (value: never) => void;
    reject: (reason: VerifyError) => void;
    onProgress?: VerifyOptions["onProgress"];
}

/** A worker that verifies. One is enough for a page: tasks run one after another, a task that is aborted makes
 * room at once. The worker starts with the first task. */
export class Verifier {
    private worker: Worker | null = null;
    private readonly pending = new Map<number, Pending>();
    private last = 0;

    /** Checks a whole bundle as it streams in: encoding, hashes, links, sequences, timestamps, states, payloads,
     * limits, effects, requests, snapshots, tree heads, signatures. Memory: some 64 bytes an element, and the
     * largest item. A fault is in the report; rejects with `VerifyError` when there could be no verdict. */
    verifyBundle(source: BundleSource, options: VerifyOptions = {}): Promise<Report> {
        return this.run({ do: "bundle", source, keys: [...(options.keys ?? [])] }, options);
    }

    /** Checks a proof as `/v1/actors/NAME/elements/SEQ/proof` or `/v1/actors/NAME/consistency` gives it, or a
     * file of `theater prove`. `key` is the verifier key (`/v1/actors/NAME/key`, or better the one that the user
     * has); without one the signatures are not checked. With `element`, the hash of the element that is shown,
     * the proof must be of that one. */
    verifyProof(text: string, options: { key?: string; element?: Hex } = {}): Promise<ProofReport> {
        return this.run({ do: "proof", text, key: options.key ?? null, element: options.element ?? null });
    }

    /** The state root of a state's bytes (the chain format, State roots): what an element has as state-after. */
    stateRoot(state: Uint8Array): Promise<Hex> {
        return this.run({ do: "state-root", state });
    }

    /** Whether the chain of this actor continues the checkpoint that this browser remembers for it, by a
     * consistency proof from the server; remembers the newest one when it does. `fetcher` is `fetch` with the
     * page's token in it. */
    checkGrowth(actor: string, fetcher: Fetcher = fetch): Promise<GrowthReport> {
        return growthOf(actor, fetcher, (text, key) => this.verifyProof(text, key === undefined ? {} : { key }));
    }

    /** Ends the worker; what was running is rejected as cancelled. The next task starts a new one. */
    close(): void {
        this.worker?.terminate();
        this.worker = null;
        for (const { reject } of this.pending.values())
            reject(new VerifyError("cancelled", "the verification was cancelled"));
        this.pending.clear();
    }

    private run<K extends Task["do"]>(task: Extract<Task, { do: K }>, options: VerifyOptions = {}): Promise<TaskResult<K>> {
        const id = ++this.last;
        return new Promise<TaskResult<K>>((resolve, reject) => {
            if (options.signal?.aborted) {
                reject(new VerifyError("cancelled", "the verification was cancelled"));
                return;
            }
            this.pending.set(id, { resolve, reject, onProgress: options.onProgress });
            options.signal?.addEventListener("abort", () => this.abort(id), { once: true });
            this.started().postMessage({ id, task });
        });
    }

    private abort(id: number): void {
        const waiting = this.pending.get(id);
        if (!waiting)
            return;
        this.pending.delete(id);
        this.worker?.postMessage({ id, task: { do: "cancel" } });
        waiting.reject(new VerifyError("cancelled", "the verification was cancelled"));
    }

    private started(): Worker {
        if (this.worker)
            return this.worker;
        const worker = new Worker(WORKER_URL);
        worker.onmessage = (event: MessageEvent<Answer>) => this.take(event.data);
        worker.onerror = (event) => {
            event.preventDefault();
            this.fail(`the verifier failed: ${event.message || "its program could not be loaded"}`);
        };
        this.worker = worker;
        return worker;
    }

    private fail(message: string): void {
        this.worker?.terminate();
        this.worker = null;
        for (const { reject } of this.pending.values())
            reject(new VerifyError("internal", message));
        this.pending.clear();
    }

    private take(answer: Answer): void {
        const waiting = this.pending.get(answer.id);
        if (!waiting)
            return;
        if (answer.is === "progress") {
            waiting.onProgress?.(answer.progress);
            return;
        }
        this.pending.delete(answer.id);
        if (answer.is === "result")
            waiting.resolve(answer.result as never);
        else
            waiting.reject(new VerifyError(answer.kind, answer.message));
    }
}
