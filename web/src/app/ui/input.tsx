// An input that is written by hand: text, JSON, hex or a file.
import { useId, useState } from "preact/hooks";
import { fromHex, utf8 } from "../lib/bytes";
import { size } from "../lib/format";
import { formatJson, parseJson } from "../lib/json";
import { Button, DropZone, Segmented } from "./controls";

export type InputForm = "text" | "json" | "hex" | "file";
const FORMS = [["text", "Text"], ["json", "JSON"], ["hex", "Hex"], ["file", "File"]] as const;

export interface Draft {
    form: InputForm;
    text: string;
    file: { name: string; bytes: Uint8Array } | null;
}

export const emptyDraft: Draft = { form: "text", text: "", file: null };

/** The bytes of a draft, or why there are none. */
export function draftBytes(draft: Draft): Uint8Array | string {
    if (draft.form === "file") return draft.file?.bytes ?? "Choose a file.";
    if (draft.form === "hex") return fromHex(draft.text) ?? "Hex is pairs of the digits 0 to 9 and a to f.";
    if (draft.form === "json") {
        try {
            parseJson(draft.text);
        } catch (error) {
            return error instanceof Error ? error.message : "This is no JSON.";
        }
    }
    return utf8(draft.text);
}

export function InputEditor({ label, draft, onChange, onSubmit, rows = 5, forms = FORMS, placeholder = "" }: {
    label: string;
    draft: Draft;
    onChange: (draft: Draft) => void;
    onSubmit?: () => void;
    rows?: number;
    forms?: readonly (readonly [InputForm, string])[];
    placeholder?: string;
}) {
    const [touched, setTouched] = useState(false);
    const bytes = draftBytes(draft);
    const wrong = typeof bytes === "string" ? bytes : null;
    const hint = wrong ? "" : `${size((bytes as Uint8Array).length)}${onSubmit ? " · Ctrl+Enter" : ""}`;
    const tidy = (): void => onChange({ ...draft, text: formatJson(parseJson(draft.text)) });
    const id = useId();
    return (
        <div class="editor">
            <div class="editor-bar">
                <label for={id}>{label}</label>
                <Segmented label={`Form of the ${label.toLowerCase()}`} value={draft.form} options={forms} onChange={(form) => onChange({ ...draft, form })} />
                {draft.form === "json" && <Button look="quiet" onClick={tidy} disabled={wrong !== null}>Format</Button>}
                <span class="grow" />
                <span class="hint">{hint}</span>
            </div>
            {draft.form === "file" ? (
                <DropZone accept="" label="Choose a file" take={(file) => {
                    void file.arrayBuffer().then((buffer) => onChange({ ...draft, file: { name: file.name, bytes: new Uint8Array(buffer) } }));
                }}>{draft.file ? `${draft.file.name}, ${size(draft.file.bytes.length)}` : "Drop a file here."}</DropZone>
            ) : (
                <textarea id={id} class="mono" rows={rows} spellcheck={false} value={draft.text} placeholder={placeholder}
                    aria-invalid={touched && draft.text !== "" && wrong !== null} aria-describedby={`${id}-wrong`}
                    onInput={(event) => {
                        setTouched(true);
                        onChange({ ...draft, text: event.currentTarget.value });
                    }}
                    onKeyDown={(event) => {
                        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
                        event.preventDefault();
                        if (!wrong) onSubmit?.();
                    }} />
            )}
            <div id={`${id}-wrong`} class="hint bad">{touched && draft.form !== "file" && draft.text ? wrong : null}</div>
        </div>
    );
}
