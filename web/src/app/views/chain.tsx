// The chain explorer: the elements of one actor, however many, and the one that is chosen beside them.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Filter } from "../lib/api";
import { ChainWindow, type Row } from "../lib/chain";
import { count, day, exactTime, plural, short, size, time } from "../lib/format";
import { useKeys } from "../lib/keys";
import { actorLink, go, place } from "../lib/route";
import { Search } from "../lib/search";
import type { Actor } from "../lib/types";
import { Button, Failure, Segmented } from "../ui/controls";
import { useNarrow } from "../ui/hooks";
import { Icon } from "../ui/icons";
import { type VirtualHandle, VirtualList } from "../ui/virtual";
import { ElementPanel } from "./element";

const ROW = 34;
const TYPES = [["", "All types"], ["transition", "Transitions"], ["rejection", "Rejections"], ["upgrade", "Upgrades"], ["genesis", "Genesis"]] as const;
/** A text is searched for when no key was pressed for so long. */
const TYPING_MS = 300;

const filterOf = (query: URLSearchParams): Filter =>
    ({ type: query.get("type") ?? "", principal: query.get("principal") ?? "", text: query.get("text") ?? "" });

export function ChainView({ name, actor, sequence }: { name: string; actor: Actor; sequence: number | null }) {
    const chain = useMemo(() => new ChainWindow(name), [name]);
    const { query } = place.value;
    const filter = filterOf(query);
    const filtered = filter.type !== "" || filter.principal !== "" || filter.text !== "";
    const reverse = query.get("order") !== "oldest";
    const key = `${filter.type}\n${filter.principal}\n${filter.text}\n${reverse}`;
    const search = useMemo(() => (filtered ? new Search(name, filter, reverse) : null), [name, key]);
    const [following, setFollowing] = useState(sequence === null);
    const list = useRef<VirtualHandle>(null);
    const narrow = useNarrow(1080);

    useEffect(() => {
        chain.grow(actor.elements);
        void chain.follow();
        return () => chain.close();
    }, [chain]);
    useEffect(() => chain.grow(actor.elements), [chain, actor.elements]);
    useEffect(() => {
        void search?.find();
        return () => search?.close();
    }, [search]);

    const total = Math.max(chain.total.value, actor.elements);
    useEffect(() => {
        if (following && !filtered) list.current?.end();
    }, [following, filtered, total]);

    const link = useCallback((to: number | null, next: Partial<Filter> & { order?: string } = {}): string =>
        actorLink(name, "chain", to, { ...filter, order: reverse ? "" : "oldest", ...next }), [name, key]);
    const choose = useCallback((to: number | null): void => go(link(to), true), [link]);

    const hits = search?.hits.value;
    const indexOf = (wanted: number): number => (hits ? hits.findIndex((hit) => hit.sequence === wanted) : wanted);
    const sequenceAt = (index: number): number | undefined => (hits ? hits[index]?.sequence : index);
    const rows = hits ? hits.length : total;
    const walk = (to: number): void => {
        if (rows === 0) return;
        const index = Math.min(Math.max(0, to), rows - 1);
        setFollowing(false);
        choose(sequenceAt(index)!);
        list.current?.show(index);
        if (search && index > rows - 20) void search.find();
    };
    const here = sequence === null ? -1 : indexOf(sequence);
    const show = (wanted: number): void => {
        setFollowing(false);
        choose(Math.min(wanted, total - 1));
        if (!hits) list.current?.show(Math.min(wanted, total - 1), true);
    };

    // What the address names is brought into view, also when it was changed from outside.
    const shown = useRef<number | null>(null);
    useEffect(() => {
        if (sequence === null || sequence === shown.current || sequence >= total) return;
        shown.current = sequence;
        const index = indexOf(sequence);
        if (index >= 0) list.current?.show(index, true);
    }, [sequence, total > 0]);

    useKeys([
        { keys: ["j", "ArrowDown"], run: () => walk(here < 0 ? (hits ? 0 : rows - 1) : here + 1) },
        { keys: ["k", "ArrowUp"], run: () => walk(here < 0 ? (hits ? 0 : rows - 1) : here - 1) },
        { keys: ["PageDown"], run: () => walk((here < 0 ? rows - 1 : here) + 20) },
        { keys: ["PageUp"], run: () => walk((here < 0 ? rows : here) - 20) },
        { keys: ["Home"], run: () => walk(0) },
        { keys: ["End", "G"], run: () => walk(rows - 1) },
        { keys: ["]"], run: () => sequence !== null && sequence + 1 < total && show(sequence + 1) },
        { keys: ["["], run: () => sequence !== null && sequence > 0 && show(sequence - 1) },
        { keys: ["f"], run: () => setFollowing(!following) },
        { keys: ["s"], run: () => sequence !== null && go(actorLink(name, "state", sequence)) },
        { keys: ["/"], run: () => document.getElementById("chain-text")?.focus() },
        { keys: [":"], run: () => document.getElementById("chain-jump")?.focus() },
        ...(sequence === null ? [] : [{ keys: ["Escape"], run: () => choose(null) }]),
        ...(sequence === null && filtered ? [{ keys: ["Escape"], run: () => go(actorLink(name), true) }] : []),
    ]);

    void chain.version.value;
    const onRange = useCallback((first: number, last: number) => {
        if (!search) chain.need(first, last);
        else if (last > (search.hits.value.length || 0) - 30) void search.find();
    }, [chain, search]);
    const row = (index: number) => {
        const number = sequenceAt(index);
        if (number === undefined) return null;
        const data = hits ? hits[index] : chain.row(number);
        return <ChainRow key={number} number={number} row={data} chosen={number === sequence} href={link(number)} onChoose={() => {
            setFollowing(false);
            shown.current = number;
            choose(number);
        }} />;
    };
    const hidden = narrow && sequence !== null;
    return (
        <div class="explorer">
            {!hidden && <Toolbar chain={chain} filter={filter} reverse={reverse} filtered={filtered} total={total} following={following}
                setFollowing={setFollowing} set={(next) => go(link(sequence, next), true)} jump={show} />}
            <div class={`explorer-body ${sequence === null ? "" : "with-panel"}`}>
                {!hidden && (
                    <section class="chain-list" aria-label="Elements">
                        <div class="chain-row chain-head" aria-hidden="true">
                            <span class="num">Seq</span><span>Time</span><span>Type</span><span>From</span><span>Input → output</span>
                            <span class="num">State</span><span class="num">Fuel</span><span>Hash</span>
                        </div>
                        {chain.error.value != null && <Failure error={chain.error.value} />}
                        <VirtualList key={search ? key : "all"} handle={list} count={rows} height={ROW} row={row} onRange={onRange} label={`Chain of ${name}`}
                            onScroll={(atEnd) => setFollowing(atEnd && sequence === null)} />
                        {search && <SearchState search={search} total={total} />}
                    </section>
                )}
                {sequence !== null && <ElementPanel name={name} actor={actor} sequence={sequence} total={total} step={show} onClose={() => choose(null)} />}
            </div>
        </div>
    );
}

