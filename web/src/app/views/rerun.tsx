// A turn that is run again, or that is only tried: what came of it, and whether it is what the chain says.
import { useState } from "preact/hooks";
import { api } from "../lib/api";
import { decoded } from "../lib/bytes";
import { count, size } from "../lib/format";
import { useKeys } from "../lib/keys";
import { actorLink } from "../lib/route";
import type { Element, LogLine, TriedEffect, Turn } from "../lib/types";
import { REJECTIONS } from "../lib/types";
import { Button, Fact, Failure, Hash } from "../ui/controls";
import { Icon } from "../ui/icons";
import { Payload } from "../ui/payload";

/** Runs one turn of the chain again on the server, and compares. */
export function Rerun({ name, element }: { name: string; element: Element }) {
    const [turn, setTurn] = useState<Turn | null>(null);
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const run = async (): Promise<void> => {
        if (busy) return;
        setBusy(true);
        setError(null);
        try {
            setTurn(await api.rerun(name, element.sequence));
        } catch (failed) {
            setError(failed);
        } finally {
            setBusy(false);
        }
    };
    useKeys([{ keys: ["r"], run: () => void run() }]);
    return (
        <section class="payload" aria-label="Run again">
            <header>
                <h3>Run again</h3>
                <span class="note">On the state before it; nothing is recorded.</span>
                <span class="grow" />
                <Button icon="redo" busy={busy} keys="r" onClick={() => void run()}>Run this turn</Button>
            </header>
            {error != null && <Failure error={error} />}
            {turn && <TurnView turn={turn} file={`${name}-${element.sequence}-again`} />}
        </section>
    );
}

export function TurnView({ turn, file }: { turn: Turn; file: string }) {
    const differs = turn.differs ?? [];
    return (
        <div class="turn" role="status">
            {turn.matches !== undefined && (
                <div class={`notice ${turn.matches ? "good" : "bad"}`}>
                    <Icon name={turn.matches ? "tick" : "cross"} />
                    <div>
                        <strong>{turn.matches ? "It comes out as recorded" : "It does not come out as recorded"}</strong>
                        {!turn.matches && <p>Different: {differs.join(", ")}</p>}
                    </div>
                </div>
            )}
            {turn.outcome === "rejected" && (
                <div class="notice bad rejection">
                    <Icon name="cross" />
                    <div><strong>Rejected: {REJECTIONS[turn.code ?? 0] ?? "unknown"} <span class="dim">(code {turn.code})</span></strong><p>{turn.message}</p>{turn.detail && <pre>{turn.detail}</pre>}</div>
                </div>
            )}
            <dl class="facts inline">
                <Fact name="Outcome">{turn.outcome}</Fact>
                <Fact name="Fuel">{count(turn.fuel)}</Fact>
                <Fact name="State">{size(turn.state_size)} <Hash value={turn.state_root} label="state root" /></Fact>
            </dl>
            {turn.outcome === "ok" && turn.output != null && <Payload title="Output" bytes={decoded(turn.output)} file={`${file}.output`} />}
            <Log lines={turn.log} />
            <Sent effects={turn.effects} file={file} />
        </div>
    );
}

function Log({ lines }: { lines: LogLine[] }) {
    return (
        <section class="payload" aria-label="Log">
            <header><h3>Log</h3><span class="dim">{lines.length === 0 ? "no lines" : lines.length}</span></header>
            {lines.length > 0 && (
                <ul class="effects">
                    {lines.slice(0, 500).map((line, i) => <li key={i}><span class={`level level-${line.level}`}>{line.level}</span><span class="effect-text">{line.message}</span></li>)}
                </ul>
            )}
        </section>
    );
}

function Sent({ effects, file }: { effects: TriedEffect[]; file: string }) {
    if (effects.length === 0) return null;
    return (
        <section class="payload" aria-label="Messages">
            <header><h3>Messages</h3><span class="dim">it would send</span></header>
            {effects.slice(0, 50).map((effect, i) => (
                <Payload key={i} title={`${effect.kind === "request" ? "Request" : "Send"} to ${effect.to}`} bytes={decoded(effect.payload)} file={`${file}-${i}.payload`}
                    note={<a href={actorLink(effect.to)}>{effect.to}</a>} />
            ))}
        </section>
    );
}
