// A new actor: its name, its component, its configuration and its limits.
import { useState } from "preact/hooks";
import { api } from "../lib/api";
import { size } from "../lib/format";
import { actorLink, go, place } from "../lib/route";
import { Button, DropZone, Failure, Field } from "../ui/controls";
import { useLoad } from "../ui/hooks";
import { type Draft, draftBytes, emptyDraft, InputEditor } from "../ui/input";
import { say } from "../ui/toast";

const NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
const LIMITS = [
    ["fuel", "Fuel of a turn", "units"],
    ["memory", "Memory", "bytes"],
    ["state", "State", "bytes"],
    ["message", "Message", "bytes"],
    ["effects", "Effects of a turn", "bytes"],
] as const;
const CONFIG_FORMS = [["text", "Text"], ["json", "JSON"], ["hex", "Hex"], ["file", "File"]] as const;

/** The configuration as the interface takes it: text where it is text. */
function coded(bytes: Uint8Array): string | { base64: string } {
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
        let binary = "";
        for (const byte of bytes) binary += String.fromCharCode(byte);
        return { base64: btoa(binary) };
    }
}

const limitValid = (text: string): boolean => /^[1-9]\d{0,19}$/.test(text) && BigInt(text) < 1n << 64n;

const nameError = (name: string): string | null =>
    name === "" ? null : new TextEncoder().encode(name).length > 128 ? "A name has at most 128 characters." : NAME.test(name) ? null
        : "A name is made of a to z, 0 to 9, - and _, in parts with single dots between them.";

export function StartView() {
    const wanted = place.value.query.get("component");
    const [name, setName] = useState("");
    const [file, setFile] = useState<File | null>(null);
    const [component, setComponent] = useState(wanted ?? "");
    const [config, setConfig] = useState<Draft>(emptyDraft);
    const [limits, setLimits] = useState<Record<string, string>>({});
    const [error, setError] = useState<unknown>(null);
    const [busy, setBusy] = useState(false);
    const known = useLoad("components", (signal) => api.components(signal));
    const configBytes = draftBytes(config);
    const wrongLimit = LIMITS.find(([key]) => limits[key] && !limitValid(limits[key]!));
    const ready = name !== "" && !nameError(name) && (file !== null || component !== "") && typeof configBytes !== "string" && !wrongLimit && !busy;
    const start = async (event: Event): Promise<void> => {
        event.preventDefault();
        if (!ready) return;
        setBusy(true);
        setError(null);
        try {
            const hash = file ? (await api.upload(file)).hash : component;
            const given = Object.fromEntries(LIMITS.filter(([key]) => limits[key]).map(([key]) => [key, BigInt(limits[key]!)]));
            await api.start({ name, component: hash, config: coded(configBytes as Uint8Array), ...(Object.keys(given).length ? { limits: given } : {}) });
            say(`${name} was started.`);
            go(actorLink(name));
        } catch (failed) {
            setError(failed);
            setBusy(false);
        }
    };
    return (
        <div class="page form-page">
            <header class="page-head"><h1>Start an actor</h1></header>
            <form class="card stack" onSubmit={(event) => void start(event)}>
                <Field label="Name" hint="Stands on its chain and never changes." error={nameError(name)}>
                    {(props) => <input {...props} class="mono" type="text" value={name} spellcheck={false} autoComplete="off" autoFocus placeholder="counter"
                        onInput={(event) => setName(event.currentTarget.value)} />}
                </Field>
                <fieldset>
                    <legend>Component</legend>
                    <DropZone accept=".wasm,application/wasm" label="Choose a file" take={(chosen) => {
                        setFile(chosen);
                        setComponent("");
                        if (!name) setName(chosen.name.replace(/\.wasm$/, "").toLowerCase().replace(/[^a-z0-9_.-]+/g, "-"));
                    }}>{file ? <><b>{file.name}</b>, {size(file.size)}</> : "Drop a component here."}</DropZone>
                    {(known.value?.components.length ?? 0) > 0 && (
                        <Field label="or one that the server has">
                            {(props) => (
                                <select {...props} class="mono" value={component} onChange={(event) => {
                                    setComponent(event.currentTarget.value);
                                    setFile(null);
                                }}>
                                    <option value="">–</option>
                                    {known.value!.components.map((one) => <option key={one.hash} value={one.hash}>{one.hash.slice(0, 24)}… ({one.actors} actors)</option>)}
                                </select>
                            )}
                        </Field>
                    )}
                </fieldset>
                <InputEditor label="Configuration" draft={config} onChange={setConfig} forms={CONFIG_FORMS} rows={4} placeholder="What init gets; may be empty" />
                <details>
                    <summary>Limits</summary>
                    <div class="limits">
                        {LIMITS.map(([key, label, unit]) => (
                            <Field key={key} label={label} hint={unit} error={wrongLimit?.[0] === key ? "A whole number above 0, below 2^64." : null}>
                                {(props) => <input {...props} class="mono" type="text" inputMode="numeric" value={limits[key] ?? ""} placeholder="default"
                                    onInput={(event) => setLimits({ ...limits, [key]: event.currentTarget.value.trim() })} />}
                            </Field>
                        ))}
                    </div>
                </details>
                {error != null && <Failure error={error} />}
                <footer class="dialog-actions">
                    <Button onClick={() => history.back()}>Cancel</Button>
                    <Button look="main" type="submit" busy={busy} disabled={!ready}>Start</Button>
                </footer>
            </form>
        </div>
    );
}
