"""Who may do what: tokens, scopes, TLS, origins, hosts."""

import json
import ssl
import subprocess

from support import *


class Tokens(Case):
    options = ["--require-token"]

    def prepare(self):
        self.writer = self.token("alice")
        self.reader = self.token("dashboard", "--read")

    def token(self, name, *more):
        return json.loads(self.theater("token", "new", name, *more, "--json"))

    def bearer(self, token):
        return {"Authorization": f"Bearer {token['token']}"}

    def test_requests_need_a_token(self):
        for method, path in ("GET", "/v1/actors"), ("POST", "/v1/actors"), ("GET", "/metrics"), ("GET", "/v1/events"):
            reply = self.request(method, path, status=401)
            self.problem(reply, "unauthorized")
            self.assertIn("Bearer", reply.headers["WWW-Authenticate"])
        self.get("/v1/health")
        self.get("/v1/ready")
        for value in "Bearer wrong", "Bearer ", "Basic YTpi", self.writer["token"], "Bearer " + self.writer["token"][:-1]:
            self.get("/v1/actors", 401, Authorization=value)
        self.get("/v1/actors", **self.bearer(self.writer))
        self.get("/v1/actors", **self.bearer(self.reader))

    def test_scopes_and_principals(self):
        wasm = (ACTORS / "counter.wasm").read_bytes()
        headers = {"Content-Type": "application/wasm"}
        self.problem(self.post("/v1/actors?name=counter", wasm, 403, **headers, **self.bearer(self.reader)), "scope")
        self.post("/v1/actors?name=counter", wasm, 201, **headers, **self.bearer(self.writer))
        self.post("/v1/actors/counter/messages", b"inc", **self.bearer(self.writer))
        self.post("/v1/actors/counter/messages", b"inc", 403, **self.bearer(self.reader))
        self.post("/v1/actors/counter/query", b"get", **self.bearer(self.reader))
        element = self.get("/v1/actors/counter/elements/1", **self.bearer(self.reader)).json
        self.assertEqual(element["principal"], self.writer["id"])
        self.assertNotIn("alice", json.dumps(element))
        ws = WebSocket(self.port, **self.bearer(self.reader))
        ws.say(op="send", id=1, actor="counter", input="inc")
        self.assertEqual(ws.next()["status"], "permission")
        ws.say(op="query", id=2, actor="counter", input="get")
        self.assertEqual(ws.next()["output"], "1")
        ws.close()
        self.assertEqual(WebSocket(self.port).status, 401)

    def test_tokens_are_kept_hashed_and_can_be_revoked(self):
        path = self.data / "tokens"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(self.writer["token"], path.read_text())
        self.assertIn("alice", self.theater("token", "list"))
        self.theater("token", "revoke", self.writer["id"])
        self.assertTrue(wait_for(lambda: self.get("/v1/actors", None, **self.bearer(self.writer)).status == 401, 5))
        self.get("/v1/actors", **self.bearer(self.reader))
        for _ in range(3):  # a new one is known at once
            self.get("/v1/actors", **self.bearer(self.token("bob")))
        self.theater("token", "revoke", "tok-none", code=4)
        self.theater("token", "new", "x" * 65, code=2)
        self.theater("token", "new", "a\nb", code=2)
        self.theater("token", "what", code=2)

    def test_what_was_opened_with_a_revoked_token_ends(self):
        self.post("/v1/actors?name=counter", (ACTORS / "counter.wasm").read_bytes(), 201, Content_Type="application/wasm", **self.bearer(self.writer))
        doomed, other = self.bearer(self.writer), self.bearer(self.reader)
        sockets, streams = [WebSocket(self.port, **t) for t in (doomed, other)], [Events(self.port, "/v1/events", **t) for t in (doomed, other)]
        batch = self.raw()
        batch.sendall(f"POST /v1/actors/counter/messages/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nAuthorization: "
                      f"{doomed['Authorization']}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ninc\n\r\n".encode())
        self.assertIn(b" 200 ", batch.recv(65536))
        for ws in sockets:
            ws.say(op="query", id=1, actor="counter", input="get")
            self.assertEqual(ws.next()["status"], "ok")
        self.theater("token", "revoke", self.writer["id"])
        with self.assertRaises(EOFError) as caught:
            while True:
                sockets[0].next()
        self.assertEqual(caught.exception.args[0][:2], (1008).to_bytes(2, "big"))
        sockets[0].say(op="send", id=2, actor="counter", input="inc")  # it is not listened to any more
        with self.assertRaises((EOFError, http.client.IncompleteRead)):
            while True:
                streams[0].next()
        self.rest(batch)
        # Those of others go on.
        again = self.bearer(self.token("bob"))
        self.send("counter", "inc", **again)
        self.assertEqual([streams[1].next()["data"]["output"] for _ in range(2)], ["1", "2"])
        sockets[1].say(op="query", id=3, actor="counter", input="get")
        self.assertEqual(sockets[1].next()["output"], "2")
        for each in (*sockets, *streams):
            each.close()

    def test_a_damaged_list_lets_nobody_in(self):
        (self.data / "tokens").write_text("nonsense\n")
        self.assertTrue(wait_for(lambda: self.get("/v1/actors", None, **self.bearer(self.writer)).status == 401, 5))
        self.theater("token", "list", code=15)


