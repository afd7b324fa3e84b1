// All actors: how they are, how fast, and what can be done with them.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { forget, rateHistory, ratesVersion, track } from "../lib/actors";
import { api } from "../lib/api";
import { ago, count, exactTime, plural, short, size } from "../lib/format";
import { useKeys } from "../lib/keys";
import { actorLink, go } from "../lib/route";
import type { Actor } from "../lib/types";
import { Sparkline } from "../ui/chart";
import { Button, Empty, Failure, Loading, StatusBadge } from "../ui/controls";
import { confirm } from "../ui/dialog";
import { useLoad } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { complain, say } from "../ui/toast";

const PAGE = 100;
const POLL_MS = 1500;
/** A search looks through so many actors. */
const SEARCH_MAX = 10_000;

interface Found {
    actors: Actor[];
    next: number | null;
}

/** A page, or with a search all that fit. */
async function load(from: number, search: string, signal: AbortSignal): Promise<Found> {
    if (!search) {
        const page = await api.actors(from, PAGE, signal);
        track(page.actors);
        return page;
    }
    const found: Actor[] = [];
    let next: number | null = 0;
    for (let seen = 0; next !== null && seen < SEARCH_MAX && found.length < PAGE;) {
        const page: Found = await api.actors(next, 1000, signal);
        seen += page.actors.length;
        found.push(...page.actors.filter((actor) => actor.name.includes(search) || actor.component?.startsWith(search)));
        next = page.next;
    }
    track(found);
    return { actors: found.slice(0, PAGE), next: null };
}

/** How an actor is called in an address: an archive with its id, because its name may have been given again. */
export const addressOf = (actor: Actor): string => (actor.status === "archive" || actor.status === "removed" ? `${actor.name}#${actor.id}` : actor.name);

export async function changeActor(actor: Actor, what: "stop" | "resume" | "remove"): Promise<boolean> {
    if (what === "stop" && !(await confirm(`Stop ${actor.name}?`, "It runs no more turns until it is resumed. Messages of other actors wait for it; those of clients are refused.", "Stop it", false)))
        return false;
    if (what === "remove" && !(await confirm(`Remove ${actor.name}?`, "It ends for good. Its chain stays in the data folder and can still be read and verified.", "Remove it")))
        return false;
    try {
        if (what === "remove") {
            await api.remove(actor.name);
            forget(actor.name);
        } else {
            await api.change(actor.name, what);
        }
        say(`${actor.name} ${what === "stop" ? "stopped" : what === "resume" ? "goes on" : "was removed"}.`);
        return true;
    } catch (error) {
        complain(error);
        return false;
    }
}

export function ActorsView() {
    const [search, setSearch] = useState("");
    const [pages, setPages] = useState<number[]>([0]);
    const [chosen, setChosen] = useState(0);
    const field = useRef<HTMLInputElement>(null);
    const from = pages.at(-1) ?? 0;
    const list = useLoad(`actors/${from}/${search}`, (signal) => load(from, search, signal), POLL_MS);
    const actors = list.value?.actors ?? [];
    const at = Math.min(chosen, actors.length - 1);
    const move = (to: number): void => {
        const next = Math.min(Math.max(0, to), actors.length - 1);
        setChosen(next);
        document.getElementById(`actor-${next}`)?.scrollIntoView({ block: "nearest" });
    };
    useLayoutEffect(() => setChosen(0), [search, from]); // before any further key
    useKeys([
        { keys: ["j", "ArrowDown"], run: () => move(at + 1) },
        { keys: ["k", "ArrowUp"], run: () => move(at - 1) },
        { keys: ["Home"], run: () => move(0) },
        { keys: ["End"], run: () => move(actors.length - 1) },
        { keys: ["Enter"], run: () => actors[at] && go(actorLink(addressOf(actors[at]!))) },
        { keys: ["/"], run: () => field.current?.focus() },
        { keys: ["n"], run: () => go("#/start") },
        { keys: ["Escape"], run: () => setSearch("") },
    ]);
    return (
        <div class="page">
            <header class="page-head">
                <h1>Actors</h1>
                <div class="search">
                    <Icon name="search" />
                    <input ref={field} type="search" placeholder="Name or component" aria-label="Search actors" value={search}
                        onInput={(event) => setSearch(event.currentTarget.value.trim())} />
                    <kbd>/</kbd>
                </div>
                <span class="grow" />
                <Button look="main" icon="plus" onClick={() => go("#/start")}>Start an actor</Button>
            </header>
            {list.error != null && <Failure error={list.error} retry={list.reload} />}
            {list.loading && <Loading what="Loading actors" />}
            {list.value && actors.length === 0 && (search
                ? <Empty icon="search" title="No actor has that name">Try a part of it.</Empty>
                : <Empty icon="actors" title="No actors yet">
                    <p>An actor is a WebAssembly component. Each message that it handles is one element of its chain, which anybody can verify and run again.</p>
                    <Button look="main" icon="plus" keys="n" onClick={() => go("#/start")}>Start the first one</Button>
                    <p class="small">Or from a terminal, with THEATER_DATA naming this server's data folder:</p>
                    <pre class="commands" tabIndex={0}>{"theater new hello && theater build hello\ntheater start --manifest hello/actor.yaml\ntheater send hello 'vote tea'"}</pre>
                    <p class="small">It appears here by itself. <a href="#/verify">A file that somebody gave you</a> can be verified without any actor.</p>
                </Empty>)}
            {actors.length > 0 && <Table actors={actors} chosen={at} choose={setChosen} reload={list.reload} />}
            {(pages.length > 1 || list.value?.next) && (
                <footer class="pager">
                    <Button icon="left" disabled={pages.length < 2} onClick={() => setPages(pages.slice(0, -1))}>Before</Button>
                    <span class="dim">Page {pages.length}</span>
                    <Button icon="right" disabled={!list.value?.next} onClick={() => setPages([...pages, list.value!.next!])}>Next</Button>
                </footer>
            )}
        </div>
    );
}

