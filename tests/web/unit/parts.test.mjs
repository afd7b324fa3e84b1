// The parts of the page's verifier by themselves: hashes, trees, proofs, CBOR, bounds, what a browser remembers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { bytes, cbor, header, hex, join8, sha, split, VECTORS, verifier, verify } from "./support.mjs";

test("SHA-256 is that of another implementation, at every length around its blocks", () => {
    for (let size = 0; size < 300; size++) {
        const data = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 255);
        assert.equal(hex(verifier.sha256Bytes(data)), createHash("sha256").update(data).digest("hex"), `${size}`);
        assert.equal(hex(verifier.sha256Bytes(data, 1)), createHash("sha256").update(Uint8Array.of(1)).update(data).digest("hex"), `1, ${size}`);
    }
    const large = new Uint8Array(3_000_001).fill(7);
    assert.equal(hex(verifier.sha256Bytes(large)), createHash("sha256").update(large).digest("hex"));
});

test("large inputs go to WebCrypto, and a part of the small ones is computed there again", async () => {
    const hashing = new verifier.Hashing();
    const large = new Uint8Array(100_000).fill(3);
    assert.equal(hex(await hashing.of(large)), createHash("sha256").update(large).digest("hex"));
    for (let i = 0; i < 1000; i++)
        hashing.leaf(Uint8Array.of(i & 255));
    await hashing.settle(true);
    assert.deepEqual([hashing.total, hashing.webCrypto, hashing.crossChecked], [1001, 9, 8]);
});

test("a WebCrypto that comes out otherwise ends the verification without a verdict", async (t) => {
    const real = crypto.subtle.digest;
    t.after(() => (crypto.subtle.digest = real));
    crypto.subtle.digest = async () => new ArrayBuffer(32);
    await assert.rejects(verify(bytes(VECTORS.bundle)), { kind: "internal" });
});

test("without WebCrypto everything but the signatures is checked", async (t) => {
    const subtle = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(crypto), "subtle");
    t.after(() => delete crypto.subtle);
    assert.ok(subtle);
    Object.defineProperty(crypto, "subtle", { value: undefined, configurable: true });
    // A module of its own, since whether there is Ed25519 is asked once.
    const fresh = await import(`${new URL(`file://${process.env.THEATER_VERIFIER}`)}?without`);
    let given = false;
    const source = async () => (given ? null : ((given = true), bytes(VECTORS.bundle)));
    const report = await fresh.verifyBundle(source);
    assert.equal(report.verdict, "verified");
    assert.equal(report.chains[0].keySource, "unsupported");
    assert.match(report.message, /signatures not checked: this browser has no Ed25519/);
    assert.match(report.notChecked.find((entry) => entry.name === "signatures").why, /no Ed25519/);
});

// ---- trees and proofs, against the definitions of RFC 9162

const leaf = (i) => sha(Uint8Array.of(0, i));
const node = (left, right) => sha(Uint8Array.of(1), left, right);
const splitAt = (n) => 2 ** Math.floor(Math.log2(n - 1));
const mth = (leaves) => (leaves.length === 0 ? sha() : leaves.length === 1 ? leaves[0]
    : node(mth(leaves.slice(0, splitAt(leaves.length))), mth(leaves.slice(splitAt(leaves.length)))));

function path(index, leaves) {
    if (leaves.length === 1)
        return [];
    const k = splitAt(leaves.length);
    return index < k ? [...path(index, leaves.slice(0, k)), mth(leaves.slice(k))] : [...path(index - k, leaves.slice(k)), mth(leaves.slice(0, k))];
}

function consistency(size, leaves, whole = true) {
    if (size === leaves.length)
        return whole ? [] : [mth(leaves)];
    const k = splitAt(leaves.length);
    return size <= k ? [...consistency(size, leaves.slice(0, k), whole), mth(leaves.slice(k))]
        : [...consistency(size - k, leaves.slice(k), false), mth(leaves.slice(0, k))];
}

const LEAVES = Array.from({ length: 33 }, (_, i) => leaf(i));