class Browsers(Case):
    options = ["--allow-origin", "https://app.example"]

    def test_pages_of_other_origins_are_refused(self):
        self.start()
        for origin in "http://evil.example", "null", f"http://127.0.0.1:{self.port + 1}", f"https://127.0.0.1:{self.port}":
            self.problem(self.get("/v1/actors", 403, Origin=origin), "origin")
            self.send("counter", "inc", 403, Origin=origin)
        self.get("/v1/actors", Origin=f"http://127.0.0.1:{self.port}")
        reply = self.get("/v1/actors", Origin="https://app.example")
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "https://app.example")
        self.assertEqual(self.get("/v1/actors/counter").json["elements"], 1)

    def test_a_page_of_the_allowed_origin_may_do_all_that_the_interface_has(self):
        ours = {"Origin": "https://app.example"}
        ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
        reply = self.request("OPTIONS", "/v1/actors/counter/messages", status=204, **ours, **ask)
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], ours["Origin"])
        self.assertIn("POST", reply.headers["Access-Control-Allow-Methods"].split(", "))
        for header in "Authorization", "Content-Type", "Idempotency-Key":
            self.assertIn(header, reply.headers["Access-Control-Allow-Headers"].split(", "))
        self.assertIn("DELETE", self.request("OPTIONS", "/v1/actors/counter", status=204, **ours, **ask).headers["Access-Control-Allow-Methods"])
        # Others are told nothing.
        for origin in "https://evil.example", "https://app.example.evil", "null":
            reply = self.request("OPTIONS", "/v1/actors/counter/messages", status=204, Origin=origin, **ask)
            self.assertEqual([h for h in reply.headers if h.lower().startswith("access-control")], [])
        # It sees what an answer says in its headers, and why one was refused.
        self.start()
        reply = self.send("counter", "inc", **ours)
        shown = reply.headers["Access-Control-Expose-Headers"].split(", ")
        self.assertEqual([h for h in reply.headers if h.startswith("Theater-") and h not in shown], [])
        self.assertEqual(reply.headers["Vary"], "Origin")
        for path, status, more in ("/v1/actors", 401, {"Authorization": "Bearer wrong"}), ("/v1/nothing", 404, {}), ("/v1/actors/nobody", 404, {}):
            self.assertEqual(self.get(path, status, **ours, **more).headers["Access-Control-Allow-Origin"], ours["Origin"])

    def test_names_that_somebody_made_point_here(self):
        for host in "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil.example:8080":
            self.problem(self.get("/v1/actors", 403, Host=host), "host")
        for host in "localhost", "localhost:1", "127.0.0.1", "[::1]:80", "127.1.2.3:9":
            self.get("/v1/actors", Host=host)


