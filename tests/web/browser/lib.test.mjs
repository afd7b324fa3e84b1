// What the page reckons with, without a browser: differences, 64-bit numbers, figures, streams, addresses.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const require = createRequire(join(process.env.THEATER_PAGE_MODULES, "from-here.js"));
const APP = resolve(dirname(fileURLToPath(import.meta.url)), "../../../web/src/app/lib");

/** The modules as one, made as the page is made; what they ask of a browser when they are loaded is empty. */
async function load() {
    const names = ["api", "bytes", "chain", "diff", "elements", "events", "format", "json", "metrics", "route", "tree", "../../verify/api"];
    const { outputFiles } = await require("esbuild").build({
        stdin: { contents: names.map((name) => `export * from "./${name}";`).join("\n"), resolveDir: APP },
        bundle: true, write: false, format: "esm", target: "es2021", nodePaths: [process.env.THEATER_PAGE_MODULES], define: { WORKER_URL: '""' },
    });
    const storage = { getItem: () => null, setItem: () => {}, removeItem: () => {} };
    Object.assign(globalThis, { location: { hash: "" }, sessionStorage: storage, localStorage: storage, addEventListener: () => {}, window: globalThis });
    return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString("base64")}`);
}
const lib = await load();

/** The same numbers each time, so that a failure can be repeated. */
function numbers(seed) {
    let state = seed >>> 0;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
}

test("a difference of lines gives both texts back, and is no longer than it must be", () => {
    for (let seed = 1; seed <= 400; seed++) {
        const next = numbers(seed);
        const a = Array.from({ length: next(30) }, () => "abcd"[next(4)]);
        const b = a.filter(() => next(5) > 0).flatMap((line) => (next(6) === 0 ? [line, "e"] : [line]));
        const changes = lib.lineChanges(a.join("\n"), b.join("\n"));
        assert.equal(changes.filter((one) => one.kind !== "added").map((one) => one.text).join("\n"), a.join("\n"));
        assert.equal(changes.filter((one) => one.kind !== "removed").map((one) => one.text).join("\n"), b.join("\n"));
        const [x, y] = [a.join("\n").split("\n"), b.join("\n").split("\n")];
        assert.equal(changes.filter((one) => one.kind === "same").length, longestCommon(x, y), `seed ${seed}`);
    }
});

/** By the book, for short lists. */
function longestCommon(a, b) {
    let row = Array(b.length + 1).fill(0);
    for (const line of a) {
        const next = [0];
        b.forEach((other, j) => next.push(line === other ? row[j] + 1 : Math.max(row[j + 1], next[j])));
        row = next;
    }
    return row[b.length];
}

test("two texts that share nothing are one block taken out and one put in, not a search for what they share", () => {
    const a = Array.from({ length: 20_000 }, (_, i) => `a${i}`).join("\n");
    const changes = lib.lineChanges(a, a.replace(/a/g, "b"));
    assert.equal(changes.length, 40_000);
    assert.ok(changes.every(({ kind }, i) => kind === (i < 20_000 ? "removed" : "added")));
});

test("texts of millions of lines are not compared by line", () => {
    const most = "x\n".repeat(lib.LINES_MAX - 1);
    assert.equal(lib.lineChanges(most, most).length, lib.LINES_MAX);
    assert.equal(lib.lineChanges(`${most}\n`, "x"), null);
    assert.equal(lib.lineChanges("x", `${most}\n`), null);
});

test("trees are compared by path, and at most so many changes are told", () => {
    const tree = (value) => lib.jsonTree(Buffer.from(JSON.stringify(value)));
    assert.deepEqual(lib.treeChanges(tree({ a: [1, 2, 3], b: "x" }), tree({ b: "x", a: [1, 2, 3] })), []);
    const changes = lib.treeChanges(tree({ a: [1, 2, 3], gone: null }), tree({ a: [1, 9, 2, 3], fresh: {} }));
    assert.deepEqual(changes.map((one) => [one.kind, one.path.join("/")]), [["added", "a/1"], ["removed", "gone"], ["added", "fresh"]]);
    const many = (k) => tree(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i + k])));
    assert.equal(lib.treeChanges(many(0), many(1)).length, lib.CHANGES_MAX);
});

test("chunks and rows that differ are those, also where one state is longer", () => {
    const a = new Uint8Array(10_000), b = new Uint8Array(10_000);
    assert.deepEqual(lib.changedChunks(a, b), []);
    b[4096] = 1;
    b[9999] = 1;
    assert.deepEqual(lib.changedChunks(a, b), [1, 2]);
    assert.deepEqual(lib.changedRows(a, b), [256, 624]);
    assert.deepEqual(lib.changedChunks(a, a.subarray(0, 4000)), [0, 1, 2]);
    assert.deepEqual(lib.changedRows(new Uint8Array(0), new Uint8Array(17)), [0, 1]);
});

test("numbers of 64 bits keep all their digits, and texts that look like them stay texts", () => {
    const text = '{"a":18446744073709551615,"b":"18446744073709551615","c":[1795430930970983001,-9007199254740993],"d":1.5e300,"e":9007199254740991,"f":"\\"18446744073709551615"}';
    const value = lib.parseJson(text);
    assert.deepEqual(value, { a: 18446744073709551615n, b: "18446744073709551615", c: [1795430930970983001n, -9007199254740993n], d: 1.5e300, e: 9007199254740991, f: '"18446744073709551615' });
    assert.deepEqual(lib.parseJson(lib.formatJson(value)), value);
    assert.throws(() => lib.parseJson('{"a":'));
});

test("a text of many megabytes in a document is read, with its quotes and backslashes", () => {
    for (const said of ["x".repeat(30_000_000), '\\"'.repeat(3_000_000), `${"\\".repeat(1_000_001)}" 12345678901234567890`]) {
        const value = lib.parseJson(`{"said":${JSON.stringify(said)},"time":1767225600000000001}`);
        assert.ok(value.said === said, "the text is another");
        assert.equal(value.time, 1767225600000000001n);
    }
});

