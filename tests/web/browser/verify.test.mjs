// Verification in the browser: a chain of 100,000 elements without freezing, and servers, files and elements that lie.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, Browser, done, frameGaps, Server, shot, until, wentOn } from "./support.mjs";

const LONG = 100_000;

let server, browser, bundle;
before(async () => {
    server = await Server.start();
    browser = await Browser.start();
    await server.start("counter");
    await server.sendLines("counter", Array(LONG).fill("inc"));
    await server.start("cart", "", "counter");
    await server.sendLines("cart", Array.from({ length: 40 }, (_, i) => `add ${1_000_000 + i}`));
    await server.request("POST", "/v1/actors/counter/checkpoints");
    await server.request("POST", "/v1/actors/cart/checkpoints");
    bundle = (await server.request("GET", "/v1/actors/cart/bundle")).bytes;
});
after(async () => {
    await browser?.close();
    await server?.stop();
});

const report = (page) => page.getByRole("region", { name: "Report" });

/** The bundle with a digit of the input of element `n + 1` changed. */
function changed(bytes, n) {
    const at = bytes.indexOf(`add ${1_000_000 + n}`);
    assert.ok(at > 0);
    const other = Buffer.from(bytes);
    other[at + 4] ^= 1;
    return other;
}

test("100,000 elements are verified without freezing the page", async () => {
    const page = await browser.open(server, "#/actors/counter/verify");
    await page.getByRole("button", { name: /^Verify 100/ }).waitFor();
    const gaps = await frameGaps(page);
    const began = Date.now();
    await page.getByRole("button", { name: /^Verify 100/ }).click();
    await report(page).getByRole("heading", { name: "Verified" }).waitFor({ timeout: 60_000 });
    const drawn = await gaps();
    console.log(`verifying ${LONG} elements: ${((Date.now() - began) / 1000).toFixed(1)} s, longest gap between frames ${drawn.longest.toFixed(0)} ms, longest task ${drawn.task.toFixed(0)} ms`);
    wentOn(drawn, 400);
    await report(page).getByText("300 003").waitFor();
    await report(page).getByText("links: each sequence").waitFor();
    await report(page).getByText("Not checked").waitFor();
    await shot(page, "verified-light");
    await accessible(page, "a report");
    await page.emulateMedia({ colorScheme: "dark" });
    await shot(page, "verified-dark");
    await done(page);
});

test("a verification is cancelled at once, and can begin again", async () => {
    const page = await browser.open(server, "#/actors/counter/verify");
    await page.getByRole("button", { name: /^Verify 100/ }).waitFor();
    server.held = (path) => path.endsWith("/counter/bundle");
    try {
        await page.keyboard.press("v");
        await page.getByRole("region", { name: "Progress" }).getByText(/^[1-9].* elements$/).waitFor(); // half of them
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
    } finally {
        server.held = () => false;
    }
    await page.keyboard.press("v");
    await report(page).getByRole("heading", { name: "Verified" }).waitFor({ timeout: 60_000 });
    await done(page);
});

test("a verification that takes the place of another is shown, and can be cancelled", async () => {
    const page = await browser.open(server, "#/actors/cart/verify");
    await page.getByRole("button", { name: "Verify 41 elements" }).waitFor();
    let begun = 0;
    server.held = (path) => path.endsWith("/cart/bundle") && ++begun > 0;
    try {
        await page.keyboard.press("v");
        await until(() => begun > 0, "the first has begun");
        const earlier = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/cart/bundle"));
        await page.keyboard.press("v");
        await earlier;
        await page.getByRole("button", { name: "Cancel" }).click();
        await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
        assert.equal(await report(page).count(), 0);
    } finally {
        server.held = () => false;
    }
    await done(page);
});

test("a server that changes an element in the bundle is found out, and the element named", async () => {
    server.tamper = (path, bytes) => (path.endsWith("/cart/bundle") ? changed(bytes, 20) : null);
    try {
        const page = await browser.open(server, "#/actors/cart/verify");
        await page.getByRole("button", { name: "Verify 41 elements" }).waitFor();
        await page.keyboard.press("v");
        await report(page).getByRole("heading", { name: "Not verified" }).waitFor();
        await report(page).getByText(/element 21 of actor cart/).first().waitFor();
        await shot(page, "tampered");
        await accessible(page, "a fault");
        await report(page).getByRole("link", { name: "element 21" }).click();
        await page.getByRole("complementary", { name: "Element 21 of cart" }).waitFor();
        await done(page);
    } finally {
        server.tamper = null;
    }
});

