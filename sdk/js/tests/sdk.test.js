// The codecs and the host for tests, in Node: node --test tests/sdk.test.js

import assert from "node:assert/strict";
import { test } from "node:test";

import { actor, bytes, cbor, decodeText, encodeText, json, log, name, now, random, Reject, reply, request, send, sequence, source,
    text } from "theater";
import { Host, Instance } from "theater/testing";

const hex = (value) => Buffer.from(value).toString("hex");

test("a value has one form", () => {
    const value = { b: [1, -2, true, null], aa: "é\n", a: 0.5 };
    assert.equal(decodeText(json.encode(value)), '{"a":0.5,"aa":"é\\n","b":[1,-2,true,null]}');
    assert.equal(hex(cbor.encode(value)), "a3" + "6161f93800" + "616284" + "0121f5f6" + "62616163c3a90a");
    for (const codec of [json, cbor])
        assert.deepEqual(codec.decode(codec.encode(value)), value);
    assert.equal(json.encode(undefined).length, 0);
    assert.equal(json.decode(new Uint8Array(0)), undefined);
    assert.equal(text.decode(text.encode("\ufeffé")), "\ufeffé");
    assert.throws(() => decodeText(Uint8Array.of(0xff)), { message: "the bytes are not UTF-8" });
    assert.equal(hex(encodeText("\ud800")), "efbfbd");
});

test("numbers take the shortest form", () => {
    // Values of RFC 8949, appendix A, and the borders of the numbers of 16 bits.
    for (const [value, form] of [[0, "00"], [23, "17"], [24, "1818"], [1000, "1903e8"], [2n ** 64n - 1n, "1bffffffffffffffff"],
        [-1000, "3903e7"], [-0, "f98000"], [1.5, "f93e00"], [5.960464477539063e-8, "f90001"], [0.00006103515625, "f90400"], [-4.5, "f9c480"],
        [6.097555160522461e-5, "f903ff"], [2.9802322387695312e-8, "fa33000000"], [1.0009765625, "f93c01"], [1.00048828125, "fa3f801000"],
        [Infinity, "f97c00"], [-Infinity, "f9fc00"], [3.4028234663852886e+38, "fa7f7fffff"], [1.1, "fb3ff199999999999a"]]) {
        assert.equal(hex(cbor.encode(value)), form, String(value));
        assert.ok(Object.is(cbor.decode(Buffer.from(form, "hex")), value), form);
    }
    assert.equal(hex(cbor.encode(NaN)), "f97e00");
    assert.ok(Number.isNaN(cbor.decode(Uint8Array.of(0xf9, 0x7e, 0x00))));
});

test("a value of any size comes back", () => {
    for (let size = 0; size < 1100; size++) {
        const value = Array.from({ length: size }, (_, i) => i % 20 + 1);
        assert.deepEqual(cbor.decode(cbor.encode(value)), value);
    }
});

test("what is not of the encoding is refused", () => {
    for (const wrong of ["1801", "a2616201616101", "a2616101616101", "9f01ff", "c001", "61ff", "0101", "62", "f8ff",
        "1817", "fa3fc00000", "fb3ff8000000000000", "fb40f86a0000000000", "fa7f800000", "fa7fc00000", "f97e01"])
        assert.throws(() => cbor.decode(Buffer.from(wrong, "hex")), wrong);
    for (const value of [NaN, 1n, new Map(), Uint8Array.of(1), () => 1, "\ud800", { "\ud800": 1 }])
        assert.throws(() => json.encode(value), /which has no place in this encoding/);
});

const asker = actor({
    input: text,
    state: json,
    init: () => [name(), source().kind, sequence()],
    handle(input, state) {
        switch (input) {
        case "fail":
            state.push("lost");
            throw new Reject("as asked");
        case "mistake":
            return state.missing.length;
        case "bad":
            state.length = 0;
            return;
        case "new":
            return reply(Uint8Array.of(1), ["new"]);
        }
        log.warn("asked", { n: 1 });
        send("other", { n: sequence() });
        state.push(request("other", Uint8Array.of(7)));
        return [now().toISOString(), hex(random(4)), source()];
    },
    reply: (value, state, about) => `${value} ${about.request} ${about.failed}`,
    verify: (state) => state.length > 0,
});