test("fractions are no whole numbers, and no string is taken for one", () => {
    for (const text of ["[0.30000000000000004,12345678901234567890]", "[1.7976931348623157e308]", "[12345678901234567.25]"])
        assert.deepEqual(lib.parseJson(text).map(Number), JSON.parse(text), text);
    // What an actor may say, beside a time that has 19 digits.
    for (const said of ["\u0000int:5", "\u0000int:no", '"\u0000int:5"']) {
        const value = { said, timestamp: 1767225600000000001n };
        assert.deepEqual(lib.parseJson(lib.formatJson(value)), value);
    }
});

test("keys of CBOR that are lists or maps are told apart", () => {
    const map = (value) => lib.cborTree(Buffer.from("a2820101" + value + "82010202", "hex")); // {[1, 1]: value, [1, 2]: 2}
    assert.deepEqual(lib.treeChanges(map("01"), map("03")).map((one) => [one.path, one.after.text]), [[["[1, 1]"], "3"]]);
});

test("percentiles of a histogram are those between two readings, and a restart counts from zero", () => {
    const reading = (at, one, two, all) => ({ at, values: lib.parseMetrics(`# HELP x\nx_bucket{le="0.1"} ${one}\nx_bucket{le="0.2"} ${two}\nx_bucket{le="+Inf"} ${all}\nx_count ${all}\nturns ${all}\n`) });
    assert.equal(lib.percentile(reading(0, 10, 20, 20), reading(1000, 10, 20, 20), "x", 0.5), null);
    assert.ok(Math.abs(lib.percentile(undefined, reading(1000, 10, 20, 20), "x", 0.5) - 0.1) < 1e-9);
    assert.ok(Math.abs(lib.percentile(reading(0, 100, 100, 100), reading(1000, 100, 110, 110), "x", 0.5) - 0.15) < 1e-9);
    assert.equal(lib.percentile(undefined, reading(1000, 0, 0, 5), "x", 0.99), 0.2, "past the last bound it is the last bound");
    assert.deepEqual(lib.rates([reading(0, 0, 0, 10), reading(2000, 0, 0, 30), reading(4000, 0, 0, 4)], "turns"), [null, 10, 2]);
});