test("inclusion proofs of every leaf of every size, and none that is longer, shorter or of another place", () => {
    for (let size = 1; size <= 33; size++) {
        const leaves = LEAVES.slice(0, size), root = mth(leaves);
        for (let i = 0; i < size; i++) {
            const proof = path(i, leaves), holds = (...a) => verifier.inclusionHolds(...a);
            assert.ok(holds(BigInt(i), BigInt(size), leaves[i], proof, root));
            assert.ok(!holds(BigInt(i), BigInt(size), leaf(200), proof, root));
            assert.ok(!holds(BigInt(i), BigInt(size), leaves[i], [...proof, leaf(1)], root));
            assert.ok(proof.length === 0 || !holds(BigInt(i), BigInt(size), leaves[i], proof.slice(1), root));
            assert.ok(!holds(BigInt(size), BigInt(size), leaves[i], proof, root));
            assert.ok(size === 1 || !holds(BigInt((i + 1) % size), BigInt(size), leaves[i], proof, root));
        }
    }
});

test("consistency proofs between every two sizes, and none that is longer, shorter or of another tree", () => {
    for (let size = 1; size <= 33; size++) {
        const leaves = LEAVES.slice(0, size), root = mth(leaves);
        for (let old = 1; old <= size; old++) {
            const proof = consistency(old, leaves), oldRoot = mth(leaves.slice(0, old));
            const holds = (...a) => verifier.consistencyHolds(BigInt(old), BigInt(size), ...a);
            assert.ok(holds(oldRoot, root, proof), `${old} in ${size}`);
            assert.ok(!holds(leaf(99), root, proof));
            assert.ok(!holds(oldRoot, leaf(99), proof));
            assert.ok(!holds(oldRoot, root, [...proof, leaf(1)]));
            assert.ok(proof.length === 0 || !holds(oldRoot, root, proof.slice(0, -1)));
        }
    }
    assert.ok(verifier.consistencyHolds(0n, 5n, sha(), mth(LEAVES.slice(0, 5)), []));
    assert.ok(!verifier.consistencyHolds(5n, 4n, mth(LEAVES.slice(0, 5)), mth(LEAVES.slice(0, 4)), []));
});

test("the heads of smaller sizes, and past the bound of kept hashes only the tree's own", () => {
    const tree = new verifier.LogTree(20);
    for (let size = 0; size < 33; size++) {
        assert.equal(hex(tree.head()), hex(mth(LEAVES.slice(0, size))));
        for (let old = 0; old < size; old++)
            assert.equal(tree.headAt(old) && hex(tree.headAt(old)), size <= 20 ? hex(mth(LEAVES.slice(0, old))) : null);
        tree.append(LEAVES[size]);
    }
});

// ---- CBOR to show

/** Without the places of the items. */
const plain = (key, value) => (key === "at" || key === "size" ? undefined : typeof value === "bigint" ? `${value}n` : value);
const tree = (text) => JSON.parse(JSON.stringify(verifier.decodeCbor(bytes(text)), plain));

test("CBOR of all kinds as a tree (examples of RFC 8949, appendix A)", () => {
    assert.deepEqual(tree("1bffffffffffffffff"), { type: "uint", value: "18446744073709551615n" });
    assert.deepEqual(tree("3bffffffffffffffff"), { type: "nint", value: "-18446744073709551616n" });
    assert.deepEqual(tree("f93e00"), { type: "float", value: 1.5 });
    assert.deepEqual(tree("fb3ff199999999999a"), { type: "float", value: 1.1 });
    assert.deepEqual(tree("f90001"), { type: "float", value: 5.960464477539063e-8 });
    assert.deepEqual(tree("f6"), { type: "null" });
    assert.deepEqual(tree("c11a514b67b0"), { type: "tag", tag: "1n", item: { type: "uint", value: "1363896240n" } });
    assert.deepEqual(tree("9f01820203ff").items.length, 2);
    assert.deepEqual(tree("7f657374726561646d696e67ff"), { type: "text", value: "streaming" });
    assert.deepEqual(tree("a26161016162820203").entries.map((entry) => entry.key.value), ["a", "b"]);
    const item = verifier.decodeCbor(bytes("82187b6161")).items[0];
    assert.deepEqual([item.at, item.size], [1, 2]);
});

