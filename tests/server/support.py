"""What the tests of the server share: a server in a folder of its own, an HTTP client that sends what it is told, and a WebSocket client."""

import base64
import hashlib
import http.client
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["THEATER_PROGRAM"]
ACTORS = Path(os.environ["THEATER_ACTORS"])
FIXTURES = Path(os.environ["THEATER_FIXTURES"])
# Debian's, or the one that `tools/setup --tests` fetched. None: neither is here.
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=Path(__file__).resolve().parents[2] / "build" / "promtool")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Case(unittest.TestCase):
    """A server with a counter, on loopback. `options` are what it is started with."""

    options = []
    prefix = []  # what the program is run under

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="theater-server-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data = self.folder / "data"
        self.server = None
        self.prepare()
        self.serve()

    def prepare(self):
        pass

    def theater(self, *arguments, code=0, environment=None):
        done = subprocess.run([*self.prefix, PROGRAM, "--data", str(self.data), *map(str, arguments)], capture_output=True, timeout=60,
                              env={**os.environ, **(environment or {})}, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode()

    def serve(self, *more):
        self.errors = open(self.folder / "errors", "ab")
        arguments = [*self.prefix, PROGRAM, "--data", self.data, "serve", "--listen", "127.0.0.1:0", "--json", *self.options, *more]
        self.server = subprocess.Popen(list(map(str, arguments)), stdout=subprocess.PIPE, stderr=self.errors)
        line = self.server.stdout.readline()
        self.assertTrue(line, (self.folder / "errors").read_text())
        self.address = json.loads(line)["address"]
        self.port = int(self.address.rsplit(":", 1)[1]) if ":" in self.address else None
        self.addCleanup(self.stop, False)

    def stop(self, check=True, how=signal.SIGTERM):
        if self.server is None:
            return
        if self.server.poll() is None:
            self.server.send_signal(how)
        try:
            code = self.server.wait(timeout=40)
        finally:
            if self.server.poll() is None:
                self.server.kill()
                self.server.wait()
            self.server.stdout.close()
            self.errors.close()
            self.server = None
        errors = (self.folder / "errors").read_text(errors="replace")
        self.assertFalse("Sanitizer" in errors or "runtime error" in errors, errors[:6000])
        if check or how == signal.SIGTERM:
            self.assertEqual(code, 0, errors[-2000:])

    # ---- requests

    def request(self, method, path, body=None, status=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.headers, answer.read())
        connection.close()
        if status is not None:
            self.assertEqual(reply.status, status, reply.body[:1000])
        return reply

    def get(self, path, status=200, **headers):
        return self.request("GET", path, None, status, **headers)

    def post(self, path, body=b"", status=200, **headers):
        return self.request("POST", path, body, status, **headers)

    def start(self, name="counter", component=None, status=201, query=""):
        component = component or ACTORS / f"{name}.wasm"
        return self.post(f"/v1/actors?name={name}{query}", component.read_bytes(), status, Content_Type="application/wasm")

    def send(self, name, text, status=200, **headers):
        return self.post(f"/v1/actors/{name}/messages", text.encode() if isinstance(text, str) else text, status, **headers)

    def problem(self, reply, name):
        self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
        self.assertEqual(reply.json["type"], f"urn:theater:problem:{name}", reply.body)
        self.assertEqual(reply.json["status"], reply.status)
        self.assertTrue(reply.json["detail"])

    def raw(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.addCleanup(connection.close)
        return connection

    def say(self, data):
        """Sends bytes, and gives all that comes until the server closes."""
        connection = self.raw()
        connection.sendall(data)
        return self.rest(connection)

    def rest(self, connection):
        got = b""
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                return got
            if not piece:
                return got
            got += piece

    def metric(self, name):
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(f"theater_{name} "):
                return float(line.split()[1])
        raise KeyError(name)

    def alive(self):
        """What every bad input must leave behind."""
        self.assertEqual(self.get("/v1/health").json, {"status": "ok"})
        self.assertIsNone(self.server.poll())


class WebSocket:
    """A client as RFC 6455 wants it, on the standard library."""

    def __init__(self, port, path="/v1/websocket", unix=None, **headers):
        if unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(20)
            self.socket.connect(str(unix))
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"{k.replace('_', '-')}: {v}" for k, v in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                break
            self.buffer += piece
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.head = head.decode()
        self.status = int(self.head.split()[1])
        digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.accepted = f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}" in self.head

    def frame(self, opcode, payload, final=True, masked=True):
        mask = os.urandom(4)
        head = bytes([(0x80 if final else 0) | opcode])
        bit = 0x80 if masked else 0
        if len(payload) < 126:
            head += bytes([bit | len(payload)])
        elif len(payload) < 65536:
            head += bytes([bit | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
        if masked:
            payload = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
            head += mask
        self.socket.sendall(head + payload)

    def say(self, **message):
        self.frame(1, json.dumps(message).encode())

    def take(self, size):
        while len(self.buffer) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError
            self.buffer += piece
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def next_frame(self):
        first, second = self.take(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first & 15, self.take(size)

    def next(self):
        while True:
            opcode, payload = self.next_frame()
            if opcode == 1:
                return json.loads(payload)
            if opcode == 8:
                raise EOFError(payload)

    def close(self):
        self.socket.close()


class Events:
    """A reader of server-sent events."""

    def __init__(self, port, path, **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next(self):
        event = {}
        while True:
            line = self.answer.readline()
            if not line:
                raise EOFError
            line = line.decode().rstrip("\n")
            if not line:
                if "data" in event:
                    return event
                event = {}
                continue
            key, _, value = line.partition(": ")
            event[key] = json.loads(value) if key == "data" else value

    def close(self):
        self.connection.close()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def main():
    unittest.main(verbosity=1)
