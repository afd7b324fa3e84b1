"""chain, state, and the JSON that scripts rely on."""

import base64
import hashlib
import subprocess
import signal

from support import *

KEYS = ["sequence", "hash", "previous", "type", "timestamp", "input", "output", "state_before", "state_after", "state_size",
        "fuel", "cause", "principal", "id"]


class Chain(Case):
    def test_json_has_exactly_its_keys_and_links(self):
        self.start()
        for _ in range(3):
            self.send("counter", "inc")
        self.run_theater("send", "counter", "bad", code=REJECTED)
        elements = self.chain("counter")
        previous, state = "00" * 32, hashlib.sha256(b"").hexdigest()
        for i, element in enumerate(elements):
            self.assertEqual(list(element), KEYS)
            self.assertEqual((element["sequence"], element["previous"], element["state_before"]), (i, previous, state))
            previous, state = element["hash"], element["state_after"]
        self.assertEqual([e["type"] for e in elements], ["genesis"] + ["transition"] * 3 + ["rejection"])
        self.assertEqual(elements[0]["input"]["descriptor"]["name"], "counter")
        self.assertEqual(elements[4]["output"]["code"], 1)
        self.assertEqual(elements[4]["state_after"], elements[4]["state_before"])

    def test_bytes_that_are_no_text_are_base64(self):
        self.start_fixture("echo", name="echo")
        for contents in b"\x00\x01\xff", "grün\n".encode(), b"\x1b[31m", b"", b"\xc2\x80":
            self.run_theater("send", "echo", "--file", self.file("input", contents))
        outputs = [e["output"] for e in self.chain("echo", "--from", "1")]
        self.assertEqual(outputs, [{"base64": base64.b64encode(b"\x00\x01\xff").decode()}, "grün\n",
                                   {"base64": base64.b64encode(b"\x1b[31m").decode()}, "",
                                   {"base64": base64.b64encode(b"\xc2\x80").decode()}])

    def test_from_and_to(self):
        self.start()
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 50)
        self.assertEqual([e["sequence"] for e in self.chain("counter", "--from", "10", "--to", "12")], [10, 11, 12])
        self.assertEqual([e["sequence"] for e in self.chain("counter", "--from", "49")], [49, 50])
        self.assertEqual(self.chain("counter", "--from", "51"), [])
        self.run_theater("chain", "counter", "--from", "x", code=INVALID_ARGUMENT)

    def test_the_table_has_no_colours_in_a_pipe_and_no_raw_bytes(self):
        self.start_fixture("echo", name="echo")
        self.run_theater("send", "echo", "--file", self.file("input", b"\x1b[31mred"))
        table = self.run_theater("chain", "echo").output
        self.assertNotIn(b"\x1b", table)
        self.assertEqual(len(table.splitlines()), 3)

    def test_follow_prints_what_comes_until_it_is_interrupted(self):
        self.start()
        process = subprocess.Popen(self.command("--data", self.data, "chain", "counter", "--json", "--follow"),
                                   stdout=subprocess.PIPE, cwd=self.folder, env=self.environment)
        self.assertEqual(json.loads(process.stdout.readline())["type"], "genesis")
        self.send("counter", "inc")
        self.assertEqual(json.loads(process.stdout.readline())["output"], "1")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), OK)
        process.stdout.close()

    def test_follow_ends_at_to(self):
        self.start()
        process = subprocess.Popen(self.command("--data", self.data, "chain", "counter", "--json", "--follow", "--to", "1"),
                                   stdout=subprocess.PIPE, cwd=self.folder, env=self.environment)
        self.send("counter", "inc")
        output, _ = process.communicate(timeout=60)
        self.assertEqual(len(output.splitlines()), 2)


class State(Case):
    def test_now_and_at_each_element(self):
        self.start(config='{"start":100}')
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 20)
        for at in 0, 1, 7, 20:
            state = self.run_theater("state", "counter", "--at", at).output
            self.assertEqual(state, (100 + at).to_bytes(8, "little"))
        self.assertEqual(self.run_theater("state", "counter").output, (120).to_bytes(8, "little"))
        self.run_theater("state", "counter", "--at", "21", code=NOT_FOUND)

    def test_json_has_the_root_of_the_element(self):
        self.start()
        self.send("counter", "inc")
        state = self.run_theater("state", "counter", "--json").json
        self.assertEqual(state["state_root"], self.chain("counter")[1]["state_after"])
        self.assertEqual(base64.b64decode(state["state"]["base64"]), (1).to_bytes(8, "little"))
        self.assertEqual((state["sequence"], state["state_size"]), (1, 8))

    def test_behind_snapshots_and_upgrades(self):
        self.start_fixture("set_state", name="s")
        for i in range(4):
            self.run_theater("send", "s", "--file", self.file("input", bytes([65 + i]) * 600000))
        self.run_theater("upgrade", "s", "--component", FIXTURES / "echo.wasm")
        self.send("s", "x")
        self.assertGreater(self.run_theater("inspect", "s", "--json").json["snapshot"] or 0, 0)
        for i in range(4):
            self.assertEqual(self.run_theater("state", "s", "--at", 1 + i).output, bytes([65 + i]) * 600000)
        self.assertEqual(self.run_theater("state", "s").output, b"D" * 600000)


if __name__ == "__main__":
    main()
