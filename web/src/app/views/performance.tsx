// How the server does: the figures of /metrics over the last minutes.
import { useMemo } from "preact/hooks";
import { count, seconds, short, size } from "../lib/format";
import { percentile, percentiles, rates, type Reading, readings, values } from "../lib/metrics";
import { Chart, type Line } from "../ui/chart";
import { Loading } from "../ui/controls";
import { REJECTIONS } from "../lib/types";

const perSecond = (value: number): string => short(Math.round(value * 10) / 10);

/** A histogram by the names that it may have: what a server does not offer is left out. */
const histogram = (list: Reading[], names: string[]): string | null =>
    names.find((name) => list.at(-1)?.values.has(`${name}_count`)) ?? null;

function latency(list: Reading[], name: string): Line[] {
    return [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]].map(([label, share], tone) => ({ name: String(label), values: percentiles(list, name, Number(share)), tone }));
}

function rejections(list: Reading[]): Line[] {
    const lines = [1, 2, 3, 4, 5, 6].map((code) => ({ name: REJECTIONS[code]!, values: rates(list, `theater_rejections_total{code="${code}"}`), tone: (code - 1) % 6 }));
    // Codes that never came would only fill the legend; one line shows that it is zero.
    const seen = lines.filter((_, i) => (list.at(-1)?.values.get(`theater_rejections_total{code="${i + 1}"}`) ?? 0) > 0);
    return seen.length ? seen : lines.slice(0, 1);
}

/** The mean of a sum by a count, between two readings. */
function quotient(list: Reading[], top: string, bottom: string): (number | null)[] {
    const [a, b] = [rates(list, top), rates(list, bottom)];
    return a.map((value, i) => (value === null || !b[i] ? null : value / b[i]!));
}

export function PerformanceView() {
    const list = readings.value;
    const charts = useMemo(() => chartsOf(list), [list]);
    if (list.length < 2) return <div class="page"><header class="page-head"><h1>Performance</h1></header><Loading what="Taking the first readings" /></div>;
    return (
        <div class="page">
            <header class="page-head"><h1>Performance</h1><span class="dim">every 2 seconds, the last 10 minutes while this page is open</span></header>
            <Tiles list={list} />
            <div class="charts">{charts}</div>
        </div>
    );
}

function Tiles({ list }: { list: Reading[] }) {
    const now = list.at(-1)!;
    const get = (name: string): number => now.values.get(`theater_${name}`) ?? 0;
    const turn = histogram(list, ["theater_answer_seconds", "theater_message_seconds"]);
    const tiles: [string, string][] = [
        ["Turns per second", perSecond(rates(list, "theater_turns_total").at(-1) ?? 0)],
        ["Turns in all", count(get("turns_total"))],
        ["Answer, p99", turn ? seconds(percentile(list[Math.max(0, list.length - 15)], now, turn, 0.99) ?? NaN) : "–"],
        ["Log", size(get("log_bytes"))],
        ["Actors in memory", `${count(get("active_actors"))} of ${count(get("actors"))}`],
        ["Messages waiting", count(get("waiting_messages"))],
    ];
    return <dl class="tiles">{tiles.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

function chartsOf(list: Reading[]) {
    const times = list.map((reading) => reading.at);
    const line = (name: string, data: (number | null)[], tone = 0): Line => ({ name, values: data, tone });
    const answer = histogram(list, ["theater_answer_seconds", "theater_message_seconds"]);
    const parts = (["queue", "turn", "commit"] as const).flatMap((part, tone) => {
        const name = histogram(list, [`theater_${part}_seconds`]);
        return name ? [line(`${part}, p99`, percentiles(list, name, 0.99), tone)] : [];
    });
    return (
        <>
            <Chart title="Turns" hint="per second" times={times} format={perSecond}
                lines={[line("turns", rates(list, "theater_turns_total")), line("queries", rates(list, "theater_queries_total"), 1)]} />
            <Chart title="Rejections" hint="per second, by reason" times={times} format={perSecond} lines={rejections(list)} />
            {answer && <Chart title="Time to a durable answer" times={times} format={seconds} lines={latency(list, answer)} />}
            {parts.length > 0 && <Chart title="Where the time goes" hint="99 of 100 take at most" times={times} format={seconds} lines={parts} />}
            <Chart title="Commits" hint="per second" times={times} format={perSecond} lines={[line("commits", rates(list, "theater_commits_total"))]} />
            <Chart title="Size of a commit" hint="records, on average" times={times} format={perSecond}
                lines={[line("records", quotient(list, "theater_commit_records_total", "theater_commits_total"))]} />
            <Chart title="Written" hint="bytes per second" times={times} format={(value) => size(Math.round(value))} lines={[line("log", rates(list, "theater_commit_bytes_total"))]} />
            <Chart title="Messages waiting" hint="in mailboxes, and clients' messages on their way" times={times} format={perSecond}
                lines={[line("in mailboxes", values(list, "theater_waiting_messages")), line("on their way", values(list, "theater_messages_in_flight"), 1)]} />
            <Chart title="Memory of states" times={times} format={(value) => size(Math.round(value))} lines={[line("states", values(list, "theater_active_bytes"))]} />
            <Chart title="Size of the log" times={times} format={(value) => size(Math.round(value))} lines={[line("log", values(list, "theater_log_bytes"))]} />
            <Chart title="Fuel" hint="per second" times={times} format={(value) => short(Math.round(value))} lines={[line("fuel", rates(list, "theater_fuel_total"))]} />
            <Chart title="HTTP" times={times} format={perSecond}
                lines={[line("answers per second", rates(list, 'theater_http_responses_total{class="2xx"}')), line("connections", values(list, "theater_http_connections"), 1)]} />
        </>
    );
}
