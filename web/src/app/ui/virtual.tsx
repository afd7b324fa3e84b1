// A list of which only what is seen exists: a million rows cost as much as thirty.
//
// 1. Rows have one height. `top` is the place in pixels of what is seen first, in a list of count * height pixels,
//    which may be more than a browser can lay out (some 30 million).
// 2. So the scroller is at most MAX_PX high. While the list is higher, small steps of the scroller (a wheel, a
//    finger) move `top` by as many pixels, and large ones (the bar, Home, End) by proportion.
// 3. When it rests, the scroller is put where `top` is in proportion, so that the bar tells the truth and small
//    steps never run against its ends.
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from "preact/hooks";

const MAX_PX = 8_000_000;
const REST_MS = 140;
const SPARE_ROWS = 6;

export interface VirtualHandle {
    /** Brings a row into view, with as little movement as it takes; `center` puts it in the middle. */
    show(index: number, center?: boolean): void;
    /** Goes to the end, as following does. */
    end(): void;
    /** Whether the end is in view. */
    atEnd(): boolean;
}

interface Props {
    count: number;
    height: number;
    row: (index: number) => ComponentChildren;
    /** Called with the first and the last row in view, when they change. */
    onRange?: (first: number, last: number) => void;
    /** The reader has scrolled by hand. */
    onScroll?: (atEnd: boolean) => void;
    label: string;
    class?: string;
    children?: ComponentChildren;
    handle?: RefObject<VirtualHandle | null>;
}

export function VirtualList(props: Props) {
    const { count, height } = props;
    const box = useRef<HTMLDivElement>(null);
    const [view, setView] = useState(600);
    // `offset`: how far the scroller's own place is from `top`.
    const [{ top, offset }, setPlace] = useState({ top: 0, offset: 0 });
    const state = useRef({ top: 0, seen: 0, ours: NaN, timer: 0 });
    const total = count * height;
    const scrollHeight = Math.min(total, MAX_PX);
    const topMax = Math.max(0, total - view);
    const scrollMax = Math.max(0, scrollHeight - view);

    const place = (value: number): void => {
        const clamped = Math.round(Math.min(Math.max(0, value), topMax));
        state.current.top = clamped;
        setPlace({ top: clamped, offset: (box.current?.scrollTop ?? 0) - clamped });
    };
    const settle = (): void => {
        const element = box.current;
        if (!element) return;
        const target = topMax > 0 ? Math.round((state.current.top / topMax) * scrollMax) : 0;
        if (Math.abs(element.scrollTop - target) > 0.5) {
            state.current.ours = target;
            element.scrollTop = target;
        }
        state.current.seen = element.scrollTop;
        const { top: at } = state.current;
        const away = element.scrollTop - at;
        setPlace((old) => (old.top === at && old.offset === away ? old : { top: at, offset: away }));
    };
    const onScroll = (): void => {
        const element = box.current!;
        const now = element.scrollTop;
        if (Math.abs(now - state.current.ours) <= 1) {
            state.current.ours = NaN;
            state.current.seen = now;
            return;
        }
        state.current.ours = NaN;
        const step = now - state.current.seen;
        state.current.seen = now;
        if (total <= MAX_PX) place(now);
        else if (now <= 0) place(0);
        else if (now >= scrollMax - 1) place(topMax);
        else if (Math.abs(step) < view * 2) place(state.current.top + step);
        else place((now / scrollMax) * topMax);
        props.onScroll?.(state.current.top >= topMax - height);
        clearTimeout(state.current.timer);
        if (total > MAX_PX) state.current.timer = window.setTimeout(settle, REST_MS);
    };

    useLayoutEffect(() => {
        const element = box.current!;
        const measure = (): void => setView(element.clientHeight);
        const observer = new ResizeObserver(measure);
        observer.observe(element);
        measure();
        return () => observer.disconnect();
    }, []);
    // The list grew, shrank or was resized: what is seen stays, as far as it is still there.
    useLayoutEffect(() => {
        if (state.current.top > topMax) place(topMax);
        settle();
    }, [count, view]);
    useEffect(() => () => clearTimeout(state.current.timer), []);

    useImperativeHandle(props.handle ?? null, () => ({
        show(index, center = false) {
            const begin = index * height;
            const { top: now } = state.current;
            if (center) place(begin - (view - height) / 2);
            else if (begin < now) place(begin);
            else if (begin + height > now + view) place(begin + height - view);
            else return;
            settle();
        },
        end() {
            place(topMax);
            settle();
        },
        atEnd: () => state.current.top >= topMax - height,
    }), [count, view]);

    const first = Math.max(0, Math.floor(top / height) - SPARE_ROWS);
    const last = Math.min(count - 1, Math.ceil((top + view) / height) + SPARE_ROWS);
    useEffect(() => {
        if (count > 0) props.onRange?.(first, last);
    }, [first, last, count, props.onRange]);

    const rows: ComponentChildren[] = [];
    for (let i = first; i <= last; i++) rows.push(props.row(i));
    return (
        <div ref={box} class={`virtual ${props.class ?? ""}`} onScroll={onScroll} tabIndex={0} role="list"
            aria-label={props.label}>
            <div class="virtual-space" style={{ height: `${scrollHeight}px` }} role="presentation">
                <div class="virtual-rows" role="presentation"
                    style={{ transform: `translateY(${Math.round(first * height + offset)}px)` }}>
                    {rows}
                </div>
            </div>
            {props.children}
        </div>
    );
}
