"""watch and top: what is seen live, and over breaks."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from remote import *


class Watching(ServerCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.start("second", component=ACTORS / "counter.wasm")

    def watch(self, *arguments, where=None):
        process = subprocess.Popen(self.command(*(where or ("--server", self.address)), "watch", "--json", *arguments),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdout.close(), process.stderr.close())
                        if process.poll() is None else None)
        return process

    def end(self, process, code=0):
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        self.assertEqual(process.returncode, code, errors)
        return [json.loads(line) for line in output.splitlines()], errors.decode()

    def take(self, process, count):
        return [json.loads(process.stdout.readline()) for _ in range(count)]

    def test_all_actors_and_one(self):
        self.serve()
        for where in (None, ("--data", self.data)):
            every, one = self.watch("--from", "0", where=where), self.watch("counter", "--from", "0", where=where)
            begun = len(self.chain("counter"))
            self.send("counter", "inc")
            self.send("second", "inc")
            self.send("counter", "nonsense", code=REJECTED)
            mine = self.take(one, begun + 2)
            self.assertEqual([e["sequence"] for e in mine], list(range(begun + 2)))
            chain = self.chain("counter")
            self.assertEqual([{k: v for k, v in e.items() if k not in ("actor", "actor_id")} for e in mine], chain)
            self.assertEqual({(e["actor"], e["actor_id"]) for e in mine}, {("counter", 1)})
            seen = self.take(every, len(chain) + len(self.chain("second")))
            numbers = [e["number"] for e in seen]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertEqual([e["sequence"] for e in seen if e["actor"] == "counter"], list(range(len(chain))))
            self.assertEqual(self.end(every)[0], [])
            self.assertEqual(self.end(one)[0], [])

    def test_from_now_on(self):
        self.serve()
        for where in (None, ("--data", self.data)):
            for name in ([], ["counter"]):
                before = int(self.send("counter", "inc"))
                process = self.watch(*name, where=where)
                last = before
                while not select.select([process.stdout], [], [], 0.1)[0]:  # it has not begun
                    last = int(self.send("counter", "inc"))
                first = int(self.take(process, 1)[0]["output"])
                self.assertGreater(first, before)
                seen = [int(e["output"]) for e in self.take(process, last - first)]
                self.assertEqual(seen, list(range(first + 1, last + 1)))
                self.end(process)

    def test_a_server_that_is_killed_and_comes_back(self):
        """No element is missed and none comes twice, of one actor and of all, over three breaks."""
        self.serve()
        port = self.address.rsplit(":", 1)[1]
        every, one = self.watch(), self.watch("counter")
        self.followed_by(2)
        collected = {"every": [], "one": []}
        readers = [threading.Thread(target=lambda p=p, k=k: collected[k].extend(json.loads(line) for line in p.stdout))
                   for k, p in (("every", every), ("one", one))]
        for reader in readers:
            reader.start()
        for round_ in range(3):
            self.over("send", "counter", "--lines", stdin=b"inc\n" * 300)
            self.end_server(signal.SIGKILL if round_ else signal.SIGTERM)
            for _ in range(5):
                self.send("counter", "inc")  # on the folder itself, while no server is there
            self.restart(port)
        self.over("send", "counter", "--lines", stdin=b"inc\n" * 300)
        last = len(self.chain("counter")) - 1
        end = time.monotonic() + 30
        while time.monotonic() < end and not all(c and c[-1]["sequence"] == last for c in collected.values()):
            time.sleep(0.05)
        for process in (every, one):
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=20), 0)
        for reader in readers:
            reader.join()
        for process in (every, one):
            self.assertIn(b"trying again", process.stderr.read())
            process.stdout.close()
            process.stderr.close()
        for events in collected.values():
            self.assertEqual([e["sequence"] for e in events], list(range(1, last + 1)))

    def test_a_break_before_the_first_event_leaves_no_gap(self):
        self.serve()
        port = self.address.rsplit(":", 1)[1]
        every, one = self.watch(), self.watch("counter")
        self.followed_by(2)
        self.end_server(signal.SIGKILL)
        self.send("counter", "inc")
        self.restart(port)
        for process in (every, one):
            self.assertEqual(self.take(process, 1)[0]["sequence"], 1)
            self.end(process)

    def restart(self, port):
        end = time.monotonic() + 20
        while True:
            try:
                self.serve(port=port)
                return
            except AssertionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def test_a_watch_whose_output_fails_ends(self):
        self.serve()
        for where in (("--server", self.address), ("--data", self.data)):
            for name in (["counter"], []):
                with open("/dev/full", "wb") as full:
                    done = subprocess.run(self.command(*where, "watch", *name, "--from", "0"), stdout=full, cwd=self.folder,
                                          env=self.environment, stderr=subprocess.PIPE, check=False, timeout=60)
                self.assertEqual(done.returncode, NO_SPACE, done.stderr)

    def test_bad_watches(self):
        self.serve()
        for where in (("--server", self.address), ("--data", self.data)):
            self.assertEqual(self.bare(*where, "watch", "nobody", code=NOT_FOUND).output, b"")
            self.bare(*where, "watch", "No", code=INVALID_ARGUMENT)
            self.bare(*where, "watch", "--from", "x", code=INVALID_ARGUMENT)
        self.bare("--server", self.nobody(), "watch", code=IO)
        self.bare("--data", "nowhere", "watch", code=NOT_FOUND)


class Top(ServerCase):
    def setUp(self):
        super().setUp()
        self.start()
        self.start("second", component=ACTORS / "counter.wasm")

    def test_a_sample_for_programs(self):
        self.serve()
        sender = threading.Thread(target=lambda: self.over("send", "counter", "--lines", stdin=b"inc\n" * 20000))
        sender.start()
        sample = self.run_theater("top", "--once", "--json", "--interval", "300ms").json
        sender.join()
        self.assertEqual(sample["version"], self.bare("version", "--json").json["version"])
        self.assertGreaterEqual(sample["interval_ns"], 300_000_000)
        names = [a["name"] for a in sample["actors"]]
        self.assertEqual(sorted(names), ["counter", "second"])
        self.assertFalse(sample["read_only"])
        for key in ("memory_bytes", "log_bytes", "disk_free_bytes", "connections"):
            self.assertGreater(sample[key], 0, key)
        done = self.over("top", "--json", "--interval", "100ms").json
        self.assertEqual(done["totals"]["turns"], 20000)
        self.assertEqual(done["latency_ns"]["turn"], {"p50": None, "p90": None, "p99": None})

    def test_rates_are_those_of_the_interval(self):
        self.serve()
        stop = threading.Event()

        def send():
            while not stop.is_set():
                self.over("send", "counter", "--lines", stdin=b"inc\n" * 5000)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            sample = self.over("top", "--once", "--json", "--interval", "1s").json
        finally:
            stop.set()
            sender.join()
        rates = {a["name"]: a["per_second"] for a in sample["actors"]}
        self.assertEqual(sample["actors"][0]["name"], "counter")
        self.assertGreater(sample["per_second"]["turns"], 0)
        self.assertGreater(rates["counter"], 0)
        self.assertEqual(rates["second"], 0)
        turn = sample["latency_ns"]["turn"]
        self.assertTrue(0 < turn["p50"] <= turn["p90"] <= turn["p99"], turn)

    def test_without_a_terminal_it_prints_one_view(self):
        self.serve()
        text = self.run_theater("top", "--interval", "100ms").text
        for words in ("turns", "commits", "latency", "mailboxes", "memory", "store", "counter", "running"):
            self.assertIn(words, text)
        self.assertNotIn("\x1b", text)

    def test_without_a_server_it_says_so(self):
        self.assertIn("no server runs", self.run_theater("top", code=NOT_FOUND).errors)
        self.bare("--server", self.nobody(), "top", code=IO)
        self.run_theater("top", "--interval", "1ms", code=INVALID_ARGUMENT)

    def test_the_live_view(self):
        self.serve()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
        before = termios.tcgetattr(slave)
        process = subprocess.Popen(self.command("--server", self.address, "top", "--interval", "100ms"), stdin=slave, stdout=slave,
                                   stderr=subprocess.PIPE, cwd=self.folder, env={**self.environment, "TERM": "xterm"})
        shown = b""

        def read_until(words, seconds=20):
            nonlocal shown
            end = time.monotonic() + seconds
            while words not in shown and time.monotonic() < end:
                if select.select([master], [], [], 0.1)[0]:
                    shown += os.read(master, 65536)
            self.assertIn(words, shown)
            shown = b""

        read_until(b"\x1b[?1049h")
        read_until(b"by rate")
        os.write(master, b"s")
        read_until(b"by elements")
        os.write(master, b" ")
        read_until(b"PAUSED")
        os.write(master, b"p")
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 40, 0, 0))
        process.send_signal(signal.SIGWINCH)
        read_until(b"\x1b[2J")
        read_until(b"\x1b[H")
        self.end_server(signal.SIGKILL)
        read_until(b"no server answers")
        os.write(master, b"q")
        read_until(b"\x1b[?1049l")
        self.assertEqual(process.wait(timeout=20), 0, process.stderr.read())
        self.assertEqual(termios.tcgetattr(slave)[3], before[3])
        process.stderr.close()
        os.close(master)
        os.close(slave)


if __name__ == "__main__":
    main()
