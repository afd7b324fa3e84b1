// Where the page is: the part of the address behind #, so that every view is a link.
import { signal } from "@preact/signals";

export type Tab = "chain" | "state" | "send" | "verify" | "about";
const TABS: readonly string[] = ["chain", "state", "send", "verify", "about"];

export type Route =
    | { view: "actors" }
    | { view: "start" }
    | { view: "components" }
    | { view: "performance" }
    | { view: "verify" }
    | { view: "actor"; name: string; tab: Tab; sequence: number | null }
    | { view: "lost"; path: string };

export interface Place {
    route: Route;
    query: URLSearchParams;
}

/** Reads "#/actors/counter/12?text=inc". */
export function parseRoute(hash: string): Place {
    const [path = "", search = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
    const query = new URLSearchParams(search);
    let parts: string[];
    try {
        parts = path.split("/").filter((part) => part !== "").map(decodeURIComponent);
    } catch {
        return { route: { view: "lost", path }, query };
    }
    return { route: routeOf(parts) ?? { view: "lost", path }, query };
}

function routeOf(parts: string[]): Route | null {
    const [head = "actors", name, second, third] = parts;
    if (parts.length <= 1) {
        if (head === "actors" || head === "start" || head === "components" || head === "performance" || head === "verify")
            return { view: head };
        return null;
    }
    if (head !== "actors" || name === undefined || parts.length > 4) return null;
    const tab = second === undefined || /^\d+$/.test(second) ? "chain" : second;
    const number = tab === "chain" && second !== "chain" ? second : third;
    if (!TABS.includes(tab) || (number !== undefined && !/^\d+$/.test(number))) return null;
    if (tab === "chain" && second !== "chain" && third !== undefined) return null;
    return { view: "actor", name, tab: tab as Tab, sequence: number === undefined ? null : Number(number) };
}

export function actorLink(name: string, tab: Tab = "chain", sequence?: number | null, query?: Record<string, string>): string {
    const parts = ["#/actors", encodeURIComponent(name)];
    if (tab !== "chain") parts.push(tab);
    if (sequence !== undefined && sequence !== null) parts.push(String(sequence));
    const search = query ? new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString() : "";
    return parts.join("/") + (search ? "?" + search : "");
}

export const place = signal<Place>(parseRoute(location.hash));

/** The address is replaced at most so often: browsers take no more than some 200 changes in ten seconds (Safari 100 in
 * thirty), and a key that is held down makes thirty a second. The page is ahead of the address meanwhile. */
const WRITE_MS = 350;
let unwritten: string | null = null;
let written = -WRITE_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

function write(): void {
    clearTimeout(timer);
    if (unwritten === null) return;
    history.replaceState(null, "", unwritten);
    unwritten = null;
    written = performance.now();
}

addEventListener("hashchange", () => {
    clearTimeout(timer);
    unwritten = null;
    place.value = parseRoute(location.hash);
});
addEventListener("pagehide", write);

/** Goes to a link; `replace` leaves no step to come back to, as when one walks along a chain. */
export function go(link: string, replace = false): void {
    if (link === (unwritten ?? location.hash)) return;
    if (!replace) {
        write();
        location.hash = link;
        return;
    }
    unwritten = link;
    place.value = parseRoute(link);
    clearTimeout(timer);
    const wait = written + WRITE_MS - performance.now();
    if (wait <= 0) write();
    else timer = setTimeout(write, wait);
}
