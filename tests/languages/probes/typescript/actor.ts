// What the language's own clock, random numbers and hash order give in a turn.

import { actor, cbor, json, log, name, now, random, request, send, sequence, source, text } from "theater";

interface State {
    drawn: number[];
}

const probes: Record<string, (state: State) => any> = {
    clock: () => `${Date.now()} ${new Date().toISOString()} ${performance.now()} ${performance.timeOrigin}`,
    random(state) {
        const drawn = Math.random(), other = Math.random();
        const fresh = !state.drawn.includes(drawn) && drawn !== other && drawn >= 0 && drawn < 1;
        state.drawn.push(drawn);
        return fresh;
    },
    crypto: () => crypto.getRandomValues(new Uint8Array(4)).length === 4 && crypto.randomUUID().length === 36,
    order: () => [...new Set(["b", "a", "c"])].join("") + Object.keys({ b: 1, a: 1 }).join(""),
    text: () => new TextDecoder().decode(new TextEncoder().encode("é😀")),
    broken: () => new TextDecoder().decode(new Uint8Array([0x61, 0xff, 0xe2, 0x82, 0x62])),
    async: () => Promise.resolve(1),
    mistake: () => (undefined as any).x,
    json: () => json.encode({ b: [1.5, null], a: { d: "é", c: undefined } }),
    nan: () => json.encode({ a: [NaN] }),
    cbor: () => cbor.encode({ bb: 1, a: [1.5, -1, 1e300, 70000, "x", true] }),
    back: () => cbor.decode(cbor.encode({ a: [1.5, -500, new Uint8Array(2).length, 2 ** 40] })),
    unsorted: () => cbor.decode(new Uint8Array([0xa2, 0x61, 0x62, 1, 0x61, 0x61, 2])),
    host: () => `${now().toISOString()} ${random(4).length} ${name()} ${sequence()}`,
    source: () => source(),
    log() {
        console.log("one", { a: 1 });
        log.warn("two");
    },
    send: () => (send("other", "a message"), request("other", { a: 1 })),
};

export default actor<State, string, string, unknown, string>({
    input: text,
    config: text,
    replies: text,
    init: () => ({ drawn: [] }),
    handle: (input, state) => probes[input]!(state),
    reply: (value, state, { request: id, failed }) => `${value} ${id} ${failed}`,
});
