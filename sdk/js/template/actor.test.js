// Tests of the functions on the machine itself: node --test
//
// `theater test` runs the component instead.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Instance } from "theater/testing";

import poll from "./actor.js";

test("votes are counted", () => {
    const instance = new Instance(poll, "tea coffee");
    assert.equal(instance.handleText("vote tea"), "1");
    assert.equal(instance.handleText("vote tea"), "2");
    assert.throws(() => instance.handle("vote wine"), { message: "there is no such choice" });
    assert.equal(instance.handleText("result"), "tea=2 coffee=0");
    assert.deepEqual(instance.host.sent, []);
});

test("a configuration without choices is refused", () => {
    assert.throws(() => new Instance(poll, ""), { message: "no choice is configured" });
});