test("what is no CBOR, and what is too deep or too much, is no tree", () => {
    for (const text of ["", "18", "1c", "8201", "0001", "61ff", "ff", "df00ff", "a101", "5f6161ff", "f810", "9bffffffffffffffff", "81".repeat(80) + "00"])
        assert.equal(verifier.decodeCbor(bytes(text)), null, text);
    const many = new Uint8Array(verifier.ITEMS_MAX + 5);
    many.set([0x9a, 0, 1, 0x86, 0xa0]);
    assert.equal(verifier.decodeCbor(many), null);
    assert.ok(verifier.decodeCbor(many.slice(5)) === null);
});

test("decoders give null for what is something else", () => {
    for (const decode of ["decodeElement", "decodeDescriptor", "decodeRejection"])
        assert.equal(verifier[decode](Uint8Array.of(1, 2, 3)), null);
    assert.equal(verifier.decodeEffects(Uint8Array.of(0x81), 0n), null);
    const effects = cbor([[0, 3, "careful"], [1, "b", sha(), 0], [1, "b", sha(), 65537]]);
    assert.deepEqual(verifier.decodeEffects(effects, 1n).map((effect) => effect.kind), ["log", "send", "request"]);
    assert.equal(verifier.decodeDescriptor(bytes(VECTORS.chain[0].input)).actor, "counter");
});

// ---- bounds and cancellation

test("an item over the bound is refused before it is read", async () => {
    const item = Uint8Array.of(0x82, 1, 0x5a, 0x7f, 0xff, 0xff, 0xff, 0);
    await assert.rejects(verify(join8(header("a"), item)), { kind: "too-large", message: /over the limit/ });
});

test("what is remembered of causes has a bound", () => {
    const book = new verifier.CauseBook(3);
    for (let id = 1n; id <= 3n; id++)
        book.request(id, "b");
    assert.throws(() => book.request(4n, "b"), { kind: "too-large" });
    assert.equal(book.take({ kind: 2, actor: "b", request: 1n }).problem, null);
    book.request(4n, "b");
});

test("past the bound of what is remembered the causes between chains are not checked, and that is said", async () => {
    const element = { type: 1, input: sha(), output: sha(), effects: sha(), cause: null };
    const effect = (index) => ({ kind: 1, index, to: "b", payload: sha(), request: 0n });
    for (const left of [2, 1]) {
        const room = new verifier.Room();
        room.left = left;
        const tree = new verifier.LogTree(10), traffic = new verifier.Traffic("a", tree, room);
        tree.append(sha());
        traffic.add(element, { input: null, output: null, effects: {} }, [effect(0), effect(1)]);
        assert.deepEqual(await verifier.checkBetween([traffic], room), left === 2 ? { checked: 0, missing: 0, unchecked: 0 } : null);
    }
    assert.equal(verifier.TRAFFIC_MAX, new verifier.Room().left);
});

/** A genesis of the vectors' actor with the empty state; `change` may change its fields. */
function genesis(change = {}) {
    const fields = { 0: 1, 1: 0, 2: new Uint8Array(32), 3: 0, 4: 7, 5: sha(bytes(VECTORS.chain[0].input)), 6: sha(), 7: sha(), 8: sha(), 9: sha(Uint8Array.of(0x80)), 10: 1, 11: 0, ...change };
    return cbor(new Map(Object.entries(fields).map(([key, value]) => [Number(key), value])));
}
const item = (encoding, input = bytes(VECTORS.chain[0].input), effects = Uint8Array.of(0x80)) => cbor([3, encoding, input, new Uint8Array(), effects]);

test("of an element with more messages than there is room for, only so many are gathered", () => {
    const effects = cbor(Array.from({ length: 50 }, () => [1, "b", sha(), 0]));
    const room = new verifier.Room();
    room.left = 10;
    const chain = new verifier.ChainVerifier("counter", new verifier.Hashing(), new verifier.Counts(), [], new Set(), room);
    const payload = (data) => ({ bytes: data, hash: sha(data) });
    chain.element(genesis({ 9: sha(effects) }), { input: payload(bytes(VECTORS.chain[0].input)), output: payload(new Uint8Array()), effects: payload(effects) });
    assert.deepEqual([chain.elements, chain.counts.effects, chain.sending.length, room.left], [1, 50, 11, -1]);
});

