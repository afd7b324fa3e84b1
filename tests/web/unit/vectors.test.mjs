// The page's verifier against tests/vectors/vectors.json: every value and every refusal.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, cbor, header, hex, join8, sha, split, VECTORS, verifier, verify } from "./support.mjs";

const CHAIN = VECTORS.chain;
const BUNDLE = bytes(VECTORS.bundle);
const payloadsOf = (vector) => [bytes(vector.input), bytes(vector.output), bytes(vector.effects)];

test("elements have the hashes of the vectors, and decode to what their chain says", () => {
    let previous = "0".repeat(64);
    CHAIN.forEach((vector, sequence) => {
        const encoding = bytes(vector.element);
        const element = verifier.decodeElement(encoding);
        assert.equal(verifier.elementHash(encoding), vector.hash);
        assert.equal(element.sequence, BigInt(sequence));
        assert.equal(element.previous, previous);
        assert.equal(element.stateAfter, vector.state_root);
        assert.equal(element.input, verifier.sha256(bytes(vector.input)));
        previous = vector.hash;
    });
});

test("state roots", () => {
    for (const [size, root] of Object.entries(VECTORS.state_roots.roots)) {
        const state = Uint8Array.from({ length: Number(size) }, (_, i) => (7 * i + (i >> 8)) % 256);
        assert.equal(hex(verifier.stateRoot(state)), root, size);
    }
    for (const vector of CHAIN)
        assert.equal(hex(verifier.stateRoot(bytes(vector.state))), vector.state_root);
});

test("tree heads, of the whole tree and of each smaller size", () => {
    const tree = new verifier.LogTree(1000), bare = new verifier.LogTree(0);
    VECTORS.tree_heads.forEach((head, size) => {
        assert.equal(hex(tree.head()), head.root ?? head);
        assert.equal(hex(bare.head()), head.root ?? head);
        if (size < CHAIN.length) {
            tree.append(bytes(CHAIN[size].hash));
            bare.append(bytes(CHAIN[size].hash));
        }
    });
    VECTORS.tree_heads.forEach((head, size) => assert.equal(hex(tree.headAt(size)), head.root ?? head));
    assert.equal(bare.headAt(3), null);
});

test("the bundle verifies, in pieces of any size", async () => {
    for (const size of [1, 2, 3, 7, 64, 1000, 4096, 65536]) {
        const report = await verify(BUNDLE, {}, size);
        assert.equal(report.verdict, "verified", report.message);
        assert.equal(report.elements, 12);
        assert.equal(report.chains[0].head, CHAIN[11].hash);
        assert.equal(report.chains[0].keySource, "bundle");
        assert.equal(report.chains[0].checkpoints, 1);
        assert.equal(report.chains[0].note, VECTORS.checkpoint.note);
        assert.equal(report.bytes, BUNDLE.length);
    }
});

test("the user's key is used before the bundle's, and must have signed something", async () => {
    const key = VECTORS.checkpoint.verifier_key;
    const good = await verify(BUNDLE, { keys: [key] });
    assert.equal(good.chains[0].keySource, "user");
    const bare = join8(...split(BUNDLE).filter((item) => item[1] !== 4));
    const idle = await verify(bare, { keys: [key] });
    assert.equal(idle.fault.check, "checkpoint");
    assert.match(idle.message, /no checkpoint that the given key/);
    await assert.rejects(verify(BUNDLE, { keys: ["nonsense"] }), { kind: "argument" });
});

test("a signature that was changed is found", async () => {
    const note = VECTORS.checkpoint.note;
    const at = note.lastIndexOf(" ") + 20;
    const other = note.slice(0, at) + (note[at] === "A" ? "B" : "A") + note.slice(at + 1);
    const forged = Buffer.from(BUNDLE).toString("latin1").replace(Buffer.from(note).toString("latin1"), Buffer.from(other).toString("latin1"));
    const report = await verify(new Uint8Array(Buffer.from(forged, "latin1")));
    assert.equal(report.fault.check, "checkpoint");
    assert.match(report.message, /the signature does not verify/);
});

