// What this browser remembers of a chain: the newest checkpoint that it found right, and the key. A server that
// later shows another past can then not prove that its chain continues that checkpoint.
import { utf8 } from "./bytes";
import { BadNote, parseNote, sameHead, type Note } from "./note";
import type { GrowthReport, ProofReport } from "./types";

/** `fetch`, or something like it that adds the page's token. */
export type Fetcher = (url: string, init?: RequestInit) => Promise<Response>;

export interface Remembered {
    /** The checkpoint, a whole signed note. */
    note: string;
    /** The verifier key that it was checked with. */
    key: string;
    /** Milliseconds since 1970. */
    at: number;
}

const PREFIX = "theater.checkpoint.";
const elements = (count: bigint): string => `${count} element${count === 1n ? "" : "s"}`;
const storage = (): Storage | undefined => globalThis.localStorage;

/** What is remembered of an actor; null: nothing, or what is not readable. */
export function rememberedCheckpoint(actor: string): Remembered | null {
    try {
        const found = JSON.parse(storage()?.getItem(PREFIX + actor) ?? "null") as Partial<Remembered> | null;
        if (typeof found?.note !== "string" || typeof found.key !== "string" || typeof found.at !== "number")
            return null;
        parseNote(utf8(found.note));
        return { note: found.note, key: found.key, at: found.at };
    } catch {
        return null;
    }
}

/** Remembers a checkpoint that was found right, with its key (`ChainReport.note` and `.key`), as the first of its
 * chain: where one is remembered it stays, since only `growthOf` can show that another one continues it. False: it was
 * not kept. */
export function rememberCheckpoint(actor: string, note: string, key: string): boolean {
    return rememberedCheckpoint(actor) === null && keep(actor, note, key);
}

function keep(actor: string, note: string, key: string): boolean {
    try {
        parseNote(utf8(note));
        storage()?.setItem(PREFIX + actor, JSON.stringify({ note, key, at: Date.now() }));
        return storage() !== undefined;
    } catch (error) {
        if (error instanceof BadNote || error instanceof DOMException)
            return false; // no note, or no room
        throw error;
    }
}

export function forgetCheckpoint(actor: string): void {
    storage()?.removeItem(PREFIX + actor);
}

function broken(old: Remembered, parsed: Note, message: string, proof: ProofReport | null = null): GrowthReport {
    return { outcome: "broken", message, oldSize: parsed.size, size: proof?.size ?? null, rememberedAt: old.at, proof };
}

type Prove = (text: string, key?: string) => Promise<ProofReport>;

/** Asks for a first checkpoint and remembers it. */
async function begin(actor: string, path: string, fetcher: Fetcher, prove: Prove): Promise<GrowthReport> {
    const unproved = (message: string): GrowthReport => ({ outcome: "unproved", message, oldSize: null, size: null, rememberedAt: null, proof: null });
    const keyReply = await fetcher(`${path}/key`);
    if (!keyReply.ok)
        return unproved(keyReply.status === 404 ? "the chain has no checkpoint yet" : await refusalOf(keyReply, "key"));
    const key = (await keyReply.text()).trim();
    const proofReply = await fetcher(`${path}/elements/0/proof`);
    if (!proofReply.ok)
        return unproved(await refusalOf(proofReply, "proof of the first element"));
    const text = await proofReply.text();
    const proof = await prove(text, key);
    if (!proof.valid)
        return { ...unproved(proof.message), proof };
    const note = text.slice(text.indexOf("\n\n") + 2);
    rememberCheckpoint(actor, note, key);
    return { outcome: "first", message: `remembered: a chain of ${elements(proof.size)}`, oldSize: null, size: proof.size, rememberedAt: null, proof };
}

/** Whether the chain continues what is remembered; remembers the newest checkpoint when it does. Rejects when the
 * server cannot be reached. */
export async function growthOf(actor: string, fetcher: Fetcher, prove: Prove): Promise<GrowthReport> {
    const path = `/v1/actors/${encodeURIComponent(actor)}`;
    const old = rememberedCheckpoint(actor);
    if (!old)
        return begin(actor, path, fetcher, prove);
    const parsed = parseNote(utf8(old.note));
    const unproved = (message: string): GrowthReport => ({ outcome: "unproved", message, oldSize: parsed.size, size: null, rememberedAt: old.at, proof: null });
    const keyReply = await fetcher(`${path}/key`);
    if (!keyReply.ok && keyReply.status !== 404) // not "there is none": a token that is wrong, a server that has too much to do
        return unproved(await refusalOf(keyReply, "key"));
    const key = keyReply.ok ? (await keyReply.text()).trim() : "";
    if (key !== old.key)
        return broken(old, parsed, keyReply.ok ? "the chain has another key than the one that this browser remembers"
            : "the server has no key of this chain any more");
    const reply = await fetcher(`${path}/consistency`, { method: "POST", body: old.note });
    if (!reply.ok) {
        if (reply.status === 422) // not "cannot", but "is not so": the server itself says that its chain has another past
            return broken(old, parsed, `the server says that its chain does not continue the one that this browser remembers: ${problemDetail(await reply.text())}`);
        return unproved(await refusalOf(reply, "consistency proof"));
    }
    const text = await reply.text();
    const proof = await prove(text, old.key);
    if (!proof.valid)
        return broken(old, parsed, proof.message, proof);
    if (proof.oldSize !== parsed.size || !carriesNote(text, parsed))
        return broken(old, parsed, "the proof is about another checkpoint than the one that this browser remembers", proof);
    const note = text.slice(text.indexOf("\n\n") + 2);
    if (proof.size > parsed.size)
        keep(actor, note, old.key);
    const same = proof.size === parsed.size;
    const message = same ? `the same ${elements(proof.size)} as before` : `the chain of ${elements(proof.size)} begins with the ${parsed.size} that this browser remembers`;
    return { outcome: same ? "same" : "grown", message, oldSize: parsed.size, size: proof.size, rememberedAt: old.at, proof };
}

/** Whether the proof's older checkpoint says what the remembered one says: the server could prove the growth of
 * something else. */
function carriesNote(proof: string, remembered: Note): boolean {
    const line = /^older (.*)$/m.exec(proof);
    try {
        return sameHead(parseNote(Uint8Array.from(atob(line?.[1] ?? ""), (c) => c.charCodeAt(0))), remembered);
    } catch {
        return false;
    }
}

const refusalOf = async (reply: Response, what: string): Promise<string> =>
    `the server gives no ${what} (${reply.status}): ${problemDetail(await reply.text())}`;

function problemDetail(body: string): string {
    try {
        return String((JSON.parse(body) as { detail?: unknown }).detail ?? body);
    } catch {
        return body.slice(0, 200);
    }
}
