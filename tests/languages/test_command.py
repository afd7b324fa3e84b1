#!/usr/bin/env python3
"""`theater build`, `test` and their errors, with actors in C, whose compiler the build of the project needs anyway."""
import os
from pathlib import Path
import signal
import subprocess
import tempfile
import time
import unittest

from languages import PROGRAM, load, theater

INVALID_ARGUMENT, NOT_FOUND, COMPONENT_REFUSED, ACTOR_FAILED = 2, 4, 6, 7


class Command(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="theater-command-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_theater(self, *arguments, code=0):
        done = theater(*arguments, cwd=self.folder)
        self.assertEqual(done.returncode, code, f"theater {arguments}: {done.stderr}\n{done.stdout[-4000:]}")
        return done

    def new(self):
        self.run_theater("new", "poll")
        return self.folder / "poll"

    def test_a_difference_is_shown_with_its_line(self):
        poll = self.new()
        (poll / "actor.test").write_text(
            "> vote tea\n< 2\n> vote wine\n< 1\n> vote tea\n-> bank hold\n? result\n"
            "> vote tea\nroot " + "0" * 64 + "\nfuel 1\nstate x\n> vote no\n")
        done = self.run_theater("test", "poll", code=ACTOR_FAILED)
        for part in ("poll/actor.test:1  > vote tea", "expected  2", "got       1", "actor.test:3",
                     "rejected: there is no such choice", "-> bank hold", "nothing was sent", "root", "fuel", "state",
                     "not to be rejected"):
            self.assertIn(part, done.stdout)
        self.assertIn("5 of 7 steps are not as expected", done.stderr)
        steps = [load(line) for line in self.run_theater("test", "poll", "--json", code=ACTOR_FAILED).stdout.splitlines()]
        self.assertEqual([step["passed"] for step in steps], [True, False, False, False, True, False, False])
        self.assertEqual([d["what"] for d in steps[5]["differences"]], ["root", "fuel", "state"])

    def test_update_writes_what_was_seen_and_keeps_the_rest(self):
        poll = self.new()
        test = poll / "actor.test"
        test.write_text("# kept\n> vote tea\n\n< 9\n# kept too\nroot " + "0" * 64 + "\n> vote wine\n>:hex 766f746520746561\n<:json 2\n")
        self.run_theater("test", "poll", "--update")
        text = test.read_text()
        self.assertTrue(text.startswith("# kept\n> vote tea\n\n# kept too\n< 1\nroot "), text)
        self.assertIn("> vote wine\n! there is no such choice\n", text)
        self.assertTrue(text.endswith(">:hex 766f746520746561\n<:json 2\n"), text)
        self.run_theater("test", "poll")
        before = test.read_bytes()
        self.run_theater("test", "poll", "--update")
        self.assertEqual(test.read_bytes(), before)

    def test_a_file_that_cannot_be_read_names_its_line(self):
        poll = self.new()
        for text, part in (("> a\nsay x\n", ":2: a line begins with"), (">:hex 0g\n", "hex digits"), (">:json {\n", "no JSON"),
                           (">:string x\n", "no string"), (">:what x\n", "a type is"), ("at noon\n", "a time is"),
                           ("from x y\n", "an input is from"), ("from actor\n", "missing behind"), ("-> A x\n", "no name"),
                           ("root 00\n", "64 hex"), (">:file none.bin\n", "none.bin"), ("fuel x\n", "fuel is"),
                           ("config x\n> a\n", "there is no actor")):
            (poll / "actor.test").write_text(text if part != "there is no actor" else "config\n! no choice\n> a\n")
            done = theater("test", "poll", cwd=self.folder)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(part, done.stderr, text)
        (poll / "actor.test").write_text("\n" * 1000001)
        self.assertIn("more than 1000000 lines", self.run_theater("test", "poll", code=8).stderr)
        (poll / "actor.test").unlink()
        self.assertIn("no file of tests", self.run_theater("test", "poll", code=NOT_FOUND).stderr)

    def test_a_test_builds_what_is_older_than_its_sources(self):
        poll = self.new()
        self.run_theater("test", "poll")
        source = poll / "actor.c"
        source.write_text(source.read_text().replace("there is no such choice", "no"))
        self.run_theater("test", "poll", "--no-build")
        self.assertIn("got       no", self.run_theater("test", "poll", code=ACTOR_FAILED).stdout)

    def test_the_parts_of_the_c_library_that_there_are(self):
        folder = Path(__file__).parent / "libc"
        (self.folder / "libc").mkdir()
        for name in ("actor.c", "actor.test"):
            (self.folder / "libc" / name).write_bytes((folder / name).read_bytes())
        self.run_theater("test", "libc")

    def test_what_c_does_not_have_is_said_at_its_line(self):
        poll = self.new()
        source = (poll / "actor.c").read_text()
        for text, place, part in (("#include <stdio.h>\n" + source, "actor.c:1:", "theater_text.h writes"),
                                  ("#include <time.h>\n" + source, "actor.c:1:", "theater_now()"),
                                  (source.replace("theater_put_byte(&output, ' ')", "put(&output)"), "actor.c:59:", "'put'")):
            (poll / "actor.c").write_text(text)
            done = self.run_theater("build", "poll", code=INVALID_ARGUMENT)
            self.assertIn(place, done.stderr)
            self.assertIn(part, done.stderr)

    def test_what_is_built(self):
        self.new()
        self.run_theater("build", "poll/actor.c")
        built = load(self.run_theater("build", "poll", "--json", "--output", "other.wasm").stdout)
        self.assertEqual((built["language"], built["component"]), ("c", "other.wasm"))
        self.assertEqual((self.folder / "other.wasm").read_bytes(), (self.folder / "poll/build/poll.wasm").read_bytes())
        # A component is only checked.
        self.run_theater("build", "other.wasm", "--output", "again.wasm")
        self.assertEqual((self.folder / "other.wasm").read_bytes(), (self.folder / "again.wasm").read_bytes())
        self.assertIn("is none of", self.run_theater("build", "poll", "--lang", "cobol", code=INVALID_ARGUMENT).stderr)
        self.assertIn("is none of", self.run_theater("new", "--lang", "cobol", "x", code=INVALID_ARGUMENT).stderr)
        self.assertIn("no project in Rust", self.run_theater("build", "poll", "--lang", "rust", code=NOT_FOUND).stderr)
        self.assertIn("--actor is for --watch", self.run_theater("build", "poll", "--actor", "x", code=INVALID_ARGUMENT).stderr)
        (self.folder / "x.wasm").write_bytes(b"no")
        self.assertIn("is no WebAssembly", self.run_theater("build", "x.wasm", code=INVALID_ARGUMENT).stderr)

    def test_wasi_in_a_component_is_refused_with_the_list_and_the_remedy(self):
        # (component (import "wasi:clocks/wall-clock@0.2.0" (instance))), by hand.
        name = b"wasi:clocks/wall-clock@0.2.0"
        kind = b"\x07\x03\x01\x42\x00"  # a type section with one instance type that has nothing
        entry = b"\x01\x00" + bytes([len(name)]) + name + b"\x05\x00"
        (self.folder / "clock.wasm").write_bytes(b"\0asm\x0d\0\1\0" + kind + b"\x0a" + bytes([len(entry)]) + entry)
        for arguments in (("build", "clock.wasm"), ("--data", "data", "start", "clock", "--component", "clock.wasm")):
            done = self.run_theater(*arguments, code=COMPONENT_REFUSED)
            self.assertIn("wasi:clocks/wall-clock@0.2.0", done.stderr)
            self.assertIn("`theater build` makes components without it", done.stderr)

    def test_of_a_long_list_of_imports_the_remedy_is_not_cut_off(self):
        names = [f"wasi:sockets/network-of-a-long-name@0.2.{i}".encode() for i in range(40)]
        entries = b"".join(b"\x00" + bytes([len(name)]) + name + b"\x05\x00" for name in names)
        size = 1 + len(entries)
        section = b"\x0a" + bytes([size & 0x7f | 0x80, size >> 7]) + bytes([len(names)]) + entries
        (self.folder / "many.wasm").write_bytes(b"\0asm\x0d\0\1\0" + b"\x07\x03\x01\x42\x00" + section)
        done = self.run_theater("build", "many.wasm", code=COMPONENT_REFUSED)
        self.assertIn("`theater build` makes components without it", done.stderr)
        self.assertRegex(done.stderr, names[0].decode() + r", .* and \d\d more\n$")
        done = self.run_theater("--data", "data", "start", "many", "--component", "many.wasm", code=COMPONENT_REFUSED)
        self.assertIn("`theater build` makes components without it", done.stderr)
        self.assertRegex(done.stderr, r"\.\.\.\n$")

    def test_calls_of_wasi_are_answered_inside(self):
        tools = next(load(line) for line in theater("doctor", "--json").stdout.splitlines() if load(line)["check"] == "c")
        clang, linker = tools["detail"].split(", ")
        source = Path(__file__).parent / "wasi.c"
        sdk = Path(os.environ["THEATER_SDK"]) / "c"
        subprocess.run([clang, "--target=wasm32-unknown-unknown", "-std=c17", "-O1", "-mbulk-memory", "-ffreestanding", "-fvisibility=hidden",
                        "-I", sdk, "-c", source, "-o", self.folder / "wasi.o"], check=True)
        subprocess.run([linker, "--no-entry", "--export-dynamic", "wasi.o", "-o", "wasi.wasm"], cwd=self.folder, check=True)
        self.run_theater("build", "wasi.wasm", "--output", "actor.wasm")
        self.run_theater("test", source.with_suffix(".test"), "--component", "actor.wasm")
        # Functions that nobody calls leave no import behind: a module that asks for no clock imports none.
        self.assertNotIn(b"self-name", (self.folder / "actor.wasm").read_bytes())

    def test_a_missing_tool_is_named_with_the_line_that_installs_it(self):
        empty = self.folder / "empty"
        empty.mkdir()
        environment = {**os.environ, "PATH": str(empty), "THEATER_TOOLS": str(empty), "HOME": str(empty), "CARGO_HOME": str(empty)}
        def run(*arguments):
            return subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        made = run("new", "--lang", "zig", "z")
        self.assertEqual(made.returncode, 0)
        self.assertIn("a build will not work yet: actors in Zig need zig", made.stderr)
        built = run("build", "z")
        self.assertEqual(built.returncode, 25)
        self.assertRegex(built.stderr, r"not installed: /\S+/tools/guest-tools zig\n$")
        self.assertEqual(run("new", "--lang", "rust", "r").returncode, 0)
        self.assertRegex(run("build", "r").stderr, r"no Rust that can make WebAssembly: /\S+/tools/guest-tools rust, or")
        lines = [load(line) for line in run("doctor", "--json").stdout.splitlines()]
        zig = next(line for line in lines if line["check"] == "zig")
        self.assertEqual(zig["verdict"], "warning")
        self.assertRegex(zig["remedy"], "/tools/guest-tools zig$")
        # What is missing and what helps are said once each; a build says both in one line.
        for line in lines:
            if line["verdict"] == "warning":
                self.assertTrue(line["remedy"])
                self.assertNotIn(line["remedy"], line["detail"])
                self.assertNotIn("guest-tools", line["detail"])
        c = next(line for line in lines if line["check"] == "c")
        self.assertEqual((c["detail"], c["remedy"]),
                         ("actors in C need clang 14 or newer, which is not installed", "apt install clang lld"))
        named = {**environment, "THEATER_ZIG": "/no/such/zig"}
        done = subprocess.run([PROGRAM, "build", "z"], cwd=self.folder, env=named, capture_output=True, text=True, check=False)
        self.assertIn("THEATER_ZIG is /no/such/zig, which is no program", done.stderr)

    def test_a_node_that_is_too_old_is_said(self):
        tools = self.folder / "tools/bin"
        tools.mkdir(parents=True)
        for version, word in (("v18.20.4", "and the one here is v18.20.4"), ("", "and the one here does not run"), ("v20.0.0", None)):
            (tools / "node").write_text(f"#!/bin/sh\necho {version}\n" if version else "#!/bin/sh\nexit 1\n")
            (tools / "node").chmod(0o755)
            environment = {**os.environ, "THEATER_TOOLS": str(tools.parent)}
            environment.pop("THEATER_NODE", None)
            done = subprocess.run([PROGRAM, "doctor"], env=environment, capture_output=True, text=True, check=False)
            for language in ("JavaScript", "AssemblyScript"):
                self.assertEqual(f"actors in {language} need Node 20 or newer, {word}\n" in done.stdout, word is not None, done.stdout)

    def test_an_interrupted_build_leaves_nothing_behind(self):
        self.new()
        slow = self.folder / "slow"
        slow.write_text("#!/bin/sh\nsleep 30\n")
        slow.chmod(0o755)
        for command in ("build", "test"):
            with self.subTest(command):
                build = subprocess.Popen([PROGRAM, command, "poll"], cwd=self.folder, env={**os.environ, "THEATER_CLANG": str(slow)},
                                         stderr=subprocess.PIPE, text=True, start_new_session=True)
                while not list(self.folder.glob("poll/build/.work-*")):
                    time.sleep(0.05)
                time.sleep(0.3)
                os.killpg(build.pid, signal.SIGINT)
                self.assertIn("interrupted", build.communicate(timeout=20)[1])
                self.assertEqual(build.returncode, 26)
                self.assertFalse((self.folder / "poll" / "build").exists())

    def test_watching_builds_and_upgrades(self):
        poll = self.new()
        (poll / "actor.test").unlink()
        watch = subprocess.Popen([PROGRAM, "--data", "data", "build", "poll", "--watch", "--actor", "poll"], cwd=self.folder,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            lines = iter(watch.stdout.readline, "")
            self.assertIn("poll.wasm", next(lines))
            self.assertEqual(next(lines), "started poll\n")
            time.sleep(0.5)
            source = poll / "actor.c"
            source.write_text(source.read_text().replace("there is no such choice", "no"))
            self.assertIn("poll.wasm", next(lines))
            self.assertEqual(next(lines), "upgraded poll\n")
        finally:
            watch.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait(20), 0)
            watch.stdout.close()
            watch.stderr.close()
        self.assertIn(": no", self.run_theater("--data", "data", "send", "poll", "vote wine", code=3).stderr)
        self.run_theater("--data", "data", "replay", "poll")

    def test_watching_does_not_build_for_what_it_writes_itself(self):
        poll = self.new()
        watch = subprocess.Popen([PROGRAM, "--data", "poll/chains", "build", "poll", "--watch", "--actor", "poll", "--output", "poll/actor.wasm"],
                                 cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.assertEqual([watch.stdout.readline().split()[0], watch.stdout.readline()], ["poll/actor.wasm:", "started poll\n"])
            time.sleep(2)
            source = poll / "actor.c"
            source.write_text(source.read_text().replace("there is no such choice", "no"))
            self.assertEqual([watch.stdout.readline().split()[0], watch.stdout.readline()], ["poll/actor.wasm:", "upgraded poll\n"])
            time.sleep(2)
        finally:
            watch.send_signal(signal.SIGINT)
            rest = watch.communicate(timeout=20)[0]
        self.assertEqual(rest, "")
        self.assertEqual(load(self.run_theater("--data", "poll/chains", "list", "--json").stdout)["elements"], 2)

    def test_watching_works_beside_a_server(self):
        poll = self.new()
        server = subprocess.Popen([PROGRAM, "--data", "data", "serve", "--listen", "127.0.0.1:0"], cwd=self.folder,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watch = None
        try:
            self.assertIn("serving data at", server.stdout.readline())
            watch = subprocess.Popen([PROGRAM, "--data", "data", "build", "poll", "--watch", "--actor", "poll"], cwd=self.folder,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            lines = iter(watch.stdout.readline, "")
            self.assertEqual([next(lines).split()[0], next(lines)], ["poll/build/poll.wasm:", "started poll\n"])
            time.sleep(0.5)
            source = poll / "actor.c"
            source.write_text(source.read_text().replace("there is no such choice", "no"))
            self.assertEqual([next(lines).split()[0], next(lines)], ["poll/build/poll.wasm:", "upgraded poll\n"])
            self.assertIn(": no", self.run_theater("--data", "data", "send", "poll", "vote wine", code=3).stderr)
        finally:
            for process in filter(None, (watch, server)):
                process.send_signal(signal.SIGINT)
                process.wait(20)
                process.stdout.close()
                process.stderr.close()


if __name__ == "__main__":
    unittest.main(verbosity=1)
