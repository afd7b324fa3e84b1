// Every view: that it is there, says what is so, is usable from the keyboard and by readers of the screen, in light and dark.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, Browser, done, Server, shot, until } from "./support.mjs";

let server, browser;
before(async () => {
    server = await Server.start();
    browser = await Browser.start();
    await server.start("counter");
    await server.start("pong");
    await server.start("ping", "pong");
    await server.start("ledger", '{"Ccy":"EUR","Supply":"100000000.00"}');
    await server.send("counter", "inc", "add 41", "what", "get");
    await server.send("ping", "play 3");
    await server.send("ledger", '{"Open":{"IBAN":"DE89370400440532013000","Amt":"100.00"}}', '{"Totals":{}}');
    await until(async () => (await server.request("POST", "/v1/actors/ping/query", "score")).text.includes("idle"), "the game ends");
    await server.request("POST", "/v1/actors/counter/checkpoints");
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

const VIEWS = {
    "actors": ["#/actors", "Actors"],
    "start": ["#/start", "Start an actor"],
    "components": ["#/components", "Components"],
    "performance": ["#/performance", "Performance"],
    "verify-file": ["#/verify", "Verify a file"],
    "chain": ["#/actors/counter", "counter"],
    "element": ["#/actors/ping/2", "ping"],
    "rejection": ["#/actors/counter/3", "counter"],
    "state": ["#/actors/ledger/state/1", "ledger"],
    "send": ["#/actors/counter/send", "counter"],
    "verify": ["#/actors/counter/verify", "counter"],
    "about": ["#/actors/counter/about", "counter"],
};

for (const [name, [place, heading]] of Object.entries(VIEWS)) {
    test(`${name} is shown and accessible, in light and dark`, async () => {
        const page = await browser.open(server, place);
        await page.getByRole("heading", { level: 1, name: heading }).waitFor();
        if (name === "performance")
            await page.locator("figure").first().waitFor();
        await page.locator(".loading").waitFor({ state: "detached" });
        await page.waitForTimeout(200);
        await shot(page, `${name}-light`);
        await accessible(page, name);
        await page.emulateMedia({ colorScheme: "dark" });
        await page.waitForTimeout(150);
        await shot(page, `${name}-dark`);
        await accessible(page, `${name}, dark`, ["color-contrast"]);
        await done(page);
    });
}

for (const name of ["actors", "chain", "element", "state", "send", "verify", "performance", "start"]) {
    test(`${name} fits a narrow window`, async () => {
        const page = await browser.open(server, VIEWS[name][0], { width: 400, height: 780 });
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForTimeout(300);
        await shot(page, `${name}-narrow`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${wide} pixels stick out`);
        await done(page);
    });
}

for (const name of ["actors", "chain", "element", "rejection", "state", "send", "verify", "about", "start", "performance"]) {
    test(`${name} can be read without scrolling sideways at 320 pixels`, async () => {
        const page = await browser.open(server, VIEWS[name][0], { width: 320, height: 640 });
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.locator(".loading").waitFor({ state: "detached" });
        if (name === "element" || name === "rejection")
            await page.getByRole("region", { name: "Hashes" }).waitFor();
        await shot(page, `${name}-320`);
        // What is wide by its nature (bytes in hex, tables, commands) scrolls in a box of its own.
        const wide = await page.evaluate(() => [...document.querySelectorAll("html, body, main, .actor-head, .panel, .panel-head, .panel-body, .toolbar, .page, .card, .payload, .payload > header, .stepper, .debugger-main, .debugger-side, .send, .verify, .about")]
            .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
            .map((element) => `${element.tagName}.${element.className} ${element.scrollWidth} in ${element.clientWidth}`));
        assert.deepEqual(wide, []);
        await done(page);
    });
}

test("on a phone a component can be uploaded and an actor started from one", async () => {
    const page = await browser.open(server, "#/components", { width: 390, height: 780 });
    await page.locator("tbody tr").first().waitFor();
    await shot(page, "components-narrow");
    const words = await page.locator(".dropzone > div").boundingBox();
    assert.ok(words.width > 150, `the words are ${words.width} pixels wide`);
    const start = await page.getByRole("button", { name: "Start an actor" }).first().boundingBox();
    const box = await page.locator(".table-box").boundingBox();
    assert.ok(start.x + start.width <= box.x + box.width, "the button is cut off");
    await done(page);
});

test("values that hold nothing are shown as that", async () => {
    const page = await browser.open(server, "#/actors/ledger/2");
    const input = page.getByRole("region", { name: "Input", exact: true }).locator(".tree");
    await input.waitFor();
    assert.equal(await input.textContent(), "Totals{}");
    await done(page);
});

test("an empty server says what an actor is and how to begin", async () => {
    const fresh = await Server.start();
    try {
        const page = await browser.open(fresh, "");
        await page.getByText("No actors yet").waitFor();
        await page.getByText("theater new hello").waitFor();
        await shot(page, "empty");
        await accessible(page, "an empty list");
        await fresh.start("counter"); // it appears by itself
        await page.getByRole("link", { name: "counter" }).first().waitFor();
        await done(page);
    } finally {
        await fresh.stop();
    }
});

test("the theme follows the system, and a switch overrides it for good", async () => {
    const page = await browser.open(server, "", { dark: false });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    assert.notEqual(light, dark);
    await page.keyboard.press("t");
    assert.equal(await ground(), light);
    await page.reload();
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await ground(), light);
    await page.getByRole("button", { name: "Switch to dark" }).click();
    assert.equal(await ground(), dark);
    await done(page);
});

/** Keys that belong together come one behind the other, however busy the machine is: the second is only waited for a moment. */
const presses = (page, ...keys) => page.evaluate(async (all) => {
    for (const key of all) {
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        await new Promise((resolve) => setTimeout(resolve));
    }
}, keys);

test("the keys are listed, move between views and through the list of actors", async () => {
    const page = await browser.open(server);
    await page.getByRole("link", { name: "counter" }).first().waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await accessible(page, "help");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await presses(page, "g", "p");
    await page.getByRole("heading", { name: "Performance" }).waitFor();
    await presses(page, "g", "a");
    await page.getByRole("link", { name: "counter" }).first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("ping");
    await until(async () => (await page.locator("tbody tr").count()) === 1, "one actor is found");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await until(async () => (await page.locator("tbody tr").count()) === 4, "all actors are there again");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    assert.equal(await page.locator("tr.chosen th a").textContent(), "ping");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "pong" }).waitFor();
    for (const [key, tab] of [["2", "State"], ["3", "Send"], ["4", "Verify"], ["5", "About"], ["1", "Chain"]]) {
        await page.keyboard.press(key);
        await page.locator(".tabs a[aria-current=page]", { hasText: tab }).waitFor();
    }
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { level: 1, name: "Actors" }).waitFor();
    await done(page);
});

test("an actor is started from a file, stopped, resumed and removed", async () => {
    const page = await browser.open(server, "#/start");
    const file = join(process.env.THEATER_ACTORS, "counter.wasm");
    await page.locator("input[type=file]").first().setInputFiles({ name: "tally.wasm", mimeType: "application/wasm", buffer: readFileSync(file) });
    await until(async () => (await page.getByLabel("Name").inputValue()) === "tally", "the name is proposed");
    await page.getByLabel("Name").fill("Not a name");
    await page.getByText("A name is made of").waitFor();
    assert.ok(await page.getByRole("button", { name: "Start", exact: true }).isDisabled());
    await page.getByLabel("Name").fill("tally.two");
    await page.getByLabel("Configuration", { exact: true }).fill('{"start":7}');
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "tally.two" }).waitFor();
    assert.equal((await server.request("POST", "/v1/actors/tally.two/query", "get")).text, "7");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Stop it" }).click();
    await page.getByText("stopped", { exact: true }).first().waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("running", { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "About" }).click();
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.getByRole("heading", { level: 1, name: "Actors" }).waitFor();
    await done(page);
});

test("a failure is told in the server's words", async () => {
    const page = await browser.open(server, "#/start");
    await page.locator("input[type=file]").first().setInputFiles({ name: "no.wasm", mimeType: "application/wasm", buffer: Buffer.from("no component") });
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByRole("alert").getByText(/component/).first().waitFor();
    await page.goto(`${server.url}#/actors/nobody`);
    await page.getByText("There is no actor nobody").waitFor();
    await page.goto(`${server.url}#/actors/counter/999`);
    await page.getByRole("alert").getByText("has no element 999").waitFor();
    await page.goto(`${server.url}#/nowhere/at/all`);
    await page.getByText("There is nothing here").waitFor();
    await done(page);
});

test("components are uploaded and listed", async () => {
    const page = await browser.open(server, "#/components");
    await page.locator("tbody tr").first().waitFor();
    const earlier = await page.locator("tbody tr").count();
    await page.locator("input[type=file]").setInputFiles(join(process.env.THEATER_ACTORS, "order-book.wasm"));
    await until(async () => (await page.locator("tbody tr").count()) === earlier + 1, "the component is listed");
    await page.getByText("none", { exact: true }).waitFor();
    await done(page);
});

test("a message is sent by hand, with a key, as text, JSON and hex; a query leaves no trace", async () => {
    const page = await browser.open(server, "#/actors/counter/send");
    const field = page.getByLabel("Input", { exact: true });
    await field.fill("add 8");
    await page.getByRole("button", { name: "New" }).click();
    await field.focus();
    await page.keyboard.press("Control+Enter");
    await page.locator(".sent-body .bytes.text", { hasText: "50" }).waitFor();
    const elements = async () => JSON.parse((await server.request("GET", "/v1/actors/counter")).text).elements;
    const recorded = await elements();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("repeated", { exact: true }).waitFor();
    assert.equal(await elements(), recorded, "the same key ran twice");
    await page.getByLabel("Idempotency key").fill("");
    await page.getByRole("radio", { name: "Hex" }).first().click();
    await field.fill("67 65 7");
    await page.getByText("Hex is pairs").waitFor();
    await field.fill("67 65 74");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await until(async () => (await elements()) === recorded + 1, "the message is on the chain");
    await page.getByRole("radio", { name: "Ask without a trace" }).click();
    await page.getByRole("button", { name: "Ask", exact: true }).click();
    await page.locator(".sent").nth(3).waitFor();
    assert.equal(await elements(), recorded + 1, "a query was recorded");
    await page.getByRole("radio", { name: "Send a message" }).click();
    await page.getByRole("radio", { name: "Text" }).first().click();
    await field.fill("dance");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("Rejected: refused by the actor").waitFor();
    await shot(page, "sent");
    await done(page);
});

test("an answer that comes while one looks at something else is there when one comes back", async () => {
    const page = await browser.open(server, "#/actors/counter/send");
    let asked = false;
    server.held = (path) => path.endsWith("/counter/messages") && (asked = true);
    try {
        await page.getByLabel("Input", { exact: true }).fill("what is slow");
        await page.getByRole("button", { name: "Send", exact: true }).click();
        await until(() => asked, "the message is on its way");
        await page.getByRole("link", { name: "Chain", exact: true }).click();
        await page.getByRole("list", { name: /^Chain of/ }).waitFor();
        await page.getByRole("link", { name: "Send", exact: true }).click();
        await page.getByText("nothing yet").waitFor();
    } finally {
        server.held = () => false;
    }
    await page.locator(".sent", { hasText: "what is slow" }).locator(".badge", { hasText: "rejected" }).waitFor();
    await done(page);
});

test("a page that is opened in the background has loaded when one turns to it", async () => {
    const page = await browser.open(server, "#/actors/counter/2", { script: () => Object.defineProperty(document, "hidden", { get: () => true }) });
    await page.getByRole("complementary", { name: "Element 2 of counter" }).getByRole("region", { name: "Hashes" }).waitFor();
    await done(page);
});

test("where the browser may keep nothing, the page goes on without", async () => {
    const page = await browser.open(server, "", {
        script: () => ["localStorage", "sessionStorage"].forEach((name) => Object.defineProperty(globalThis, name, { get() { throw new DOMException("not here", "SecurityError"); } })),
    });
    await page.getByRole("link", { name: "counter" }).first().click();
    await page.getByRole("heading", { level: 1, name: "counter" }).waitFor();
    await page.keyboard.press("t");
    await page.getByRole("link", { name: "Verify", exact: true }).click();
    await page.getByRole("button", { name: "Remember the newest checkpoint" }).waitFor();
    await done(page);
});

test("a key that is held down for long arrives where it leads", async () => {
    const page = await browser.open(server, "#/actors/counter/state/0");
    const at = page.locator("#state-at");
    await at.waitFor();
    // A browser takes some 200 changes of the address in ten seconds.
    await presses(page, ...Array(300).fill(["]", "["]).flat(), "]", "]");
    await until(async () => (await at.inputValue()) === "2", "element 2 is shown");
    await page.waitForURL(/#\/actors\/counter\/state\/2$/);
    await page.goBack(); // it left no step behind
    await until(() => page.url() === "about:blank", "the page before this one");
    await page.context().close();
});

test("a text that turns the direction of writing turns only itself", async () => {
    await server.send("counter", "\u202eesrever ton si");
    const last = JSON.parse((await server.request("GET", "/v1/actors/counter")).text).elements - 1;
    const page = await browser.open(server, `#/actors/counter/${last}`);
    const row = page.locator(`#element-${last} .row-what`);
    await row.waitFor();
    const [input, arrow, output] = await row.evaluate((one) => [...one.children].map((part) => part.getBoundingClientRect().x));
    assert.ok(input < arrow && arrow < output, `${input}, ${arrow}, ${output}`);
    await done(page);
});

test("the charts follow what happens", async () => {
    const page = await browser.open(server, "#/performance");
    await page.getByRole("heading", { name: "Turns", exact: true }).waitFor();
    await server.sendLines("counter", Array(20_000).fill("inc"));
    const turns = page.locator("figure", { hasText: "Turns" }).first().locator("canvas");
    await until(async () => /turns (?!0,|0$|–)/.test(await turns.getAttribute("aria-label")), "the rate is not zero");
    await page.waitForTimeout(4500);
    await shot(page, "performance-busy");
    // Something was drawn, in a colour that is not the ground.
    const colours = await turns.evaluate((canvas) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const seen = new Set();
        for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
        return [...seen];
    });
    assert.ok(colours.length > 2, `drawn in ${colours.length} colours`);
    await done(page);
});
