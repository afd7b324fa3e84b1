// The client of the HTTP interface: problems, the token, and whether the server is there.
import { signal } from "@preact/signals";
import { utf8 } from "./bytes";
import { formatJson, parseJson } from "./json";
import { keep, kept } from "./store";
import type { Actor, Component, Element, Job, TraceStep, Turn } from "./types";

/** A problem document (RFC 9457), or why there was no answer at all (status 0). */
export class Problem extends Error {
    constructor(
        readonly status: number,
        readonly title: string,
        override readonly message: string,
        readonly fields: Record<string, unknown> = {},
    ) {
        super(message);
    }

    /** The name behind urn:theater:problem:. */
    get kind(): string {
        return typeof this.fields.type === "string" ? (this.fields.type.split(":").pop() ?? "") : "";
    }
}

const TOKEN = "theater-token";

/** False while the server cannot be reached. */
export const online = signal(true);
/** True while the server wants a token, or another one. */
export const tokenWanted = signal(false);
export const token = signal(kept("sessionStorage", TOKEN) ?? "");

/** Keeps the token for as long as this tab is open; it is written nowhere else. */
export function setToken(value: string): void {
    token.value = value;
    tokenWanted.value = false;
    keep("sessionStorage", TOKEN, value || null);
}

export interface Options {
    method?: string;
    body?: BodyInit | null;
    type?: string;
    headers?: Record<string, string>;
    signal?: AbortSignal | undefined;
}

async function problemOf(response: Response): Promise<Problem> {
    const text = await response.text().catch(() => "");
    let fields: Record<string, unknown> = {};
    try {
        fields = parseJson(text) as Record<string, unknown>;
    } catch {
        // Not of this server: a proxy's page, say. The status has to do.
    }
    const title = typeof fields.title === "string" ? fields.title : response.statusText || "failed";
    const detail = typeof fields.detail === "string" ? fields.detail : `the server answered ${response.status}`;
    return new Problem(response.status, title, detail, fields);
}

/** One request. Throws a Problem, or an AbortError where it was cancelled. */
export async function request(path: string, options: Options = {}): Promise<Response> {
    const headers: Record<string, string> = { ...options.headers };
    if (options.type) headers["Content-Type"] = options.type;
    const used = token.value;
    if (used) headers["Authorization"] = `Bearer ${used}`;
    let response: Response;
    try {
        response = await fetch(path, {
            method: options.method ?? "GET",
            headers,
            body: options.body ?? null,
            signal: options.signal ?? null,
        });
    } catch (error) {
        if (options.signal?.aborted) throw error;
        online.value = false;
        throw new Problem(0, "no answer", "the server cannot be reached");
    }
    online.value = true;
    if (response.ok) return response;
    const problem = await problemOf(response);
    // A late answer to what was asked with an earlier token says nothing of the one that there is now.
    if (problem.status === 401 && used === token.value) tokenWanted.value = true;
    throw problem;
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
    const response = await request(path, { signal });
    return parseJson(await response.text()) as T;
}

export async function getBytes(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    const response = await request(path, { signal });
    return new Uint8Array(await response.arrayBuffer());
}

const actorPath = (name: string): string => `/v1/actors/${encodeURIComponent(name)}`;

export interface ElementPage {
    elements: Element[];
    next: number | null;
}

export interface Filter {
    type: string;
    principal: string;
    text: string;
}

/** What a message came to: the answer's bytes, and what the headers say of its element. */
export interface Answer {
    output: Uint8Array;
    sequence: number | null;
    element: string | null;
    stateRoot: string | null;
    fuel: string | null;
    repeated: boolean;
}

async function answerOf(response: Response): Promise<Answer> {
    const sequence = response.headers.get("Theater-Sequence");
    return {
        output: new Uint8Array(await response.arrayBuffer()),
        sequence: sequence === null ? null : Number(sequence),
        element: response.headers.get("Theater-Element"),
        stateRoot: response.headers.get("Theater-State-Root"),
        fuel: response.headers.get("Theater-Fuel"),
        repeated: response.headers.get("Theater-Repeated") === "true",
    };
}

/** A text as a header's value, which is bytes: the UTF-8 of it, each byte as a character. */
const headerOf = (text: string): string => String.fromCharCode(...utf8(text));

