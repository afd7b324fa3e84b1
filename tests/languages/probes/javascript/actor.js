// What the language's own clock, random numbers and hash order give in a turn.

import { actor, cbor, decodeText, encodeText, json, log, name, now, random, request, send, sequence, source, text } from "theater";

const probes = {
    clock: () => `${Date.now()} ${new Date().toISOString()} ${performance.now()} ${performance.timeOrigin}`,
    random(state) {
        const drawn = Math.random(), other = Math.random();
        const fresh = !state.drawn.includes(drawn) && drawn !== other && drawn >= 0 && drawn < 1;
        state.drawn.push(drawn);
        return fresh;
    },
    crypto: () => crypto.getRandomValues(new Uint8Array(4)).length === 4 && crypto.randomUUID().length === 36,
    order: () => [...new Set(["b", "a", "c"])].join("") + Object.keys({ b: 1, a: 1 }).join(""),
    timer: () => setTimeout(() => 1, 1),
    text: () => new TextDecoder().decode(new TextEncoder().encode("é😀")),
    broken: () => new TextDecoder().decode(new Uint8Array([0x61, 0xff, 0xe2, 0x82, 0x62])),
    async: () => Promise.resolve(1),
    mistake: () => undefined.x,
    json: () => json.encode({ b: [1.5, null], a: { d: "é", c: undefined } }),
    nan: () => json.encode({ a: [NaN] }),
    cbor: () => cbor.encode({ bb: 1, a: [1.5, -1, 1e300, 70000, "x", true] }).toHex(),
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

export default actor({
    input: text,
    config: text,
    replies: text,
    init: () => ({ drawn: [] }),
    handle: (input, state) => probes[input](state),
    reply: (value, state, { request: id, failed }) => `${value} ${id} ${failed}`,
});

/** Bytes that are, or are nearly, a sequence of UTF-8, behind some of ASCII. */
function* sequences() {
    for (let lead = 0x7f; lead <= 0xff; lead++)
        for (const second of [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0])
            for (const third of [0x7f, 0x80, 0xbf, 0xc0])
                for (let length = 1; length <= 5; length++) {
                    const bytes = new Uint8Array(lead % 10 + length).fill(0x61);
                    bytes.set([lead, second, third, 0xbf, 0x80].slice(0, length), lead % 10);
                    yield bytes;
                }
}

const textOf = (decode) => {
    try {
        return decode();
    } catch {
        return null;
    }
};

/** The component's UTF-8 against the language's own, which is slow. */
probes.utf8 = () => {
    let texts = 0, others = 0;
    for (const bytes of sequences()) {
        const wanted = textOf(() => decodeURIComponent(escape(atob(bytes.toBase64())))), got = textOf(() => decodeText(bytes));
        texts += wanted !== null;
        others += got !== wanted || (got !== null && encodeText(got).toHex() !== bytes.toHex());
    }
    return `${texts} ${others} ${encodeText("\ud800a\udc00").toHex()} ${decodeText(encodeText("é😀".repeat(1000))).length}`;
};