test("an element that is shown otherwise than it is on the chain is named", async () => {
    const lies = [
        [(path, text) => path.endsWith("/cart/elements/7") && text.replace("add 1000006", "add 1000007"), "the input does not have its hash"],
        [(path, text) => path.endsWith("/cart/elements/7") && text.replace(/"fuel":\d+/, '"fuel":1'), "the fuel shown is not the one in its encoding"],
        [(path, text) => path.endsWith("/cart/elements/7") && text.replace(/"hash":"(.)/, (_, digit) => `"hash":"${digit === "0" ? "1" : "0"}`), "its encoding does not have the element hash"],
    ];
    for (const [lie, fault] of lies) {
        server.tamper = (path, bytes) => {
            const truth = bytes.toString("latin1");
            const told = lie(path, truth);
            assert.notEqual(told, truth, "a lie that is the truth");
            return told ? Buffer.from(told, "latin1") : null;
        };
        try {
            const page = await browser.open(server, "#/actors/cart/7");
            await page.getByRole("alert").getByText("This is not the element that the chain has").waitFor();
            await page.getByText(fault).waitFor();
            await shot(page, "tampered-element");
            await done(page);
        } finally {
            server.tamper = null;
        }
    }
    const page = await browser.open(server, "#/actors/cart/7");
    await page.getByText("matches", { exact: true }).waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    await done(page);
});

test("the proof of one element is checked, and a wrong one refused", async () => {
    const page = await browser.open(server, "#/actors/counter/777");
    await page.getByRole("button", { name: "Check its proof" }).waitFor();
    await page.keyboard.press("v");
    await page.locator(".inclusion .notice.good").waitFor();
    server.tamper = (path, bytes) => (path.endsWith("/elements/778/proof") ? Buffer.from(bytes.toString().replace("index 778", "index 779")) : null);
    try {
        await page.keyboard.press("]");
        await page.getByRole("complementary", { name: "Element 778 of counter" }).waitFor();
        await page.locator(".inclusion .notice").waitFor({ state: "detached" });
        await page.keyboard.press("v");
        await page.locator(".inclusion .notice.bad").waitFor();
    } finally {
        server.tamper = null;
    }
    await done(page);
});

test("a bundle that somebody gave is verified without the server, with a key of one's own", async () => {
    const page = await browser.open(server, "#/verify");
    const choose = (bytes) => page.locator("input[type=file]").setInputFiles({ name: "cart.bundle", mimeType: "application/octet-stream", buffer: bytes });
    await choose(bundle);
    await report(page).getByRole("heading", { name: "Verified" }).waitFor();
    await page.setViewportSize({ width: 390, height: 800 });
    await shot(page, "verified-narrow");
    const text = await report(page).locator(".verdict p").first().boundingBox();
    assert.ok(text.width > 200, `the verdict is ${text.width} pixels wide`);
    await page.setViewportSize({ width: 1360, height: 860 });
    await choose(changed(bundle, 33));
    await report(page).getByText(/element 34 of actor cart/).first().waitFor();
    await choose(Buffer.from("this is no bundle"));
    await report(page).getByRole("heading", { name: "Not verified" }).waitFor();
    const key = (await server.request("GET", "/v1/actors/cart/key")).text.trim();
    await page.getByLabel("Verifier keys").fill(key);
    await choose(bundle);
    await report(page).getByRole("heading", { name: "Verified" }).waitFor();
    await page.getByLabel("Verifier keys").fill((await server.request("GET", "/v1/actors/counter/key")).text.trim());
    await page.getByRole("button", { name: "Verify it again" }).click();
    await report(page).getByRole("heading", { name: "Not verified" }).waitFor();
    await done(page);
});

test("the browser remembers a checkpoint, and sees that the chain goes on from it, or does not", async () => {
    const page = await browser.open(server, "#/actors/cart/verify");
    await page.getByRole("button", { name: "Remember the newest checkpoint" }).click();
    await page.getByText("remembered: a chain of 41 elements").waitFor();
    await server.send("cart", "add 1");
    await page.getByRole("button", { name: "Sign a checkpoint" }).click();
    await page.getByText("Signed the chain as it is now.").waitFor();
    await page.getByRole("button", { name: "Check that it goes on" }).click();
    await page.getByText("the chain of 42 elements begins with the 41").waitFor();
    // What it remembers now is another past than the server's.
    await page.evaluate(() => {
        const name = Object.keys(localStorage).find((key) => key.includes("cart") && localStorage.getItem(key).includes("note"));
        const kept = JSON.parse(localStorage.getItem(name));
        const lines = kept.note.split("\n");
        lines[2] = btoa("another tree head, 32 bytes long");
        localStorage.setItem(name, JSON.stringify({ ...kept, note: lines.join("\n") }));
    });
    await page.reload();
    await page.getByRole("button", { name: "Check that it goes on" }).click();
    await page.locator(".notice").first().waitFor();
    await until(async () => (await page.locator("section[aria-label=Checkpoints] .notice:not(.good)").count()) > 0, "it is not called good");
    await shot(page, "another-past");
    await page.getByRole("button", { name: "Forget" }).click();
    await page.getByRole("button", { name: "Remember the newest checkpoint" }).waitFor();
    await done(page);
});

test("what is remembered of an actor is not taken for that of an archive with its name", async () => {
    await server.start("twice", "", "counter");
    const { bytes } = await server.request("GET", "/v1/actors/twice/bundle");
    const own = await Server.start();
    try {
        await own.start("twice", "", "counter");
        await own.request("POST", "/v1/actors/twice/checkpoints");
        const taken = await own.request("POST", "/v1/archives", bytes, { "Content-Type": "application/vnd.theater.bundle" });
        assert.equal(taken.status, 204, taken.text);
        const { id } = JSON.parse((await own.request("GET", "/v1/actors")).text).actors.find((actor) => actor.status === "archive");
        const page = await browser.open(own, "#/actors/twice/verify");
        await page.getByRole("button", { name: "Remember the newest checkpoint" }).click();
        await page.getByText("remembered: a chain of 1 element").waitFor();
        await page.goto(`${own.url}#/actors/twice%23${id}/verify`);
        await page.getByRole("heading", { level: 1, name: `twice#${id}` }).waitFor();
        await page.getByRole("button", { name: "Remember the newest checkpoint" }).click();
        await page.getByText("the chain has no checkpoint yet").waitFor();
        await page.goto(`${own.url}#/actors/twice/verify`);
        await page.getByRole("button", { name: "Check that it goes on" }).waitFor();
        await done(page);
    } finally {
        await own.stop();
    }
});

test("the server runs every turn again on request", async () => {
    const page = await browser.open(server, "#/actors/cart/verify");
    await page.getByRole("button", { name: "Replay on the server" }).click();
    await page.getByRole("region", { name: "Replay" }).locator(".notice.good").waitFor();
    await done(page);
});

test("a server that wants a token is given one, for this tab only", async () => {
    const guarded = await Server.start(["--require-token"]);
    try {
        const made = spawnSync(process.env.THEATER_PROGRAM, ["--data", join(guarded.folder, "data"), "token", "new", "anna"], { encoding: "utf8" });
        assert.equal(made.status, 0, made.stderr);
        const token = made.stdout.trim();
        const page = await browser.open(guarded, "");
        const dialog = page.getByRole("dialog", { name: "This server wants a token" });
        await dialog.getByLabel("Token").fill("not\u200bone");
        await dialog.getByText("A token has no spaces").waitFor();
        assert.ok(await dialog.getByRole("button", { name: "Use it" }).isDisabled());
        await dialog.getByLabel("Token").fill("notone");
        await dialog.getByRole("button", { name: "Use it" }).click();
        await dialog.getByText("The token was not accepted.").waitFor();
        await shot(page, "token");
        await dialog.getByLabel("Token").fill(token);
        await dialog.getByRole("button", { name: "Use it" }).click();
        await page.getByText("No actors yet").waitFor();
        assert.equal(await page.evaluate(() => sessionStorage.getItem("theater-token")), token);
        assert.equal(await page.evaluate((secret) => Object.values({ ...localStorage }).some((value) => value.includes(secret)), token), false);
        await page.getByRole("button", { name: "Forget the token" }).click();
        await page.context().close();
    } finally {
        await guarded.stop();
    }
});
