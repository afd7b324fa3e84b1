#!/usr/bin/env python3
"""One language, whole: `test_language.py LANGUAGE`. Exits 77 when its tools are not on this machine.

  1. `theater new`, `build` and `test` work as a new user would run them, and the actor runs on a chain that verifies and replays.
  2. The ledger gives the same outputs, rejections and state roots as all others: examples/ledger/ledger.test.
  3. Building twice, the second time in another folder, gives the same bytes where docs/languages.md says so.
  4. Every other example of this language passes its tests.
  5. What its clock, its random numbers and its hash order give is as tests/languages/probes/LANGUAGE says.
  6. A state in CBOR is the same bytes in every language that has it: tests/languages/codecs.
  7. Where the SDK runs on the machine itself too, its own tests pass there, and those of a new project.
  8. A mistake in the sources is said by the tool's own words, with its file and line.
"""
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from languages import PROGRAM, ROOT, TOOL_MISSING, language_of, load, projects, table, theater

LANGUAGE = sys.argv.pop(1)

INVALID_ARGUMENT, COMPONENT_REFUSED = 2, 6

# Mistakes in a new project, each: a file, what is replaced in it and by what, and what is said; LINE is the line of the replacement.
MISTAKES = {
    "c": [("actor.c", "theater_reject(", "rejekt(", ["actor.c:LINE:", "'rejekt'"])],
    "rust": [("src/lib.rs", 'reject!("', 'rejekt!("', ["src/lib.rs:LINE:", "`rejekt`"])],
    "go": [("actor.go", "errors.New(", "errors.Nu(", ["./actor.go:LINE:", "errors.Nu"])],
    "zig": [("actor.zig", "theater.reject(", "theater.rejekt(", ["actor.zig:LINE:", "'rejekt'"])],
    "assemblyscript": [("assembly/index.ts", "theater.reject(", "theater.rejekt(", ["assembly/index.ts(LINE,", "'rejekt'"]),
                       # Its clock and its random numbers ask for what no actor has, and that is said.
                       ("assembly/index.ts", "return state.length > 0;", "return Date.now() > 5 && Math.random() > 0.5;",
                        ["docs/languages.md says what stands in the place of clocks", "it imports env.seed, env.Date.now"])],
    "javascript": [("actor.js", "found.votes += 1", "found.votes +=", ["actor.js:LINE"]),
                   ("actor.js", "export default actor(", "rejekt(); export default actor(", ["rejekt is not defined", "(actor.js:LINE"]),
                   ("actor.js", "export default actor(", "export const poll = actor(", ["the default export is no actor"])],
    "typescript": [("actor.ts", "found.votes += 1", "found.vote += 1", ["actor.ts(LINE,", "'vote'"])],
    "python": [("actor.py", "if not choices:", "if not choices", ['File "actor.py", line LINE', "SyntaxError: expected ':'"]),
               ("actor.py", "samples = [", "samples = [rejekt, ", ['File "actor.py", line LINE, in Poll', "NameError: name 'rejekt'"]),
               ("actor.py", "Poll(Actor)", "Poll(object)", ["actor.py: one class must derive from theater.Actor; there is none"])],
}

# Node reads TypeScript itself from this version on.
NODE_TYPESCRIPT = (22, 18)


