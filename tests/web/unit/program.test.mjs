// The page's verifier on what the program makes: chains with every kind of traffic, proofs, and bundles in which
// something was changed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ACTORS, fileOf, hex, PROGRAM, programVerdict, scratch, theater, verifier, verify } from "./support.mjs";

const skip = !PROGRAM || !ACTORS ? "no program" : false;

/** A counter with elements of several types, signed, and its bundle. */
function counter(t, sends = 20) {
    const folder = scratch(t);
    theater(folder, "start", "counter", "--component", join(ACTORS, "counter.wasm"), "--config-text", '{"start":41}');
    const lines = Array.from({ length: sends }, (_, i) => (i % 7 === 3 ? "nonsense" : `add ${i}`)).join("\n") + "\n";
    try {
        theater(folder, "send", "counter", "--lines", "--file", fileOf(folder, "lines", lines));
    } catch {
        // The rejections among them give an exit code of their own.
    }
    theater(folder, "checkpoint", "counter");
    return { folder, ...exported(folder, "counter") };
}

function exported(folder, ...names) {
    const file = join(folder, `${names.join("-")}.bundle`);
    theater(folder, "export", names[0], file);
    return { file, data: new Uint8Array(readFileSync(file)) };
}

test("a chain of the program", { skip }, async (t) => {
    const { folder, file, data } = counter(t);
    const report = await verify(data), said = programVerdict(file, "--all").report;
    assert.equal(report.verdict, "verified", report.message);
    assert.equal(report.message, said.message);
    assert.equal(report.chains[0].head, said.head);
    assert.equal(report.chains[0].treeHead, said.tree_head);
    assert.equal(report.chains[0].stateRoot, said.state_root);
    assert.equal(report.chains[0].keySource, "bundle");
    assert.equal(hex(verifier.stateRoot(new Uint8Array(theater(folder, "state", "counter")))), said.state_root);
    const key = theater(folder, "keys", "counter").toString().trim();
    const mine = await verify(data, { keys: [key] });
    assert.equal(mine.chains[0].keySource, "user");
    assert.equal(mine.message, programVerdict(file, "--all", "--key", key).report.message);
    for (const name of ["elements", "links", "payloads", "states", "limits", "tree-heads", "signatures"])
        assert.ok(report.checked.find((entry) => entry.name === name).count > 0, name);
    assert.deepEqual(report.notChecked.map((entry) => entry.name), ["execution", "key"]);
    assert.equal(report.checked.find((entry) => entry.name === "components").what, "component, by the hash that a descriptor names");
});

test("dropped payloads are counted, and what is left out shows", { skip }, async (t) => {
    const { folder } = counter(t);
    const file = join(folder, "bare.bundle");
    theater(folder, "export", "counter", file, "--without-payloads");
    const report = await verify(new Uint8Array(readFileSync(file)));
    assert.equal(report.verdict, "verified");
    assert.equal(report.message, programVerdict(file, "--all").report.message);
    assert.ok(report.notChecked.find((entry) => entry.name === "dropped-payloads").count > 0);
});

test("requests and answers between two chains", { skip }, async (t) => {
    const folder = scratch(t);
    theater(folder, "start", "ping", "--component", join(ACTORS, "ping.wasm"), "--config-text", "pong");
    theater(folder, "start", "pong", "--component", join(ACTORS, "pong.wasm"));
    theater(folder, "send", "ping", "play 25");
    const both = new Uint8Array(Buffer.concat([exported(folder, "ping").data, exported(folder, "pong").data]));
    const file = fileOf(folder, "both.bundle", both);
    const report = await verify(both);
    assert.equal(report.message, programVerdict(file, "--all").report.message);
    assert.equal(report.chains.length, 2);
    assert.equal(report.checked.find((entry) => entry.name === "causes").count, 50);
    assert.equal(report.checked.find((entry) => entry.name === "other-chains").count, 50);
    assert.equal(report.notChecked.find((entry) => entry.name === "other-chains"), undefined);
    const alone = await verify(exported(folder, "ping").data);
    assert.ok(alone.notChecked.find((entry) => entry.name === "other-chains").count > 0);
});

test("a chain that left a message out, changed or denied it gets the program's verdict", { skip }, async (t) => {
    const folder = scratch(t);
    theater(folder, "start", "ping", "--component", join(ACTORS, "ping.wasm"), "--config-text", "pong");
    theater(folder, "start", "pong", "--component", join(ACTORS, "pong.wasm"));
    theater(folder, "send", "ping", "play 3");
    const before = exported(folder, "pong").data;
    theater(folder, "send", "ping", "play 3");
    const ping = exported(folder, "ping").data, pong = exported(folder, "pong").data;
    // Chains that end at different times, one twice, one alone, and in each order.
    for (const parts of [[ping, pong], [pong, ping], [ping, before], [before, ping], [pong, pong], [before, pong, ping], [ping]]) {
        const data = new Uint8Array(Buffer.concat(parts));
        const here = await verify(data), there = programVerdict(fileOf(folder, "parts.bundle", data), "--all");
        assert.equal(here.message, there.report.message);
        assert.equal(here.verdict === "verified", there.code === 0);
    }
});

