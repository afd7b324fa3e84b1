"""The client against servers that are none, are of another version, or go away in the middle."""

import os
import signal
import socket
import subprocess
import threading

from remote import *

VERSION = {"name": "theater", "version": "0.1.0", "api": "v1"}


class Fake:
    """A server that gives each path its answer: bytes as they are, or an object as JSON. `None` closes the connection."""

    def __init__(self, answers):
        self.answers = {"/v1/version": VERSION, **answers}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.seen = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection:
            data = b""
            while True:
                while b"\r\n\r\n" not in data:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    data += piece
                head, _, data = data.partition(b"\r\n\r\n")
                path = head.split()[1].decode()
                self.seen.append(head.decode())
                answer = self.answers.get(path.partition("?")[0], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                if answer is None:
                    return
                if not isinstance(answer, bytes):
                    body = json.dumps(answer).encode()
                    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                connection.sendall(answer)
                if b"Connection: close" in answer:
                    return

    def close(self):
        self.listener.close()


def text(status, body=b"", more=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


class Strangers(ServerCase):
    def ask(self, answers, *arguments, code, stdin=b""):
        fake = Fake(answers)
        self.addCleanup(fake.close)
        return self.bare("--server", fake.address, *arguments, code=code, stdin=stdin).errors

    def test_what_is_no_theater_server(self):
        for answer in (text(404), text(200, b"<html>"), {"name": "other"}, text(500, b"oops"), b"SSH-2.0-x\r\n\r\n", text(301, b"", "Location: /\r\n")):
            errors = self.ask({"/v1/version": answer}, "list", code=IO)
            self.assertTrue("no Theater server" in errors or "127.0.0.1" in errors, errors)

    def test_another_version_of_the_interface(self):
        errors = self.ask({"/v1/version": {**VERSION, "api": "v9", "version": "7.0"}}, "list", code=VERSION_CODE)
        self.assertIn("Theater 7.0 and speaks v9", errors)

    def test_answers_of_another_form(self):
        actor = {"name": "a", "id": 1, "status": "running", "elements": 1}
        for answer in ({"actors": 5}, {"actors": [actor]}, {}):
            self.assertIn("does not know", self.ask({"/v1/actors": answer}, "list", code=VERSION_CODE))
        self.ask({"/v1/actors": text(200, b"{\"actors\":[")}, "list", code=IO)
        self.assertIn("does not know", self.ask({"/v1/actors/a/messages": text(200, b"x")}, "send", "a", "b", code=VERSION_CODE))

    def test_problems_of_any_form_have_a_code(self):
        problem = b'{"type":"urn:theater:problem:no-space","detail":"the disk is full"}'
        kind = "Content-Type: application/problem+json\r\n"
        self.assertIn("the disk is full", self.ask({"/v1/actors": text(503, problem, kind)}, "list", code=13))
        for status, code in ((401, PERMISSION), (403, PERMISSION), (404, NOT_FOUND), (413, TOO_LARGE), (429, MAILBOX_FULL),
                             (503, BUSY), (504, 19), (500, IO), (418, INVALID_ARGUMENT)):
            self.assertIn(str(status), self.ask({"/v1/actors": text(status, b"no json", kind)}, "list", code=code))
            self.ask({"/v1/actors": text(status)}, "list", code=code)

    def test_a_server_that_closes_before_or_within_its_answer(self):
        self.assertIn("went away", self.ask({"/v1/actors": None}, "list", code=IO))
        self.assertIn("went away", self.ask({"/v1/actors": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{"},
                                            "list", code=IO))
        self.assertIn("went away", self.ask({"/v1/version": None}, "list", code=IO))

    def test_a_bundle_that_is_cut_off_leaves_nothing_behind(self):
        actor = {"actors": []}
        short = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTheater-Bundle-Size: 10\r\n\r\nTHEAT"
        self.ask({"/v1/bundle": short, "/v1/actors": actor}, "verify", code=IO)
        self.assertEqual(list(self.folder.glob("*")), [])

    def test_a_page_that_lies_about_its_elements(self):
        """The elements must be those that were asked for."""
        hash_ = "00" * 32
        actor = {"name": "a", "id": 1, "status": "running", "elements": 3, "genesis": hash_, "head": hash_, "timestamp": 1, "state_size": 0,
                 "state_root": hash_, "component": hash_, "engine": "x", "snapshot": None, "checkpoint_size": 0, "undelivered": 0,
                 "limits": {"fuel": 1, "memory": 1, "state": 1, "message": 1, "effects": 1}}
        element = {"sequence": 2, "hash": hash_, "previous": hash_, "type": "transition", "timestamp": 1, "input": "i", "output": "o",
                   "state_before": hash_, "state_after": hash_, "state_size": 0, "fuel": 1, "cause": None, "principal": None, "id": None}
        self.assertIn("does not know", self.ask({"/v1/actors/a": actor, "/v1/actors/a%231/elements": {"elements": [element], "next": None}},
                                                "chain", "a", code=VERSION_CODE))


class Deaths(ServerCase):
    """A real server that is killed."""

    def setUp(self):
        super().setUp()
        self.start()
        self.serve()

    def test_in_the_middle_of_many_lines(self):
        process = subprocess.Popen(self.command("--server", self.address, "send", "counter", "--lines", "--id", "job"), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        process.stdin.write(b"inc\n" * 50)
        process.stdin.flush()
        answers = [process.stdout.readline() for _ in range(50)]
        self.end_server(signal.SIGKILL)
        try:
            process.stdin.write(b"inc\n" * 50)
        except BrokenPipeError:
            pass
        output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, IO, errors)
        self.assertIn(b"50 of", errors)
        self.assertEqual((answers[-1], output), (b"50\n", b""))
        self.serve()
        done = self.over("send", "counter", "--lines", "--id", "job", stdin=b"inc\n" * 100)
        self.assertEqual(done.output.split(), [str(i + 1).encode() for i in range(100)])

    def test_an_interrupt_while_a_server_is_silent(self):
        self.server.send_signal(signal.SIGSTOP)
        process = subprocess.Popen(self.command("--server", self.address, "send", "counter", "inc"), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        time_out = threading.Timer(1.0, lambda: process.send_signal(signal.SIGINT))
        time_out.start()
        _, errors = process.communicate(timeout=120)
        self.server.send_signal(signal.SIGCONT)
        self.assertEqual(process.returncode, INTERRUPTED, errors)
        self.assertIn(b"interrupted", errors)

    def test_a_dead_server(self):
        address = self.address
        self.end_server()
        for command in (["list"], ["send", "counter", "inc"], ["send", "counter", "--lines"], ["verify"], ["start", "x", "--component",
                        ACTORS / "counter.wasm"], ["import", self.file("x", b"y")]):
            errors = self.bare("--server", address, *command, code=IO).errors
            self.assertIn(f"no server answers at {address}: Connection refused", errors)
        self.assertIn("No such file", self.bare("--server", "unix:nowhere.sock", "list", code=IO).errors)


VERSION_CODE = 16

if __name__ == "__main__":
    main()