function Table({ actors, chosen, choose, reload }: { actors: Actor[]; chosen: number; choose: (i: number) => void; reload: () => void }) {
    const running = useMemo(() => actors.filter((actor) => actor.status === "running").length, [actors]);
    return (
        <div class="table-box">
            <table class="actors">
                <caption class="sr">{plural(actors.length, "actor")}, {running} running</caption>
                <thead>
                    <tr>
                        <th scope="col">Name</th>
                        <th scope="col">Status</th>
                        <th scope="col" class="num">Elements</th>
                        <th scope="col" class="wide-only">Turns per second</th>
                        <th scope="col" class="num wide-only">State</th>
                        <th scope="col" class="wide-only">Last element</th>
                        <th scope="col" class="wide-only">Component</th>
                        <th scope="col"><span class="sr">Actions</span></th>
                    </tr>
                </thead>
                <tbody>
                    {actors.map((actor, i) => <ActorRow key={actor.id} actor={actor} index={i} chosen={i === chosen} choose={choose} reload={reload} />)}
                </tbody>
            </table>
        </div>
    );
}

function ActorRow({ actor, index, chosen, choose, reload }: { actor: Actor; index: number; chosen: boolean; choose: (i: number) => void; reload: () => void }) {
    void ratesVersion.value;
    const history = rateHistory(actor);
    const rate = history.at(-1) ?? 0;
    const change = async (what: "stop" | "resume" | "remove"): Promise<void> => {
        if (await changeActor(actor, what)) reload();
    };
    const link = actorLink(addressOf(actor));
    return (
        <tr id={`actor-${index}`} class={chosen ? "chosen" : ""} onMouseDown={() => choose(index)}
            onDblClick={() => go(link)}>
            <th scope="row"><a href={link}>{actor.name}</a>{actor.status === "archive" && <span class="dim"> #{actor.id}</span>}</th>
            <td><StatusBadge status={actor.status} /></td>
            <td class="num">{count(actor.elements)}</td>
            <td class="wide-only">
                <span class="rate"><Sparkline values={history} label={`${actor.name}: ${short(rate)} turns per second`} /><b class={rate > 0 ? "" : "dim"}>{short(Math.round(rate * 10) / 10)}</b></span>
            </td>
            <td class="num wide-only">{actor.state_size === undefined ? "–" : size(actor.state_size)}</td>
            <td class="wide-only">{actor.timestamp === undefined ? "–" : <time title={exactTime(actor.timestamp)}>{ago(actor.timestamp)}</time>}
                {actor.undelivered ? <span class="badge warn" title="Messages of actors that wait for it">{short(actor.undelivered)} waiting</span> : null}</td>
            <td class="wide-only"><code class="dim">{actor.component?.slice(0, 8)}</code></td>
            <td class="row-actions">
                {actor.status === "running" && <Button look="quiet" icon="pause" title={`Stop ${actor.name}`} onClick={() => void change("stop")} />}
                {actor.status === "stopped" && <Button look="quiet" icon="play" title={`Resume ${actor.name}`} onClick={() => void change("resume")} />}
                {(actor.status === "running" || actor.status === "stopped") &&
                    <Button look="quiet" icon="trash" title={`Remove ${actor.name}`} onClick={() => void change("remove")} />}
            </td>
        </tr>
    );
}
