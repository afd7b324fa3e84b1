// What the tests of the page's verifier share: the verifier itself, streams, the program, and an encoder for
// elements that are made wrong on purpose.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const verifier = await import(pathToFileURL(process.env.THEATER_VERIFIER));
export const TESTS = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const VECTORS = JSON.parse(readFileSync(join(TESTS, "vectors/vectors.json"), "utf8"));
export const PROGRAM = process.env.THEATER_PROGRAM;
export const ACTORS = process.env.THEATER_ACTORS;
export const PYTHON = process.env.THEATER_PYTHON;

export const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
export const hex = (data) => Buffer.from(data).toString("hex");
export const sha = (...parts) => {
    const hash = createHash("sha256");
    parts.forEach((part) => hash.update(part));
    return new Uint8Array(hash.digest());
};

/** A source that gives the bytes in pieces of at most `size`. */
export function pieces(data, size = 65536) {
    let at = 0;
    return async () => {
        if (at >= data.length)
            return null;
        const piece = data.slice(at, at + size);
        at += size;
        return piece;
    };
}

export const verify = (data, settings = {}, size = 65536) => verifier.verifyBundle(pieces(data, size), settings);

// ---- CBOR, as wrong as it is asked for

function head(major, value) {
    const big = BigInt(value), first = major << 5;
    if (big < 24n)
        return [first | Number(big)];
    const size = big < 256n ? 1 : big < 65536n ? 2 : big < 4294967296n ? 4 : 8;
    const out = [first | { 1: 24, 2: 25, 4: 26, 8: 27 }[size]];
    for (let i = size - 1; i >= 0; i--)
        out.push(Number((big >> BigInt(8 * i)) & 255n));
    return out;
}

export function encode(value) {
    if (value === null)
        return [0xf6];
    if (typeof value === "boolean")
        return [value ? 0xf5 : 0xf4];
    if (typeof value === "number" || typeof value === "bigint")
        return head(0, value);
    if (typeof value === "string") {
        const text = Buffer.from(value);
        return [...head(3, text.length), ...text];
    }
    if (value instanceof Uint8Array)
        return [...head(2, value.length), ...value];
    if (Array.isArray(value))
        return [...head(4, value.length), ...value.flatMap(encode)];
    return [...head(5, value.size), ...[...value].flatMap(([key, item]) => [...encode(key), ...encode(item)])];
}

export const cbor = (value) => Uint8Array.from(encode(value));
export const join8 = (...parts) => new Uint8Array(Buffer.concat(parts));
export const header = (actor) => cbor(new Map([[0, "theater-bundle"], [1, 1], [2, actor]]));

/** The items of a bundle, as their bytes. */
export function split(data) {
    const found = [];
    const measure = (at) => {
        const major = data[at] >> 5, low = data[at] & 31, size = low < 24 ? 0 : 1 << (low - 24);
        let value = low;
        if (size)
            for (let i = value = 0; i < size; i++)
                value = value * 256 + data[at + 1 + i];
        at += 1 + size;
        if (major === 2 || major === 3)
            return at + value;
        for (let i = 0, n = major === 4 ? value : major === 5 ? value * 2 : 0; i < n; i++)
            at = measure(at);
        return at;
    };
    for (let at = 0; at < data.length;) {
        const end = measure(at);
        found.push(data.slice(at, end));
        at = end;
    }
    return found;
}

// ---- the program

/** A folder of the test's own, which goes with it. */
export function scratch(test) {
    const folder = mkdtempSync(join(tmpdir(), "theater-page-"));
    test.after(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
}

export const theater = (folder, ...words) =>
    execFileSync(PROGRAM, ["--data", join(folder, "data"), ...words.map(String)], { maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });

/** What `theater verify` says: its exit code and, of JSON, the report. */
export function programVerdict(file, ...words) {
    const done = spawnSync(PROGRAM, ["verify", file, "--json", ...words], { maxBuffer: 1 << 28 });
    let report = null;
    try {
        report = JSON.parse(done.stdout.toString().trim().split("\n").pop());
    } catch {
        // An operating error: standard error says which.
    }
    return { code: done.status, report, errors: done.stderr.toString() };
}

export function fileOf(folder, name, data) {
    const path = join(folder, name);
    writeFileSync(path, data);
    return path;
}
