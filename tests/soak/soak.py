#!/usr/bin/env python3
"""soak.py SECONDS: a server under steady load; its memory stays flat, its descriptors few, its answers quick.

Clients post messages of several sizes, ask queries, begin and drop event streams and connections, and start, upgrade and remove actors, at
a steady rate. The server's own memory (RssAnon), its descriptors (segments of the log apart, of
which a bounded number stays open) and threads are looked at all the time: after a first part, in which
caches fill, none may go on growing. At the end the folder is verified and, for a short run, every turn run again.

The folder grows: some 2 GB in an hour at the usual rate. THEATER_SOAK_RATE is that of messages a second, 500 if it is not set,
THEATER_SOAK_FOLDER where the folder is made.
"""

import http.client
import json
import os
from pathlib import Path
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.environ["THEATER_PROGRAM"]
ACTORS = Path(os.environ["THEATER_ACTORS"])
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
RATE = float(os.environ.get("THEATER_SOAK_RATE", "500"))
CLIENTS = 8
GROWTH_KIB = 24 * 1024  # that memory may grow by after the first part, whatever the length
GROWTH_DESCRIPTORS = 20
SEGMENTS_OPEN = 64  # of one view: TH_SEGMENTS_OPEN in src/store/segment.h


class Load(threading.Thread):
    """One client: a message after the other, now and then something else."""

    def __init__(self, port, number, stop):
        super().__init__(daemon=True)
        self.port, self.number, self.stop, self.random = port, number, stop, random.Random(number)
        self.sent, self.times, self.failure = 0, [], None

    def run(self):
        try:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            begin = time.monotonic()
            while not self.stop.is_set():
                self.one()
                ahead = self.sent * CLIENTS / RATE - (time.monotonic() - begin)
                if ahead > 0:
                    time.sleep(ahead)
        except Exception as error:  # noqa: BLE001: whatever it is ends the run with its words
            if not self.stop.is_set():
                self.failure = repr(error)

    def call(self, method, path, body=None, wanted=(200,), **headers):
        self.connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
        reply = self.connection.getresponse()
        data = reply.read()
        if reply.status not in wanted:
            raise RuntimeError(f"{method} {path}: {reply.status} {data[:300]}")
        return data

    def one(self):
        self.sent += 1
        choice = self.random.random()
        begin = time.monotonic()
        if choice < 0.70:
            self.call("POST", "/v1/actors/counter/messages", b"inc", Idempotency_Key=f"{self.number}-{self.sent}")
        elif choice < 0.80:
            self.call("POST", f"/v1/actors/r{self.random.randrange(3)}/messages", b"spin 3", (200, 429))
        elif choice < 0.88:
            self.call("POST", "/v1/actors/counter/messages", b"x" * self.random.choice((10, 1000, 60000)), (422,))
        elif choice < 0.95:
            self.call("POST", "/v1/actors/counter/query", b"get", (200, 422))
        elif choice < 0.97:
            self.call("GET", "/v1/actors/counter/elements?limit=5", None, (200, 404))
        elif choice < 0.99:
            self.connection.close()
            self.events()
        else:
            name = f"short-{self.number}-{self.sent}"
            self.call("POST", f"/v1/actors?name={name}", (ACTORS / "counter.wasm").read_bytes(), (201,), Content_Type="application/wasm")
            self.call("POST", f"/v1/actors/{name}/messages", b"inc")
            self.call("DELETE", f"/v1/actors/{name}", None, (200, 204))
        if choice < 0.70:
            self.times.append(time.monotonic() - begin)
            if len(self.times) > 20000:
                del self.times[:10000]

    def events(self):
        """A stream that is begun, read a little, and dropped."""
        stream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        stream.request("GET", "/v1/events")
        stream.getresponse().close()
        stream.close()


def look_at(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    others, segments = 0, 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            in_log = "/log/" in os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue  # closed meanwhile
        segments, others = segments + in_log, others + (not in_log)
    return int(fields["RssAnon"].split()[0]), others, int(fields["Threads"]), segments


def watch(pid, loads, seconds):
    """Samples of (memory, descriptors, threads), one a second."""
    samples, begin, said = [], time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        time.sleep(1)
        samples.append(look_at(pid))
        failure = next((load.failure for load in loads if load.failure), None)
        if failure:
            raise SystemExit(f"soak: a client failed: {failure}")
        if time.monotonic() - said > 60:
            said = time.monotonic()
            memory, descriptors, threads, segments = samples[-1]
            sent = sum(load.sent for load in loads)
            print(f"soak: {said - begin:6.0f} s, {sent} requests, {memory // 1024} MiB, {descriptors} descriptors and {segments} of the log, {threads} threads", flush=True)
    return samples


def percentile(loads, part):
    times = sorted(value for load in loads for value in load.times)
    return times[min(len(times) - 1, int(len(times) * part))] * 1000


def judge(samples, loads):
    """After the first third nothing grows: the most of the last third against the most of the second."""
    third = max(1, len(samples) // 3)
    for what, place, room in (("memory in KiB", 0, GROWTH_KIB), ("descriptors", 1, GROWTH_DESCRIPTORS), ("threads", 2, 4)):
        middle = max(sample[place] for sample in samples[third:2 * third] or samples)
        last = max(sample[place] for sample in samples[2 * third:])
        print(f"soak: {what}: {middle} at the most in the second third, {last} in the last")
        if last > middle + room:
            raise SystemExit(f"soak: {what} grew from {middle} to {last}")
    # Each open view of the log keeps so many of its segments open at the most; a view is of a thread that reads.
    if max(sample[3] for sample in samples) > SEGMENTS_OPEN * 16:
        raise SystemExit("soak: segments of the log are left open")
    print(f"soak: {sum(load.sent for load in loads)} requests; messages: median {percentile(loads, 0.5):.1f} ms, p99 {percentile(loads, 0.99):.1f} ms")


def main():
    folder = Path(tempfile.mkdtemp(prefix="theater-soak-", dir=os.environ.get("THEATER_SOAK_FOLDER")))
    data, server = folder / "data", None

    def theater(*arguments):
        done = subprocess.run([PROGRAM, "--data", data, *map(str, arguments)], capture_output=True, timeout=3600, check=False)
        if done.returncode:
            raise SystemExit(f"soak: theater {arguments[0]}: {done.stderr.decode()}")

    try:
        theater("start", "counter", "--component", ACTORS / "counter.wasm")
        for number in range(3):
            theater("start", f"r{number}", "--component", ACTORS / "ring.wasm", "--config-text", f"r{(number + 1) % 3} r{(number + 2) % 3}")
        server = subprocess.Popen([PROGRAM, "--data", data, "serve", "--listen", "127.0.0.1:0", "--json"], stdout=subprocess.PIPE)
        port = int(json.loads(server.stdout.readline())["address"].rsplit(":", 1)[1])
        stop = threading.Event()
        loads = [Load(port, number, stop) for number in range(CLIENTS)]
        for load in loads:
            load.start()
        samples = watch(server.pid, loads, SECONDS)
        stop.set()
        for load in loads:
            load.join(90)
        server.terminate()
        if server.wait(60) != 0:
            raise SystemExit("soak: the server did not end in good order")
        judge(samples, loads)
        theater("verify", "--all")
        if SECONDS <= 600:
            theater("replay")
        print("soak: the folder verifies")
    finally:
        if server and server.poll() is None:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