/** A typed array as a body: fetch wants one whose buffer is not shared. */
export const body = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

export const api = {
    actors: (from: number, limit: number, signal?: AbortSignal) =>
        getJson<{ actors: Actor[]; next: number | null }>(`/v1/actors?limit=${limit}&from=${from}`, signal),
    actor: (name: string, signal?: AbortSignal) => getJson<Actor>(actorPath(name), signal),
    elements: (name: string, from: number, limit: number, signal?: AbortSignal) =>
        getJson<ElementPage>(`${actorPath(name)}/elements?from=${from}&limit=${limit}`, signal),
    /** One request of a search; the server looks at a bounded number of elements for each. */
    search: (name: string, filter: Filter, from: number | null, reverse: boolean, limit: number, signal?: AbortSignal) => {
        const query = new URLSearchParams({ limit: String(limit) });
        if (from !== null) query.set("from", String(from));
        if (reverse) query.set("reverse", "true");
        for (const key of ["type", "principal", "text"] as const) if (filter[key]) query.set(key, filter[key]);
        return getJson<ElementPage>(`${actorPath(name)}/elements?${query}`, signal);
    },
    element: (name: string, sequence: number, signal?: AbortSignal) =>
        getJson<Element>(`${actorPath(name)}/elements/${sequence}`, signal),
    part: (name: string, sequence: number, part: "encoding" | "input" | "output" | "effects", signal?: AbortSignal) =>
        getBytes(`${actorPath(name)}/elements/${sequence}/${part}`, signal),
    state: (name: string, sequence: number, signal?: AbortSignal) =>
        getBytes(`${actorPath(name)}/elements/${sequence}/state`, signal),
    trace: (name: string, sequence: number, limit: number, signal?: AbortSignal) =>
        getJson<{ steps: TraceStep[]; more: boolean }>(`${actorPath(name)}/elements/${sequence}/trace?limit=${limit}`, signal),
    rerun: async (name: string, sequence: number, signal?: AbortSignal) =>
        parseJson(await (await request(`${actorPath(name)}/elements/${sequence}/rerun`, { method: "POST", signal })).text()) as Turn,
    tryInput: async (name: string, at: number, input: Uint8Array, signal?: AbortSignal) =>
        parseJson(await (await request(`${actorPath(name)}/try?at=${at}&state=true`, {
            method: "POST", body: body(input), type: "application/octet-stream", signal,
        })).text()) as Turn,
    send: async (name: string, input: Uint8Array, key: string) =>
        answerOf(await request(`${actorPath(name)}/messages`, {
            method: "POST", body: body(input), type: "application/octet-stream", headers: key ? { "Idempotency-Key": headerOf(key) } : {},
        })),
    query: async (name: string, input: Uint8Array) =>
        answerOf(await request(`${actorPath(name)}/query`, { method: "POST", body: body(input), type: "application/octet-stream" })),
    change: (name: string, what: "stop" | "resume") => request(`${actorPath(name)}/${what}`, { method: "POST" }),
    remove: (name: string) => request(actorPath(name), { method: "DELETE" }),
    start: (document: unknown) =>
        request("/v1/actors", { method: "POST", body: formatJson(document), type: "application/json" }),
    components: (signal?: AbortSignal) => getJson<{ components: Component[] }>("/v1/components", signal),
    upload: async (file: Blob) =>
        parseJson(await (await request("/v1/components", { method: "POST", body: file, type: "application/wasm" })).text()) as
            { hash: string; size: number },
    checkpoint: async (name: string) => (await request(`${actorPath(name)}/checkpoints`, { method: "POST" })).text(),
    key: async (name: string) => (await request(`${actorPath(name)}/key`)).text(),
    job: async (kind: "verify" | "replay", actor: string) =>
        parseJson(await (await request("/v1/jobs", {
            method: "POST", body: JSON.stringify({ kind, actor }), type: "application/json",
        })).text()) as Job,
    jobState: (id: number, signal?: AbortSignal) => getJson<Job>(`/v1/jobs/${id}`, signal),
    version: () => getJson<{ version: string }>("/v1/version"),
    metrics: async (signal?: AbortSignal) => (await request("/metrics", { signal })).text(),
    text: async (path: string, signal?: AbortSignal) => (await request(path, { signal })).text(),
    path: actorPath,
};
