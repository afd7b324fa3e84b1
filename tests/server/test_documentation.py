"""What docs/http-api.md shows, done as it stands: its commands one after the other in a fresh folder, and the clients of examples/clients."""

import json
import os
import re
import shutil
import socket
import subprocess

from support import *

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/http-api.md").read_text()


def commands():
    """The lines of the page's blocks for a shell, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


class Page(Case):
    def serve(self, *more):
        pass  # the page starts its own

    def run_page(self, lines, port):
        """Runs them in one shell; the output of each by its number. A request that fails, or a command, fails the test."""
        script = ["set -eEuo pipefail", 'curl() { command curl -sS --fail-with-body --max-time 20 "$@"; }',
                  'trap \'echo "failed: $BASH_COMMAND" >&2\' ERR', "trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT"]
        for number, line in enumerate(lines):
            line = line.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
            if re.search(r" serve &", line):
                line = line.replace(" serve &", f" serve --listen 127.0.0.1:{port} >/dev/null 2>serve.log &")
                line += "\nuntil command curl -sf http://127.0.0.1:%d/v1/ready >/dev/null; do sleep 0.05; done" % port
            if line.startswith("curl -N "):  # a stream has no end
                line = f"( command curl -sN --max-time 3 {line[8:].partition('#')[0]} || true )"
            script.append(f"printf '\\n@@ {number}\\n'\n{line}")
        environment = {**os.environ, "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=self.folder, env=environment, capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout.decode(errors="replace")[-2000:] + done.stderr.decode(errors="replace"))
        parts = re.split(r"\n@@ (\d+)\n", done.stdout.decode(errors="replace"))
        return {int(number): output for number, output in zip(parts[1::2], parts[2::2])}

    def test_the_commands_of_the_page(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not here")
        shutil.copy(ACTORS / "counter.wasm", self.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        lines = commands()
        self.assertGreater(len(lines), 25)
        outputs = self.run_page(lines, port)
        self.assertEqual(len(outputs), len(lines))

        def of(part):
            return next(outputs[number] for number, line in enumerate(lines) if part in line)

        self.assertEqual(json.loads(of("$U/v1/components "))["size"], (ACTORS / "counter.wasm").stat().st_size)
        self.assertIn("Theater-Sequence: ", of("curl -i "))
        self.assertTrue(of("curl -i ").endswith("\r\n\r\n1"))
        answers = [json.loads(line) for line in of("messages/stream").splitlines()]
        self.assertEqual([answer["output"] for answer in answers], ["2", "3", "3"])
        self.assertEqual(of("/counter/query"), "3")
        self.assertTrue(json.loads(of("/rerun"))["matches"])
        self.assertEqual(json.loads(of("/try?at="))["outcome"], "ok")
        self.assertIn("event: genesis", of("events?from=0"))
        self.assertEqual(json.loads(of("$U/v1/jobs "))["kind"], "verify")
        self.theater("verify", self.folder / "counter.bundle")
        self.theater("verify-proof", self.folder / "proof", "--key", of("/counter/key").strip())

    def test_what_a_trial_is_said_to_give(self):
        """The JSON of the page has the keys of the answer."""
        shown = json.loads(next(block for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.M | re.S)))
        Case.serve(self)
        self.start()
        answer = self.post("/v1/actors/counter/try", b"inc").json
        self.assertEqual(set(shown) | {"at"}, set(answer))


class Clients(Case):
    WANTED = ["inc -> 1", "add 41 -> 42", "nonsense -> rejected: "]

    def use(self, *command):
        self.start()
        done = subprocess.run([*map(str, command), f"127.0.0.1:{self.port}", "counter", "inc", "add 41", "nonsense"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        for line, wanted in zip(lines, self.WANTED):
            self.assertTrue(line.startswith(wanted), line)
        elements = [self.get(f"/v1/actors/counter/elements/{n}").json for n in (1, 2, 3)]
        self.assertEqual(lines[3:], [f"element {e['sequence']} {e['type']} {e['hash']}" for e in elements])

    def test_python(self):
        self.use("python3", ROOT / "examples/clients/websocket.py")

    def test_javascript(self):
        node = shutil.which("node") or shutil.which("nodejs")
        if not node:
            self.skipTest("Node is not here")
        self.use(node, ROOT / "examples/clients/websocket.mjs")

    def test_python_with_a_token(self):
        self.stop()
        token = self.theater("token", "new", "alice").strip()
        self.serve("--require-token")
        with self.assertRaises(AssertionError):
            self.start()
        client = ["python3", str(ROOT / "examples/clients/websocket.py"), f"127.0.0.1:{self.port}", "counter", "inc"]
        refused = subprocess.run(client, capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("401", refused.stderr)
        self.post("/v1/actors?name=counter", (ACTORS / "counter.wasm").read_bytes(), 201, Content_Type="application/wasm",
                  Authorization=f"Bearer {token}")
        done = subprocess.run(client, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "THEATER_TOKEN": token})
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (0, "inc -> 1"), done.stderr)


if __name__ == "__main__":
    main()