test("a stream of events is the same however it is cut", () => {
    const text = 'retry: 2000\n\nid: 1\nevent: transition\ndata: {"a":1}\n\n: a comment\n\nid: 2\ndata: {"b":\ndata: 2}\n\nid: 3\ndata: {"c"';
    for (let size = 1; size < text.length; size++) {
        const reader = new lib.EventReader();
        const found = [];
        for (let at = 0; at < text.length; at += size)
            found.push(...reader.push(text.slice(at, at + size)));
        assert.deepEqual(found, ['{"a":1}', '{"b":\n2}'], `pieces of ${size}`);
    }
});

test("addresses lead where they say, and others nowhere", () => {
    const route = (hash) => lib.parseRoute(hash).route;
    assert.deepEqual(route(""), { view: "actors" });
    assert.deepEqual(route("#/performance"), { view: "performance" });
    assert.deepEqual(route("#/actors/a.b-c"), { view: "actor", name: "a.b-c", tab: "chain", sequence: null });
    assert.deepEqual(route("#/actors/counter/12"), { view: "actor", name: "counter", tab: "chain", sequence: 12 });
    assert.deepEqual(route("#/actors/counter%231/state/7?with=3"), { view: "actor", name: "counter#1", tab: "state", sequence: 7 });
    for (const hash of ["#/nowhere", "#/actors/a/b", "#/actors/a/12/13", "#/actors/a/state/x", "#/actors/a/state/1/2", "#/actors/%", "#/performance/x"])
        assert.equal(route(hash).view, "lost", hash);
    for (const [name, tab, sequence] of [["a", "chain", 0], ["a#2", "state", 12], ["x.y", "send", null]])
        assert.deepEqual(route(lib.actorLink(name, tab, sequence)), { view: "actor", name, tab, sequence });
});

test("bytes are shown in the form that fits", () => {
    const form = (bytes) => lib.bestForm(Uint8Array.from(bytes));
    assert.equal(form(Buffer.from("plain words")), "text");
    assert.equal(form(Buffer.from(' {"a": [1]}')), "json");
    assert.equal(form(Buffer.from("{not json")), "text");
    assert.equal(form(Buffer.from("a1616101", "hex")), "cbor");
    assert.equal(form(Buffer.from("0100000000000000", "hex")), "hex");
    assert.equal(form(Buffer.from("a16161", "hex")), "hex", "cut off, so no CBOR");
    assert.equal(lib.bestForm(Buffer.from(JSON.stringify(Array(1_000_000).fill(12345)))), "text", "too large for a tree");
    assert.equal(form(Buffer.alloc(100_000, "ä")), "text", "a character that the look at the beginning cuts");
});

test("hex and texts are read and written", () => {
    assert.deepEqual(lib.fromHex("0x00 ff\n10"), Uint8Array.from([0, 255, 16]));
    assert.equal(lib.fromHex("0"), null);
    assert.equal(lib.fromHex("zz"), null);
    assert.equal(lib.preview("a\n\tb\u0001"), "a b·");
    assert.equal(lib.preview({ base64: Buffer.from([0, 255]).toString("base64") }), "0x00ff");
    assert.equal(lib.textOf(Uint8Array.from([0xff])), null);
    assert.equal(lib.exactTime(1795430930970983001n), "2026-11-23T10:48:50.970983001Z");
});

/** Answers requests for as long as the test runs; gives what was asked for. */
function answering(t, answer) {
    const asked = [], real = globalThis.fetch;
    t.after(() => (globalThis.fetch = real));
    globalThis.fetch = async (path, init) => {
        asked.push({ path, ...init, headers: new Headers(init.headers) }); // a header that cannot be sent throws here, as in fetch
        return answer(path);
    };
    return asked;
}

test("a key of any letters is sent as its UTF-8, and a limit with all its digits", async (t) => {
    const asked = answering(t, () => new Response("1", { headers: { "Theater-Sequence": "3" } }));
    const answer = await lib.api.send("counter", new Uint8Array(), "ключ 1");
    assert.equal(answer.sequence, 3);
    assert.equal(Buffer.from(asked[0].headers.get("Idempotency-Key"), "latin1").toString(), "ключ 1");
    await lib.api.start({ name: "a", limits: { fuel: 18446744073709551615n, state: 9007199254740993n } });
    assert.deepEqual(JSON.stringify(lib.parseJson(asked[1].body), (_, value) => (typeof value === "bigint" ? `${value}` : value)),
        '{"name":"a","limits":{"fuel":"18446744073709551615","state":"9007199254740993"}}');
});

