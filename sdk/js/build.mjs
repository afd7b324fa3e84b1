// build.mjs: from an actor's sources in JavaScript or TypeScript to a component, as one process of node.
//
//     node build.mjs ESBUILD COMPONENTIZE ENTRY SDK BUNDLE COMPONENT
//
// ESBUILD and COMPONENTIZE are the programs esbuild and componentize-qjs, whose packages are used. The bundle is kept,
// because an error's place in it is what a rejection names. Called by `theater build`, which then makes one core module
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
if (typeof module.default?.verifyState !== "function")
    throw new Error("the default export is no actor: export default actor({...})");
export const actor = module.default;
`;

function fail(message) {
    process.stderr.write(`${message}\n`);
    process.exit(1);
}

async function makeBundle() {
    const folder = path.dirname(entry);
    const { build } = packageOf(esbuildProgram, "esbuild");
    try {
        await build({
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
            external: ["theater:actor/host"],
            outfile: bundle,
            logLevel: "warning",
        });
    } catch (error) {
        // esbuild has said what is wrong with the sources; what else is thrown says it itself.
        if (!error.errors)
            fail(String(error.stack ?? error));
        process.exit(1);
    }
}

async function makeComponent() {
    const { componentize } = packageOf(componentizeProgram, "componentize-qjs");
    const { readFileSync } = await import("node:fs");
    try {
        const made = await componentize({
            witPath: path.join(sdk, "wit"),
            world: "guest",
            jsSource: readFileSync(bundle, "utf8"),
            sync: true,
        });
        writeFileSync(component, made.component);
    } catch (error) {
        fail(`componentize-qjs: ${error.message ?? error}\n(places are those of ${bundle})`);
    }
}

await makeBundle();
await makeComponent();
