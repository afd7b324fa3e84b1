"""Components, inits and turns that fail: each gives one clear error and leaves the chain valid."""

import re
import struct

from support import *

REFUSED = {
    "core_module": "module",
    "empty": "init",
    "missing_function": "verify-state",
    "mistyped_function": "handle",
    "wasi_import": "wasi",
    "unknown_host_function": "host",
    "mistyped_host_function": "host",
    "memory64": "",
    "shared_memory": "",
    "threads": "",
    "gc_struct": "",
    "gc_externref": "",
    "exceptions": "",
    "relaxed_simd": "",
    "all_wrong": "",
}


class Refused(Case):
    def test_each_component_that_is_not_allowed_is_named(self):
        self.start()
        for name, word in REFUSED.items():
            done = self.start_fixture(name, name="bad", code=COMPONENT_REFUSED)
            self.assertIn(word, done.errors, name)
        self.run_theater("inspect", "bad", code=NOT_FOUND)
        self.still_good("counter")

    def test_a_file_that_is_no_component(self):
        self.start(component=self.file("text", "hello"), code=COMPONENT_REFUSED)
        self.start(component=self.file("nothing", ""), code=COMPONENT_REFUSED)
        self.start(component="/no/such/file", code=NOT_FOUND)
        component = (ACTORS / "counter.wasm").read_bytes()
        self.start(component=self.file("cut", component[:len(component) // 2]), code=COMPONENT_REFUSED)

    def test_all_that_is_wrong_is_said_at_once(self):
        done = self.start_fixture("all_wrong", name="bad", code=COMPONENT_REFUSED)
        self.assertGreater(len(done.errors.splitlines()), 3, done.errors)


class Init(Case):
    def test_an_init_that_fails_makes_no_actor(self):
        self.start()
        for fixture in "init_error", "init_trap", "init_invalid", "start_trap":
            self.start_fixture(fixture, name="bad", code=ACTOR_FAILED)
        self.start_fixture("init_loop", "bad", "", "--fuel", "1000000", code=ACTOR_FAILED)
        self.start_fixture("echo", "bad", "x" * 5000, "--state", "4096", code=ACTOR_FAILED)
        self.start_fixture("echo", "bad", "x" * 5000, "--message", "4096", code=TOO_LARGE)
        self.run_theater("inspect", "bad", code=NOT_FOUND)
        self.start_fixture("echo", "bad")
        self.still_good("counter")


class Turns(Case):
    def reject(self, name, contents, words, code=None):
        done = self.run_theater("send", name, "--file", self.file("input", contents), "--json", code=REJECTED)
        self.assertIn(words, done.errors)
        if code:
            self.assertEqual(done.json["code"], code, done.errors)

    def test_each_trap_of_the_contract(self):
        self.start_fixture("traps", "t", "", "--fuel", "10000000")
        kinds = {"unreachable": "ua", "memory": "mfs", "table": "tnye", "division": "dr", "integer": "oiN", "abi": "zpqDxlbvSc"}
        for words, letters in kinds.items():
            for letter in letters:
                self.reject("t", letter.encode(), words, 3)
        self.reject("t", b"L", "out of fuel", 4)
        self.reject("t", b"R", "stack overflow", 6)
        self.assertEqual(self.send("t", "+"), "+")
        self.run_theater("verify", "t")
        self.run_theater("replay", "t")
        self.run_theater("replay", "t", "--engine", "pulley", code=None)

    def test_a_failure_is_told_apart_from_a_no_and_says_where_to_look(self):
        self.start_fixture("traps", "t")
        errors = self.run_theater("send", "t", "u", code=REJECTED).errors
        self.assertIn('t failed at it (element 1): a trap: unreachable; "theater rerun t 1" shows more', errors)
        self.assertIn("t would fail at it: a trap: unreachable", self.run_theater("query", "t", "u", code=REJECTED).errors)
        self.assertIn("line 1: a trap: unreachable",
                      self.run_theater("send", "t", "--lines", stdin=b"u\n", code=REJECTED).errors)
        self.start_fixture("set_state", "v")
        self.assertIn("its verify-state says: invalid state", self.run_theater("send", "v", "! invalid", code=REJECTED).errors)
        self.start_fixture("handle_error", "h")
        self.assertIn("h rejected it (element 1): the words", self.run_theater("send", "h", "the words", code=REJECTED).errors)
        self.assertIn("h would reject it: the words", self.run_theater("query", "h", "the words", code=REJECTED).errors)

    def test_turns_that_do_not_end(self):
        self.start_fixture("endless_loop", "loop", "", "--fuel", "1000000")
        self.reject("loop", b"x", "out of fuel", 4)
        self.start_fixture("endless_recursion", "deep")
        self.reject("deep", b"x", "stack overflow", 6)
        self.start_fixture("endless_growth", "grow", "", "--memory", "1MiB")
        self.run_theater("send", "grow", "x")
        self.run_theater("replay")

    def test_limits_are_reasons(self):
        number = lambda n: struct.pack("<I", n)
        self.start_fixture("huge_output", "o", "", "--message", "4096")
        self.reject("o", number(5000), "output", 5)
        self.start_fixture("huge_state", "s", "", "--state", "4096")
        self.reject("s", number(5000), "state", 5)
        self.start_fixture("huge_error", "e", "", "--message", "4096")
        self.reject("e", number(5000), "error", 5)
        self.start_fixture("send", "n")
        self.reject("n", b"No Name", "name", 5)
        self.start_fixture("send_many", "m", "", "--effects", "4096")
        self.reject("m", number(10000) + number(0), "effects", 5)
        self.start_fixture("send_many", "p", "", "--message", "4096", "--effects", "1MiB")
        self.reject("p", number(1) + number(5000), "payload", 5)
        self.start_fixture("set_state", "v")
        self.reject("v", b"! invalid", "invalid state", 2)
        self.start_fixture("handle_error", "h")
        self.reject("h", b"the words", "the words", 1)
        self.run_theater("verify", "--all")
        self.run_theater("replay")

    def test_an_input_over_the_limit_makes_no_element(self):
        self.start_fixture("echo", "e", "", "--message", "4096")
        self.run_theater("send", "e", "--file", self.file("input", b"x" * 4097), code=TOO_LARGE)
        self.run_theater("send", "e", "--file", self.file("input", b"x" * 4096))
        self.assertEqual(len(self.chain("e")), 2)

    def test_backtraces_are_for_logs_only(self):
        self.start_fixture("traps", "t")
        quiet = self.run_theater("send", "t", "u", code=REJECTED)
        self.assertEqual(len(quiet.errors.splitlines()), 1)
        self.run_theater("send", "t", "u", "--verbose", code=None)
        self.assertNotIn(b"backtrace", self.run_theater("chain", "t", "--json").output)


class Names(Case):
    def test_names(self):
        for bad in "", "Upper", "with space", "a..b", ".a", "a.", "x" * 129, "a/b", "ü":
            self.run_theater("start", bad, "--component", ACTORS / "counter.wasm", code=INVALID_ARGUMENT)
        for good in "a", "a.b-c_1", "x" * 128:
            self.start(good, component=ACTORS / "counter.wasm")
        self.start("a", component=ACTORS / "counter.wasm", code=EXISTS)

    def test_wrong_limits_and_manifests(self):
        for more in ["--fuel", "0"], ["--fuel", "x"], ["--memory", "big"], ["--state", "0"], ["--config", "/no/file"]:
            done = self.run_theater("start", "a", "--component", ACTORS / "counter.wasm", *more, code=None)
            self.assertIn(done.code, (INVALID_ARGUMENT, NOT_FOUND), more)
        self.run_theater("start", "a", "--component", ACTORS / "counter.wasm", "--config-text", "", "--config", "x",
                         code=INVALID_ARGUMENT)
        self.run_theater("start", "a", code=INVALID_ARGUMENT)
        self.run_theater("start", "--component", ACTORS / "counter.wasm", code=INVALID_ARGUMENT)
        for text in "name: a", "name: a\ncomponent: x\nnonsense: 1\n", "[1, 2", "":
            self.run_theater("start", "--manifest", self.file("actor.yaml", text), code=INVALID_ARGUMENT)
        done = self.run_theater("start", "--manifest", self.file("actor.yaml", "name: a\ncomponent: x\nnonsense: 1\n"), code=None)
        self.assertRegex(done.errors, re.compile(r"actor\.yaml:3: "))
        self.run_theater("start", "--manifest", self.file("actor.yaml", "name: a\ncomponent: missing.wasm\n"), code=NOT_FOUND)


if __name__ == "__main__":
    main()
