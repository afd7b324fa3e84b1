"""HTTP/1.1 itself: connections, pipelining, bodies, the Unix socket, shutting down."""

import gzip
import json
import socket
import threading
import time
import unittest.mock

from support import *


class Http(Case):
    def setUp(self):
        super().setUp()
        self.start()

    def test_a_connection_is_kept(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        for i in range(1, 51):
            connection.request("POST", "/v1/actors/counter/messages", b"inc")
            self.assertEqual(connection.getresponse().read(), str(i).encode())
        connection.close()
        self.assertLess(self.metric("http_connections_total"), 5)

    def test_pipelined_requests_are_answered_in_their_order(self):
        one = b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ninc"
        other = b"GET /v1/actors/counter HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        got = self.say((one + other) * 100 + last)
        bodies = [part for part in got.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(len(bodies), 201)
        for i in range(100):
            self.assertTrue(bodies[2 * i].endswith(b"\r\n\r\n" + str(i + 1).encode()), bodies[2 * i])
            self.assertEqual(json.loads(bodies[2 * i + 1].partition(b"\r\n\r\n")[2])["name"], "counter")
        self.assertIn(b"Connection: close", bodies[200])

    def test_bytes_may_come_one_by_one(self):
        connection = self.raw()
        for byte in b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" \
                    b"Connection: close\r\n\r\n2\r\nin\r\n1\r\nc\r\n0\r\n\r\n":
            connection.sendall(bytes([byte]))
        self.assertTrue(self.rest(connection).endswith(b"\r\n\r\n1"))

    def test_head_and_options_and_http_1_0(self):
        got = self.say(b"HEAD /v1/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertTrue(got.startswith(b"HTTP/1.1 200") and got.endswith(b"\r\n\r\n"))
        self.assertIn(b"Content-Length: ", got)
        reply = self.request("OPTIONS", "/v1/actors", status=204)
        self.assertEqual(sorted(reply.headers["Allow"].split(", ")), ["GET", "HEAD", "POST"])
        got = self.say(b"GET /v1/version HTTP/1.0\r\n\r\n")
        self.assertTrue(got.startswith(b"HTTP/1.1 200") and b"Connection: close" in got)

    def test_a_client_is_told_to_go_on(self):
        connection = self.raw()
        connection.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
                           b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        self.assertEqual(connection.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"inc")
        self.assertTrue(self.rest(connection).endswith(b"\r\n\r\n1"))

    def test_large_replies_are_compressed_for_who_takes_it(self):
        for _ in range(10):
            self.send("counter", "inc")
        plain = self.get("/v1/actors/counter/elements")
        packed = self.get("/v1/actors/counter/elements", Accept_Encoding="gzip")
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(packed.body), plain.body)
        for taken, accepted in [(True, "br;q=1, GZIP ; q=0.5"), (True, "gzip;q=0.001,identity"), (False, "gzip; q=0"), (False, "gzip;q=0.000"),
                                (False, "br, x-gzip"), (False, "deflate")]:
            reply = self.get("/v1/actors/counter/elements", Accept_Encoding=accepted)
            self.assertEqual(reply.headers["Content-Encoding"], "gzip" if taken else None, accepted)
        self.assertLess(len(packed.body), len(plain.body) / 2)

    def test_a_large_body_comes_through(self):
        self.start("echo", FIXTURES / "echo.wasm", query="&message=8388608")
        body = bytes(range(256)) * 20000
        reply = self.send("echo", body)
        self.assertEqual(reply.body, body)
        self.assertEqual(self.get(f"/v1/actors/echo/elements/{reply.headers['Theater-Sequence']}/input").body, body)

    def test_the_unix_socket(self):
        path = self.data / "server.sock"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(str(path))
        connection.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\ninc")
        self.assertTrue(self.rest(connection).endswith(b"\r\n\r\n1"))
        connection.close()
        self.stop()
        self.assertFalse(path.exists())

    def test_security_headers(self):
        headers = self.get("/v1/health").headers
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(headers["Cache-Control"], "no-store")

    def test_a_shutdown_finishes_what_was_accepted(self):
        answers, connections = [], []
        for _ in range(20):
            connection = self.raw()
            connection.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ninc" * 20)
            connections.append(connection)
        idle = self.raw()
        readers = [threading.Thread(target=lambda c=c: answers.append(self.rest(c))) for c in connections]
        for reader in readers:
            reader.start()
        self.server.send_signal(signal.SIGTERM)
        for reader in readers:
            reader.join()
        self.assertEqual(self.rest(idle), b"")
        self.assertEqual(self.server.wait(timeout=40), 0)
        acknowledged = sum(answer.count(b"HTTP/1.1 200") for answer in answers)
        for answer in answers:
            self.assertTrue(answer == b"" or answer.rpartition(b"\r\n\r\n")[2].isdigit(), answer[-100:])
        count = int(self.theater("query", "counter", "get"))
        self.assertGreaterEqual(count, acknowledged)
        self.theater("verify", "--all")

    def test_nothing_is_shown_before_it_is_on_disk(self):
        library = os.environ.get("THEATER_SLOW_DISK")
        if not library:
            self.skipTest("nothing can be preloaded into this build")
        self.stop()
        with unittest.mock.patch.dict(os.environ, {"LD_PRELOAD": library, "SLOW_SYNC_MS": "400"}):
            self.serve()
        answered, shown = [], {}

        def send():
            self.send("counter", "inc")
            answered.append(time.monotonic() - began)

        def look(path, there):
            while path not in shown:
                if there(self.request("GET", path)):
                    shown[path] = time.monotonic() - began

        looks = {"/v1/actors/counter": lambda r: r.json["elements"] == 2, "/v1/actors/counter/elements/1": lambda r: r.status == 200,
                 "/v1/actors/counter/elements?from=1": lambda r: r.json["elements"], "/v1/actors/counter/state": lambda r: r.headers["Theater-Sequence"] == "1"}
        began = time.monotonic()
        threads = [threading.Thread(target=send)] + [threading.Thread(target=look, args=item) for item in looks.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertGreater(answered[0], 0.39)
        for path, seconds in shown.items():
            self.assertGreater(seconds, 0.39, path)

    def test_an_export_after_a_kill_waits_for_the_disk(self):
        library = os.environ.get("THEATER_SLOW_DISK")
        if not library:
            self.skipTest("nothing can be preloaded into this build")
        self.send("counter", "inc")
        self.stop(check=False, how=signal.SIGKILL)
        notes = self.folder / "synced"
        self.theater("export", "counter", self.folder / "counter.bundle", environment={"LD_PRELOAD": library, "SYNCED_FILES": str(notes)})
        synced = [Path(line) for line in notes.read_text().splitlines()]
        newest = max((self.data / "log").glob("*.log"))
        self.assertEqual(len(synced), 2)
        self.assertEqual(synced[0].name, newest.name)
        self.assertRegex(synced[1].name, r"^theater-[0-9a-f]{16}\.part$")

    def test_after_a_kill_every_answer_is_there(self):
        answered = 0
        stop = threading.Event()

        def client():
            nonlocal answered
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                while not stop.is_set():
                    connection.request("POST", "/v1/actors/counter/messages", b"inc")
                    answered = int(connection.getresponse().read())
            except (OSError, http.client.HTTPException):
                pass

        thread = threading.Thread(target=client)
        thread.start()
        self.assertTrue(wait_for(lambda: answered > 20))
        self.stop(check=False, how=signal.SIGKILL)
        stop.set()
        thread.join()
        self.serve()
        self.assertGreaterEqual(int(self.post("/v1/actors/counter/query", b"get").body), answered)


class Connections(Case):
    options = ["--max-connections", "2"]

    def test_one_connection_too_many_takes_no_place_of_the_others(self):
        kept = [self.raw(), self.raw()]
        ask = b"GET /v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for connection in kept:
            connection.sendall(ask)
            self.assertIn(b"200", connection.recv(4096))
        self.assertIn(b" 503 ", self.rest(self.raw()))
        kept[0].sendall(ask)
        self.assertIn(b"200", kept[0].recv(4096), "those before stay")

    def test_what_is_no_number_of_connections_is_refused(self):
        for value in "x", "1000001", "-1":
            self.theater("serve", "--max-connections", value, code=2)


if __name__ == "__main__":
    main()
