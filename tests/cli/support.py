"""What the tests of the program share: a folder for each test, and short ways to run the program in it."""

import json
import os
from pathlib import Path
import socket
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["THEATER_PROGRAM"]
ACTORS = Path(os.environ["THEATER_ACTORS"])
FIXTURES = Path(os.environ["THEATER_FIXTURES"])

OK = 0
INVALID_ARGUMENT = 2
REJECTED = 3
NOT_FOUND = 4
EXISTS = 5
COMPONENT_REFUSED = 6
ACTOR_FAILED = 7
TOO_LARGE = 8
MAILBOX_FULL = 9
STOPPED = 10
READ_ONLY = 11
NO_SPACE = 13
BUSY = 14
CORRUPT = 15
VERSION = 16
IO = 20
VERIFY_FAILED = 21
UNDECIDED = 22
PERMISSION = 24
INTERRUPTED = 26


class Done:
    """How a command ended."""

    def __init__(self, done):
        self.code = done.returncode
        self.output = done.stdout
        self.errors = done.stderr.decode(errors="replace")

    @property
    def text(self):
        return self.output.decode()

    @property
    def json(self):
        return json.loads(self.output)

    @property
    def lines(self):
        return [json.loads(line) for line in self.output.splitlines()]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="theater-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data = self.folder / "data"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("THEATER_")}

    def command(self, *arguments):
        return [PROGRAM, *(a if isinstance(a, bytes) else str(a) for a in arguments)]

    def nobody(self):
        """The address of a port on which nobody listens, and nobody can meanwhile."""
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"

    def bare(self, *arguments, code=OK, stdin=b"", environment=None, timeout=120):
        """Runs the program without a data folder."""
        done = Done(subprocess.run(self.command(*arguments), input=stdin, capture_output=True, cwd=self.folder,
                                   env={**self.environment, **(environment or {})}, timeout=timeout, check=False))
        if code is not None:
            self.assertEqual(done.code, code, f"{arguments}: {done.errors}\n{done.output[:2000]}")
            if code != OK:
                self.assertTrue(done.errors.startswith("theater: "), done.errors)
        return done

    def run_theater(self, *arguments, **options):
        """Runs the program on this test's data folder."""
        return self.bare("--data", self.data, *arguments, **options)

    def start(self, name="counter", component=None, config="", **options):
        component = component or ACTORS / f"{name}.wasm"
        return self.run_theater("start", name, "--component", component, "--config-text", config, **options)

    def start_fixture(self, fixture, name="actor", config="", *more, **options):
        return self.run_theater("start", name, "--component", FIXTURES / f"{fixture}.wasm", "--config-text", config,
                                *more, **options)

    def send(self, name, text, *more, **options):
        return self.run_theater("send", name, text, *more, **options).text

    def chain(self, name, *more):
        return self.run_theater("chain", name, "--json", *more).lines

    def file(self, name, contents):
        path = self.folder / name
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return path

    def still_good(self, *names):
        """What every failure must leave behind: a folder whose chains verify and run."""
        self.run_theater("verify", "--all")
        self.run_theater("replay")
        for name in names:
            self.send(name, "get")


def main():
    unittest.main(verbosity=1)
