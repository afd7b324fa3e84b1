// theater/testing: tests of an actor in Node, without a component.
//
//     import assert from "node:assert/strict";
//     import { test } from "node:test";
//     import { Instance } from "theater/testing";
//     import counter from "./actor.js";
//
//     test("it counts", () => {
//         const instance = new Instance(counter);
//         assert.deepEqual(instance.handleJson("inc"), { count: 1 });
//         assert.throws(() => instance.handle("dec"), { message: "say: inc" });
//         assert.deepEqual(instance.host.sent, []);
//     });
//
//     node --test
//
// What the functions of the host answer is what the test says. `Date`, `Math.random` and `crypto` are Node's own here, and the console
// writes to the terminal. `theater test` runs the component instead.

import type { Actor, Payload, Source } from "./index.js";

/** A line that an actor logged. */
export interface Logged {
    level: "trace" | "debug" | "info" | "warn" | "error";
    line: string;
}

/** A message that an actor sent; of a request its id. */
export interface Sent {
    to: string;
    payload: Uint8Array;
    request?: number;
}

/** What a turn sees, which may be changed between turns, and what turns did. */
export class Host {
    /** 2026-01-01T00:00:00Z, "actor", 1, an anonymous client and the random stream 0 when left out. */
    constructor(options?: { now?: Date; name?: string; sequence?: number; source?: Source; seed?: number });
    now: Date;
    name: string;
    sequence: number;
    source: Source;
    logged: Logged[];
    sent: Sent[];
    /** Runs a function that asks the host, outside of a turn. */
    run<T>(body: () => T): T;
}

/** An actor with its state, whose turns are those of the component: codecs, `handle`, `verify`. What ends a turn is thrown, and the state
 * is as it was before; a mistake stands in `cause`. Inputs and the configuration are written as a payload is. */
export class Instance {
    constructor(actor: Actor, config?: Payload, host?: Host);
    readonly host: Host;
    /** The state as bytes. */
    state: Uint8Array;
    /** One turn: the output. */
    handle(input: Payload): Uint8Array;
    /** The same, with the output as UTF-8. */
    handleText(input: Payload): string;
    /** The same, with the output as JSON. */
    handleJson(input: Payload): any;
}
