// The state debugger: states in every form, what differs between two, steps, turns that run again, inputs that are only tried.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, Browser, done, FIXTURES, Server, shot, until } from "./support.mjs";

/** The CBOR of {"name": "anna", "balance": 12, 7: h'0102'}, with another balance. */
const cbor = (balance) => Buffer.concat([Buffer.from("a3646e616d6564616e6e616762616c616e6365", "hex"), Buffer.from([balance]), Buffer.from("07420102", "hex")]);
const large = (mark) => {
    const state = Buffer.alloc(40_000, 0x2e);
    state[100] = state[20_000] = mark;
    return state;
};

let server, browser;
before(async () => {
    server = await Server.start();
    browser = await Browser.start();
    // The new state of this one is its input, the output the state before.
    await server.start("notes", "", "set_state", FIXTURES);
    await server.send("notes",
        '{"users":{"anna":{"age":41},"bo":{"age":7}},"tags":["a","b","c"],"total":18446744073709551615}',
        '{"users":{"anna":{"age":42},"cy":{"age":9}},"tags":["a","x","b","c"],"total":18446744073709551614}',
        cbor(12), cbor(13),
        "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n", "one\ntwo\nthree\nfour\nFIVE\nsix\nseven\neight\nnine\nten\n",
        large(0x41), large(0x42), "!");
    await server.start("noisy", "", "log_then_trap", FIXTURES);
    await server.send("noisy", "oh dear");
    await server.start("counter");
    await server.send("counter", "inc", "inc", "add 5");
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

const difference = (page) => page.getByRole("region", { name: "Difference" }).first();
const state = (page) => page.getByRole("region", { name: "State", exact: true });
const after_ = (page, sequence) => page.getByRole("heading", { name: `State after ${sequence}`, exact: true }).waitFor();

test("JSON states are compared by value", async () => {
    const page = await browser.open(server, "#/actors/notes/state/2");
    await after_(page, 2);
    const changes = difference(page).locator(".changes li");
    await until(async () => (await changes.count()) > 0, "the changes are there");
    const texts = (await changes.allTextContents()).map((text) => text.replace(/\s+/g, " "));
    assert.deepEqual(texts.sort(), [
        "tags › 1\"x\"", "total18446744073709551615→18446744073709551614", "users › anna › age41→42", "users › bo{… 1}", "users › cy{… 1}"].sort());
    assert.equal(await difference(page).locator(".changes li.added").count(), 2);
    assert.equal(await difference(page).locator(".changes li.removed").count(), 1);
    await page.getByText("root checked").waitFor();
    await shot(page, "state-json");
    await accessible(page, "a difference");
    await done(page);
});

test("CBOR states are compared by value, and any state is shown in every form", async () => {
    const page = await browser.open(server, "#/actors/notes/state/4");
    await after_(page, 4);
    await difference(page).getByText("balance").waitFor();
    assert.equal((await difference(page).locator(".changes li").textContent()).replace(/\s+/g, ""), "balance12→13");
    await state(page).getByText('"anna"').waitFor();
    await state(page).getByText("h'0102'").waitFor();
    const form = page.getByRole("radiogroup", { name: "Form of the state" });
    await form.getByRole("radio", { name: "Hex" }).click();
    await state(page).getByText("a3 64 6e 61").waitFor();
    await form.getByRole("radio", { name: "JSON" }).click();
    await state(page).getByText("These bytes are no JSON.").waitFor();
    await done(page);
});

test("text is compared by line, bytes by chunk and row", async () => {
    const page = await browser.open(server, "#/actors/notes/state/6");
    await difference(page).locator(".line.removed", { hasText: "five" }).waitFor();
    assert.deepEqual(await difference(page).locator(".line.added .line-text").allTextContents(), ["FIVE", "ten"]);
    await page.goto(`${server.url}#/actors/notes/state/8`);
    await after_(page, 8);
    await page.getByRole("radio", { name: "Hex" }).first().click();
    await difference(page).getByText("2 rows of 16 bytes, in 2 of 10 chunks of the state tree").waitFor();
    assert.equal(await difference(page).getByRole("img").getAttribute("aria-label"), "Changed chunks: 0, 4");
    assert.deepEqual(await difference(page).locator(".hex-row.added mark").allTextContents(), ["42", "B", "42", "B"]);
    await shot(page, "state-bytes");
    await done(page);
});

test("one steps forward and back with keys, and compares with any other element", async () => {
    const page = await browser.open(server, "#/actors/counter/state/1");
    await after_(page, 1);
    await page.keyboard.press("]");
    await page.keyboard.press("]");
    await after_(page, 3);
    await page.getByText("add 5").first().waitFor();
    await page.keyboard.press("[");
    await after_(page, 2);
    await page.keyboard.press("Home");
    await after_(page, 0);
    await page.keyboard.press("End");
    await after_(page, 3);
    await page.getByRole("radio", { name: "With another" }).click();
    await page.getByLabel("Compare with the state after element").fill("0");
    await page.keyboard.press("Enter");
    await difference(page).getByText("from after 0 to after 3").waitFor();
    assert.deepEqual(await difference(page).locator(".hex-row.added mark").first().textContent(), "07");
    await page.waitForURL(/with=0/);
    await page.getByRole("radio", { name: "Alone" }).click();
    await difference(page).waitFor({ state: "detached" });
    await done(page);
});

test("bytes are seen whole: a few without a scroll bar, and on a phone by scrolling sideways", async () => {
    const page = await browser.open(server, "#/actors/counter/state/3", { width: 390 });
    const box = state(page).locator(".bytes.hex");
    await box.waitFor();
    assert.equal(await box.locator(".virtual").evaluate((list) => list.scrollHeight - list.clientHeight), 0);
    await box.evaluate((one) => (one.scrollLeft = one.scrollWidth));
    const inside = await box.evaluate((one) => {
        const text = one.querySelector(".hex-text").getBoundingClientRect(), seen = one.getBoundingClientRect();
        return text.left >= seen.left && text.left + 50 <= seen.right;
    });
    assert.ok(inside, "the text beside the bytes is cut off");
    await done(page);
});

test("an element that changed nothing says so", async () => {
    const page = await browser.open(server, "#/actors/notes/state/9");
    await difference(page).getByText("Nothing changed.").waitFor();
    await page.getByText("invalid state").first().waitFor();
    await done(page);
});

test("a turn runs again: outcome, fuel, log lines, and that it is what the chain says", async () => {
    const page = await browser.open(server, "#/actors/noisy/state/1");
    await page.getByRole("button", { name: "Run this turn" }).waitFor();
    await page.keyboard.press("r");
    await page.getByText("It comes out as recorded").waitFor();
    const log = page.getByRole("region", { name: "Log", exact: true });
    for (const level of ["trace", "debug", "info", "warn", "error"])
        await log.getByText(level, { exact: true }).waitFor();
    await page.getByText("unreachable").first().waitFor();
    await shot(page, "rerun");
    await page.goto(`${server.url}#/actors/counter/3`);
    await page.getByRole("complementary", { name: "Element 3 of counter" }).getByRole("button", { name: "Run this turn" }).waitFor();
    await page.keyboard.press("r");
    await page.getByText("It comes out as recorded").waitFor();
    await done(page);
});

test("an input is tried on an old state, and nothing is recorded", async () => {
    const page = await browser.open(server, "#/actors/counter/state/1");
    const field = page.getByLabel("Input to try", { exact: true });
    await field.fill("add 41");
    await field.press("Control+Enter");
    const tried = page.getByRole("region", { name: "Try an input" });
    await tried.getByRole("region", { name: "Output" }).getByText("42").waitFor();
    await tried.getByText("from after 1 to after this input").waitFor();
    await page.getByRole("button", { name: "Forward" }).click();
    await after_(page, 2);
    await page.getByRole("button", { name: "Try it" }).click();
    await tried.getByRole("region", { name: "Output" }).getByText("43").waitFor();
    await field.fill("dance");
    await field.press("Control+Enter");
    await tried.getByText("Rejected: refused by the actor").waitFor();
    assert.equal(JSON.parse((await server.request("GET", "/v1/actors/counter")).text).elements, 4);
    await shot(page, "try");
    await done(page);
});

test("a state that is not the chain's is named", async () => {
    server.tamper = (path, bytes) => (path.endsWith("/elements/3/state") ? Buffer.from(bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))) : null);
    try {
        const page = await browser.open(server, "#/actors/counter/state/3");
        await page.getByText("not the state of the chain").waitFor();
        await page.keyboard.press("[");
        await page.getByText("root checked").waitFor();
        await done(page);
    } finally {
        server.tamper = null;
    }
});
