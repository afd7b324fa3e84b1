// What the types of theater/testing allow, and what they do not: tsc looks at it (tests/languages).

import { actor, text } from "theater";
import { Host, Instance } from "theater/testing";

const echo = actor({ input: text, init: () => ({}), handle: (input) => input });
const host = new Host({ now: new Date(0), name: "x", sequence: 3, seed: 5, source: { kind: "actor", name: "y" } });
const instance = new Instance(echo, { a: 1 }, host);

export const outputs: [Uint8Array, string, number] =
    [instance.handle(new Uint8Array()), instance.handleText("a"), instance.handleJson({ b: 2 }).b];
export const levels: ("trace" | "debug" | "info" | "warn" | "error")[] = host.logged.map(({ level }) => level);
export const requests: (number | undefined)[] = host.sent.map(({ request }) => request);
export const count: number = host.run(() => host.sent.length);

// @ts-expect-error: the clock is a Date
host.now = 5;
// @ts-expect-error: there is no source of this kind
host.source = { kind: "nobody" };
// @ts-expect-error: an actor is what `actor` makes
export const wrong = new Instance({ init: () => 1 });
