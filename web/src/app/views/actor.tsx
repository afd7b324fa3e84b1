// One actor: its head, and the view of it that the address names.
import { useEffect } from "preact/hooks";
import { rateHistory, ratesVersion, track, visited } from "../lib/actors";
import { api } from "../lib/api";
import { plural, short } from "../lib/format";
import { useKeys } from "../lib/keys";
import { actorLink, go, type Tab } from "../lib/route";
import type { Actor } from "../lib/types";
import { Sparkline } from "../ui/chart";
import { Button, CopyButton, Empty, Failure, Loading, StatusBadge } from "../ui/controls";
import { useLoad } from "../ui/hooks";
import { About } from "./about";
import { changeActor } from "./actors";
import { ChainView } from "./chain";
import { SendView } from "./send";
import { StateView } from "./state";
import { ActorVerify } from "./verify";

const TABS: [Tab, string][] = [["chain", "Chain"], ["state", "State"], ["send", "Send"], ["verify", "Verify"], ["about", "About"]];
const POLL_MS = 1000;

export function ActorView({ name, tab, sequence }: { name: string; tab: Tab; sequence: number | null }) {
    const loaded = useLoad(`actor/${name}`, async (signal) => {
        const actor = await api.actor(name, signal);
        track([actor]);
        return actor;
    }, POLL_MS);
    const actor = loaded.value;
    useEffect(() => {
        if (actor) visited(name);
    }, [actor !== null, name]);
    useKeys([
        ...TABS.map(([one], i) => ({ keys: [String(i + 1)], run: () => go(actorLink(name, one, keeps(one) ? sequence : null)) })),
        { keys: ["Escape"], run: () => go("#/actors") },
    ]);
    if (!actor) {
        if (loaded.error) {
            const gone = (loaded.error as { status?: number }).status === 404;
            return gone
                ? <Empty icon="search" title={`There is no actor ${name}`}><a href="#/actors">To the actors</a></Empty>
                : <div class="page"><Failure error={loaded.error} retry={loaded.reload} /></div>;
        }
        return <Loading what={`Loading ${name}`} />;
    }
    return (
        <div class="actor">
            <Head actor={actor} name={name} tab={tab} sequence={sequence} reload={loaded.reload} />
            {tab === "chain" && <ChainView key={actor.genesis} name={name} actor={actor} sequence={sequence} />}
            {tab === "state" && <StateView key={actor.genesis} name={name} actor={actor} sequence={sequence} />}
            {tab === "send" && <SendView name={name} actor={actor} />}
            {tab === "verify" && <ActorVerify name={name} actor={actor} sequence={sequence} />}
            {tab === "about" && <About name={name} actor={actor} reload={loaded.reload} />}
        </div>
    );
}

/** Views that show one element keep it when one goes from one to the other. */
const keeps = (tab: Tab): boolean => tab === "chain" || tab === "state";

function Head({ actor, name, tab, sequence, reload }: { actor: Actor; name: string; tab: Tab; sequence: number | null; reload: () => void }) {
    void ratesVersion.value;
    const history = rateHistory(actor);
    const change = async (what: "stop" | "resume"): Promise<void> => {
        if (await changeActor(actor, what)) reload();
    };
    return (
        <header class="actor-head">
            <div class="actor-title">
                <h1>{name}</h1>
                <CopyButton text={() => name} label="Copy the name" />
                <StatusBadge status={actor.status} />
                <span class="dim">{plural(actor.elements, "element")}</span>
                <span class="rate head-rate">
                    <Sparkline values={history} label={`${short(history.at(-1) ?? 0)} turns per second`} />
                    <span class="dim">{short(Math.round((history.at(-1) ?? 0) * 10) / 10)}/s</span>
                </span>
                <span class="grow" />
                {actor.status === "running" && <Button look="quiet" icon="pause" aria-label={`Stop ${name}`} onClick={() => void change("stop")}>Stop</Button>}
                {actor.status === "stopped" && <Button look="main" icon="play" aria-label={`Resume ${name}`} onClick={() => void change("resume")}>Resume</Button>}
            </div>
            <nav class="tabs" aria-label={`Views of ${name}`}>
                {TABS.map(([one, label], i) => (
                    <a key={one} href={actorLink(name, one, keeps(one) ? sequence : null)} aria-current={tab === one ? "page" : undefined}
                        title={`${label} (${i + 1})`}>{label}</a>
                ))}
            </nav>
        </header>
    );
}
