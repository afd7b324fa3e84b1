// Messages by hand: an input, its answer, and what was sent before.
import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { type Answer, api, Problem } from "../lib/api";
import { textOf, toHex } from "../lib/bytes";
import { count, seconds } from "../lib/format";
import { actorLink } from "../lib/route";
import type { Actor } from "../lib/types";
import { REJECTIONS } from "../lib/types";
import { Button, Fact, Failure, Field, Hash, Segmented } from "../ui/controls";
import { Icon } from "../ui/icons";
import { type Draft, draftBytes, emptyDraft, InputEditor } from "../ui/input";
import { Payload } from "../ui/payload";

type Mode = "message" | "query";

interface Sent {
    id: number;
    at: number;
    mode: Mode;
    draft: Draft;
    key: string;
    line: string;
    milliseconds: number;
    answer: Answer | null;
    problem: Problem | null;
}

/** Kept for each actor while the page is open; an answer that comes when one has gone to another view is there on return. */
const HISTORY_MAX = 100;
const histories = signal<ReadonlyMap<string, Sent[]>>(new Map());
/** What is being written to each actor: it is there again when one comes back from its chain. */
const drafts = new Map<string, Draft>();
let lastId = 0;

const lineOf = (bytes: Uint8Array): string => (textOf(bytes.subarray(0, 200)) ?? `0x${toHex(bytes.subarray(0, 60))}`).replace(/\s+/g, " ");

/** A key that nobody else has. crypto.randomUUID wants a secure context; getRandomValues does not. */
const freshKey = (): string => toHex(crypto.getRandomValues(new Uint8Array(12)));

async function deliver(name: string, mode: Mode, draft: Draft, key: string): Promise<Sent> {
    const bytes = draftBytes(draft) as Uint8Array;
    const began = performance.now();
    const sent: Sent = { id: ++lastId, at: Date.now(), mode, draft, key, line: lineOf(bytes), milliseconds: 0, answer: null, problem: null };
    try {
        sent.answer = mode === "query" ? await api.query(name, bytes) : await api.send(name, bytes, key);
    } catch (error) {
        sent.problem = error instanceof Problem ? error : new Problem(0, "failed", String(error));
    }
    sent.milliseconds = performance.now() - began;
    return sent;
}

export function SendView({ name, actor }: { name: string; actor: Actor }) {
    const [draft, setDraft] = useState<Draft>(drafts.get(name) ?? emptyDraft);
    const [mode, setMode] = useState<Mode>("message");
    const [key, setKey] = useState("");
    const [busy, setBusy] = useState(false);
    const history = histories.value.get(name) ?? [];
    const [open, setOpen] = useState<number | null>(history[0]?.id ?? null);
    const input = draftBytes(draft);
    drafts.set(name, draft);
    const ready = typeof input !== "string" && !busy && (mode === "query" || new TextEncoder().encode(key).length <= 64);
    const run = async (): Promise<void> => {
        if (!ready) return;
        setBusy(true);
        const sent = await deliver(name, mode, draft, key);
        histories.value = new Map(histories.value).set(name, [sent, ...(histories.value.get(name) ?? [])].slice(0, HISTORY_MAX));
        setOpen(sent.id);
        setBusy(false);
    };
    return (
        <div class="send">
            <section class="card" aria-label="New message">
                <div class="send-mode">
                    <Segmented label="What to do" value={mode} options={[["message", "Send a message"], ["query", "Ask without a trace"]]} onChange={setMode} />
                    <span class="dim">{mode === "message" ? "One turn, recorded as one element." : "Runs on the last committed state; nothing is recorded."}</span>
                </div>
                <InputEditor label="Input" draft={draft} onChange={setDraft} onSubmit={() => void run()} placeholder="What the actor gets, byte for byte" />
                <div class="send-foot">
                    {mode === "message" && (
                        <Field label="Idempotency key" hint="The same key runs once, and gives the first answer again." error={new TextEncoder().encode(key).length > 64 ? "A key has at most 64 bytes." : null}>
                            {(props) => (
                                <span class="with-button">
                                    <input {...props} class="mono" type="text" value={key} spellcheck={false} placeholder="none" onInput={(event) => setKey(event.currentTarget.value)} />
                                    <Button onClick={() => setKey(freshKey())}>New</Button>
                                </span>
                            )}
                        </Field>
                    )}
                    <span class="grow" />
                    <Button look="main" icon="send" busy={busy} disabled={!ready} keys="Ctrl+Enter" onClick={() => void run()}>{mode === "message" ? "Send" : "Ask"}</Button>
                </div>
                {actor.status !== "running" && <p class="hint">{name} is {actor.status}: it takes no messages.</p>}
            </section>
            <section class="history" aria-label="Sent">
                <header class="section-head"><h2>Sent</h2><span class="dim">{history.length ? "in this tab, the newest first" : "nothing yet"}</span></header>
                {history.map((sent) => <SentRow key={sent.id} name={name} sent={sent} open={open === sent.id}
                    toggle={() => setOpen(open === sent.id ? null : sent.id)} again={() => {
                        setDraft(sent.draft);
                        setMode(sent.mode);
                        setKey(sent.key);
                    }} />)}
            </section>
        </div>
    );
}

