// build.mjs: from an actor's sources in JavaScript or TypeScript to a component, as one process of node.
//
//     node build.mjs ESBUILD COMPONENTIZE ENTRY SDK BUNDLE COMPONENT
//
// ESBUILD and COMPONENTIZE are the programs esbuild and componentize-qjs, whose packages are used. The bundle ends with a
// table of which of its lines come from where, so that a rejection names a line of the sources. Called by `theater build`, which then makes one core module
// of the component and answers what is left of WASI.

import { createRequire } from "node:module";
import { realpathSync, writeFileSync } from "node:fs";
import path from "node:path";

const [esbuildProgram, componentizeProgram, entry, sdk, bundle, component] = process.argv.slice(2);
const packageOf = (program, name) => createRequire(realpathSync(program))(name);

/** The module that the component is made of: what the surroundings lack is put there before the actor is loaded. */
const start = `
import "theater/platform";
import * as module from ${JSON.stringify(entry)};
export const { default: actor } = module;
if (typeof actor?.verifyState !== "function")
    throw new Error("the default export is no actor: export default actor({...})");
`;

function fail(message) {
    process.stderr.write(`${message}\n`);
    process.exit(1);
}

/** The numbers of a source map's segment (base 64, variable length, the sign in the lowest bit). */
function decodeSegment(text) {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const numbers = [];
    let value = 0, shift = 0;
    for (const character of text) {
        const digit = digits.indexOf(character);
        value |= (digit & 31) << shift;
        shift += 5;
        if (digit < 32) {
            numbers.push(value & 1 ? -(value >> 1) : value >> 1);
            value = shift = 0;
        }
    }
    return numbers;
}

/** Which lines of the bundle are which of the sources: [line, file, its line], each up to the next. A file of the SDK has
 * no name: an error's place is where the actor called it. */
function placesOf(map, folder) {
    const names = map.sources.map((source) => {
        const name = path.relative(folder, path.resolve(path.dirname(bundle), source));
        return name.startsWith("..") || name.startsWith(".theater") || name === "actor-start.js" ? "" : name;
    });
    const places = [];
    let source = 0, line = 0;
    map.mappings.split(";").forEach((segments, index) => {
        for (const [, sources, lines] of segments.split(",").filter(Boolean).map(decodeSegment)) {
            source += sources ?? 0;
            line += lines ?? 0;
        }
        // What stands last in a line is of the same line in the sources; its indentation may be of the one before.
        const [from, name, begin] = places.at(-1) ?? [];
        const goesOn = name === names[source] && (name === "" || begin + index + 1 - from === line + 1);
        if (segments !== "" && !goesOn)
            places.push([index + 1, names[source], line + 1]);
    });
    return places;
}

/** What was thrown while the bundle was loaded, with the places of the sources. */
function atSources(message, places) {
    const lines = message.replace(/^[: ]*(Failed to [^:]*: )*/, "").trimEnd().split("\n");
    return lines.flatMap((text) => {
        const place = /componentize-qjs:user\.js:(\d+)/.exec(text);
        const line = Number(place?.[1]), run = places.findLast(([from]) => from <= line);
        return !place ? text : run?.[1] ? text.replace(/componentize-qjs:user\.js:\d+/, `${run[1]}:${run[2] + line - run[0]}`) : [];
    }).join("\n");
}

/** Writes the bundle, and gives its places. */
async function makeBundle() {
    const folder = path.dirname(entry);
    const { build } = packageOf(esbuildProgram, "esbuild");
    try {
        const { outputFiles } = await build({
            stdin: { contents: start, resolveDir: folder, sourcefile: "actor-start.js" },
            absWorkingDir: folder,
            bundle: true,
            format: "esm",
            platform: "neutral",
            mainFields: ["module", "main"],
            target: "es2024",
            charset: "utf8",
            legalComments: "none",
            alias: { theater: path.join(sdk, "index.js"), "theater/platform": path.join(sdk, "platform.js") },
            external: ["theater:actor/host", "theater:javascript/text"],
            outfile: bundle,
            sourcemap: "external",
            write: false,
            logLevel: "warning",
        });
        const [map, code] = [".map", ".js"].map((end) => outputFiles.find((file) => file.path.endsWith(end)).text);
        const places = placesOf(JSON.parse(map), folder);
        writeFileSync(bundle, `${code}globalThis[Symbol.for("theater.places")] = ${JSON.stringify(places)};\n`);
        return places;
    } catch (error) {
        // esbuild has said what is wrong with the sources; what else is thrown says it itself.
        if (!error.errors)
            fail(String(error.stack ?? error));
        process.exit(1);
    }
}

async function makeComponent(places) {
    const { componentize } = packageOf(componentizeProgram, "componentize-qjs");
    const { readFileSync } = await import("node:fs");
    try {
        const made = await componentize({
            witPath: path.join(sdk, "wit"),
            world: "javascript",
            jsSource: readFileSync(bundle, "utf8"),
            sync: true,
        });
        writeFileSync(component, made.component);
    } catch (error) {
        fail(atSources(String(error.message ?? error), places));
    }
}

await makeComponent(await makeBundle());
