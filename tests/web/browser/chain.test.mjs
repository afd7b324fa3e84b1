// The chain explorer: a long chain that scrolls at once, filters, the live tail, one element with all that it says.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Browser, done, frameGaps, Server, shot, until, wentOn } from "./support.mjs";

const LONG = 100_000;

let server, browser;
before(async () => {
    server = await Server.start();
    browser = await Browser.start();
    await server.start("counter");
    await server.sendLines("counter", Array.from({ length: LONG }, (_, i) => (i % 5000 === 4999 ? `odd ${i}` : i === 70_123 ? "add 777000" : "inc")));
    await server.start("pong");
    await server.start("ping", "pong");
    await server.send("ping", "play 2");
    await until(async () => (await server.request("POST", "/v1/actors/ping/query", "score")).text.includes("idle"), "the game ends");
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

const list = (page) => page.getByRole("list", { name: /^Chain of/ });
/** The sequences in view that have come. */
const seen = (page) => page.evaluate(() => {
    const box = document.querySelector(".chain-list .virtual")?.getBoundingClientRect();
    return !box ? [] : [...document.querySelectorAll(".virtual-rows .chain-row:not(.waiting)")].filter((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return bottom > box.top && top < box.bottom;
    }).map((row) => Number(row.id.slice("element-".length)));
});
const shows = (page, sequence) => until(async () => (await seen(page)).includes(sequence), `element ${sequence} is in view`);

test("a chain of 100,000 elements opens at its end, and scrolls without freezing", async () => {
    const page = await browser.open(server, "#/actors/counter");
    await shows(page, LONG);
    const rows = await page.locator(".virtual-rows .chain-row").count();
    assert.ok(rows < 80, `${rows} rows are there`);
    const gaps = await frameGaps(page);
    const box = await list(page).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    for (let i = 0; i < 60; i++) {
        await page.mouse.wheel(0, i < 30 ? -900 : 700);
        await page.waitForTimeout(16);
    }
    // As with the bar: far away, and many places on the way.
    for (const share of [0.1, 0.9, 0.3, 0.75, 0.5]) {
        await list(page).evaluate((element, at) => (element.scrollTop = at * (element.scrollHeight - element.clientHeight)), share);
        await page.waitForTimeout(60);
    }
    await shows(page, LONG / 2);
    await list(page).evaluate((element) => (element.scrollTop = 0));
    await shows(page, 0);
    const drawn = await gaps();
    console.log(`scrolling ${LONG} elements: longest gap between frames ${drawn.longest.toFixed(0)} ms, longest task ${drawn.task.toFixed(0)} ms, ${drawn.frames} frames`);
    wentOn(drawn, 400);
    await done(page);
});

test("rows above what a browser can lay out are reached, too", async () => {
    // The rows of 100,000 elements fit the page; how it maps more than that is tried with a chain that says it is longer.
    server.tamper = (path, bytes) => {
        if (/^\/v1\/actors\/counter$/.test(path))
            return Buffer.from(JSON.stringify({ ...JSON.parse(bytes), elements: 3_000_000 }));
        const asked = /^\/v1\/actors\/counter\/elements\?from=(\d+)&limit=(\d+)/.exec(path);
        if (!asked)
            return null;
        const elements = Array.from({ length: Number(asked[2]) }, (_, i) => ({
            sequence: Number(asked[1]) + i, hash: "ab".repeat(32), previous: "cd".repeat(32), type: "transition", timestamp: 1700000000000000000, input: "inc",
            output: String(Number(asked[1]) + i), state_before: "00".repeat(32), state_after: "11".repeat(32), state_size: 8, fuel: 9, cause: null, principal: null, id: null,
        }));
        return Buffer.from(JSON.stringify({ elements, next: null }));
    };
    try {
        const page = await browser.open(server, "#/actors/counter");
        await shows(page, 2_999_999);
        await page.keyboard.press("f");
        await page.keyboard.press(":");
        await page.keyboard.type("1234567");
        await page.keyboard.press("Enter");
        await shows(page, 1_234_567);
        // Small steps move by pixels, wherever one is.
        const first = (await seen(page))[1];
        const box = await page.locator(".chain-list .virtual").boundingBox();
        await page.mouse.move(box.x + 50, box.y + 200);
        await page.mouse.wheel(0, 340);
        await until(async () => (await seen(page))[1] === first + 10, "ten rows further");
        await page.waitForTimeout(400);
        assert.equal((await seen(page))[1], first + 10, "it jumped when it came to rest");
        await page.keyboard.press("Home");
        await shows(page, 0);
        await page.keyboard.press("End");
        await shows(page, 2_999_999);
        await page.context().close();
    } finally {
        server.tamper = null;
    }
});

test("elements are chosen and stepped through with keys, and have addresses", async () => {
    const page = await browser.open(server, "#/actors/counter");
    await shows(page, LONG);
    await page.keyboard.press(":");
    await page.keyboard.type("50000");
    await page.keyboard.press("Enter");
    const panel = (sequence) => page.getByRole("complementary", { name: `Element ${sequence} of counter` });
    await panel(50_000).waitFor();
    await page.waitForURL(/#\/actors\/counter\/50000$/);
    for (const key of ["j", "]", "ArrowDown", "k"])
        await page.keyboard.press(key);
    await panel(50_002).waitFor();
    await page.keyboard.press("[");
    await panel(50_001).waitFor();
    await page.keyboard.press("s");
    await page.getByRole("heading", { name: "State after 50 001" }).waitFor();
    await page.keyboard.press("c");
    await panel(50_001).waitFor();
    await shows(page, 50_001);
    await page.keyboard.press("Home");
    await panel(0).waitFor();
    await page.keyboard.press("End");
    await panel(LONG).waitFor();
    await page.keyboard.press("Escape");
    await panel(LONG).waitFor({ state: "detached" });
    await page.goto(`${server.url}#/actors/counter/77`);
    await panel(77).waitFor();
    await shows(page, 77);
    await done(page);
});

test("rows that the server refused for a while come by themselves", async () => {
    const page = await browser.open(server, "#/actors/counter");
    await shows(page, LONG);
    const rows = /\/v1\/actors\/counter\/elements\?/;
    await page.route(rows, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"title":"busy","detail":"too much to do"}' }));
    await list(page).evaluate((element) => (element.scrollTop = 0));
    await page.locator(".chain-list").getByRole("alert").getByText("too much to do").waitFor();
    await page.unroute(rows);
    await shows(page, 0);
    await page.locator(".chain-list").getByRole("alert").waitFor({ state: "detached" });
    await done(page);
});

test("a filter by text and type is searched on the server, through the whole chain", async () => {
    const page = await browser.open(server, "#/actors/counter");
    await shows(page, LONG);
    await page.keyboard.press("/");
    await page.keyboard.type("ADD 777");
    await page.locator(".chain-row", { hasText: "add 777000" }).waitFor();
    await page.getByText("the whole chain was searched").waitFor();
    await page.getByText("1 hit", { exact: true }).waitFor();
    await shot(page, "chain-search");
    await page.keyboard.press("Escape"); // out of the field
    await page.keyboard.press("Escape");
    await shows(page, LONG);
    assert.equal(await page.getByLabel("Search for text").inputValue(), "", "the field says what is not searched for any more");
    await page.getByLabel("Type", { exact: true }).selectOption("rejection");
    await page.getByText("20 hits").waitFor();
    assert.equal((await seen(page))[0], LONG, "the newest comes first");
    await page.getByRole("radio", { name: "Oldest first" }).click();
    await shows(page, 5000);
    assert.equal((await seen(page))[0], 5000);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.getByRole("complementary", { name: "Element 10000 of counter" }).waitFor();
    await page.getByText("Rejected: refused by the actor").waitFor();
    await done(page);
});

test("a filter by principal shows what came with one token", async () => {
    const own = await Server.start();
    try {
        await own.start("counter");
        const token = async (name) => {
            const made = spawnSync(process.env.THEATER_PROGRAM, ["--data", join(own.folder, "data"), "token", "new", name], { encoding: "utf8" });
            assert.equal(made.status, 0, made.stderr);
            const Authorization = `Bearer ${made.stdout.trim()}`;
            await until(async () => (await own.request("GET", "/v1/actors", undefined, { Authorization })).status === 200, "the server knows the token");
            return made.stdout.trim();
        };
        const post = async (input, secret) => {
            const reply = await own.request("POST", "/v1/actors/counter/messages", input, secret ? { Authorization: `Bearer ${secret}` } : {});
            assert.equal(reply.status, 200, reply.text);
            return Number(reply.text);
        };
        const [anna, bert] = [await token("anna"), await token("bert")];
        for (const [input, secret] of [["add 1"], ["add 2", anna], ["add 3", bert], ["add 4", anna]])
            await post(input, secret);
        const { principal } = JSON.parse((await own.request("GET", "/v1/actors/counter/elements/2")).text);
        assert.ok(principal);
        const page = await browser.open(own, "#/actors/counter");
        await shows(page, 4);
        await page.getByLabel("Principal").fill(principal);
        await page.getByText("2 hits", { exact: true }).waitFor();
        assert.deepEqual((await seen(page)).sort(), [2, 4]);
        await page.getByLabel("Principal").fill("nobody");
        await page.getByText("0 hits", { exact: true }).or(page.getByText(/^(No element|Nothing)/)).first().waitFor();
        await done(page);
    } finally {
        await own.stop();
    }
});

test("the end of the chain is followed as it grows, and left alone when one has scrolled away", async () => {
    const page = await browser.open(server, "#/actors/counter");
    await shows(page, LONG);
    // The count that is asked for now and then stands still here: what comes, comes by events.
    server.tamper = (path, bytes) => (path === "/v1/actors/counter" ? Buffer.from(JSON.stringify({ ...JSON.parse(bytes), elements: LONG + 1 })) : null);
    try {
        await server.send("counter", "inc", "inc", "inc");
        await shows(page, LONG + 3);
    } finally {
        server.tamper = null;
    }
    const gaps = await frameGaps(page);
    await server.sendLines("counter", Array(30_000).fill("inc"));
    await shows(page, LONG + 30_003);
    const drawn = await gaps();
    console.log(`following 30,000 elements in one go: longest gap between frames ${drawn.longest.toFixed(0)} ms, longest task ${drawn.task.toFixed(0)} ms`);
    wentOn(drawn, 600);
    await list(page).evaluate((element) => (element.scrollTop = 0));
    await shows(page, 0);
    await server.send("counter", "inc");
    await page.waitForTimeout(700);
    assert.ok((await seen(page)).includes(0), "it went to the end by itself");
    await page.keyboard.press("f");
    await shows(page, LONG + 30_004);
    await done(page);
});

test("an element leads to its cause and its consequences in the other chain", async () => {
    const page = await browser.open(server, "#/actors/ping/1");
    const panel = (name, sequence) => page.getByRole("complementary", { name: `Element ${sequence} of ${name}` });
    await panel("ping", 1).getByText("request", { exact: true }).waitFor();
    await panel("ping", 1).getByRole("region", { name: "Causes and consequences" }).getByRole("link", { name: "pong 1" }).click();
    await panel("pong", 1).getByText("ping 1", { exact: false }).first().waitFor();
    await panel("pong", 1).getByRole("link", { name: "ping 1" }).first().click();
    await panel("ping", 1).waitFor();
    await done(page);
});

test("payloads are shown as text, JSON, CBOR and hex, and can be copied", async () => {
    const page = await browser.open(server, "#/actors/ping/1");
    const input = page.getByRole("region", { name: "Input", exact: true });
    await input.getByText("play 2").waitFor();
    await input.getByRole("radio", { name: "Hex" }).click();
    await input.getByText("70 6c 61 79 20 32").waitFor();
    await input.getByRole("radio", { name: "JSON" }).click();
    await input.getByText("These bytes are no JSON.").waitFor();
    await input.getByRole("radio", { name: "Text" }).click();
    await input.getByRole("button", { name: "Copy the input" }).click();
    await until(async () => (await page.evaluate(() => navigator.clipboard.readText())) === "play 2", "the input is copied");
    await page.goto(`${server.url}#/actors/ping/0`);
    const descriptor = page.getByRole("region", { name: "Descriptor" });
    await descriptor.getByText("wasmtime-48").waitFor();
    const hash = JSON.parse((await server.request("GET", "/v1/actors/ping/elements/0")).text).hash;
    await page.getByRole("button", { name: "Copy element hash" }).click();
    await until(async () => (await page.evaluate(() => navigator.clipboard.readText())) === hash, "the hash is copied");
    await done(page);
});

test("the page says when the server goes away, and goes on when it is back", async () => {
    const page = await browser.open(server, "#/actors/ping");
    await shows(page, 0);
    server.down = true;
    server.front.closeAllConnections();
    await page.getByText("The server does not answer").waitFor();
    server.down = false;
    await page.getByText("The server does not answer").waitFor({ state: "detached" });
    const before = JSON.parse((await server.request("GET", "/v1/actors/ping")).text).elements;
    await server.send("ping", "score");
    await shows(page, before);
    await page.context().close();
});
