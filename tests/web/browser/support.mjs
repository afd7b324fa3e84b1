// What the tests of the page share: a real server in a folder of its own, a proxy in front of it that can lie, and a
// real browser that goes to no address but these.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";

const require = createRequire(join(process.env.THEATER_BROWSER_MODULES, "from-here.js"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const ACTORS = process.env.THEATER_ACTORS;
export const FIXTURES = process.env.THEATER_FIXTURES;
const SHOTS = process.env.THEATER_SHOTS;

/** Without these Chromium looks for hosts of its maker, and wants a graphics card and a sandbox that a container may not have. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

/** What people have: scroll bars, and no more than some 200 changes of the address in ten seconds. */
const USUAL = ["--hide-scrollbars", "--disable-ipc-flooding-protection"];

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** A page that was built but not linked in, for whoever works on the page; else the server's own is tested. */
function pageFile(path) {
    const folder = process.env.THEATER_PAGE;
    if (!folder || (path !== "/" && !path.startsWith("/assets/")))
        return null;
    const file = join(folder, path === "/" ? "index.html" : path);
    return { type: TYPES[extname(file)], bytes: readFileSync(file) };
}

/** A running server with its proxy. `tamper(path, bytes)` may change what is answered; `down` makes the server unreachable; while `held(path)`
 * is true only the first half of an answer has come. */
export class Server {
    tamper = null;
    down = false;
    held = () => false;

    static async start(options = []) {
        const server = new Server();
        server.folder = mkdtempSync(join(tmpdir(), "theater-page-"));
        server.options = options;
        await server.run();
        await server.listen();
        return server;
    }

    async run() {
        const data = join(this.folder, "data");
        this.child = spawn(process.env.THEATER_PROGRAM, ["--data", data, "serve", "--listen", "127.0.0.1:0", "--no-socket", "--json", ...this.options],
            { stdio: ["ignore", "pipe", "inherit"] });
        const lines = createInterface({ input: this.child.stdout });
        const [line] = await Promise.race([once(lines, "line"), once(this.child, "exit").then(() => assert.fail("the server did not start"))]);
        this.port = Number(JSON.parse(line).address.split(":").pop());
    }

    async listen() {
        this.front = http.createServer((request, reply) => this.pass(request, reply));
        this.front.listen(0, "127.0.0.1");
        await once(this.front, "listening");
        this.url = `http://127.0.0.1:${this.front.address().port}/`;
    }

    pass(request, reply) {
        const path = request.url.split("?")[0];
        const page = pageFile(path);
        if (page) {
            reply.writeHead(200, { "Content-Type": page.type });
            reply.end(page.bytes);
            return;
        }
        if (this.down) {
            reply.destroy();
            return;
        }
        const headers = { ...request.headers };
        const whole = this.tamper !== null || this.held(request.url);
        if (whole)
            delete headers["accept-encoding"];
        const onward = http.request({ host: "127.0.0.1", port: this.port, path: request.url, method: request.method, headers }, (answer) => {
            if (!whole || answer.headers["content-type"] === "text/event-stream") {
                reply.writeHead(answer.statusCode, answer.headers);
                answer.pipe(reply);
                return;
            }
            const parts = [];
            answer.on("data", (part) => parts.push(part));
            answer.on("end", async () => {
                const { "content-length": _length, "transfer-encoding": _encoding, ...rest } = answer.headers;
                reply.writeHead(answer.statusCode, rest);
                const bytes = Buffer.concat(parts), told = this.tamper?.(request.url, bytes) ?? bytes;
                if (this.held(request.url)) {
                    reply.write(told.subarray(0, told.length >> 1));
                    await until(() => !this.held(request.url) || reply.destroyed, `${request.url} is let go`);
                    reply.end(told.subarray(told.length >> 1));
                } else {
                    reply.end(told);
                }
            });
        });
        onward.on("error", () => reply.destroy());
        reply.on("close", () => onward.destroy());
        request.pipe(onward);
    }

    /** A request to the server itself. */
    async request(method, path, body, headers = {}) {
        const reply = await fetch(`http://127.0.0.1:${this.port}${path}`, { method, body, headers });
        const bytes = Buffer.from(await reply.arrayBuffer());
        return { status: reply.status, bytes, text: bytes.toString() };
    }

    /** Starts an actor of the examples, or of the fixtures where `folder` says so. */
    async start(name, config = "", component = name, folder = ACTORS) {
        const query = new URLSearchParams({ name, config });
        const reply = await this.request("POST", `/v1/actors?${query}`, readFileSync(join(folder, `${component}.wasm`)), { "Content-Type": "application/wasm" });
        assert.equal(reply.status, 201, reply.text);
    }

    async send(name, ...inputs) {
        let last;
        for (const input of inputs)
            last = await this.request("POST", `/v1/actors/${name}/messages`, input);
        return last;
    }

    /** Many messages in one request. */
    async sendLines(name, lines) {
        const reply = await this.request("POST", `/v1/actors/${name}/messages/stream`, lines.join("\n") + "\n", { "Content-Type": "text/plain" });
        assert.equal(reply.status, 200, reply.text);
    }

    async stop() {
        this.front.closeAllConnections();
        this.front.close();
        if (this.child.exitCode === null) {
            this.child.kill("SIGTERM");
            await once(this.child, "exit");
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}

const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...all) => resolve(all)));

/** The browser of a test file. */
export class Browser {
    static async start() {
        const self = new Browser();
        self.browser = await chromium.launch({ executablePath: process.env.THEATER_CHROMIUM, args: FLAGS, ignoreDefaultArgs: USUAL });
        return self;
    }

    /** A page at a place of the server, with nothing remembered; `script` runs in it before its own. Whatever it complains about fails the test
     * in `done`. */
    async open(server, place = "", { dark = false, width = 1360, height = 860, script = null } = {}) {
        const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", acceptDownloads: true,
            permissions: ["clipboard-read", "clipboard-write"] });
        const page = await context.newPage();
        page.setDefaultTimeout(30_000);
        if (script)
            await page.addInitScript(script);
        page.complaints = [];
        page.on("pageerror", (error) => page.complaints.push(`error: ${error.stack ?? error.message}`));
        page.on("console", (message) => {
            // A request that fails on purpose is told by the browser, too; everything else it tells is a fault of the page.
            if ((message.type() === "error" || message.type() === "warning") && !message.text().startsWith("Failed to load resource"))
                page.complaints.push(`${message.type()}: ${message.text()}`);
        });
        page.on("request", (request) => {
            const url = request.url();
            if (!url.startsWith(server.url) && !url.startsWith("data:") && !url.startsWith("blob:"))
                page.complaints.push(`went to ${url}`);
        });
        await page.goto(server.url + place);
        return page;
    }

    async close() {
        await this.browser.close();
    }
}