function SentRow({ name, sent, open, toggle, again }: { name: string; sent: Sent; open: boolean; toggle: () => void; again: () => void }) {
    const { answer, problem } = sent;
    const rejected = problem?.kind === "rejected";
    const word = answer ? (answer.repeated ? "repeated" : "ok") : rejected ? "rejected" : "failed";
    return (
        <article class={`sent ${answer ? "good" : "bad"}`}>
            <header>
                <button type="button" class="sent-line" aria-expanded={open} onClick={toggle}>
                    <Icon name={open ? "down" : "right"} size={12} />
                    <span class={`badge ${answer ? "good" : "bad"}`}>{word}</span>
                    <code>{sent.line || "(empty)"}</code>
                    <span class="grow" />
                    <span class="dim">{sent.mode === "query" ? "query" : ""} {seconds(sent.milliseconds / 1000)}</span>
                </button>
                <Button look="quiet" icon="redo" title="Edit and send again" onClick={again} />
            </header>
            {open && (
                <div class="sent-body">
                    {answer && <AnswerView name={name} sent={sent} answer={answer} />}
                    {problem && (rejected ? <Rejected name={name} problem={problem} /> : <Failure error={problem} />)}
                </div>
            )}
        </article>
    );
}

function AnswerView({ name, sent, answer }: { name: string; sent: Sent; answer: Answer }) {
    return (
        <>
            <Payload title="Output" bytes={answer.output} file={`${name}-${answer.sequence ?? "query"}.output`} />
            <dl class="facts inline">
                {answer.sequence !== null && <Fact name={sent.mode === "query" ? "State after" : "Element"}><a href={actorLink(name, "chain", answer.sequence)}>{count(answer.sequence)}</a></Fact>}
                {answer.fuel !== null && <Fact name="Fuel">{count(BigInt(answer.fuel))}</Fact>}
                {answer.stateRoot && <Fact name="State root"><Hash value={answer.stateRoot} label="state root" /></Fact>}
                {answer.repeated && <Fact name="Repeated">this key had run before; its first answer came again</Fact>}
            </dl>
        </>
    );
}

function Rejected({ name, problem }: { name: string; problem: Problem }) {
    const { code, sequence } = problem.fields;
    return (
        <div class="notice bad rejection">
            <Icon name="cross" />
            <div>
                <strong>Rejected: {REJECTIONS[Number(code)] ?? "unknown"} <span class="dim">(code {String(code)})</span></strong>
                <p>{problem.message}</p>
                {typeof sequence === "number" && <p><a href={actorLink(name, "chain", sequence)}>Element {count(sequence)}</a> <span class="dim">says so on the chain; the state stayed.</span></p>}
            </div>
        </div>
    );
}
