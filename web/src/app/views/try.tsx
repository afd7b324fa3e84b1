// An input that is tried on a state: what the actor would do, without a trace of it on the chain.
import { useState } from "preact/hooks";
import { api } from "../lib/api";
import { decoded } from "../lib/bytes";
import { count } from "../lib/format";
import { bestForm } from "../lib/tree";
import type { Turn } from "../lib/types";
import { Button, Failure } from "../ui/controls";
import { type Draft, draftBytes, emptyDraft, InputEditor } from "../ui/input";
import { Difference } from "./difference";
import { TurnView } from "./rerun";

/** The last input that was tried stays while one steps along the chain: trying it on other states is the point. */
let lastDraft: Draft = emptyDraft;

export function TryInput({ name, at, state }: { name: string; at: number; state: Uint8Array }) {
    const [draft, setDraft] = useState(lastDraft);
    const [turn, setTurn] = useState<Turn | null>(null);
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const input = draftBytes(draft);
    const run = async (): Promise<void> => {
        if (typeof input === "string" || busy) return;
        setBusy(true);
        setError(null);
        try {
            setTurn(await api.tryInput(name, at, input));
        } catch (failed) {
            setTurn(null);
            setError(failed);
        } finally {
            setBusy(false);
        }
    };
    const after = turn?.state === undefined ? null : decoded(turn.state);
    return (
        <section class="payload" aria-label="Try an input">
            <header>
                <h3>Try an input</h3><span class="note">On the state after {count(at)}; nothing is recorded.</span>
                <span class="grow" />
                <Button icon="flask" busy={busy} disabled={typeof input === "string"} onClick={() => void run()}>Try it</Button>
            </header>
            <div class="pad">
                <InputEditor label="Input to try" draft={draft} rows={3} onSubmit={() => void run()} onChange={(next) => {
                    lastDraft = next;
                    setDraft(next);
                }} />
            </div>
            {error != null && <Failure error={error} />}
            {turn && <TurnView turn={turn} file={`${name}-try`} />}
            {turn && after && turn.outcome === "ok" && <Difference before={state} after={after} form={bestForm(after)} names={[`after ${count(at)}`, "after this input"]} />}
        </section>
    );
}
