"""`theater serve` killed at random times under load, again and again, in one folder.

Clients post messages with idempotency keys and keep every answer. The server is killed with SIGKILL: some time after the first answer of
a round, or while it still opens the folder. What a client got no answer to, it sends again in the next round, with the same key. Then:

- every answer that any client got is on the chain, with that hash, input and output;
- every key is on the chain once, whether its first message was lost, or only its answer was;
- the chains verify with all causes, and every turn comes out the same when it is run again.

THEATER_CRASH_ROUNDS makes more rounds (`make crash COUNT=n`), THEATER_CRASH_SEED repeats the times of a run, as far as times can be.
"""

import http.client
import json
import os
from pathlib import Path
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True

PROGRAM = os.environ["THEATER_PROGRAM"]
ACTORS = Path(os.environ["THEATER_ACTORS"])
ROUNDS = int(os.environ.get("THEATER_CRASH_ROUNDS", "30"))
SEED = int(os.environ.get("THEATER_CRASH_SEED", str(time.time_ns() % 10**9)))
CLIENTS = 6
CHECK_EVERY = 50  # rounds after which everything is checked; a folder that grew is then left for a fresh one


class Client(threading.Thread):
    """Sends one message after the other until the server is gone."""

    def __init__(self, world, number, port, seed):
        super().__init__(daemon=True)
        self.world, self.number, self.port, self.random = world, number, port, random.Random(seed)

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            while True:
                self.one(connection)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def one(self, connection):
        world = self.world
        with world.lock:
            message = world.unanswered[self.number].pop() if world.unanswered[self.number] else None
            if message is None:
                world.keys += 1
                message = (*self.random.choice(world.inputs), f"k{world.keys}")
        actor, text, key = message
        try:
            connection.request("POST", f"/v1/actors/{actor}/messages", text.encode(), {"Idempotency-Key": key})
            reply = connection.getresponse()
            body = reply.read()
        except (OSError, http.client.HTTPException):
            with world.lock:
                world.unanswered[self.number].append(message)
            raise
        with world.lock:
            if reply.status in (200, 422):
                world.answers.append((actor, text, key, reply.status, reply.headers, body))
                world.answered.set()
            elif reply.status in (429, 503):
                world.unanswered[self.number].append(message)
            else:
                world.strange.append((reply.status, body))


class Serve(unittest.TestCase):
    inputs = [("counter", "inc"), ("counter", "add 7"), ("counter", "nonsense"), ("r0", "spin 3"), ("r1", "spin 5"), ("ping", "play 4")]

    def setUp(self):
        self.random = random.Random(SEED)
        self.begin()

    def begin(self):
        folder = tempfile.TemporaryDirectory(prefix="theater-crash-")
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name) / "data"
        self.errors = Path(folder.name) / "errors"
        self.lock, self.answered = threading.Lock(), threading.Event()
        self.unanswered = [[] for _ in range(CLIENTS)]
        self.answers, self.strange, self.keys, self.folder = [], [], 0, folder
        for name, component, config in (("counter", "counter", ""), ("ping", "ping", "pong"), ("pong", "pong", ""), ("r0", "ring", "r1 r2"),
                                        ("r1", "ring", "r2 r0"), ("r2", "ring", "r0 r1")):
            self.theater("start", name, "--component", ACTORS / f"{component}.wasm", "--config-text", config)

    def theater(self, *arguments):
        done = subprocess.run([PROGRAM, "--data", self.data, *arguments], capture_output=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode() + self.errors.read_text(errors="replace") if self.errors.exists() else done.stderr)
        return done.stdout

    def serve(self):
        errors = open(self.errors, "ab")
        self.addCleanup(errors.close)
        return subprocess.Popen([PROGRAM, "--data", self.data, "serve", "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE, stderr=errors)

    def round(self, early):
        server = self.serve()
        try:
            if early:
                time.sleep(self.random.random() * 0.04)
                return
            line = server.stdout.readline()
            self.assertTrue(line, self.errors.read_text(errors="replace")[-2000:])
            port = int(json.loads(line)["address"].rsplit(":", 1)[1])
            self.answered.clear()
            clients = [Client(self, number, port, self.random.random()) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            self.assertTrue(self.answered.wait(60), "no answer within a minute")
            time.sleep(self.random.random() * 0.15)
            server.send_signal(signal.SIGKILL)
            for client in clients:
                client.join(60)
                self.assertFalse(client.is_alive())
        finally:
            if server.poll() is None:
                server.kill()
            server.wait()
            server.stdout.close()

    def deliver_the_rest(self):
        """A last server that lives until all that was not answered is."""
        server = self.serve()
        try:
            port = int(json.loads(server.stdout.readline())["address"].rsplit(":", 1)[1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            for actor, text, key in [message for queue in self.unanswered for message in queue]:
                connection.request("POST", f"/v1/actors/{actor}/messages", text.encode(), {"Idempotency-Key": key})
                reply = connection.getresponse()
                self.answers.append((actor, text, key, reply.status, reply.headers, reply.read()))
                self.assertIn(reply.status, (200, 422))
            connection.close()
        finally:
            server.terminate()
            self.assertEqual(server.wait(60), 0)
            server.stdout.close()

    def check(self):
        self.assertEqual(self.strange, [])
        self.theater("verify", "--all")
        self.theater("replay")
        chains, seen = {}, {}
        for actor in ("counter", "ping", "r0", "r1"):
            chains[actor] = [json.loads(line) for line in self.theater("chain", actor, "--json").splitlines()]
            for element in chains[actor]:
                if element["id"] is not None:
                    key = element["id"]
                    self.assertNotIn(key, seen, f"{key} ran twice")
                    seen[key] = element
        for actor, text, key, status, headers, body in self.answers:
            sequence = int(headers["Theater-Sequence"]) if status == 200 else json.loads(body)["sequence"]
            element = chains[actor][int(sequence)]
            self.assertEqual((element["id"], element["input"]), (key, text))
            self.assertEqual(element["type"], "transition" if status == 200 else "rejection")
            if status == 200:
                self.assertEqual(element["hash"], headers["Theater-Element"])
                self.assertEqual(element["output"] if isinstance(element["output"], str) else None, body.decode())
            else:
                self.assertEqual(element["hash"], json.loads(body)["element"])
        self.assertEqual(len(seen), self.keys)
        return len(self.answers)

    def test_every_answer_is_on_the_chain(self):
        print(f"THEATER_CRASH_SEED={SEED}", flush=True)
        answers = 0
        for number in range(1, ROUNDS + 1):
            self.round(early=number % 5 == 0)
            if number % CHECK_EVERY == 0 or number == ROUNDS:
                self.deliver_the_rest()
                answers += self.check()
                print(f"{number} kills, {answers} answers, all on the chains", flush=True)
                if number < ROUNDS:
                    self.folder.cleanup()
                    self.begin()
        self.assertGreater(answers, ROUNDS)


if __name__ == "__main__":
    unittest.main()