/** An element of a version that nobody knows; `n` tells it from others. */
const later = (n) => cbor([3, cbor(new Map([[0, 2], [1, 0], [2, new Uint8Array(32)], [3, n]])), null, null, null]);

test("an element of a later version in one chain hides no fault of another", async () => {
    const alone = await verify(join8(header("a"), later(1)));
    assert.equal(alone.verdict, "unknown-version");
    const both = await verify(join8(header("a"), later(1), header("b")));
    assert.deepEqual([both.verdict, both.message], ["failed", "actor b: there is no element"]);
});

test("many chains of one element take little memory each, and there may be so many and no more", async () => {
    const count = 2000, before = process.memoryUsage().arrayBuffers;
    let at = 0, most = 0;
    const report = await verifier.verifyBundle(async () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        return at < count ? join8(header("counter"), item(genesis({ 4: ++at }))) : null;
    });
    assert.deepEqual([report.verdict, report.chains.length], ["verified", count], report.message);
    assert.ok(most < count * 32768, `${most} bytes`); // with what the test itself leaves to be collected
    let n = 0;
    await assert.rejects(verifier.verifyBundle(async () => join8(header("a"), later(++n))), { kind: "too-large", message: /more than 65536 chains/ });
    assert.equal(n, verifier.CHAINS_MAX + 1);
});

test("the check between chains lets other events run, and hears that it is cancelled", async () => {
    const room = new verifier.Room(), tree = new verifier.LogTree(10), traffic = new verifier.Traffic("a", tree, room);
    for (let i = 0; i < 3; i++) {
        const cause = { kind: 0, actor: "b", sequence: BigInt(i), hash: sha(), index: 0n, request: 0n, failed: false };
        tree.append(sha());
        traffic.add({ type: 1, input: sha(), output: sha(), effects: sha(), cause }, { input: null, output: null, effects: null }, []);
    }
    let asked = 0;
    assert.deepEqual(await verifier.checkBetween([traffic], room, () => (++asked, null)), { checked: 0, missing: 3, unchecked: 0 });
    assert.equal(asked, 3);
    const breathe = async () => {
        throw new verifier.Failure("cancelled", "enough");
    };
    await assert.rejects(verifier.checkBetween([traffic], room, breathe), { kind: "cancelled" });
});

test("a verification that is cancelled ends", async () => {
    // An element that comes again is a fault, a chain that begins again too; a checkpoint may come without end.
    const items = split(bytes(VECTORS.bundle));
    let sent = 0;
    const again = async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        return sent++ ? items.at(-1) : join8(...items);
    };
    let asked = 0;
    await assert.rejects(verifier.verifyBundle(again, { cancelled: () => ++asked > 2 }), { kind: "cancelled" });
    assert.equal(asked, 3);
});

test("a source that fails gives no verdict", async () => {
    await assert.rejects(verifier.verifyBundle(async () => {
        throw new verifier.Failure("network", "gone");
    }), { kind: "network" });
});

test("progress ascends and ends with the whole", async () => {
    const seen = [], data = bytes(VECTORS.bundle);
    await verify(data, { onProgress: (progress) => seen.push(progress), totalBytes: data.length }, 100);
    assert.equal(seen.at(-1).bytes, data.length);
    assert.equal(seen.at(-1).elements, 12);
    assert.deepEqual(seen.map((p) => p.bytes), seen.map((p) => p.bytes).sort((a, b) => a - b));
});

// ---- what a browser remembers

class Storage {
    items = new Map();
    getItem = (key) => this.items.get(key) ?? null;
    setItem = (key, value) => this.items.set(key, value);
    removeItem = (key) => this.items.delete(key);
}

const NOTE = VECTORS.checkpoint.note, KEY = VECTORS.checkpoint.verifier_key;
const base64 = (data) => Buffer.from(data).toString("base64");
const hashes = VECTORS.chain.map((vector) => bytes(vector.hash));

