"""What clients do wrong, by accident or on purpose: each is answered or cut off, and the server goes on."""

import json
import resource
import select
import socket
import struct
import subprocess
import threading
import time

from support import *


def reset(connection):
    """Ends it as a program does that was killed: nothing more is read, nothing more is sent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class BadInput(Case):
    options = ["--timeout", "1s", "--mailbox", "4", "--max-body", "100000"]

    def setUp(self):
        super().setUp()
        self.start()

    def tearDown(self):
        if self.server:
            self.alive()

    def status_of(self, data):
        got = self.say(data)
        return int(got.split()[1]) if got else None

    def test_malformed_requests(self):
        for line in [b"nonsense\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"get / HTTP/1.1\r\n\r\n",
                     b"GET  / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"GET / HTTP/1.1\r\n x: y\r\n\r\n",
                     b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA\x00: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"]:
            self.assertIn(self.status_of(line), (400, 505), line)

    def test_another_major_version_is_named_as_such(self):
        self.assertEqual(self.status_of(b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"), 505)

    def test_lengths_that_contradict(self):
        for fields in [b"Content-Length: 3\r\nContent-Length: 4", b"Content-Length: 3\r\nTransfer-Encoding: chunked",
                       b"Content-Length: -1", b"Content-Length: +3", b"Content-Length: 3x", b"Content-Length: 99999999999999999999999",
                       b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked, gzip"]:
            data = b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n\r\n3\r\ninc\r\n0\r\n\r\n"
            self.assertEqual(self.status_of(data), 400, fields)
        for chunk in b"x\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", b"3\r\nincX\r\n":
            data = b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
            self.assertEqual(self.status_of(data), 400, chunk)
        self.assertEqual(self.get("/v1/actors/counter").json["elements"], 1)

    def test_what_is_too_large(self):
        self.assertEqual(self.status_of(b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"), 414)
        self.assertEqual(self.status_of(b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 40000 + b"\r\n\r\n"), 431)
        self.assertEqual(self.status_of(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 70 + b"\r\n"), 431)
        self.problem(self.send("counter", b"x" * 100001, 413), "too-large")
        # Without a length, too, and when it is only announced.
        chunked = b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(self.status_of(chunked + b"1000\r\n" + b"x" * 4096 + b"\r\n" + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 30), 413)
        self.assertEqual(self.status_of(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n"), 413)

    def test_slow_clients(self):
        began = time.monotonic()
        slow_head, slow_body, silent = self.raw(), self.raw(), self.raw()
        slow_head.sendall(b"GET / HTTP/1.1\r\n")
        slow_body.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ni")
        self.assertIn(b" 408 ", self.rest(slow_body))
        self.assertIn(b" 408 ", self.rest(slow_head))
        self.assertEqual(self.rest(silent), b"")
        self.assertLess(time.monotonic() - began, 8)

    def test_a_client_that_does_not_read(self):
        for _ in range(60):
            self.send("counter", "inc")
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.port))
        connection.settimeout(3)
        request = b"GET /v1/actors/counter/elements HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 8000 + b"\r\n\r\n"
        try:
            for _ in range(20000):
                connection.sendall(request)
            self.fail("everything was read")
        except (TimeoutError, OSError):
            pass
        connection.close()

    def test_half_closed_connections(self):
        connection = self.raw()
        connection.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ninc")
        connection.shutdown(socket.SHUT_WR)
        self.assertTrue(self.rest(connection).endswith(b"\r\n\r\n1"))
        connection = self.raw()
        connection.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nin")
        connection.shutdown(socket.SHUT_WR)
        self.assertIn(b" 400 ", self.rest(connection))
        connection = self.raw()
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(self.rest(connection), b"")
        self.assertEqual(self.get("/v1/actors/counter").json["elements"], 2)

    def test_methods_and_paths(self):
        reply = self.request("PUT", "/v1/actors", status=405)
        self.problem(reply, "method-not-allowed")
        self.assertEqual(sorted(reply.headers["Allow"].split(", ")), ["GET", "HEAD", "POST"])
        self.request("DELETE", "/v1/health", status=405)
        self.request("PATCH", "/v1/actors/counter", status=405)
        for path in ["//", "/v1", "/v1/", "/v1//actors", "/v1/actors/", "/v2/actors", "/v1/actors/counter/", "/v1/actors/../health",
                     "/v1/actors/%00", "/v1/actors/%", "/v1/actors/%2", "/v1/actors/%zz", "/v1/actors/" + "a" * 1000, "/v1/../../etc/passwd",
                     "/v1/components/../tokens", "/V1/actors"]:
            self.get(path, 404)
        for path in ["/v1/actors/..%2f..%2fetc", "/v1/actors/%2e%2e", "/v1/actors/COUNTER", "/v1/actors/counter%0a", "/v1/actors/counter%23999"]:
            self.get(path, 404)
        self.get("/v1/actors/counter%231")
        self.get("/v1/components/..%2f..%2ftokens", 400)
        self.get("/v1/components/" + "..%2f" * 12 + "aaaa", 400)
        self.get("/v1/actors/counter/elements/99999999999999999999", 400)
        self.get("/v1/actors/counter/elements/-1", 400)
        self.assertEqual(self.status_of(b"GET http://localhost/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), 404)
        self.assertIn(self.status_of(b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), (404, 405))

    def test_a_full_mailbox(self):
        self.post("/v1/actors/counter/stop", status=204)
        self.post("/v1/actors/counter/resume", status=204)
        self.start("slow", FIXTURES / "endless_loop.wasm")
        connections = [self.raw() for _ in range(40)]
        request = b"POST /v1/actors/slow/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
        for connection in connections:
            connection.sendall(request)
        answers = [self.rest(connection) for connection in connections]
        statuses = [int(answer.split()[1]) for answer in answers]
        self.assertEqual(set(statuses), {422, 429})
        full = next(answer for answer in answers if b" 429 " in answer)
        self.assertIn(b"Retry-After: 1\r\n", full)
        self.assertIn(b"mailbox-full", full)
        self.assertEqual(self.get("/v1/actors/slow").json["elements"], 1 + statuses.count(422))
        # A batch waits instead.
        reply = self.post("/v1/actors/counter/messages/stream", b"inc\n" * 500, Content_Type="text/plain")
        self.assertEqual(json.loads(reply.body.splitlines()[-1])["output"], "500")
        # What it submits again keeps its place and its key, whatever else is refused in between.
        component = self.get("/v1/actors/counter").json["component"]
        self.post("/v1/actors", json.dumps({"name": "small", "component": component, "config": "", "limits": {"message": 10}}).encode(),
                  201, Content_Type="application/json")
        body = b"inc\n" * 99 + b"a message that is too large\n" + b"inc\n" * 100
        for repeated in False, True:
            reply = self.post("/v1/actors/small/messages/stream?id=again", body, Content_Type="text/plain")
            answers = [json.loads(line) for line in reply.body.splitlines()]
            self.assertEqual(len(answers), 200)
            self.assertEqual(answers.pop(99)["status"], "too-large")
            self.assertEqual([a["output"] for a in answers], [str(n) for n in range(1, 200)])
            self.assertEqual({a["repeated"] for a in answers}, {repeated})
        for key in "again-1", "again-99", "again-101", "again-200":
            self.assertEqual(self.send("small", "inc", Idempotency_Key=key).headers["Theater-Repeated"], "true", key)

    def test_clients_that_vanish_while_their_messages_run(self):
        for _ in range(50):
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.sendall(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ninc")
            reset(connection)
        for path in "/v1/actors/counter/elements", "/v1/actors/counter/bundle", "/v1/events?from=0", "/v1/actors/counter/state":
            for _ in range(20):
                connection = socket.create_connection(("127.0.0.1", self.port))
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                reset(connection)
        for _ in range(20):
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.sendall(b"POST /v1/actors/counter/messages/stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                               b"8\r\ninc\ninc\n\r\n")
            reset(connection)
        self.assertTrue(wait_for(lambda: self.metric("messages_in_flight") == 0 and self.metric("http_connections") == 1 and
                                 self.metric("subscriptions") == 0 and self.metric("http_work_waiting") == 0))
        self.stop()
        self.theater("verify", "--all")

    def test_a_refused_body_does_not_stop_the_connection(self):
        connection = self.raw()
        connection.sendall(b"POST /v1/nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n01234"
                           b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = self.rest(connection)
        self.assertIn(b" 404 ", got)
        self.assertTrue(got.endswith(b'{"status":"ok"}'))

    def test_trailers_behind_a_refused_body_do_no_harm(self):
        for path, fields in (b"/v1/nothing", b""), (b"/v1/actors/counter/messages/stream", b"Content-Type: image/png\r\n"):
            data = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + fields + b"Transfer-Encoding: chunked\r\n\r\n"
            self.assertIn(self.status_of(data + b"3\r\ninc\r\n0\r\nTrailer: value\r\nEmpty:\r\n\r\n"), (404, 415), path)
        self.assertEqual(self.get("/v1/health").status, 200)

    def test_a_message_whose_client_is_gone_is_finished(self):
        self.start("slow", FIXTURES / "endless_loop.wasm")
        connection = self.raw()
        connection.sendall(b"POST /v1/actors/slow/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx")
        self.assertTrue(wait_for(lambda: self.metric("messages_in_flight") == 1, 5))
        reset(connection)
        self.assertEqual(self.get("/v1/actors/slow").json["elements"], 1)
        self.assertTrue(wait_for(lambda: self.get("/v1/actors/slow").json["elements"] == 2, 10))
        self.assertEqual(self.get("/v1/actors/slow/elements/1").json["output"]["code"], 4)
        self.assertTrue(wait_for(lambda: self.metric("messages_in_flight") == 0))

    def test_random_bytes(self):
        import random
        chance = random.Random(7)
        seeds = [b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ninc",
                 b"POST /v1/actors/counter/messages/stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ninc\n\r\n0\r\n\r\n",
                 b"GET /v1/actors/counter/elements?from=0&limit=2 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"]
        for _ in range(300):
            data = bytearray(b"".join(chance.choice(seeds) for _ in range(chance.randrange(1, 4))))
            for _ in range(chance.randrange(1, 6)):
                at = chance.randrange(len(data))
                data[at:at + chance.randrange(3)] = bytes(chance.randrange(256) for _ in range(chance.randrange(3)))
            connection = self.raw()
            try:
                connection.sendall(bytes(data))
                connection.shutdown(socket.SHUT_WR)
                self.rest(connection)
            except OSError:
                pass
            connection.close()


class Crowd(Case):
    IDLE = 4500

    def median_ms(self, count=100):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        times = []
        for _ in range(count):
            began = time.perf_counter()
            connection.request("POST", "/v1/actors/counter/messages", b"inc")
            self.assertEqual(connection.getresponse().status, 200 if connection.sock else None)
            connection.close()
            times.append(time.perf_counter() - began)
        return sorted(times)[count // 2] * 1000

    def test_thousands_of_idle_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < self.IDLE + 600:
            self.skipTest(f"a process may have only {hard} files open here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, self.IDLE + 600), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.start()
        alone, memory = self.median_ms(), self.metric("resident_memory_bytes")
        connections = []
        self.addCleanup(lambda: [c.close() for c in connections])
        for number in range(self.IDLE):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            if number % 3 == 1:  # one that has asked, and is kept
                connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            elif number % 3 == 2:  # one in the middle of its request
                connection.sendall(b"GET /v1/health HTTP/1.1\r\nHo")
            connections.append(connection)
        self.assertTrue(wait_for(lambda: self.metric("http_connections") > self.IDLE))
        crowded = min(self.median_ms() for _ in range(3))  # another program may have had the machine for a while
        grown = self.metric("resident_memory_bytes") - memory
        self.assertLess(crowded, max(5 * alone, 20), f"{alone:.2f} ms alone, {crowded:.2f} ms in the crowd")
        self.assertLess(grown / self.IDLE, 24 << 10)
        self.alive()
        for connection in connections:
            connection.close()
        self.assertTrue(wait_for(lambda: self.metric("http_connections") == 1))

    def test_more_connections_than_the_process_may_have(self):
        self.start()
        self.stop()
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (120, before[1]))
        try:
            self.prefix = ["sh", "-c", 'ulimit -Hn 120; exec "$@"', "sh"]
            self.serve()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        connections = [self.raw() for _ in range(200)]
        self.assertTrue(wait_for(lambda: sum(select.select([c], [], [], 0)[0] != [] for c in connections) > 20))
        # Whoever runs the server gets in while all of TCP is taken, and it works.
        self.assertEqual(self.theater("send", "counter", "inc").strip(), "1")
        for connection in connections:
            connection.close()
        self.assertTrue(wait_for(self.serves_again))
        self.assertTrue(wait_for(lambda: self.metric("http_connections") == 1))
        self.assertEqual(self.send("counter", "inc").body, b"2")
        self.alive()

    def serves_again(self):
        """Whether a newcomer is let in: until the server has seen that a crowd is gone, it may still be told off, or be cut off."""
        try:
            reply = self.get("/v1/health", None)
        except (OSError, http.client.HTTPException):
            return False
        if reply.status == 503:
            self.problem(reply, "too-many-connections")
        return reply.status == 200

    def test_one_connection_too_many_is_told_so(self):
        self.start()
        self.stop()
        self.serve("--max-connections", "8")
        connections = [self.raw() for _ in range(8)]
        for connection in connections:  # each one is served before the next comes
            connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b" 200 ", connection.recv(65536))
        for _ in range(3):
            reply = self.send("counter", "inc", 503)
            self.problem(reply, "too-many-connections")
            self.assertEqual(reply.headers["Retry-After"], "1")
            self.assertEqual(reply.headers["Connection"], "close")
        silent = self.raw()  # who has sent nothing yet, too, and is not kept for good
        self.assertIn(b" 503 ", self.rest(silent))
        local = self.operator("/metrics")
        self.assertIn(b"theater_http_connections_refused_total 4\n", local)
        # However many come, the server keeps no more of them than it may.
        crowd = [self.raw() for _ in range(150)]
        self.assertTrue(wait_for(lambda: b"theater_http_connections_refused_total 154\n" in self.operator("/metrics")))
        answers = [self.rest(connection) for connection in crowd]
        told = sum(b" 503 " in answer for answer in answers)
        self.assertGreater(told, 0)
        self.assertEqual(told + answers.count(b""), 150)
        for connection in connections[:4]:
            connection.close()
        self.assertTrue(wait_for(self.serves_again))
        self.assertEqual(self.send("counter", "inc").body, b"1")

    def test_the_unix_socket_has_places_of_its_own_and_a_bound_too(self):
        self.stop()
        self.serve("--max-connections", "2")
        ask = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for wanted, connect in [(b" 200 ", self.raw)] * 2 + [(b" 200 ", self.local)] * 16 + [(b" 503 ", self.local)] * 2 + [(b" 503 ", self.raw)]:
            connection = connect()
            try:
                connection.sendall(ask)
            except BrokenPipeError:
                pass  # it was told already
            self.assertIn(wanted, connection.recv(65536))

    def local(self):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(20)
        connection.connect(str(self.data / "server.sock"))
        return connection

    def operator(self, path):
        """What the Unix socket says."""
        with self.local() as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return self.rest(connection)


class OwnDisk(Case):
    """A server whose data folder is a small disk of its own, in a mount namespace that a sleeping process holds."""

    SIZE = 48 << 20

    def prepare(self):
        self.place = self.folder / "disk"
        self.place.mkdir()
        self.data = self.place / "data"
        apart = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        mount = f"mount -t tmpfs -o size={self.SIZE} none '{self.place}' && echo there && exec sleep 900"
        try:
            self.holder = subprocess.Popen([*apart, "sh", "-c", mount], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            self.skipTest("there is no unshare here")
        self.addCleanup(self.end_holder)
        if self.holder.stdout.readline() != b"there\n":
            self.skipTest("no disk of its own can be mounted here")
        self.inside = Path(f"/proc/{self.holder.pid}/root") / self.place.relative_to("/")
        into = ["nsenter", f"--target={self.holder.pid}", "--mount"]
        self.prefix = into if os.getuid() == 0 else [*into, "--user", "--preserve-credentials"]

    def end_holder(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def fill(self, left):
        """Takes all but `left` bytes of the disk."""
        free = os.statvfs(self.inside).f_bavail * os.statvfs(self.inside).f_frsize
        with open(self.inside / "ballast", "wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, free - left)

    def test_a_disk_that_fills_up_and_is_freed(self):
        self.start("echo", FIXTURES / "echo.wasm")
        self.fill(1 << 20)
        acknowledged, refused, lock = {}, [], threading.Lock()

        def client(number):
            for i in range(2000):
                body = f"{number} {i} ".encode() + os.urandom(15000)
                reply = self.send("echo", body, None)
                with lock:
                    if reply.status == 200:
                        acknowledged[int(reply.headers["Theater-Sequence"])] = (body, reply.headers["Theater-Element"])
                        continue
                    refused.append(reply)
                    return

        clients = [threading.Thread(target=client, args=(n,)) for n in range(4)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(len(refused), 4, f"{len(acknowledged)} messages fitted")
        for reply in refused:
            self.assertEqual(reply.status, 503)
            self.assertIn("Retry-After", reply.headers)
            self.assertIn(reply.json["type"].rsplit(":")[-1], ("no-space", "read-only"))
        ready = self.get("/v1/ready", 503)
        self.problem(ready, "read-only")
        self.assertIn("No space left", ready.json["detail"])
        self.assertEqual(self.metric("read_only"), 1)
        self.every_answer_is_on_the_chain(acknowledged)
        self.assertEqual(self.post("/v1/actors/echo/query", b"still").body, b"still")
        (self.inside / "ballast").unlink()
        self.assertTrue(wait_for(lambda: self.get("/v1/ready", None).status == 200, 10))
        reply = self.send("echo", b"there is room again")
        acknowledged[int(reply.headers["Theater-Sequence"])] = (b"there is room again", reply.headers["Theater-Element"])
        self.assertEqual(self.metric("read_only"), 0)
        self.stop(check=False, how=signal.SIGKILL)
        self.serve()
        self.every_answer_is_on_the_chain(acknowledged)
        self.stop()
        self.theater("verify", "--all")

    def every_answer_is_on_the_chain(self, acknowledged):
        self.assertTrue(acknowledged)
        for sequence, (body, element) in acknowledged.items():
            reply = self.get(f"/v1/actors/echo/elements/{sequence}/input")
            self.assertEqual((reply.body, reply.headers["Theater-Element"]), (body, element), sequence)


class Storage(Case):
    def test_a_log_that_may_not_grow(self):
        self.start("echo", FIXTURES / "echo.wasm")
        self.stop()
        # What the log may grow to, as a limit of the process: a write past it fails.
        used = sum(p.stat().st_size for p in (self.data / "log").iterdir())
        environment = (used + (1 << 20), resource.RLIM_INFINITY)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (environment[0], before[1]))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            self.serve()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        acknowledged, failed = 0, None
        for _ in range(3000):
            reply = self.send("echo", b"x" * 50000, None)
            if reply.status != 200:
                failed = reply
                break
            acknowledged += 1
        if failed is None:
            self.skipTest("the log did not reach the limit")
        self.assertEqual(failed.status, 503)
        self.assertIn("Retry-After", failed.headers)
        self.assertEqual(self.get("/v1/ready", None).status, 503)
        self.assertGreaterEqual(self.get("/v1/actors/echo").json["elements"], 1 + acknowledged)
        self.stop(check=False, how=signal.SIGKILL)
        self.serve()
        self.assertGreaterEqual(self.get("/v1/actors/echo").json["elements"], 1 + acknowledged)
        self.send("echo", "again")


class BodyMemory(Case):
    """What clients have begun to send, in whatever form, counts against one bound."""

    options = ["--body-memory", "20MiB"]

    def setUp(self):
        super().setUp()
        self.start()

    def counted(self):
        text = self.get("/metrics").body.decode()
        return int(next(line for line in text.splitlines() if line.startswith("theater_http_body_bytes ")).split()[1])

    def test_websocket_messages_that_are_not_whole(self):
        def begin():
            ws = WebSocket(self.port)
            ws.socket.sendall(bytes([0x01, 0x80 | 127]) + struct.pack(">Q", 8 << 20) + b"mask" + b"x")  # the first of more frames
            return ws

        held = [begin(), begin()]
        self.assertTrue(wait_for(lambda: self.counted() == 16 << 20))
        refused = begin()
        opcode, payload = refused.next_frame()
        self.assertEqual((opcode, payload[:2]), (8, struct.pack(">H", 1013)))
        self.assertIn(b"no memory", payload)
        self.assertEqual(self.post("/v1/actors/counter/messages", bytes(9 << 20), 503).json["status"], 503)
        small = WebSocket(self.port)
        small.say(op="send", id="1", actor="counter", input="inc")
        self.assertEqual(small.next()["output"], "1")
        for ws in (*held, refused):
            ws.close()
        self.assertTrue(wait_for(lambda: self.counted() == 0))
        small.say(op="send", id="2", actor="counter", input="inc")
        self.assertEqual(small.next()["output"], "2")
        small.close()

    def test_batches_that_are_not_whole(self):
        def begin(*pieces):
            connection = self.raw()
            connection.sendall(b"POST /v1/actors/counter/messages/stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n"
                               b"Content-Type: application/vnd.theater.messages\r\n\r\n")
            for piece in pieces:
                connection.sendall(piece)
            return connection

        part = struct.pack(">I", 10 << 20) + bytes(7 << 20)
        held = [begin(part), begin(part)]
        self.assertTrue(wait_for(lambda: self.counted() >= 14 << 20))
        inc = struct.pack(">I", 3) + b"inc"
        refused = begin(inc, inc)
        try:
            refused.sendall(part + bytes(1 << 20))
        except OSError:
            pass  # it reads no more
        answer = self.rest(refused)
        lines = [json.loads(line) for chunk in answer.split(b"\r\n") if chunk.startswith(b"{") for line in chunk.splitlines()]
        self.assertEqual([line.get("output") for line in lines[:2]], ["1", "2"])
        self.assertEqual(lines[-1]["status"], "no-memory")
        for connection in held:
            connection.close()
        self.assertTrue(wait_for(lambda: self.counted() == 0))
        reply = self.post("/v1/actors/counter/messages/stream", inc, Content_Type="application/vnd.theater.messages")
        self.assertEqual(json.loads(reply.body)["output"], "3")


if __name__ == "__main__":
    main()
