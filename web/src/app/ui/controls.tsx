// The small parts that all views are made of.
import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Problem } from "../lib/api";
import { shortHash } from "../lib/format";
import type { ActorStatus, ElementType } from "../lib/types";
import { Icon } from "./icons";
import { say } from "./toast";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
    icon?: string | undefined;
    look?: "plain" | "main" | "danger" | "quiet";
    /** Shown in the tooltip beside the label. */
    keys?: string;
    busy?: boolean;
};

export function Button({ icon, look = "plain", keys, busy, children, title, ...rest }: ButtonProps) {
    const label = title ?? rest["aria-label"];
    const tip = keys && label ? `${String(label)} (${keys})` : keys ? `Key: ${keys}` : label;
    return (
        <button type="button" {...rest} class={`button ${look} ${children ? "" : "only-icon"} ${String(rest.class ?? "")}`}
            title={tip as string | undefined} aria-label={rest["aria-label"] ?? (children ? undefined : title)}
            aria-busy={busy || undefined} disabled={rest.disabled || busy}>
            {icon && <Icon name={icon} />}
            {children && <span>{children}</span>}
        </button>
    );
}

/** A choice of a few, as a row; arrow keys move it. */
export function Segmented<T extends string>({ label, value, options, onChange, disabled }: {
    label: string;
    value: T;
    options: readonly (readonly [T, string])[];
    onChange: (value: T) => void;
    disabled?: (value: T) => boolean;
}) {
    const group = useRef<HTMLDivElement>(null);
    const move = (event: KeyboardEvent): void => {
        const step = event.key === "ArrowRight" || event.key === "ArrowDown" ? 1 : event.key === "ArrowLeft" || event.key === "ArrowUp" ? -1 : 0;
        if (step === 0) return;
        event.preventDefault();
        const open = options.filter(([name]) => !disabled?.(name));
        const at = open.findIndex(([name]) => name === value);
        const next = open[(at + step + open.length) % open.length];
        if (!next) return;
        onChange(next[0]);
        requestAnimationFrame(() => group.current?.querySelector<HTMLElement>("[aria-checked=true]")?.focus());
    };
    return (
        <div class="segmented" role="radiogroup" aria-label={label} ref={group} onKeyDown={move}>
            {options.map(([name, text]) => (
                <button type="button" role="radio" key={name} aria-checked={name === value} tabIndex={name === value ? 0 : -1}
                    disabled={disabled?.(name)} onClick={() => onChange(name)}>{text}</button>
            ))}
        </div>
    );
}

export function CopyButton({ text, label = "Copy" }: { text: () => string; label?: string }) {
    const [done, setDone] = useState(false);
    useEffect(() => {
        if (!done) return;
        const timer = setTimeout(() => setDone(false), 1200);
        return () => clearTimeout(timer);
    }, [done]);
    const copy = async (event: Event): Promise<void> => {
        event.stopPropagation();
        event.preventDefault();
        try {
            await navigator.clipboard.writeText(text());
            setDone(true);
        } catch {
            say("The browser does not let this page write to the clipboard.", "bad");
        }
    };
    return (
        <button type="button" class="button quiet only-icon copy" title={label} aria-label={done ? "Copied" : label} onClick={copy}>
            <Icon name={done ? "check" : "copy"} size={14} />
        </button>
    );
}

/** A hash: short, or whole in groups; both can be copied. */
export function Hash({ value, whole = false, label = "hash" }: { value: string; whole?: boolean; label?: string }) {
    return (
        <span class="hash">
            <code title={whole ? undefined : value}>{whole ? value : shortHash(value)}</code>
            <CopyButton text={() => value} label={`Copy ${label}`} />
        </span>
    );
}

export function TypeBadge({ type }: { type: ElementType }) {
    return <span class={`badge type-${type}`}>{type}</span>;
}

export function StatusBadge({ status }: { status: ActorStatus }) {
    return <span class={`status status-${status}`}><i aria-hidden="true" />{status}</span>;
}

/** A label with its field; `hint` and `error` belong to the field for readers of the screen, too. */
export function Field({ label, hint, error, children }: {
    label: string;
    hint?: ComponentChildren;
    error?: string | null;
    children: (props: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren;
}) {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{label}</label>
            {children({ id, "aria-describedby": `${id}-hint`, "aria-invalid": !!error })}
            <div id={`${id}-hint`} class={error ? "hint bad" : "hint"}>{error ?? hint}</div>
        </div>
    );
}

/** A failure, in the words of the server. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
    const problem = error instanceof Problem ? error : null;
    return (
        <div class="notice bad" role="alert">
            <Icon name="warn" />
            <div>
                <strong>{problem ? problem.title : "Failed"}</strong>
                <p>{error instanceof Error ? error.message : String(error)}</p>
            </div>
            {retry && <Button onClick={retry} icon="redo">Try again</Button>}
        </div>
    );
}

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ComponentChildren }) {
    return (
        <div class="empty">
            <Icon name={icon} size={32} />
            <h2>{title}</h2>
            <div>{children}</div>
        </div>
    );
}

export function Loading({ what = "Loading" }: { what?: string }) {
    return <div class="loading" role="status"><i aria-hidden="true" />{what}</div>;
}

/** A sentence of a report: what stands in backticks is code. */
export function Prose({ text }: { text: string }) {
    return <>{text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}

export function Progress({ value, label }: { value: number | null; label: string }) {
    return (
        <div class="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100}
            aria-valuenow={value === null ? undefined : Math.round(value * 100)}>
            <i class={value === null ? "unknown" : ""} style={value === null ? {} : { width: `${Math.min(100, value * 100)}%` }} />
        </div>
    );
}

/** A name with its value, in a list of facts. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
    return (
        <div class="fact">
            <dt>{name}</dt>
            <dd>{children}</dd>
        </div>
    );
}

/** Where a file can be dropped or chosen. */
export function DropZone({ accept, label, children, take }: {
    accept: string;
    label: string;
    children: ComponentChildren;
    take: (file: File) => void;
}) {
    const [over, setOver] = useState(false);
    const input = useRef<HTMLInputElement>(null);
    return (
        <div class={`dropzone ${over ? "over" : ""}`}
            onDragOver={(event) => {
                event.preventDefault();
                setOver(true);
            }}
            onDragLeave={() => setOver(false)}
            onDrop={(event) => {
                event.preventDefault();
                setOver(false);
                const file = event.dataTransfer?.files[0];
                if (file) take(file);
            }}>
            <Icon name="upload" size={22} />
            <div>{children}</div>
            <Button onClick={() => input.current?.click()}>{label}</Button>
            <input ref={input} type="file" accept={accept} hidden tabIndex={-1} aria-label={label}
                onChange={(event) => {
                    const file = event.currentTarget.files?.[0];
                    event.currentTarget.value = "";
                    if (file) take(file);
                }} />
        </div>
    );
}
