// What an actor is: its component, its limits, where its chain stands; and how it ends.
import { api } from "../lib/api";
import { ago, count, exactTime, size } from "../lib/format";
import { actorLink, go } from "../lib/route";
import type { Actor, Whole } from "../lib/types";
import { Button, Fact, Hash } from "../ui/controls";
import { Icon } from "../ui/icons";
import { SaveLink } from "../ui/payload";
import { changeActor } from "./actors";

export function About({ name, actor, reload }: { name: string; actor: Actor; reload: () => void }) {
    const change = async (what: "stop" | "resume" | "remove"): Promise<void> => {
        if (!(await changeActor(actor, what))) return;
        if (what === "remove") go("#/actors");
        else reload();
    };
    const limits: [string, Whole, (value: Whole) => string][] = actor.limits
        ? [["Fuel of a turn", actor.limits.fuel, count], ["Memory", actor.limits.memory, size], ["State", actor.limits.state, size],
            ["Message", actor.limits.message, size], ["Effects of a turn", actor.limits.effects, size]]
        : [];
    return (
        <div class="about">
            <section class="card">
                <header class="section-head"><h2>Chain</h2></header>
                <dl class="facts">
                    <Fact name="Elements">{count(actor.elements)}</Fact>
                    <Fact name="Genesis">{actor.genesis ? <><Hash whole value={actor.genesis} label="genesis hash" /> <a href={actorLink(name, "chain", 0)}>open</a></> : "–"}</Fact>
                    <Fact name="Head">{actor.head ? <Hash whole value={actor.head} label="head hash" /> : "–"}</Fact>
                    <Fact name="State root">{actor.state_root ? <Hash whole value={actor.state_root} label="state root" /> : "–"}</Fact>
                    <Fact name="State">{actor.state_size === undefined ? "–" : size(actor.state_size)}</Fact>
                    <Fact name="Last element">{actor.timestamp === undefined ? "–" : <><code>{exactTime(actor.timestamp)}</code> <span class="dim">{ago(actor.timestamp)}</span></>}</Fact>
                    <Fact name="Snapshot">{actor.snapshot == null ? "none yet" : <>after <a href={actorLink(name, "state", actor.snapshot)}>{count(actor.snapshot)}</a></>}</Fact>
                    <Fact name="Checkpoint">{actor.checkpoint_size ? <>of size {count(actor.checkpoint_size)}</> : <>none yet; <a href={actorLink(name, "verify")}>sign one</a></>}</Fact>
                    <Fact name="Undelivered">{count(actor.undelivered ?? 0)}</Fact>
                </dl>
            </section>
            <section class="card">
                <header class="section-head"><h2>Program</h2></header>
                <dl class="facts">
                    <Fact name="Component">{actor.component ? <><Hash whole value={actor.component} label="component hash" />
                        {" "}<SaveLink href={`/v1/components/${actor.component}`} name={`${actor.name}.wasm`}>save</SaveLink></> : "–"}</Fact>
                    <Fact name="Engine"><code>{actor.engine ?? "–"}</code></Fact>
                    {limits.map(([label, value, format]) => <Fact key={label} name={label}>{format(value)}</Fact>)}
                </dl>
                <p class="dim">The configuration stands in the <a href={actorLink(name, "chain", 0)}>genesis</a>, or in the last upgrade.</p>
            </section>
            {(actor.status === "running" || actor.status === "stopped") && (
                <section class="card">
                    <header class="section-head"><h2>Stop and remove</h2></header>
                    <div class="row">
                        {actor.status === "running"
                            ? <Button icon="pause" onClick={() => void change("stop")}>Stop</Button>
                            : <Button icon="play" onClick={() => void change("resume")}>Resume</Button>}
                        <Button look="danger" icon="trash" onClick={() => void change("remove")}>Remove</Button>
                    </div>
                </section>
            )}
            <p class="dim small"><Icon name="link" size={12} /> <a href={api.path(name)}>{api.path(name)}</a></p>
        </div>
    );
}
