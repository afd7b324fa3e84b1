"""What is different on a terminal: colours, a progress bar, and bytes that must not reach it raw."""

import os
import pty
import subprocess

from support import *

import forge  # noqa: E402
import cbor  # noqa: E402


class Terminal(Case):
    def on_terminal(self, *arguments, stream="stdout", environment=None, stdin=subprocess.DEVNULL):
        """Runs a command with one of its streams on a terminal: (what came there, what came on the other one)."""
        master, slave = pty.openpty()
        other = self.folder / "other stream"
        with open(other, "wb") as file:
            streams = {"stdout": file, "stderr": file, stream: slave}
            process = subprocess.Popen(self.command("--data", self.data, *arguments), stdin=stdin, cwd=self.folder,
                                       env={**self.environment, **(environment or {})}, **streams)
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end was closed
                break
            if not part:
                break
            seen += part
        os.close(master)
        process.wait(timeout=60)
        return seen, other.read_bytes()

    def test_colours_are_for_terminals_and_can_be_turned_off(self):
        self.start()
        self.assertIn(b"\x1b[36mgenesis", self.on_terminal("chain", "counter")[0])
        self.assertNotIn(b"\x1b[", self.on_terminal("chain", "counter", environment={"NO_COLOR": "1"})[0])
        self.assertIn(b"\x1b[", self.on_terminal("chain", "counter", environment={"NO_COLOR": ""})[0])
        self.assertNotIn(b"\x1b", self.on_terminal("chain", "counter", "--json")[0])

    def test_raw_bytes_do_not_reach_a_terminal(self):
        self.start_fixture("set_state", name="s")
        self.run_theater("send", "s", "--file", self.file("input", b"\x1b]0;title\x07\xff"))
        for command in ["state", "s"], ["chain", "s"]:
            seen = self.on_terminal(*command, environment={"NO_COLOR": "1"})[0]
            self.assertNotIn(b"\x1b", seen, command)
            self.assertNotIn(b"\x07", seen, command)

    def test_the_engine_of_another_runtime_may_be_any_text(self):
        self.start()
        self.run_theater("export", "counter", "counter.bundle")
        bundle = (self.folder / "counter.bundle").read_bytes()

        def inspect(engine, name):
            def change(element, payloads):
                descriptor, _ = cbor.item(payloads[0])
                descriptor[5] = engine
                payloads[0] = cbor.encode(descriptor)

            self.file("forged", forge.forge(bundle, 0, change))
            self.run_theater("import", "forged", "--name", name)
            return self.on_terminal("inspect", name)[0].decode(), self.run_theater("inspect", name, "--json").json["engine"]

        long = "an-engine-whose-name-is-longer-than-others-are-" * 3
        text, value = inspect(long, "long")
        self.assertIn(f"engine       {long}\r\n", text)
        self.assertEqual(value, long)
        text, value = inspect("\x1b]0;title\x07\x9b", "controls")
        self.assertIn("engine       \\x1b]0;title\\x07\\xc2\\x9b\r\n", text)
        self.assertEqual(value, "\x1b]0;title\x07\x9b")
        text, value = inspect("a" + "\u00e4" * 200, "longest")  # cut between two characters, and it shows
        self.assertIn("engine       a" + "\u00e4" * 125 + "...\r\n", text)
        self.assertEqual(value, "a" + "\u00e4" * 125 + "...")

    def test_an_answer_ends_its_line_on_a_terminal_only(self):
        self.start()
        self.assertEqual(self.on_terminal("send", "counter", "inc")[0], b"1\r\n")
        self.assertEqual(self.run_theater("send", "counter", "inc").output, b"2")

    def test_a_progress_bar_when_only_standard_error_is_a_terminal(self):
        self.start()
        self.file("lines", "inc\n" * 30000)
        bar, answers = self.on_terminal("send", "counter", "--lines", "--file", "lines", stream="stderr")
        self.assertEqual(len(answers.splitlines()), 30000)
        self.assertIn(b"sending: [", bar)
        self.assertTrue(bar.endswith(b"\r\x1b[K"), bar[-50:])
        bar, _ = self.on_terminal("verify", "counter", stream="stderr")
        self.assertIn(b"verifying: [", bar)
        self.assertNotIn(b"\x1b[K", self.run_theater("verify", "counter").errors.encode())


if __name__ == "__main__":
    main()
