// Icons, drawn for this page: 16 by 16, in the colour of the text.
const PATHS: Record<string, string> = {
    actors: "M5.5 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.5 13.5c0-2.5 1.8-4 4-4s4 1.5 4 4M10.5 3a2.3 2.3 0 0 1 0 4.4M11.5 9.8c1.9.3 3 1.7 3 3.7",
    chart: "M2 13.5h12M3.5 11 6.5 6.5l3 2.5 4-6",
    shield: "M8 1.8 13 3.6v4c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6v-4L8 1.8ZM5.8 8l1.6 1.6 2.9-3.2",
    box: "M8 1.8 13.5 4.7v6.6L8 14.2l-5.5-2.9V4.7L8 1.8ZM2.5 4.7 8 7.6l5.5-2.9M8 7.6v6.6",
    help: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM6 6.3C6 5 6.9 4.3 8 4.3s2 .7 2 1.8c0 1.5-2 1.6-2 3.1M8 11.5v.2",
    sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1",
    moon: "M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3Z",
    system: "M2 3h12v8H2zM6 14h4M8 11v3",
    copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
    check: "M3 8.5 6.5 12 13 4.5",
    close: "M4 4l8 8M12 4l-8 8",
    left: "M10 3 5 8l5 5",
    right: "M6 3l5 5-5 5",
    first: "M12 3 7 8l5 5M4 3v10",
    last: "M4 3l5 5-5 5M12 3v10",
    up: "M3 10l5-5 5 5",
    down: "M3 6l5 5 5-5",
    play: "M5 3.2 12.5 8 5 12.8z",
    pause: "M5 3v10M11 3v10",
    stop: "M4 4h8v8H4z",
    trash: "M2.5 4h11M6 4V2.5h4V4M4 4l.7 9.5h6.6L12 4M6.7 6.8v4M9.3 6.8v4",
    plus: "M8 3v10M3 8h10",
    search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.5 3.5",
    send: "M14 2 7 9M14 2l-4.5 12L7 9 2 6.5 14 2Z",
    link: "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.3-2.3a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.2 9.1a2.6 2.6 0 0 0 3.7 3.7l.8-.8",
    warn: "M8 2 14.5 13.5h-13L8 2ZM8 6.5V10M8 11.8v.2",
    cross: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6",
    tick: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM5.2 8.3l2 2 3.6-4.2",
    ring: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM5.5 8h5",
    download: "M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
    upload: "M8 10.5v-8M4.5 6 8 2.5 11.5 6M2.5 13.5h11",
    redo: "M12.8 6.2A5.2 5.2 0 1 0 13.2 9M13 2.5v3.8H9.2",
    flask: "M6 2h4M6.8 2v4L3 12.5c-.5.9 0 1.7 1 1.7h8c1 0 1.5-.8 1-1.7L9.2 6V2M4.8 9.5h6.4",
    tail: "M8 2v9M4 7.5 8 11.5l4-4M3 14h10",
    more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
};

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
    return (
        <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor"
            stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
            <path d={PATHS[name] ?? ""} />
        </svg>
    );
}

/** Two links of a chain. */
export function Mark({ size = 26 }: { size?: number }) {
    return (
        <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <rect class="mark-ground" width="32" height="32" rx="7" />
            <g class="mark-chain" fill="none" stroke-width="2.6">
                <rect x="4.5" y="12" width="12" height="8" rx="4" />
                <rect x="15.5" y="12" width="12" height="8" rx="4" />
            </g>
        </svg>
    );
}