test("a turn sees what the test says, and the test what the turn did", () => {
    const host = new Host({ now: new Date("2030-01-02T03:04:05Z"), name: "me", sequence: 7, seed: 1, source: { kind: "actor", name: "she" } });
    const instance = new Instance(asker, undefined, host);
    assert.equal(decodeText(instance.state), '["me","genesis",0]');
    const first = instance.handleJson("go"), second = instance.handleJson("go");
    assert.equal(first[0], "2030-01-02T03:04:05.000Z");
    assert.notEqual(first[1], second[1]);
    assert.deepEqual(first[2], { kind: "actor", name: "she" });
    assert.equal(decodeText(instance.state), `["me","genesis",0,${7 * 65536 + 1},${7 * 65536 + 2}]`);
    assert.deepEqual(host.logged, Array(2).fill({ level: "warn", line: 'asked {"n":1}' }));
    assert.deepEqual(host.sent.slice(0, 2),
        [{ to: "other", payload: encodeText('{"n":7}') }, { to: "other", payload: Uint8Array.of(7), request: 7 * 65536 + 1 }]);
    // The random stream is the seed's.
    assert.equal(new Instance(asker, "", new Host({ seed: 1 })).handleJson("go")[1], first[1]);
    host.source = { kind: "client", principal: "anna" };
    assert.deepEqual(instance.handleJson("go")[2], host.source);
    host.source = { kind: "reply", request: 9, failed: true };
    assert.equal(instance.handleText("too late"), "too late 9 true");
    assert.deepEqual([instance.handle("x"), host.run(() => name())], [encodeText("x 9 true"), "me"]);
});

test("what is rejected leaves the state", () => {
    const instance = new Instance(asker);
    const before = instance.state;
    for (const [input, message] of [["fail", "as asked"], ["bad", "the new state is not valid"],
        [Uint8Array.of(0xff), "the input: the bytes are not UTF-8"]])
        assert.throws(() => instance.handle(input), { message });
    assert.throws(() => instance.handle("fail"), Reject);
    // A mistake has its kind in the reason, and comes with its stack.
    assert.throws(() => instance.handle("mistake"), (error) => /^TypeError: /.test(error.message) && error.cause instanceof TypeError);
    assert.equal(instance.state, before);
    assert.deepEqual(instance.handle("new"), Uint8Array.of(1));
    assert.equal(decodeText(instance.state), '["new"]');
});

test("why a state is not valid stands on the log", () => {
    const host = new Host(), late = actor({ input: text, init: () => [], handle: () => "", verify: (state) => state.missing.length > 0 });
    assert.throws(() => new Instance(late, "", host), { message: "the new state is not valid" });
    assert.match(host.logged[0].line, /^the state is not valid: TypeError: /);
    assert.equal(host.logged[0].level, "warn");
});

test("bytes are what they are", () => {
    const echo = actor({ input: bytes, state: bytes, config: bytes, init: (config) => config, handle: (input) => input });
    assert.deepEqual(new Instance(echo, Uint8Array.of(5)).handle(Uint8Array.of(0, 255)), Uint8Array.of(0, 255));
});

test("there is a host in a turn only", () => {
    for (const call of [now, name, sequence, source, () => random(1), () => send("a", "b"), () => request("a", "b")])
        assert.throws(call, /there is a host in a turn only/);
    log.info("is heard by nobody");
});

test("members are sorted wherever they are, and nothing strange gets through", () => {
    for (const [value, form] of [[{ b: 1, a: [{ d: -0, c: null }] }, '{"a":[{"c":null,"d":0}],"b":1}'], [{ 2: 1, 10: 2 }, '{"10":2,"2":1}'],
        [{ a: undefined, b: [] }, '{"b":[]}'], [Object.assign(Object.create(null), { z: "é", y: {} }), '{"y":{},"z":"é"}'],
        [{ a: 1e21, b: 1e-7, c: true }, '{"a":1e+21,"b":1e-7,"c":true}']])
        assert.equal(decodeText(json.encode(value)), form);
    assert.equal(decodeText(json.encode(Object.assign([1], { toJSON: () => 2 }))), "[1]");
    for (const wrong of [{ a: [1, undefined] }, [NaN], { a: { b: "\ud800" } }, [new Date(0)], { toJSON: () => 1 }, [1n], [, 1]])
        assert.throws(() => json.encode(wrong), TypeError);
});
