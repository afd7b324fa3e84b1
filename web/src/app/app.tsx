// The frame of the page: the side bar, the view that the address names, and what lies over it.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { api, online, setToken, token, tokenWanted } from "./lib/api";
import { recent } from "./lib/actors";
import { useKeys } from "./lib/keys";
import { actorLink, go, place, type Route } from "./lib/route";
import { isDark, setTheme, theme } from "./lib/theme";
import { Button, Empty, Field } from "./ui/controls";
import { Dialog, Questions } from "./ui/dialog";
import { Icon, Mark } from "./ui/icons";
import { Toasts } from "./ui/toast";
import { ActorView } from "./views/actor";
import { ActorsView } from "./views/actors";
import { ComponentsView } from "./views/components";
import { Help } from "./views/help";
import { PerformanceView } from "./views/performance";
import { StartView } from "./views/start";
import { BundleView } from "./views/verify";

const helpOpen = signal(false);
const version = signal("");

const PLACES = [
    ["actors", "Actors", "actors", "g a"],
    ["components", "Components", "box", "g c"],
    ["performance", "Performance", "chart", "g p"],
    ["verify", "Verify a file", "shield", "g v"],
] as const;

function View({ route }: { route: Route }) {
    switch (route.view) {
        case "actors": return <ActorsView />;
        case "start": return <StartView />;
        case "components": return <ComponentsView />;
        case "performance": return <PerformanceView />;
        case "verify": return <BundleView />;
        case "actor": return <ActorView key={route.name} name={route.name} tab={route.tab} sequence={route.sequence} />;
        case "lost": return <Empty icon="search" title="There is nothing here"><a href="#/actors">To the actors</a></Empty>;
    }
}

function titleOf(route: Route): string {
    if (route.view === "actor") return `${route.name}${route.sequence === null ? "" : ` ${route.sequence}`} · Theater`;
    const found = PLACES.find(([view]) => view === route.view);
    return found ? `${found[1]} · Theater` : "Theater";
}

function ThemeSwitch() {
    const next = { system: isDark() ? "light" : "dark", light: isDark() ? "light" : "dark", dark: "light" } as const;
    const target = theme.value === "light" ? "dark" : theme.value === "dark" ? "light" : next.system;
    return (
        <Button look="quiet" icon={isDark() ? "moon" : "sun"} title={`Switch to ${target}`} keys="t" onClick={() => setTheme(target)} />
    );
}

function SideBar({ route }: { route: Route }) {
    const here = route.view === "actor" || route.view === "start" ? "actors" : route.view;
    return (
        <nav class="side" aria-label="Main">
            <a class="brand" href="#/actors"><Mark /><span>Theater</span></a>
            <ul class="places">
                {PLACES.map(([view, label, icon, keys]) => (
                    <li key={view}>
                        <a href={`#/${view}`} aria-current={here === view ? "page" : undefined} title={`${label} (${keys})`}>
                            <Icon name={icon} /><span>{label}</span>
                        </a>
                    </li>
                ))}
            </ul>
            {recent.value.length > 0 && (
                <div class="recent">
                    <h2>Recent</h2>
                    <ul>
                        {recent.value.map((name) => (
                            <li key={name}>
                                <a href={actorLink(name)} title={name} aria-current={route.view === "actor" && route.name === name ? "true" : undefined}>{name}</a>
                            </li>
                        ))}
                    </ul>
                </div>
            )}
            <footer>
                <span class={`link ${online.value ? "up" : "down"}`} title={online.value ? "The server answers" : "The server does not answer"}>
                    <i aria-hidden="true" />{online.value ? version.value || "connected" : "no answer"}
                </span>
                <span class="grow" />
                {token.value && <Button look="quiet" icon="close" title="Forget the token" onClick={() => setToken("")} />}
                <ThemeSwitch />
                <Button look="quiet" icon="help" title="Keys and help" keys="?" onClick={() => (helpOpen.value = true)} />
            </footer>
        </nav>
    );
}

function TokenDialog() {
    const [value, setValue] = useState("");
    if (!tokenWanted.value) return null;
    // No header can carry anything else: a character that came with the clipboard would look like a server that is away.
    const wrong = /[^\x21-\x7e]/.test(value.trim()) ? "A token has no spaces, and no letters but those of English." : null;
    const submit = (event: Event): void => {
        event.preventDefault();
        if (wrong) return;
        setToken(value.trim());
        setValue("");
    };
    return (
        <Dialog title="This server wants a token" onClose={() => (tokenWanted.value = false)}>
            <form class="stack" onSubmit={submit}>
                <p>{token.value ? "The token was not accepted." : "Paste one that may read; to send messages it must be allowed to write."} <code>theater token new NAME</code> makes one.</p>
                <Field label="Token" hint="Kept until this tab is closed, and sent to this server only." error={wrong}>
                    {(props) => <input {...props} type="password" autoComplete="off" value={value} onInput={(event) => setValue(event.currentTarget.value)} autoFocus />}
                </Field>
                <footer class="dialog-actions"><Button look="main" type="submit" disabled={!value.trim() || wrong !== null}>Use it</Button></footer>
            </form>
        </Dialog>
    );
}

/** While the server is away: says so, and asks it again. */
function Banner() {
    const gone = !online.value;
    useEffect(() => {
        if (!gone) return;
        const timer = setInterval(() => void api.version().catch(() => null), 1500);
        return () => clearInterval(timer);
    }, [gone]);
    if (!gone) return null;
    return <div class="banner" role="alert"><Icon name="warn" />The server does not answer. Trying again; what you see may be old.</div>;
}

export function App() {
    const { route } = place.value;
    const top = route.view === "actor" ? `actor/${route.name}/${route.tab}` : route.view;
    useEffect(() => {
        document.title = titleOf(route);
    });
    useEffect(() => {
        document.getElementById("view")?.scrollTo(0, 0);
    }, [top]);
    const up = online.value;
    useEffect(() => {
        if (up) void api.version().then((found) => (version.value = `v${found.version}`)).catch(() => null);
    }, [up]);
    useKeys([
        { keys: ["?"], run: () => (helpOpen.value = true) },
        { keys: ["t"], run: () => setTheme(isDark() ? "light" : "dark") },
        ...PLACES.map(([view, , , keys]) => ({ keys: [keys], run: () => go(`#/${view}`) })),
    ]);
    return (
        <div class="frame">
            <a class="skip" href="#view" onClick={(event) => {
                event.preventDefault();
                document.getElementById("view")?.focus();
            }}>To the content</a>
            <SideBar route={route} />
            <main id="view" tabIndex={0}>
                <Banner />
                {/* With another token all is read anew. */}
                <View key={token.value} route={route} />
            </main>
            {helpOpen.value && <Help onClose={() => (helpOpen.value = false)} />}
            <TokenDialog />
            <Questions />
            <Toasts />
        </div>
    );
}