/** Ends a page; it must not have complained. */
export async function done(page) {
    const { complaints } = page;
    await page.context().close();
    assert.deepEqual(complaints, []);
}

/** A picture, for people to look at; not compared. */
export async function shot(page, name) {
    if (!SHOTS)
        return;
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

/** The faults that axe finds in what is shown: of WCAG 2.2 at the levels A and AA, or by the rules named. */
export async function accessible(page, what, rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]) {
    await page.evaluate(AXE);
    const found = await page.evaluate(async (runOnly) => {
        const report = await globalThis.axe.run(document, { runOnly });
        return report.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 4).map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`).join("; ")}`);
    }, rules);
    assert.deepEqual(found, [], what);
}

/**
 * Begins to measure how long the page ever went without drawing a frame; the function gives the longest gap in milliseconds, and the longest
 * that one task of the page had the processor: on a busy machine a gap may be another program's, the task is the page's own.
 */
export async function frameGaps(page) {
    const browser = page.context().browser();
    await browser.startTracing(page, { categories: ["toplevel", "__metadata"] });
    await page.evaluate(() => {
        globalThis.gaps = { longest: 0, last: performance.now(), frames: 0 };
        const frame = () => {
            const now = performance.now();
            globalThis.gaps.longest = Math.max(globalThis.gaps.longest, now - globalThis.gaps.last);
            globalThis.gaps.last = now;
            globalThis.gaps.frames++;
            requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
    });
    return async () => {
        const gaps = await page.evaluate(() => globalThis.gaps);
        const { traceEvents } = JSON.parse(await browser.stopTracing());
        const mains = new Set(traceEvents.filter((one) => one.name === "thread_name" && one.args.name === "CrRendererMain").map((one) => `${one.pid} ${one.tid}`));
        const tasks = traceEvents.filter((one) => one.tdur !== undefined && mains.has(`${one.pid} ${one.tid}`));
        assert.ok(tasks.length > 10, "the browser traces no tasks");
        return { ...gaps, task: tasks.reduce((most, one) => Math.max(most, one.tdur), 0) / 1000 };
    };
}

/** The page went on: it drew within so many milliseconds, or what kept it from that was not its own work. */
export function wentOn({ longest, task }, milliseconds) {
    assert.ok(longest < milliseconds || task < milliseconds / 4, `the page stood still for ${longest} ms; one task took ${task} ms of the processor`);
}

/** Waits until `check` holds. */
export async function until(check, what, milliseconds = 30_000) {
    const end = Date.now() + milliseconds;
    for (;;) {
        if (await check())
            return;
        if (Date.now() > end)
            assert.fail(`not within ${milliseconds} ms: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 40));
    }
}