class Language(unittest.TestCase):
    """Debian's Rust builds its standard library for each project, which takes a minute; so the first one's compiler cache is given to the
    others, as a copy. What is compiled of a project itself is known by its folder, and built in each."""

    cache = Path(tempfile.mkdtemp(prefix="theater-language-cache-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.cache)

    def give_cache(self, folder):
        if LANGUAGE == "rust" and any(self.cache.iterdir()):
            shutil.copytree(self.cache / "kept", folder / "build/.cache", dirs_exist_ok=True)

    def keep_cache(self, folder):
        if LANGUAGE == "rust" and not any(self.cache.iterdir()):
            shutil.copytree(folder / "build/.cache", self.cache / "kept")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="theater-language-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_theater(self, *arguments, code=0, cwd=None):
        done = theater(*arguments, cwd=cwd or self.folder)
        self.assertEqual(done.returncode, code, f"theater {arguments}: {done.stderr}\n{done.stdout[-4000:]}")
        return done

    def copy(self, project, name="project"):
        """A copy beside which builds leave nothing in the sources. Files that a project reads from its neighbours come along."""
        whole = self.folder / name
        ignore = shutil.ignore_patterns("build", ".theater", "node_modules", "data", "__pycache__", "target")
        shutil.copytree(ROOT / "examples", whole / "examples", ignore=ignore)
        copy = whole / project.relative_to(ROOT)
        if "languages" in project.parts:
            copy = whole / "probe"
            shutil.copytree(project, copy, ignore=ignore)
        self.give_cache(copy)
        return copy

    def build(self, folder):
        built = load(self.run_theater("build", folder, "--json").stdout)
        self.keep_cache(folder)
        return built

    def mine(self, *roots):
        return [project for project in projects(*roots) if language_of(project) == LANGUAGE]

    def test_a_new_project_builds_tests_and_runs(self):
        self.run_theater("new", "--lang", LANGUAGE, "poll")
        self.give_cache(self.folder / "poll")
        self.build(self.folder / "poll")
        self.run_theater("test", "poll")
        data = ("--data", self.folder / "data")
        self.run_theater(*data, "start", "--manifest", "poll/actor.yaml")
        self.assertEqual(self.run_theater(*data, "send", "poll", "vote tea").stdout, "1")
        self.run_theater(*data, "send", "poll", "vote wine", code=3)
        self.assertEqual(self.run_theater(*data, "query", "poll", "result").stdout, "tea=1 coffee=0 water=0")
        self.run_theater(*data, "verify", "poll")
        self.run_theater(*data, "replay", "poll")

    def test_the_sdk_and_a_new_project_pass_their_own_tests(self):
        self.run_theater("new", "--lang", LANGUAGE, "poll")
        poll, sdk = self.folder / "poll", Path(os.environ["THEATER_SDK"])
        tool, *others = next(line["detail"] for line in map(load, theater("doctor", "--json").stdout.splitlines())
                             if line["check"] == LANGUAGE).split(", ")
        environment = {**os.environ, "CARGO_TARGET_DIR": str(self.folder / "target"), "GOFLAGS": "-mod=mod", "GOPROXY": "off",
                       "GOTOOLCHAIN": "local", "PYTHONPATH": str(poll / ".theater/python")}
        tests = self.folder / "test_actor"
        runs = {
            "c": [(poll, [tool, "-std=c17", "-Wall", "-Wextra", "-Werror", "-I", sdk / "c", "actor.c", "tests/test_actor.c", "-o", tests]),
                  (poll, [tests])],
            "go": [(sdk / "go", [tool, "test", "./..."]), (poll, [tool, "test", "./..."])],
            "rust": [(sdk / "rust", [tool, "test", "--all-features"]), (poll, [tool, "rustc", "--lib", "--", "-Dwarnings"]), (poll, [tool, "test"])],
            "javascript": [(sdk / "js", [tool, "--test", "tests/sdk.test.js"]), (poll, [tool, "--test"])],
            "typescript": [(poll, [tool, "--test"])],
            "python": [(sdk / "python", [sys.executable, "-B", "tests/test_sdk.py"]), (poll, [sys.executable, "-B", "-m", "unittest"])],
        }
        if LANGUAGE == "typescript" and self.node_version(tool) < NODE_TYPESCRIPT:
            bundle = "build/actor.test.mjs"  # as docs/languages.md says for such a Node
            runs[LANGUAGE] = [(poll, [others[0], "actor.test.js", "--bundle", "--platform=node", "--format=esm", f"--outfile={bundle}"]),
                              (poll, [tool, "--test", bundle])]
        for folder, command in runs.get(LANGUAGE, ()):
            done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{command} in {folder}: {done.stdout}{done.stderr}")

    def test_the_types_of_the_host_for_tests(self):
        if LANGUAGE == "typescript" and any((Path(folder) / "tsc").exists() for folder in
                                            (Path(os.environ.get("THEATER_TOOLS", "")) / "node_modules/.bin", *os.get_exec_path())):
            self.run_theater("new", "--lang", LANGUAGE, "poll")
            shutil.copy(Path(os.environ["THEATER_SDK"]) / "js/tests/types.ts", self.folder / "poll")
            self.run_theater("build", "poll")

    @staticmethod
    def node_version(node):
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        return tuple(map(int, re.findall(r"\d+", version)[:2]))

    def test_a_mistake_is_said_with_its_file_and_line(self):
        # What somebody has set to see more of a Rust program is not meant for the tools that are written in it.
        environment = {**os.environ, "RUST_BACKTRACE": "1"}
        for number, (name, what, by, parts) in enumerate(MISTAKES[LANGUAGE]):
            poll = self.folder / f"poll{number}"
            self.run_theater("new", "--lang", LANGUAGE, poll)
            self.give_cache(poll)
            source = (poll / name).read_text()
            self.assertIn(what, source)
            line = source[:source.index(what)].count("\n") + 1
            (poll / name).write_text(source.replace(what, by, 1))
            done = subprocess.run([PROGRAM, "build", poll], env=environment, capture_output=True, text=True, check=False)
            self.assertIn(done.returncode, (INVALID_ARGUMENT, COMPONENT_REFUSED), done.stderr)
            for part in parts:
                self.assertIn(part.replace("LINE", str(line)), done.stderr)
            self.assertNotIn("backtrace", done.stderr)

    def test_the_ledger_is_the_same_in_every_language(self):
        ledgers = [project for project in self.mine("examples/ledger")]
        self.assertTrue(ledgers, f"there is no ledger in {LANGUAGE} below examples/ledger")
        for project in ledgers:
            with self.subTest(project.relative_to(ROOT)):
                copy = self.copy(project)
                built = self.build(copy)
                first = Path(built["component"]).read_bytes()
                self.run_theater("test", ROOT / "examples/ledger/ledger.test", "--component", built["component"])
                again = Path(self.build(self.copy(project, "elsewhere"))["component"]).read_bytes()
                self.assertEqual("yes" if first == again else "no", table()[LANGUAGE]["same bytes"])

    def test_the_other_examples_pass_their_tests(self):
        for project in self.mine("examples"):
            if any(project.glob("*.test")) and "ledger" not in project.parts:
                with self.subTest(project.relative_to(ROOT)):
                    self.run_theater("test", self.copy(project, project.name))

    def test_what_is_not_of_the_chain_is_as_the_table_says(self):
        probe = ROOT / "tests/languages/probes" / LANGUAGE
        if not probe.exists():
            self.assertEqual(LANGUAGE, "c", f"{probe} is missing: C alone has no library that could ask for a clock")
            return
        self.run_theater("test", self.copy(probe))

    def test_a_state_in_cbor_is_the_same_in_every_language(self):
        codecs = ROOT / "tests/languages/codecs"
        project = codecs / ("javascript" if LANGUAGE == "typescript" else LANGUAGE)
        self.assertEqual(project.exists(), "CBOR" in table()[LANGUAGE]["state"], f"{project}, and the table in docs/languages.md")
        if project.exists() and LANGUAGE != "typescript":  # which has the codecs of JavaScript
            built = self.build(self.copy(project))
            self.run_theater("test", codecs / "codecs.test", "--component", built["component"])


def tools_are_there():
    with tempfile.TemporaryDirectory() as folder:
        done = theater("new", "--lang", LANGUAGE, "x", cwd=folder)
        if done.returncode == 2:  # no such language: an error, not something to skip
            return True
        if "will not work yet" in done.stderr:
            print(f"skipped: {done.stderr.strip()}")
            return False
    return True


if __name__ == "__main__":
    if not tools_are_there():
        sys.exit(77)
    unittest.main(verbosity=1)