/** A server of the vectors' chain: what it answers, or an override. */
function server(overrides = {}) {
    const inclusion = ["c2sp.org/tlog-proof@v1", `extra ${base64(bytes(VECTORS.chain[0].element))}`, "index 0", ...path(0, hashes).map(base64), "", NOTE].join("\n");
    const same = (note) => ["theater-consistency-proof@v1", `older ${base64(note)}`, "", NOTE].join("\n");
    return async (url, init) => {
        const what = url.split("/").at(-1);
        const body = overrides[what] ?? { key: KEY, proof: inclusion, consistency: init?.body && same(init.body) }[what];
        if (body === 422)
            return new Response('{"detail":"actor counter had another tree head at that size"}', { status: 422 });
        return typeof body === "number" ? new Response('{"detail":"no"}', { status: body }) : new Response(body);
    };
}

const prove = (text, key) => verifier.verifyProof(text, key ?? null);

test("a checkpoint is remembered, and asked for again", async (t) => {
    t.after(() => delete globalThis.localStorage);
    globalThis.localStorage = new Storage();
    const first = await verifier.growthOf("counter", server(), prove);
    assert.deepEqual([first.outcome, first.size], ["first", 12n], first.message);
    assert.deepEqual([verifier.rememberedCheckpoint("counter").note, verifier.rememberedCheckpoint("counter").key], [NOTE, KEY]);
    assert.equal((await verifier.growthOf("counter", server(), prove)).outcome, "same");
    assert.equal(verifier.rememberCheckpoint("counter", NOTE, KEY), false, "the same again changes nothing");
    assert.equal(verifier.rememberCheckpoint("counter", NOTE, KEY.replace(/.$/, "5")), false, "another key has to be asked about");
    assert.equal(verifier.rememberedCheckpoint("counter").key, KEY);
    assert.equal(verifier.rememberCheckpoint("counter", "nonsense", KEY), false);
    verifier.forgetCheckpoint("counter");
    assert.equal(verifier.rememberedCheckpoint("counter"), null);
});

test("a server that refuses to answer is not said to have changed the past", async (t) => {
    t.after(() => delete globalThis.localStorage);
    globalThis.localStorage = new Storage();
    const first = await verifier.growthOf("counter", server({ key: 401 }), prove);
    assert.deepEqual([first.outcome, first.message], ["unproved", "the server gives no key (401): no"]);
    assert.match((await verifier.growthOf("counter", server({ key: 404 }), prove)).message, /no checkpoint yet/);
    await verifier.growthOf("counter", server(), prove);
    for (const status of [401, 403, 429, 503]) {
        const later = await verifier.growthOf("counter", server({ key: status }), prove);
        assert.deepEqual([later.outcome, later.message, later.oldSize], ["unproved", `the server gives no key (${status}): no`, 12n]);
    }
});

test("a server that changed the past is found", async (t) => {
    t.after(() => delete globalThis.localStorage);
    globalThis.localStorage = new Storage();
    await verifier.growthOf("counter", server(), prove);
    const otherKey = await verifier.growthOf("counter", server({ key: KEY.replace(/.$/, "5") }), prove);
    assert.deepEqual([otherKey.outcome, otherKey.oldSize], ["broken", 12n]);
    assert.equal((await verifier.growthOf("counter", server({ consistency: 404 }), prove)).outcome, "unproved");
    const denied = await verifier.growthOf("counter", server({ consistency: 422 }), prove);
    assert.deepEqual([denied.outcome, denied.oldSize], ["broken", 12n], "the server itself says that its past is another");
    assert.match(denied.message, /another tree head/);
    assert.equal((await verifier.growthOf("counter", server({ key: 404 }), prove)).outcome, "broken");
    // A proof about another older checkpoint proves nothing about ours.
    const lines = NOTE.split("\n");
    const other = [lines[0], "11", base64(mth(hashes.slice(0, 11))), ...lines.slice(3)].join("\n");
    const text = ["theater-consistency-proof@v1", `older ${base64(other)}`, ...consistency(11, hashes).map(base64), "", NOTE].join("\n");
    const swapped = await verifier.growthOf("counter", server({ consistency: text }), prove);
    assert.equal(swapped.outcome, "broken", "its signature is of another text");
    const unsigned = await verifier.growthOf("counter", server({ consistency: text }), (proof) => verifier.verifyProof(proof, null));
    assert.match(unsigned.message, /another checkpoint/);
    assert.equal(verifier.rememberedCheckpoint("counter").note, NOTE, "what was remembered stays");
});
