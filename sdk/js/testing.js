// testing: a host for tests of an actor in Node. testing.d.ts says what each part is for.

import { decodeText } from "./index.js";
import { onHost } from "./machine.js";
import { any } from "./codec.js";

/** The same bytes for the same seed (mulberry32). */
function* stream(seed) {
    for (let state = seed | 0;;) {
        state = (state + 0x6d2b79f5) | 0;
        let word = Math.imul(state ^ (state >>> 15), state | 1);
        word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
        yield (word ^ (word >>> 14)) & 0xff;
    }
}

/** A source as the component's host gives it. */
function lower(source) {
    switch (source.kind) {
    case "client":
        return { tag: "client", val: source.principal ?? undefined };
    case "actor":
        return { tag: "actor", val: source.name };
    case "reply":
        return { tag: "reply", val: { request: source.request, failed: source.failed } };
    default:
        return { tag: "genesis" };
    }
}

export class Host {
    logged = [];
    sent = [];
    #answers;

    constructor({ now = new Date("2026-01-01T00:00:00Z"), name = "actor", sequence = 1, seed = 0,
        source = { kind: "client", principal: null } } = {}) {
        Object.assign(this, { now, name, sequence, source });
        const random = stream(seed);
        this.#answers = {
            log: (level, line) => void this.logged.push({ level, line }),
            now: () => new Date(this.now),
            random: (length) => Uint8Array.from({ length }, () => random.next().value),
            selfName: () => this.name,
            sequence: () => this.sequence,
            source: () => lower(this.source),
            send: (to, payload) => void this.sent.push({ to, payload }),
            request: (to, payload) => {
                const first = this.sequence * 65536 + 1;
                const request = first + this.sent.filter((sent) => sent.request >= first && sent.request < first + 65535).length;
                this.sent.push({ to, payload, request });
                return request;
            },
        };
    }

    run(body) {
        return onHost(this.#answers, body);
    }
}

export class Instance {
    #actor;

    constructor(actor, config = "", host = new Host()) {
        this.#actor = actor;
        this.host = host;
        const { source, sequence } = host;
        Object.assign(host, { source: { kind: "genesis" }, sequence: 0 });
        try {
            this.state = host.run(() => this.#verified(actor.init(any.encode(config))));
        } finally {
            Object.assign(host, { source, sequence });
        }
    }

    handle(input) {
        return this.host.run(() => {
            const [output, state] = this.#actor.handle(any.encode(input), this.state);
            this.state = this.#verified(state);
            return output;
        });
    }

    handleText(input) {
        return decodeText(this.handle(input));
    }

    handleJson(input) {
        return JSON.parse(this.handleText(input));
    }

    #verified(state) {
        if (!this.#actor.verifyState(state))
            throw new Error("the new state is not valid");
        return state;
    }
}