class Addresses(Case):
    def serve(self, *more):
        if self._testMethodName.startswith("test_tls"):
            self.certificate()
            self.options = ["--tls-certificate", self.folder / "c.pem", "--tls-key", self.folder / "k.pem"]
            super().serve(*more)

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.folder / "k.pem", "-out", self.folder / "c.pem"],
                       check=True, capture_output=True)

    def test_beyond_loopback(self):
        listen = ["serve", "--listen", "0.0.0.0:0"]
        self.theater(*listen, code=2)
        self.theater(*listen, "--insecure", code=2)  # no token
        self.theater("serve", "--listen", "nonsense", code=2)
        self.theater("serve", "--listen", "127.0.0.1:99999", code=2)
        self.theater("serve", "--no-tcp", "--no-socket", code=2)
        self.theater("serve", "--tls-key", "x", code=2)
        self.theater("serve", "--tls-key", "missing", "--tls-certificate", "missing", code=2)
        token = json.loads(self.theater("token", "new", "a", "--json"))["token"]
        self.options = ["--listen", "0.0.0.0:0", "--insecure"]
        process = subprocess.Popen([PROGRAM, "--data", self.data, "serve", "--json", *self.options], stdout=subprocess.PIPE)
        self.port = int(json.loads(process.stdout.readline())["address"].rsplit(":", 1)[1])
        self.get("/v1/actors", 401)
        self.get("/v1/actors", 200, Authorization=f"Bearer {token}")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=20), 0)
        process.stdout.close()

    def test_tls_ends_on_each_side_by_itself(self):
        """What a client asked for before it said that it sends no more is answered, and then the server says the same."""
        context = ssl.create_default_context(cafile=self.folder / "c.pem")
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        connection.request("POST", "/v1/actors?name=counter", (ACTORS / "counter.wasm").read_bytes(), {"Content-Type": "application/wasm"})
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 201)
        connection.close()
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        raw, tls = self.raw(), context.wrap_bio(received, sent, server_hostname="localhost")

        def until_done(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    raw.sendall(sent.read())
                    piece = raw.recv(65536)
                    received.write(piece)
                    if not piece:
                        received.write_eof()

        until_done(tls.do_handshake)
        tls.write(b"POST /v1/actors/counter/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\ninc")
        with self.assertRaises(ssl.SSLWantReadError):
            tls.unwrap()
        got = b""
        with self.assertRaises(ssl.SSLZeroReturnError):
            while True:
                got += until_done(lambda: tls.read(65536))
        self.assertTrue(got.startswith(b"HTTP/1.1 200 ") and got.endswith(b"\r\n\r\n1"), got)

    def test_tls(self):
        self.assertTrue(self.address.startswith("https://"))
        context = ssl.create_default_context(cafile=self.folder / "c.pem")
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        wasm = (ACTORS / "counter.wasm").read_bytes()
        connection.request("POST", "/v1/actors?name=counter", wasm, {"Content-Type": "application/wasm"})
        answer = connection.getresponse()
        answer.read()
        self.assertEqual(answer.status, 201)
        for i in range(1, 101):
            connection.request("POST", "/v1/actors/counter/messages", b"inc")
            self.assertEqual(connection.getresponse().read(), str(i).encode())
        connection.request("GET", "/v1/actors/counter/elements?limit=101")
        self.assertEqual(len(json.loads(connection.getresponse().read())["elements"]), 101)
        connection.close()
        # Plain HTTP and nonsense end the connection, and nothing else.
        for data in b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 100, b"\x00" * 50:
            self.say(data)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            old.wrap_socket(self.raw(), server_hostname="localhost")
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=20)
        connection.request("GET", "/v1/health")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()


if __name__ == "__main__":
    main()