for (const vector of VECTORS.refused_as_element_1) {
    test(`refused as element 1: ${vector.why}`, async () => {
        const first = cbor([3, bytes(CHAIN[0].element), ...payloadsOf(CHAIN[0])]);
        const second = cbor([3, bytes(vector.element), ...payloadsOf(CHAIN[1])]);
        const report = await verify(join8(header("counter"), first, second));
        assert.notEqual(report.verdict, "verified");
        assert.equal(report.fault.sequence, 1n, report.message);
    });
}

/** The element that the payloads of a refused vector would have. */
function elementAround(vector) {
    const [input, output, effects] = payloadsOf(vector);
    const genesis = vector.element_type === 0;
    const root = genesis ? sha() : bytes(CHAIN[0].state_root);
    return cbor(new Map([
        [0, 1], [1, vector.sequence], [2, genesis ? new Uint8Array(32) : bytes(CHAIN[0].hash)], [3, vector.element_type],
        [4, 1800000000000000000n], [5, sha(input)], [6, root], [7, root], [8, sha(output)], [9, sha(effects)],
        [10, vector.fuel], [11, genesis ? 0 : bytes(CHAIN[0].state).length],
    ]));
}

for (const vector of VECTORS.refused_as_payload) {
    test(`refused as payload: ${vector.why}`, async () => {
        const before = vector.sequence === 0 ? [] : [cbor([3, bytes(CHAIN[0].element), ...payloadsOf(CHAIN[0])])];
        const item = cbor([3, elementAround(vector), ...payloadsOf(vector)]);
        const report = await verify(join8(header("counter"), ...before, item));
        assert.equal(report.verdict, "failed");
        assert.equal(report.fault.sequence, BigInt(vector.sequence), report.message);
        // What is refused is the payload, not the element around it.
        if (vector.why !== "output of a genesis")
            assert.ok(["effects", "output", "fuel", "descriptor"].includes(report.fault.check), report.message);
    });
}

/** Element 1 of the chain with these optional fields in this order. */
async function withOptional(...fields) {
    const first = cbor([3, bytes(CHAIN[0].element), ...payloadsOf(CHAIN[0])]);
    const root = bytes(CHAIN[0].state_root);
    const pairs = [
        [0, 1], [1, 1], [2, bytes(CHAIN[0].hash)], [3, 1], [4, 1800000000000000000n], [5, sha()], [6, root], [7, root], [8, sha()],
        [9, sha(Uint8Array.of(0x80))], [10, 1], [11, bytes(CHAIN[0].state).length], ...fields,
    ];
    // A map of JavaScript would not hold a key twice.
    const encoding = join8(Uint8Array.of(0xa0 + pairs.length), ...pairs.flatMap(([key, value]) => [cbor(key), cbor(value)]));
    return verify(join8(header("counter"), first, cbor([3, encoding, new Uint8Array(), new Uint8Array(), Uint8Array.of(0x80)])));
}

test("keys that may be absent stand in order, once", async () => {
    const principal = [13, "somebody"], id = [14, Uint8Array.of(1)];
    for (const right of [[], [principal], [id], [principal, id], [[13, "x".repeat(128)]], [[13, "x".repeat(23)]], [[13, "x".repeat(24)]]])
        assert.equal((await withOptional(...right)).verdict, "verified", JSON.stringify(right));
    for (const wrong of [[id, principal], [principal, principal], [[13, ""]], [[13, "x".repeat(129)]], [[13, "x".repeat(256)]], [[14, new Uint8Array(65)]]])
        assert.equal((await withOptional(...wrong)).fault?.check, "encoding", JSON.stringify(wrong));
});

test("a payload that was changed is named with its element", async () => {
    const items = split(BUNDLE);
    const at = items.findIndex((item) => Buffer.from(item).includes(Buffer.from(CHAIN[3].element, "hex")));
    const [input, output, effects] = payloadsOf(CHAIN[3]);
    items[at] = cbor([3, bytes(CHAIN[3].element), Uint8Array.of(...input, 0), output, effects]);
    const report = await verify(join8(...items));
    assert.equal(report.message, "element 3 of actor counter: the input payload has another hash");
    assert.deepEqual([report.fault.check, report.fault.sequence, report.fault.actor], ["input", 3n, "counter"]);
    assert.equal(report.elements, 3);
});
