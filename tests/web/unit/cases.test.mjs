// The page's verifier held against the second reader and the program: the bundles that break each rule once
// (tests/independent/cases.py), and the same verdict on each.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { programVerdict, PROGRAM, PYTHON, scratch, TESTS, verify } from "./support.mjs";

const skip = !PYTHON ? "no Python 3.11" : !PROGRAM ? "no program" : false;

/** Without the name of the file, which the page does not have. */
const wordsOf = (message) => message.replace(/^bundle [^ ]*?(: |, (?=behind|before))/, "");

/** The second reader draws some conclusions from hashes of dropped payloads that neither the program nor the page
 * draws: what the program accepts there, the page does too. */
test("every case has the program's verdict, in its words", { skip }, async (t) => {
    const folder = scratch(t);
    execFileSync(PYTHON, ["-B", join(TESTS, "independent/cases.py"), folder]);
    const cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
    assert.ok(cases.length > 200, `${cases.length} cases`);
    const different = [];
    let refused = 0, compared = 0;
    for (const { file, test: name, keys, error } of cases) {
        const path = join(folder, file);
        const data = new Uint8Array(readFileSync(path));
        // A bundle of a later version, or one over a bound, gets no verdict here; the program says so too.
        const report = await verify(data, { keys }).catch((failure) => ({ verdict: failure.kind, message: failure.message }));
        refused += report.verdict === "verified" ? 0 : 1;
        if (error === null && report.verdict !== "verified")
            different.push(`${name}: right, and here ${report.message}`);
        const said = programVerdict(path, "--all", ...keys.flatMap((key) => ["--key", key]));
        compared++;
        if ((said.code === 0) !== (report.verdict === "verified"))
            different.push(`${name}: there ${said.code} ${said.report?.message ?? said.errors}; here ${report.message}`);
        else if (said.code !== 0 && said.report && wordsOf(said.report.message) !== report.message)
            different.push(`${name}: there "${said.report.message}"; here "${report.message}"`);
    }
    assert.deepEqual(different, []);
    assert.ok(refused > 150, `${refused} refused`);
    assert.ok(compared > 200, `${compared} compared`);
});
