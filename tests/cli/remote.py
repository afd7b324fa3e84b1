"""A server beside a test's data folder, and one command run in both ways."""

import json
import re
import signal
import subprocess
import time
import urllib.request

from support import *

HASH = re.compile(r"\b[0-9a-f]{64}\b|(?<=  )[0-9a-f]{8}(?=  )")
CHANGING = re.compile(r'"(nanoseconds|timestamp)":\d+|\d{4}-\d\d-\d\dT[\d:.]+Z|\d+\.\d\d s, \d+ elements a second')


def plain(text):
    """Without what is another in each run."""
    return CHANGING.sub("*", HASH.sub("#", text))


class ServerCase(Case):
    """`serve` starts a server on the data folder; `over` runs the program through it."""

    options = []

    def serve(self, *more, data=None, port=0):
        self.server_errors = open(self.folder / "server-errors", "ab")
        self.server = subprocess.Popen(self.command("--data", data or self.data, "serve", "--listen", f"127.0.0.1:{port}", "--json",
                                                    *self.options, *more),
                                       stdout=subprocess.PIPE, stderr=self.server_errors, cwd=self.folder, env=self.environment)
        line = self.server.stdout.readline()
        self.assertTrue(line, (self.folder / "server-errors").read_text())
        self.address = json.loads(line)["address"]
        self.addCleanup(self.end_server)

    def end_server(self, how=signal.SIGTERM):
        if self.server is None:
            return
        if self.server.poll() is None:
            self.server.send_signal(how)
        code = self.server.wait(timeout=60)
        self.server.stdout.close()
        self.server_errors.close()
        self.server = None
        errors = (self.folder / "server-errors").read_text(errors="replace")
        self.assertFalse("Sanitizer" in errors or "runtime error" in errors, errors[:6000])
        if how == signal.SIGTERM:
            self.assertEqual(code, 0, errors[-2000:])

    def followed_by(self, count):
        """Waits until the server has so many subscriptions to events."""
        end = time.monotonic() + 30
        while b"theater_subscriptions %d\n" % count not in urllib.request.urlopen(f"{self.address}/metrics", timeout=20).read():
            self.assertLess(time.monotonic(), end, "nobody follows")
            time.sleep(0.02)

    def over(self, *arguments, **options):
        return self.bare("--server", self.address, *arguments, **options)

    def both(self, *arguments, code=OK, stdin=b""):
        """A command that reads, on the folder and over its server, over TCP and over the Unix socket: all the same to the byte."""
        local = self.run_theater(*arguments, code=code, stdin=stdin)
        for address in (self.address, f"unix:{self.data}/server.sock"):
            remote = self.bare("--server", address, *arguments, code=code, stdin=stdin)
            self.assertEqual(CHANGING.sub("*", local.text), CHANGING.sub("*", remote.text), arguments)
            errors = local.errors.replace(f" in {self.data}", "").replace(str(self.data), "*")
            self.assertEqual(errors, remote.errors.replace(f" in {self.data}", "").replace(address, "*"), arguments)
        return local