function SearchState({ search, total }: { search: Search; total: number }) {
    const at = search.at.value;
    const looked = search.done.value || at === null ? total : search.reverse ? total - 1 - at : at;
    return (
        <div class="search-state" role="status">
            {search.error.value != null && <Failure error={search.error.value} retry={() => void search.find()} />}
            <span>{plural(search.hits.value.length, "hit")}</span>
            <span class="dim">{search.done.value ? "the whole chain was searched" : `${count(looked)} of ${count(total)} searched`}</span>
            {search.running.value && <span class="dim">searching …</span>}
            <span class="grow" />
            {!search.done.value && !search.running.value && <Button look="quiet" onClick={() => void search.find()}>Search on</Button>}
        </div>
    );
}

function Toolbar({ chain, filter, reverse, filtered, total, following, setFollowing, set, jump }: {
    chain: ChainWindow;
    filter: Filter;
    reverse: boolean;
    filtered: boolean;
    total: number;
    following: boolean;
    setFollowing: (on: boolean) => void;
    set: (next: Partial<Filter> & { order?: string }) => void;
    jump: (sequence: number) => void;
}) {
    const [text, setText] = useState(filter.text);
    const [principal, setPrincipal] = useState(filter.principal);
    const timer = useRef(0);
    const later = (next: Partial<Filter>): void => {
        clearTimeout(timer.current);
        timer.current = window.setTimeout(() => set(next), TYPING_MS);
    };
    useEffect(() => () => clearTimeout(timer.current), []);
    // The address may have changed otherwise than from here: the fields say what is searched for.
    useLayoutEffect(() => setText(filter.text), [filter.text]);
    useLayoutEffect(() => setPrincipal(filter.principal), [filter.principal]);
    return (
        <div class="toolbar" role="toolbar" aria-label="Filter and move">
            <div class="search">
                <Icon name="search" />
                <input id="chain-text" type="search" placeholder="Text in input, output or reason" aria-label="Search for text" value={text}
                    onInput={(event) => {
                        setText(event.currentTarget.value);
                        later({ text: event.currentTarget.value, principal });
                    }} />
                <kbd>/</kbd>
            </div>
            <select aria-label="Type" value={filter.type} onChange={(event) => set({ type: event.currentTarget.value, text, principal })}>
                {TYPES.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
            </select>
            <input class="principal" type="search" placeholder="Principal" aria-label="Principal" value={principal}
                onInput={(event) => {
                    setPrincipal(event.currentTarget.value);
                    later({ principal: event.currentTarget.value, text });
                }} />
            {filtered && <Segmented label="Order of the hits" value={reverse ? "newest" : "oldest"}
                options={[["newest", "Newest first"], ["oldest", "Oldest first"]]} onChange={(order) => set({ order: order === "oldest" ? "oldest" : "", text, principal })} />}
            {filtered && <Button look="quiet" icon="close" onClick={() => {
                setText("");
                setPrincipal("");
                set({ type: "", text: "", principal: "", order: "" });
            }}>Clear</Button>}
            <span class="grow" />
            <form class="jump" onSubmit={(event) => {
                event.preventDefault();
                const field = event.currentTarget.querySelector("input")!;
                const wanted = Number(field.value.replace(/\s/g, ""));
                if (field.value !== "" && Number.isInteger(wanted) && wanted >= 0) {
                    jump(wanted);
                    field.value = "";
                    field.blur();
                }
            }}>
                <label for="chain-jump">Go to</label>
                <input id="chain-jump" type="text" inputMode="numeric" pattern="[0-9 ]*" placeholder={count(Math.max(0, total - 1))} title="A sequence (:)" />
            </form>
            {!filtered && <Button class={following ? "on" : ""} icon="tail" aria-pressed={following} keys="f" title="Follow the end of the chain"
                onClick={() => setFollowing(!following)}>{following && chain.live.value ? "Following" : "Follow"}</Button>}
        </div>
    );
}

function ChainRow({ number, row, chosen, href, onChoose }: { number: number; row: Row | undefined; chosen: boolean; href: string; onChoose: () => void }) {
    if (!row) {
        return (
            <div class="chain-row waiting" role="listitem" id={`element-${number}`}>
                <span class="num">{count(number)}</span><i aria-hidden="true" />
            </div>
        );
    }
    return (
        <div class={`chain-row row-${row.type} ${chosen ? "chosen" : ""}`} role="listitem" id={`element-${number}`} aria-current={chosen || undefined}>
            <a class="num" href={href} tabIndex={-1} onClick={(event) => {
                if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                event.preventDefault();
                onChoose();
            }}>{count(number)}</a>
            <time title={`${day(row.timestamp)} · ${exactTime(row.timestamp)}`}>{time(row.timestamp)}</time>
            <span class={`row-type type-${row.type}`}>{row.type}</span>
            <span class="row-source" title={row.source}>{row.source}</span>
            <span class="row-what"><span>{row.input}</span>{row.type !== "genesis" && row.type !== "upgrade" && <> <i aria-label="gives">→</i> <b>{row.output}</b></>}</span>
            <span class={`num ${row.changed ? "" : "dim"}`} title={row.changed ? "The state changed" : "The state stayed"}>{size(row.stateSize)}</span>
            <span class="num dim">{short(Number(row.fuel))}</span>
            <code class="dim">{row.hash.slice(0, 8)}</code>
        </div>
    );
}
