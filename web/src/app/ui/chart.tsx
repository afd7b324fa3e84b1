// Charts over time, drawn on a canvas: a few lines each, with the values under the pointer.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { theme } from "../lib/theme";

export interface Line {
    name: string;
    values: (number | null)[];
    /** Which of the line colours; 0 is the accent. */
    tone: number;
}

/** The reading that the pointer is on, the same in all charts. */
const pointed = signal<number | null>(null);

interface Frame {
    width: number;
    height: number;
    top: number;
    left: number;
}

/** A round number at or above `value`, for the end of the axis. */
export function ceiling(value: number): number {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    for (const step of [1, 2, 2.5, 5, 10]) if (value <= step * power) return step * power;
    return 10 * power;
}

export function Chart({ title, times, lines, format, hint }: {
    title: string;
    times: number[];
    lines: Line[];
    format: (value: number) => string;
    hint?: string;
}) {
    const canvas = useRef<HTMLCanvasElement>(null);
    const [width, setWidth] = useState(0);
    const [dark, setDark] = useState(0);
    useEffect(() => {
        const observer = new ResizeObserver(() => setWidth(canvas.current?.clientWidth ?? 0));
        observer.observe(canvas.current!);
        const query = matchMedia("(prefers-color-scheme: dark)");
        const change = (): void => setDark((n) => n + 1);
        query.addEventListener("change", change);
        return () => {
            observer.disconnect();
            query.removeEventListener("change", change);
        };
    }, []);
    const at = pointed.value;
    const chosen = theme.value;
    useEffect(() => {
        if (canvas.current && width > 0) draw(canvas.current, times, lines, format, at);
    }, [width, times, lines, at, dark, chosen]);
    const place = at !== null && at < times.length ? at : times.length - 1;
    const now = (line: Line): string => {
        const value = line.values[place];
        return value === null || value === undefined ? "–" : format(value);
    };
    return (
        <figure class="chart">
            <figcaption>
                <h3>{title}</h3>
                {hint && <p class="dim">{hint}</p>}
                <ul class="legend">
                    {lines.map((line) => <li key={line.name} class={`tone-${line.tone}`}><i aria-hidden="true" /><span>{line.name}</span> <b>{now(line)}</b></li>)}
                </ul>
            </figcaption>
            <canvas ref={canvas} role="img" aria-label={`${title}: ${lines.map((line) => `${line.name} ${now(line)}`).join(", ")}`}
                onPointerMove={(event) => {
                    const box = event.currentTarget.getBoundingClientRect();
                    const share = (event.clientX - box.left - LEFT) / (box.width - LEFT);
                    pointed.value = times.length ? Math.round(Math.min(1, Math.max(0, share)) * (times.length - 1)) : null;
                }}
                onPointerLeave={() => (pointed.value = null)} />
        </figure>
    );
}

const LEFT = 52;
const BOTTOM = 18;

function draw(canvas: HTMLCanvasElement, times: number[], lines: Line[], format: (value: number) => string, at: number | null): void {
    const scale = devicePixelRatio || 1;
    const frame: Frame = { width: canvas.clientWidth, height: canvas.clientHeight - BOTTOM, top: 6, left: LEFT };
    canvas.width = Math.round(canvas.clientWidth * scale);
    canvas.height = Math.round(canvas.clientHeight * scale);
    const pen = canvas.getContext("2d")!;
    pen.scale(scale, scale);
    const style = getComputedStyle(canvas);
    // A custom property comes back as it was written, light-dark() and all; a colour that uses it is resolved.
    const colour = (name: string): string => {
        canvas.style.color = `var(${name})`;
        return style.color;
    };
    pen.font = `11px ${style.fontFamily}`;
    const most = ceiling(Math.max(0, ...lines.flatMap((line) => line.values.map((value) => value ?? 0))));
    const y = (value: number): number => frame.height - (value / most) * (frame.height - frame.top);
    const x = (i: number): number => frame.left + (times.length < 2 ? 0 : (i / (times.length - 1)) * (frame.width - frame.left - 2));
    pen.strokeStyle = colour("--chart-grid");
    pen.fillStyle = colour("--chart-text");
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const share of [0, 0.5, 1]) {
        const line = Math.round(y(most * share)) + 0.5;
        pen.beginPath();
        pen.moveTo(frame.left, line);
        pen.lineTo(frame.width, line);
        pen.stroke();
        pen.fillText(format(most * share), frame.left - 6, Math.max(7, line));
    }
    drawTimes(pen, times, frame, canvas.clientHeight);
    for (const line of [...lines].reverse()) drawLine(pen, line, colour(`--tone-${line.tone}`), x, y, lines.length === 1 ? frame.height : null);
    if (at !== null && at < times.length) {
        pen.strokeStyle = colour("--chart-text");
        pen.beginPath();
        pen.moveTo(Math.round(x(at)) + 0.5, frame.top);
        pen.lineTo(Math.round(x(at)) + 0.5, frame.height);
        pen.stroke();
    }
}

function drawTimes(pen: CanvasRenderingContext2D, times: number[], frame: Frame, bottom: number): void {
    const label = (time: number): string => new Date(time).toTimeString().slice(0, 8);
    const [first, last] = [times[0], times.at(-1)];
    if (first === undefined || last === undefined) return;
    pen.textBaseline = "bottom";
    pen.textAlign = "left";
    pen.fillText(label(first), frame.left, bottom);
    pen.textAlign = "right";
    if (last > first) pen.fillText(label(last), frame.width, bottom);
}

function drawLine(pen: CanvasRenderingContext2D, line: Line, colour: string, x: (i: number) => number, y: (v: number) => number, floor: number | null): void {
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.lineJoin = "round";
    let begun: number | null = null;
    const close = (end: number): void => {
        if (begun === null) return;
        pen.stroke();
        // One reading between two gaps is no line; it is seen as a dot.
        if (end === begun) {
            pen.beginPath();
            pen.arc(x(begun), y(line.values[begun]!), 2, 0, 2 * Math.PI);
            pen.fillStyle = colour;
            pen.fill();
        }
        if (floor !== null && end > begun) {
            pen.lineTo(x(end), floor);
            pen.lineTo(x(begun), floor);
            pen.globalAlpha = 0.12;
            pen.fillStyle = colour;
            pen.fill();
            pen.globalAlpha = 1;
        }
        begun = null;
    };
    line.values.forEach((value, i) => {
        if (value === null) return close(i - 1);
        if (begun === null) {
            pen.beginPath();
            pen.moveTo(x(i), y(value));
            begun = i;
        } else {
            pen.lineTo(x(i), y(value));
        }
    });
    close(line.values.length - 1);
}

/** A line without axes, for a row of a table. */
export function Sparkline({ values, label }: { values: number[]; label: string }) {
    const width = 88;
    const height = 22;
    const most = Math.max(1, ...values);
    // Before there is anything to draw, the line is where nothing happens.
    const points = (values.length > 1 ? values : [0, 0]).map((value, i, { length }) => {
        const x = (i / (length - 1)) * width;
        return `${x.toFixed(1)},${(height - 1.5 - (value / most) * (height - 4)).toFixed(1)}`;
    });
    return (
        <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
            <polygon class="spark-fill" points={`0,${height} ${points.join(" ")} ${width},${height}`} />
            <polyline class={values.some((value) => value > 0) ? "" : "idle"} points={points.join(" ")} fill="none" />
        </svg>
    );
}
