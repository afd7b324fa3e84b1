// Bundles the page, and makes of it what the server embeds.
//
//   node build.mjs --modules DIR --out DIR [--c FILE] [--check]
//
// --modules  the folder node_modules that `npm ci` filled
// --out      gets index.html, assets/ with names that hold a content hash, and verify.mjs, the verifier
//            for the unit tests
// --c        a C file with all of it, compressed, for src/server/page.c
// --check    only checks the types (tsc), writes nothing but its configuration
//
// The same sources give the same bytes, so a binary can be built again.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const given = process.argv.slice(2);
const option = (name) => (given.includes(name) ? given[given.indexOf(name) + 1] : undefined);
const modules = resolve(option("--modules") ?? join(here, "node_modules"));
const out = resolve(option("--out") ?? join(here, "dist"));
const require = createRequire(join(modules, "resolve-from-here.js"));

const TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
};

/** Checks the types of all sources; the modules lie elsewhere, which a configuration of its own says. */
function checkTypes() {
    mkdirSync(out, { recursive: true });
    const file = join(out, "tsconfig.json");
    const paths = { "*": [join(modules, "*")] };
    writeFileSync(file, JSON.stringify({
        extends: join(here, "tsconfig.json"),
        compilerOptions: { paths, typeRoots: [join(modules, "@types")] },
        include: [join(here, "src")],
    }));
    const done = spawnSync(process.execPath, [require.resolve("typescript/lib/tsc.js"), "-p", file], { stdio: "inherit" });
    process.exit(done.status ?? 1);
}

/** What all bundles share. */
const common = {
    absWorkingDir: here,
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    legalComments: "none",
    target: ["es2021"],
    nodePaths: [modules],
    jsx: "automatic",
    jsxImportSource: "preact",
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
    loader: { ".woff2": "file", ".svg": "dataurl" },
};

/** A file of /assets/, under a name that changes with its content, so that it may be cached for ever. */
function hashed(name, bytes) {
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    const extension = extname(name);
    return { name: `${basename(name, extension)}-${hash}${extension}`, bytes };
}

async function bundle() {
    const { build } = require("esbuild");
    const single = async (entry, more) => {
        const result = await build({ ...common, ...more, entryPoints: [entry], outdir: join(out, "assets"), entryNames: "[name]" });
        return result.outputFiles;
    };
    const text = (files, extension) => files.find((file) => file.path.endsWith(extension))?.contents;
    const worker = hashed("worker.js", text(await single("src/verify/worker.ts", { format: "iife" }), ".js"));
    const app = await single("src/app/main.tsx", {
        format: "esm",
        define: { ...common.define, WORKER_URL: JSON.stringify(`/assets/${worker.name}`) },
    });
    const script = hashed("app.js", text(app, ".js"));
    const style = hashed("app.css", text(app, ".css") ?? new Uint8Array());
    const icon = hashed("icon.svg", readFileSync(join(here, "src/icon.svg")));
    const html = readFileSync(join(here, "src/index.html"), "utf8")
        .replace("%ICON%", `/assets/${icon.name}`)
        .replace("%STYLE%", `/assets/${style.name}`)
        .replace("%SCRIPT%", `/assets/${script.name}`);
    // A font or picture that the styles name; esbuild has given these their hashes.
    const others = app.filter((file) => ![".js", ".css"].includes(extname(file.path)))
        .map((file) => ({ name: basename(file.path), bytes: file.contents }));
    const verifier = await single("src/verify/testing.ts", { format: "esm", minify: false });
    return { html: Buffer.from(html), assets: [script, worker, style, icon, ...others], verifier: text(verifier, ".js") };
}

/** Bytes as C: decimal numbers, 24 a line. */
function bytesOfC(bytes) {
    const lines = [];
    for (let at = 0; at < bytes.length; at += 24)
        lines.push("    " + Array.from(bytes.subarray(at, at + 24)).join(",") + ",");
    return lines.join("\n");
}

function sourceOfC(files) {
    const arrays = files.map((file, i) => `static const uint8_t file_${i}[] = {\n${bytesOfC(file.packed)}\n};\n`);
    const rows = files.map((file, i) => {
        const text = [file.name, TYPES[extname(file.name || "index.html")], file.etag].map((s) => JSON.stringify(s)).join(", ");
        return `    {${text}, file_${i}, sizeof file_${i}, true, ${file.bytes.length}},`;
    });
    return `/* Made by web/build.mjs from the sources in web/. */
#include "server/page.h"

${arrays.join("\n")}
const th_page_file th_page_files[] = {
${rows.join("\n")}
};
const size_t th_page_file_count = sizeof th_page_files / sizeof *th_page_files;
`;
}

async function main() {
    if (given.includes("--check"))
        checkTypes();
    const { html, assets, verifier } = await bundle();
    rmSync(join(out, "assets"), { recursive: true, force: true });
    mkdirSync(join(out, "assets"), { recursive: true });
    writeFileSync(join(out, "index.html"), html);
    for (const file of assets)
        writeFileSync(join(out, "assets", file.name), file.bytes);
    writeFileSync(join(out, "verify.mjs"), verifier);
    const files = [{ name: "", bytes: html }, ...assets].map((file) => ({
        ...file,
        packed: gzipSync(file.bytes, { level: 9 }),
        etag: createHash("sha256").update(file.bytes).digest("hex").slice(0, 32),
    }));
    const target = option("--c");
    if (target) {
        mkdirSync(dirname(resolve(target)), { recursive: true });
        writeFileSync(target, sourceOfC(files));
    }
    const sum = (list, size) => Math.round(list.reduce((total, file) => total + size(file), 0) / 1024);
    console.log(`page: ${files.length} files, ${sum(files, (f) => f.bytes.length)} KiB, ${sum(files, (f) => f.packed.length)} KiB compressed`);
}

await main();