test("rows whose pages end early, because the elements are large, are all fetched", async (t) => {
    const element = (sequence) => ({ sequence, hash: "", type: "transition", timestamp: 0, input: "", output: "", cause: null, principal: null, state_before: "", state_after: "", state_size: 0, fuel: 0 });
    const asked = answering(t, (path) => {
        assert.ok(asked.length < 50, "it asks for the same again and again");
        const from = Number(new URL(path, "http://here").searchParams.get("from"));
        return new Response(JSON.stringify({ elements: [0, 1, 2].map((i) => element(from + i)), next: from + 3 }));
    });
    const chain = new lib.ChainWindow("large");
    t.after(() => chain.close());
    chain.need(28, 38);
    chain.grow(60);
    await new Promise((resolve) => {
        const look = () => (Array.from({ length: 11 }, (_, i) => chain.row(28 + i)).every(Boolean) || chain.error.value ? resolve() : setTimeout(look, 5));
        look();
    });
    assert.equal(chain.error.value, null);
});

test("elements that were looked at are kept up to so many bytes", async (t) => {
    const large = "x".repeat(12 * 1024 * 1024);
    const asked = answering(t, (path) => new Response(/\/elements\/\d+$/.test(path) ? JSON.stringify({ type: "transition", input: large, output: "" }) : new Uint8Array([0x80])));
    const requests = async (sequence) => {
        const before = asked.length;
        await lib.loadElement("large", "g", sequence);
        return asked.length - before;
    };
    assert.deepEqual([await requests(1), await requests(2), await requests(2), await requests(3), await requests(3), await requests(1)], [3, 3, 0, 3, 0, 3]);
});

/** What a server says of an element that is encoded so: all that its bytes say. */
function documentOf(encoding, hash, input) {
    const { input: _input, effects: _effects, stateBefore, stateAfter, stateSize, version: _version, cause, id, output: _output, ...rest } = lib.decodeElement(encoding);
    const kinds = { message: "message", answer: "reply", undelivered: "notice" };
    return {
        ...rest, hash, input, output: null, state_before: stateBefore, state_after: stateAfter, state_size: stateSize,
        cause: cause && { ...cause, kind: kinds[cause.kind] }, id: id && Buffer.from(id).toString(),
    };
}

test("an element whose cause or key is shown otherwise than it is encoded has a fault", async () => {
    const { chain } = JSON.parse(readFileSync(join(APP, "../../../../tests/vectors/vectors.json"), "utf8"));
    let versions = 0;
    const faults = async (sequence, change) => {
        const recorded = chain[sequence], bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
        const shown = documentOf(bytes(recorded.element), recorded.hash, Buffer.from(recorded.input, "hex").toString());
        change(shown);
        const parts = { encoding: recorded.element, effects: recorded.effects, output: recorded.output, input: recorded.input };
        globalThis.fetch = async (path) => {
            const part = parts[path.split("/").pop()];
            return new Response(part === undefined ? lib.formatJson(shown) : bytes(part));
        };
        return (await lib.loadElement("counter", `${versions++}`, sequence)).faults;
    };
    const cause = ["the cause shown is not the one in its encoding"], key = ["the key shown is not the one in its encoding"];
    assert.deepEqual(await faults(1, () => {}), []);
    assert.deepEqual(await faults(1, (shown) => (shown.id = "order-8")), key);
    assert.deepEqual(await faults(1, (shown) => (shown.id = null)), key);
    assert.deepEqual(await faults(4, () => {}), []);
    assert.deepEqual(await faults(4, (shown) => shown.cause.sequence++), cause);
    assert.deepEqual(await faults(4, (shown) => (shown.cause.hash = chain[0].hash)), cause);
    assert.deepEqual(await faults(4, (shown) => (shown.cause.failed = !shown.cause.failed)), cause);
    assert.deepEqual(await faults(4, (shown) => (shown.cause.kind = "message")), cause);
    assert.deepEqual(await faults(5, () => {}), []);
    assert.deepEqual(await faults(5, (shown) => (shown.cause.sequence = 3)), cause);
});
