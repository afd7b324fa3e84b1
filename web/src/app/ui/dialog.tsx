// Dialogs on the element that the browser has for them: it keeps the focus inside, and Escape closes it.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Button } from "./controls";

export function Dialog({ title, onClose, children, wide = false }: {
    title: string;
    onClose: () => void;
    children: ComponentChildren;
    wide?: boolean;
}) {
    const box = useRef<HTMLDialogElement>(null);
    const id = useId();
    useEffect(() => {
        const before = document.activeElement;
        box.current?.showModal();
        return () => {
            if (before instanceof HTMLElement) before.focus();
        };
    }, []);
    return (
        <dialog ref={box} class={wide ? "wide" : ""} aria-labelledby={id}
            onClose={onClose}
            onClick={(event) => {
                if (event.target === box.current) onClose();
            }}>
            <header>
                <h2 id={id}>{title}</h2>
                <Button look="quiet" icon="close" title="Close" keys="Esc" onClick={onClose} />
            </header>
            <div class="dialog-body">{children}</div>
        </dialog>
    );
}

interface Question {
    title: string;
    text: ComponentChildren;
    action: string;
    danger: boolean;
    answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);

/** Asks before something is done; resolves to whether it shall be. */
export function confirm(title: string, text: ComponentChildren, action: string, danger = true): Promise<boolean> {
    return new Promise((resolve) => {
        question.value = {
            title, text, action, danger,
            answer: (yes) => {
                question.value = null;
                resolve(yes);
            },
        };
    });
}

export function Questions() {
    const asked = question.value;
    if (!asked) return null;
    return (
        <Dialog title={asked.title} onClose={() => asked.answer(false)}>
            <div class="prose">{asked.text}</div>
            <footer class="dialog-actions">
                <Button onClick={() => asked.answer(false)}>Cancel</Button>
                <Button look={asked.danger ? "danger" : "main"} onClick={() => asked.answer(true)}>{asked.action}</Button>
            </footer>
        </Dialog>
    );
}