/** Numbers that look random and are the same each time. */
function generator(seed) {
    return (below) => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return Math.floor((seed / 2 ** 32) * below);
    };
}

test("a bit that was flipped anywhere gets the program's verdict, in its words", { skip }, async (t) => {
    const { folder, data } = counter(t, 12);
    const random = generator(20);
    const different = [];
    let faults = 0;
    for (let round = 0; round < 150; round++) {
        const changed = data.slice(), place = random(data.length);
        changed[place] ^= 1 << random(8);
        if (round % 3 === 0)
            changed[random(data.length)] ^= 1 << random(8);
        const here = await verify(changed).catch((failure) => ({ verdict: failure.kind, message: failure.message }));
        const there = programVerdict(fileOf(folder, "changed.bundle", changed), "--all");
        faults += here.verdict === "failed" ? 1 : 0;
        if ((there.code === 0) !== (here.verdict === "verified"))
            different.push(`byte ${place}: there ${there.report?.message ?? there.errors}; here ${here.message}`);
        else if (there.report && there.code !== 0 && there.report.message.replace(/^bundle [^ ]*?(: |, (?=behind|before))/, "") !== here.message)
            different.push(`byte ${place}: there "${there.report.message}"; here "${here.message}"`);
    }
    assert.deepEqual(different, []);
    assert.ok(faults > 140, `${faults} faults`);
});

test("cut off anywhere, or with something in between, it gets the program's verdict", { skip }, async (t) => {
    const { folder, data } = counter(t, 6);
    const random = generator(7);
    for (let round = 0; round < 30; round++) {
        const place = random(data.length);
        const changed = round % 2 ? data.slice(0, place) : new Uint8Array([...data.slice(0, place), random(256), ...data.slice(place)]);
        const here = await verify(changed, {}, 100).catch((failure) => ({ verdict: failure.kind, message: failure.message }));
        const there = programVerdict(fileOf(folder, "changed.bundle", changed), "--all");
        assert.equal(here.verdict === "verified", there.code === 0, `${place}: ${here.message} / ${there.errors}`);
    }
});

test("inclusion proofs of each element, and what is wrong with others", { skip }, async (t) => {
    const { folder } = counter(t, 9);
    const key = theater(folder, "keys", "counter").toString().trim();
    const proofs = Array.from({ length: 10 }, (_, i) => theater(folder, "prove", "counter", "--element", i).toString());
    for (const [i, text] of proofs.entries()) {
        const report = await verifier.verifyProof(text, key);
        assert.ok(report.valid, report.message);
        assert.equal(report.element.sequence, BigInt(i));
        assert.ok(report.signatureChecked);
        assert.ok(report.steps.every((step) => step.ok));
        assert.match(report.message, new RegExp(`^element ${i} \\(.*is one of the 10 that theater.local/counter/`));
        assert.ok((await verifier.verifyProof(text, key, report.elementHash)).valid);
        assert.match((await verifier.verifyProof(text, key, "00".repeat(32))).message, /another element/);
    }
    const random = generator(3), text = proofs[4];
    for (let round = 0; round < 60; round++) {
        const place = random(text.length);
        const other = text.slice(0, place) + String.fromCharCode(33 + random(90)) + text.slice(place + 1);
        if (other !== text)
            assert.equal((await verifier.verifyProof(other, key)).valid, false, `${place}`);
    }
    const wrong = text.replace("index 4", "index 5");
    const report = await verifier.verifyProof(wrong, key);
    assert.equal(report.message, "the element has the sequence 4, the proof the index 5");
    assert.equal(report.steps.at(-1).ok, false);
});

test("consistency proofs, between any two sizes", { skip }, async (t) => {
    const { folder } = counter(t, 1);
    const key = theater(folder, "keys", "counter").toString().trim();
    const notes = [];
    for (let size = 2; size < 9; size++) {
        notes.push(fileOf(folder, `note${size}`, theater(folder, "checkpoint", "counter")));
        for (const note of notes) {
            const report = await verifier.verifyProof(theater(folder, "prove", "counter", "--consistency", note).toString(), key);
            assert.ok(report.valid, report.message);
            assert.equal(report.kind, "consistency");
            assert.equal(report.size, BigInt(size));
        }
        theater(folder, "send", "counter", "inc");
    }
    const text = theater(folder, "prove", "counter", "--consistency", notes[0]).toString();
    const lines = text.split("\n");
    lines[2] = lines[2].slice(0, 5) + (lines[2][5] === "A" ? "B" : "A") + lines[2].slice(6);
    assert.match((await verifier.verifyProof(lines.join("\n"), key)).message, /does not begin with the chain of size/);
});
