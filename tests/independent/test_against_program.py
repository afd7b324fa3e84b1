"""The second reader held against the program: the same bundles, the same verdicts and the same hashes.

THEATER_PROGRAM names the program, THEATER_ACTORS the folder with the components of the example actors.
"""

import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import gather
import cbor
from element import decode_element
from theater_bundle import verify_bundle

PROGRAM = os.environ["THEATER_PROGRAM"]
ACTORS = Path(os.environ["THEATER_ACTORS"])


class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def call(self, *arguments):
        command = [PROGRAM, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, timeout=60, check=False)

    def theater(self, *arguments, code=0):
        """Runs a command on this test's data folder; returns its output."""
        done = self.call("--data", self.folder / "data", *arguments)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout

    def start(self, name, config):
        self.theater("start", name, "--component", ACTORS / f"{name}.wasm", "--config-text", config)

    def export(self, name):
        file = self.folder / f"{name}.bundle"
        self.theater("export", name, file)
        return file.read_bytes()


# Where this reader refuses more than the program needs to: that a payload is over its sender's limits is found by running the sender again.
# The program may accept these bundles; it may not refuse one that is accepted here.
CONCLUSIONS = {
    "test_causes.Messages.test_payloads_count_for_the_senders_limits",
}


class Verdicts(Program):
    def test_every_case_has_the_same_verdict(self):
        file = self.folder / "case.bundle"
        different = []
        for test, data, keys, error in gather():
            file.write_bytes(data)
            done = self.call("verify", file, "--all", *(word for key in keys for word in ("--key", key)))
            self.assertIn(done.returncode, (0, 16, 21), done.stderr)
            if done.returncode == 0 and error is not None and test in CONCLUSIONS:
                continue
            if (done.returncode == 0) != (error is None):
                said = (done.stderr or done.stdout).decode(errors="replace").strip()
                different.append(f"{test}: here {error}; there {done.returncode}: {said}")
        self.assertEqual(different, [], f"{len(different)} verdicts differ:\n" + "\n".join(different))


class Exports(Program):
    def elements(self, data):
        """Hashes and sequences of the elements of a bundle of one chain."""
        pos, found = 0, []
        while pos < len(data):
            item, pos = cbor.item(data, pos)
            if isinstance(item, list) and item[0] == 3:
                found.append(decode_element(item[1]))
        return found

    def test_a_chain_of_the_counter(self):
        self.start("counter", '{"start":41}')
        self.theater("send", "counter", "inc", "--id", "first")
        self.theater("send", "counter", "nonsense", code=None)
        self.theater("send", "counter", "add 7")
        self.theater("checkpoint", "counter")
        key = self.theater("keys", "counter").decode().strip()
        data = self.export("counter")
        report = verify_bundle(data, [key])
        self.assertIsNone(report.error)
        chain = report.chains[0]
        self.assertEqual((chain["actor"], chain["elements"], chain["key_source"]), ("counter", 4, "user"))
        lines = [json.loads(line) for line in self.theater("chain", "counter", "--json").splitlines()]
        self.assertEqual([line["hash"] for line in lines], [each.hash.hex() for each in self.elements(data)])
        self.assertEqual(lines[-1]["hash"], chain["head"])
        state = self.folder / "state"
        state.write_bytes(self.theater("state", "counter"))
        self.assertEqual(state.read_bytes(), (49).to_bytes(8, "little"))

    def test_a_flipped_byte_is_found_by_both(self):
        self.start("counter", "")
        for count in range(20):
            self.theater("send", "counter", f"add {count}")
        data = self.export("counter")
        self.assertIsNone(verify_bundle(data).error)
        file = self.folder / "flipped.bundle"
        for place in range(7, len(data), max(1, len(data) // 60)):
            flipped = bytearray(data)
            flipped[place] ^= 1 << place % 8
            file.write_bytes(flipped)
            self.assertFalse(verify_bundle(bytes(flipped)).ok, place)
            self.assertNotEqual(self.call("verify", file).returncode, 0, place)

    def test_messages_between_two_chains(self):
        self.start("ping", "pong")
        self.start("pong", "")
        self.theater("send", "ping", "play 25")
        ping, pong = self.export("ping"), self.export("pong")
        for both in (ping + pong, pong + ping):
            report = verify_bundle(both)
            self.assertIsNone(report.error)
            self.assertEqual([chain["causes_open"] for chain in report.chains], [0, 0])
            self.assertEqual(sum(chain["causes_checked"] for chain in report.chains), 50)
        self.assertEqual(verify_bundle(ping).chains[0]["causes_open"], 25)


if __name__ == "__main__":
    unittest.main()
