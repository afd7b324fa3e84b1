// What views need again and again: something from the server, read when its name changes or now and then.
import { useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
    value: T | null;
    error: unknown;
    /** True until the first answer for this key. */
    loading: boolean;
    reload: () => void;
}

/** Loads for a key (null: nothing), once even while the page is not seen, then every `every` milliseconds while it is. The last value stays while the
 * next one is on its way; a value of another key never shows. */
export function useLoad<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, every = 0): Loaded<T> {
    const [state, setState] = useState<{ key: string | null; value: T | null; error: unknown }>({ key, value: null, error: null });
    const [round, setRound] = useState(0);
    const latest = useRef(load);
    latest.current = load;
    useEffect(() => {
        if (key === null) return;
        const controller = new AbortController();
        let timer = 0;
        let first = true;
        const run = async (): Promise<void> => {
            if (first || !document.hidden) {
                first = false;
                try {
                    const value = await latest.current(controller.signal);
                    if (!controller.signal.aborted) setState({ key, value, error: null });
                } catch (error) {
                    if (!controller.signal.aborted) setState((old) => ({ key, value: old.key === key ? old.value : null, error }));
                }
            }
            if (every > 0 && !controller.signal.aborted) timer = window.setTimeout(() => void run(), every);
        };
        void run();
        return () => {
            controller.abort();
            clearTimeout(timer);
        };
    }, [key, round, every]);
    const fits = state.key === key;
    return {
        value: fits ? state.value : null,
        error: fits ? state.error : null,
        loading: key !== null && (!fits || (state.value === null && state.error === null)),
        reload: () => setRound((n) => n + 1),
    };
}

/** The width of the window, for views that change with it. */
export function useNarrow(limit = 900): boolean {
    const [narrow, setNarrow] = useState(() => matchMedia(`(max-width: ${limit}px)`).matches);
    useEffect(() => {
        const query = matchMedia(`(max-width: ${limit}px)`);
        const change = (): void => setNarrow(query.matches);
        query.addEventListener("change", change);
        return () => query.removeEventListener("change", change);
    }, [limit]);
    return narrow;
}
