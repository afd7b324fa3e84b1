#!/usr/bin/env python3
"""The server under load: durable turns over HTTP beside requests that run none, and many readers of events.

    bench/server/run.py [--build build] [--seconds 5] [--subscribers 10000]

Needs wrk (Debian: wrk). Everything is on loopback, so server and clients share the processors. Compare figures of one run, as ratios.
"""

import argparse
import http.client
import json
import os
from pathlib import Path
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = Path(__file__).resolve().parent


class Server:
    def __init__(self, build, folder, *options):
        self.build, self.data = build, folder / "data"
        arguments = [build / "theater", "--data", self.data, "serve", "--listen", "127.0.0.1:0", "--no-socket", "--json", *options]
        self.process = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE)
        self.address = json.loads(self.process.stdout.readline())["address"]
        self.port = int(self.address.rsplit(":", 1)[1])

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text

    def start(self, name):
        wasm = (self.build / "actors/counter.wasm").read_bytes()
        self.request("POST", f"/v1/actors?name={name}", wasm, {"Content-Type": "application/wasm"})

    def figures(self):
        """Every figure of /metrics; labels are part of the name."""
        lines = self.request("GET", "/metrics").decode().splitlines()
        return {line.rsplit(" ", 1)[0][8:]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def quantile(before, after, name, part):
    """Of a histogram, between two looks at it, in milliseconds: the bound of the bucket."""
    bounds = []
    for key in after:
        match = re.match(name + r'_bucket\{le="(.*)"\}', key)
        if match:
            bounds.append((float(match.group(1)), after[key] - before[key]))
    wanted = bounds[-1][1] * part
    return next(bound for bound, count in bounds if count >= wanted) * 1000


def load(server, actors, connections, seconds):
    before = server.figures()
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", HERE / "post.lua", server.address],
                          env={**os.environ, "ACTORS": str(actors)}, capture_output=True, text=True, check=True)
    result = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    if result["failed"]:
        raise SystemExit(f"{result['failed']} requests failed: {done.stdout}")
    after = server.figures()
    result["cpu_us"] = (after["cpu_seconds_total"] - before["cpu_seconds_total"]) / result["requests"] * 1e6
    commits = after["commits_total"] - before["commits_total"]
    if commits:
        result["commit_mean"] = (after["commit_seconds_sum"] - before["commit_seconds_sum"]) / (after["commit_seconds_count"] - before["commit_seconds_count"])
    result["records"] = (after["commit_records_total"] - before["commit_records_total"]) / commits if commits else 0
    if actors:
        for name in "queue", "turn", "commit", "answer":
            result[name] = quantile(before, after, f"{name}_seconds", 0.5)
    return result


def turns(build, seconds):
    print("| requests | connections | a second | of the rate without a turn | of connections by the time of a commit | p50 | p99 "
          "| server's CPU a request | turns in a commit | p50 of queue, turn, commit, answer |\n|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="theater-bench-") as folder:
        server = Server(build, Path(folder))
        for i in range(100):
            server.start(f"a{i}")
        load(server, 100, 64, 1)
        for connections in 32, 256:
            base = None
            for actors, words in ((0, "GET /v1/version, no turn"), (1, "POST of 100 bytes, 1 actor"), (100, "the same, 100 actors")):
                r = load(server, actors, connections, seconds)
                base = base or r["rate"]
                most = f"{r['rate'] * r['commit_mean'] / connections:.2f}" if actors else ""
                stages = ", ".join(f"{r[n]:.3g}" for n in ("queue", "turn", "commit", "answer")) + " ms" if actors else ""
                print(f"| {words} | {connections} | {r['rate']:,.0f} | {r['rate'] / base:.2f} | {most} | {r['p50_ms']:.2f} ms | {r['p99_ms']:.2f} ms "
                      f"| {r['cpu_us']:.1f} us | {r['records']:.0f} | {stages} |", flush=True)
        server.stop()


class Readers:
    """WebSocket clients that subscribe to one actor and count what comes."""

    def __init__(self, port, count):
        self.poll, self.sockets, self.events, self.tails = select.epoll(), {}, 0, {}
        hello = (f"GET /v1/websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n").encode()
        text = b'{"op":"subscribe","id":"s","actor":"a0"}'
        subscribe = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text  # masked with zeros
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(hello + subscribe)
            connection.setblocking(False)
            self.sockets[connection.fileno()] = connection
            self.poll.register(connection.fileno(), select.EPOLLIN)
            self.tails[connection.fileno()] = b""

    def take(self, word, wanted, seconds=120):
        """Reads until the word came so often. How often it came."""
        found, end = 0, time.monotonic() + seconds
        while found < wanted and time.monotonic() < end:
            for number, _ in self.poll.poll(0.5, 1024):
                data = self.tails[number] + self.sockets[number].recv(262144)
                found += data.count(word)
                at = data.rfind(word)
                self.tails[number] = data[at + len(word):][-len(word):] if at >= 0 else data[-len(word):]
        return found

    def close(self):
        for connection in self.sockets.values():
            connection.close()


def readers(build, count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(count, hard - 600 if hard != resource.RLIM_INFINITY else count, 11500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 600) if hard != resource.RLIM_INFINITY else count + 600), hard))
    with tempfile.TemporaryDirectory(prefix="theater-bench-") as folder:
        server = Server(build, Path(folder))
        server.start("a0")
        for _ in range(20):
            server.request("POST", "/v1/actors/a0/messages", b"inc")
        memory = server.figures()["resident_memory_bytes"]
        crowd = Readers(server.port, count)
        joined = crowd.take(b'"subscribed"', count)
        each = (server.figures()["resident_memory_bytes"] - memory) / count
        messages = 40
        cpu, began = server.figures()["cpu_seconds_total"], time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        for _ in range(messages):
            connection.request("POST", "/v1/actors/a0/messages", b"inc")
            connection.getresponse().read()
        sent = time.monotonic() - began
        got = crowd.take(b'"op":"event"', messages * count)
        took = time.monotonic() - began
        after = server.figures()
        print(f"{joined} subscribers on WebSockets: {each / 1024:.1f} KiB each; {messages} elements, answered in {sent * 1000:.0f} ms: "
              f"{got} of {messages * count} events, {got / took:,.0f} a second, {(after['cpu_seconds_total'] - cpu) / max(got, 1) * 1e6:.2f} us of the "
              f"server's CPU each; memory behind them {(after['resident_memory_bytes'] - memory) / count / 1024:.1f} KiB each")
        crowd.close()
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--subscribers", type=int, default=10000)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not here (Debian: wrk)")
    turns(options.build.resolve(), options.seconds)
    print()
    readers(options.build.resolve(), options.subscribers)


if __name__ == "__main__":
    main()
