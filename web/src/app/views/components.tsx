// The components that this server has: those that were uploaded, and those that actors run.
import { useState } from "preact/hooks";
import { api } from "../lib/api";
import { count, size } from "../lib/format";
import { go } from "../lib/route";
import { Button, DropZone, Empty, Failure, Hash, Loading } from "../ui/controls";
import { useLoad } from "../ui/hooks";
import { SaveLink } from "../ui/payload";
import { complain, say } from "../ui/toast";

export function ComponentsView() {
    const list = useLoad("components", (signal) => api.components(signal), 5000);
    const [busy, setBusy] = useState(false);
    const upload = async (file: File): Promise<void> => {
        setBusy(true);
        try {
            const done = await api.upload(file);
            say(`${file.name} is component ${done.hash.slice(0, 8)}, ${size(done.size)}.`);
            list.reload();
        } catch (error) {
            complain(error);
        } finally {
            setBusy(false);
        }
    };
    const components = list.value?.components ?? [];
    return (
        <div class="page">
            <header class="page-head"><h1>Components</h1></header>
            <DropZone accept=".wasm,application/wasm" label={busy ? "Checking …" : "Upload a component"} take={(file) => void upload(file)}>
                A WebAssembly component of the actor world. It is checked before it is kept, under its SHA-256.
            </DropZone>
            {list.error != null && <Failure error={list.error} retry={list.reload} />}
            {list.loading && <Loading what="Loading components" />}
            {list.value && components.length === 0 && <Empty icon="box" title="No components yet">Upload one, or start an actor from a file.</Empty>}
            {components.length > 0 && (
                <div class="table-box">
                    <table>
                        <caption class="sr">Components</caption>
                        <thead><tr><th scope="col">SHA-256</th><th scope="col">Actors</th><th scope="col" class="wide-only">From</th><th scope="col"><span class="sr">Actions</span></th></tr></thead>
                        <tbody>
                            {components.map((component) => (
                                <tr key={component.hash}>
                                    <th scope="row"><Hash value={component.hash} label="component hash" /></th>
                                    <td>{component.actors === 0 ? <span class="dim">none</span> : count(component.actors)}</td>
                                    <td class="dim wide-only">{component.uploaded ? "upload" : "an actor's start"}</td>
                                    <td class="row-actions">
                                        <SaveLink class="button quiet" href={`/v1/components/${component.hash}`} name={`${component.hash.slice(0, 8)}.wasm`}>Save</SaveLink>
                                        <Button aria-label={`Start an actor of ${component.hash.slice(0, 8)}`} onClick={() => go(`#/start?component=${component.hash}`)}>Start</Button>
                                    </td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </div>
            )}
        </div>
    );
}
