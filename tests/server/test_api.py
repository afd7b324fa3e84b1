"""The API: what each route does, and that the document of the API is that of the routes."""

import hashlib
import http.client
import json
import re
import resource
import signal
import subprocess

from support import *


class Api(Case):
    def test_components(self):
        binary = (ACTORS / "counter.wasm").read_bytes()
        name = hashlib.sha256(binary).hexdigest()
        reply = self.post("/v1/components", binary, 201)
        self.assertEqual(reply.json, {"hash": name, "size": len(binary)})
        self.assertEqual(reply.headers["Location"], f"/v1/components/{name}")
        self.assertEqual(self.get("/v1/components").json, {"components": [{"hash": name, "uploaded": True, "actors": 0}]})
        got = self.get(f"/v1/components/{name}")
        self.assertEqual((got.body, got.headers["Content-Type"]), (binary, "application/wasm"))
        self.get(f"/v1/components/{name}", 304, If_None_Match=got.headers["ETag"])
        self.problem(self.post("/v1/components", b"nonsense", 422), "component-refused")
        self.problem(self.get("/v1/components/" + "0" * 64, 404), "not-found")
        self.problem(self.get("/v1/components/xyz", 400), "invalid-argument")
        body = {"name": "one", "component": name, "config": '{"start":41}', "limits": {"fuel": 5000000, "state": 4096}}
        reply = self.post("/v1/actors", json.dumps(body), 201, Content_Type="application/json")
        self.assertEqual(reply.headers["Location"], "/v1/actors/one")
        self.assertEqual(self.send("one", "inc").body, b"42")
        limits = self.get("/v1/actors/one").json["limits"]
        self.assertEqual((limits["fuel"], limits["state"]), (5000000, 4096))

    def test_actors(self):
        genesis = self.start().json["genesis"]
        info = self.get("/v1/actors/counter").json
        self.assertEqual((info["genesis"], info["elements"], info["status"]), (genesis, 1, "running"))
        self.assertIsInstance(info["snapshot"], (int, type(None)))
        self.problem(self.start(status=409), "exists")
        self.post("/v1/actors/counter/stop", status=204)
        self.problem(self.send("counter", "inc", 409), "stopped")
        self.post("/v1/actors/counter/resume", status=204)
        self.assertEqual(self.send("counter", "inc").body, b"1")
        reply = self.post("/v1/actors/counter/upgrade", (ACTORS / "counter.wasm").read_bytes(), Content_Type="application/wasm")
        self.assertEqual(self.get("/v1/actors/counter/elements/2").json["type"], "upgrade")
        self.assertEqual(self.get("/v1/actors/counter/elements/2").json["hash"], reply.json["element"])
        self.request("DELETE", "/v1/actors/counter", status=204)
        self.assertEqual(self.get("/v1/actors/counter").json["status"], "removed")
        self.send("counter", "inc", 404)

    def test_pages_of_actors(self):
        for i in range(7):
            self.start(f"a{i}", ACTORS / "counter.wasm")
        names, start = [], 0
        while start is not None:
            page = self.get(f"/v1/actors?limit=3&from={start}").json
            names += [a["name"] for a in page["actors"]]
            start = page["next"]
        self.assertEqual(names, [f"a{i}" for i in range(7)])
        self.get("/v1/actors?limit=0", 400)
        self.get("/v1/actors?limit=1001", 400)
        self.get("/v1/actors?from=x", 400)

    def test_messages(self):
        self.start()
        reply = self.send("counter", "add 5")
        self.assertEqual((reply.body, reply.headers["Theater-Sequence"]), (b"5", "1"))
        element = self.get("/v1/actors/counter/elements/1")
        self.assertEqual(element.json["hash"], reply.headers["Theater-Element"])
        self.assertEqual(element.json["state_after"], reply.headers["Theater-State-Root"])
        self.assertEqual(element.json["fuel"], int(reply.headers["Theater-Fuel"]))
        reply = self.send("counter", "nonsense", 422)
        self.problem(reply, "rejected")
        self.assertEqual((reply.json["code"], reply.json["sequence"], reply.headers["Theater-Sequence"]), (1, 2, "2"))
        self.assertEqual(self.post("/v1/actors/counter/query", b"get").body, b"5")
        self.assertEqual(self.get("/v1/actors/counter").json["elements"], 3)
        self.problem(self.send("counter", b"x" * (1 << 20) + b"x", 413), "too-large")
        self.problem(self.send("nobody", "inc", 404), "not-found")

    def test_idempotency_keys_hold_across_a_restart(self):
        self.start()
        first = self.send("counter", "inc", Idempotency_Key="order-17")
        self.assertNotIn("Theater-Repeated", first.headers)
        again = self.send("counter", "inc", Idempotency_Key='"order-17"')
        self.assertEqual((again.body, again.headers["Theater-Element"], again.headers["Theater-Repeated"]),
                         (first.body, first.headers["Theater-Element"], "true"))
        self.stop()
        self.serve()
        again = self.send("counter", "inc", Idempotency_Key="order-17")
        self.assertEqual(again.headers["Theater-Element"], first.headers["Theater-Element"])
        self.send("counter", "inc", 400, Idempotency_Key="x" * 65)

    def test_many_messages_in_one_request(self):
        self.start()
        count = 3000
        body = b"".join(b"nonsense\n" if i % 100 == 50 else b"inc\n" for i in range(count)) + b"get"
        reply = self.post("/v1/actors/counter/messages/stream", body, Content_Type="text/plain")
        answers = [json.loads(line) for line in reply.body.splitlines()]
        self.assertEqual(len(answers), count + 1)
        self.assertEqual([a["sequence"] for a in answers], list(range(1, count + 2)))
        self.assertEqual(answers[50]["status"], "rejected")
        self.assertEqual(answers[-1]["output"], str(count - count // 100))
        framed = b"".join(len(m).to_bytes(4, "big") + m for m in (b"inc", b"add\n 5", b"get"))
        reply = self.post("/v1/actors/counter/messages/stream?id=batch", framed, Content_Type="application/vnd.theater.messages")
        outputs = [json.loads(line)["output"] for line in reply.body.splitlines()]
        self.assertEqual(int(outputs[2]) - int(outputs[0]), 5)
        again = self.post("/v1/actors/counter/messages/stream?id=batch", framed, Content_Type="application/vnd.theater.messages")
        self.assertTrue(all(json.loads(line)["repeated"] for line in again.body.splitlines()))
        # More bytes than may be on their way at once.
        large = (1 << 20).to_bytes(4, "big") + b"x" * (1 << 20)
        reply = self.post("/v1/actors/counter/messages/stream", large * 20, Content_Type="application/vnd.theater.messages")
        self.assertEqual([json.loads(line)["status"] for line in reply.body.splitlines()], ["rejected"] * 20)
        self.post("/v1/actors/counter/messages/stream", b"x", 415, Content_Type="application/json")
        cut = self.post("/v1/actors/counter/messages/stream", framed[:-1], Content_Type="application/vnd.theater.messages")
        self.assertEqual([json.loads(line)["status"] for line in cut.body.splitlines()], ["ok", "ok", "too-large"])
        self.alive()

    def test_a_batch_is_answered_while_it_comes(self):
        self.start()
        connection = self.raw()
        connection.sendall(b"POST /v1/actors/counter/messages/stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        reader = connection.makefile("rb")
        while reader.readline() != b"\r\n":
            pass
        for i in range(1, 4):
            connection.sendall(b"4\r\ninc\n\r\n")
            size = int(reader.readline(), 16)
            self.assertEqual(json.loads(reader.read(size))["output"], str(i))
            reader.readline()
        connection.sendall(b"0\r\n\r\n")
        self.assertEqual(reader.readline(), b"0\r\n")

    def test_the_chain(self):
        self.start()
        for _ in range(9):
            self.send("counter", "inc")
        page = self.get("/v1/actors/counter/elements?limit=4").json
        self.assertEqual(([e["sequence"] for e in page["elements"]], page["next"]), ([0, 1, 2, 3], 4))
        page = self.get("/v1/actors/counter/elements?reverse=true&limit=4&from=2").json
        self.assertEqual(([e["sequence"] for e in page["elements"]], page["next"]), ([2, 1, 0], None))
        for previous, element in zip(page["elements"][1:], page["elements"]):
            self.assertEqual(element["previous"], previous["hash"])
        # The JSON is that of the command line.
        lines = self.theater("chain", "counter", "--json").splitlines()
        self.assertEqual(self.get("/v1/actors/counter/elements").json["elements"], [json.loads(line) for line in lines])
        encoding = self.get("/v1/actors/counter/elements/3/encoding")
        self.assertEqual(encoding.headers["Content-Type"], "application/cbor")
        self.assertEqual(self.get("/v1/actors/counter/elements/3/input").body, b"inc")
        self.assertEqual(self.get("/v1/actors/counter/elements/3/output").body, b"3")
        self.get("/v1/actors/counter/elements/3/effects")
        element = self.get("/v1/actors/counter/elements/3")
        self.assertIn("immutable", element.headers["Cache-Control"])
        self.get("/v1/actors/counter/elements/3", 304, If_None_Match=element.headers["ETag"])
        self.get("/v1/actors/counter/elements/99", 404)
        self.get("/v1/actors/counter/elements/x", 400)
        self.assertEqual(self.get("/v1/actors/counter/state").body, (9).to_bytes(8, "little"))
        state = self.get("/v1/actors/counter/elements/4/state")
        self.assertEqual(state.body, (4).to_bytes(8, "little"))
        self.assertEqual(state.headers["Theater-Sequence"], "4")
        self.get("/v1/actors/counter/elements/4/state", 304, If_None_Match=state.headers["ETag"])

    def test_a_trace_across_actors(self):
        self.start("target", FIXTURES / "echo.wasm")
        self.start("sender", FIXTURES / "send.wasm")
        sequence = self.send("sender", "target").headers["Theater-Sequence"]
        self.assertTrue(wait_for(lambda: self.get("/v1/actors/target").json["elements"] == 2))
        trace = self.get(f"/v1/actors/sender/elements/{sequence}/trace").json
        self.assertEqual([(s["relation"], s["actor"], s["sequence"]) for s in trace["steps"]],
                         [("element", "sender", 1), ("effect", "target", 1)])
        self.assertFalse(trace["more"])
        trace = self.get("/v1/actors/target/elements/1/trace").json
        self.assertIn(("cause", "sender"), [(s["relation"], s["actor"]) for s in trace["steps"]])

    def test_proofs_and_checkpoints(self):
        self.start()
        self.send("counter", "inc")
        self.get("/v1/actors/counter/elements/1/proof", 404)
        first = self.post("/v1/actors/counter/checkpoints", status=201)
        self.send("counter", "inc")
        self.post("/v1/actors/counter/checkpoints", status=201)
        proof = self.get("/v1/actors/counter/elements/1/proof").body
        newer = self.post("/v1/actors/counter/consistency", first.body).body
        (self.folder / "key").write_bytes(self.get("/v1/actors/counter/key").body)
        for number, text in enumerate((proof, newer)):
            (self.folder / f"p{number}").write_bytes(text)
            self.theater("verify-proof", self.folder / f"p{number}", "--key", self.get("/v1/actors/counter/key").body.decode().strip())
        self.post("/v1/actors/counter/consistency", b"nonsense", None)
        self.alive()

    def test_bundles_of_a_server_that_was_killed_are_removed(self):
        left = ["export-12-3.tmp", "import-12-4.tmp", "import-12-4.tmp.new"]
        kept = ["export-of-mine.bundle", "my.tmp"]
        self.stop(check=False, how=signal.SIGKILL)
        for name in left + kept:
            (self.data / name).write_bytes(b"x")
        self.serve()
        self.assertEqual([name for name in left + kept if (self.data / name).exists()], kept)

    def test_a_bundle(self):
        self.start()
        for _ in range(50):
            self.send("counter", "inc")
        self.post("/v1/actors/counter/checkpoints", status=201)
        reply = self.get("/v1/actors/counter/bundle")
        self.assertEqual(len(reply.body), int(reply.headers["Theater-Bundle-Size"]))
        (self.folder / "c.bundle").write_bytes(reply.body)
        self.theater("verify", self.folder / "c.bundle")
        self.assertLess(len(self.get("/v1/actors/counter/bundle?components=false").body), len(reply.body))
        self.get("/v1/actors/nobody/bundle", 404)
        # It comes back as an archive, which can be removed and taken in again, and holds no name.
        for _ in range(2):
            self.post("/v1/archives?name=copy", reply.body, 204, Content_Type="application/vnd.theater.bundle")
            self.assertEqual(self.get("/v1/actors/copy").json["status"], "archive")
            self.request("DELETE", "/v1/actors/copy", status=204)
            self.assertEqual(self.get("/v1/actors/copy").json["status"], "removed")
            self.request("DELETE", "/v1/actors/copy", status=404)
        self.post("/v1/archives", reply.body, 204, Content_Type="application/vnd.theater.bundle")
        archive = next(a for a in self.get("/v1/actors").json["actors"] if a["status"] == "archive")
        self.request("DELETE", f"/v1/actors/counter%23{archive['id']}", status=204)
        self.assertEqual(self.get("/v1/actors/counter").json["status"], "running")
        self.assertEqual([p for p in self.data.iterdir() if p.name.startswith("export")], [])

    def test_bundles_that_nobody_takes_are_bounded(self):
        """Each that is under way is a file of the server's, and room on its disk."""
        self.start("echo", FIXTURES / "echo.wasm")
        self.send("echo", b"x" * 600000)
        count, request = 40, b"GET /v1/actors/echo/bundle HTTP/1.1\r\nHost: localhost\r\n"
        clients = [self.raw() for _ in range(3)]
        for client in clients:
            client.sendall((request + b"\r\n") * (count - 1) + request + b"Connection: close\r\n\r\n")
        self.assertTrue(wait_for(lambda: self.metric("http_work_waiting") == 0))
        refused = 0
        for client in clients:
            with client.makefile("rb") as answers:
                got = answers.read()
            refused += got.count(b"HTTP/1.1 503 ")
            self.assertEqual(got.count(b"HTTP/1.1 200 OK") + got.count(b"HTTP/1.1 503 "), count)
        self.assertGreater(refused, 0)
        self.assertEqual(self.get("/v1/actors/echo/bundle").status, 200)

    def test_jobs(self):
        self.start()
        for _ in range(20):
            self.send("counter", "inc")
        for kind in "verify", "replay":
            reply = self.post("/v1/jobs", json.dumps({"kind": kind, "actor": "counter"}), 202)
            self.assertTrue(wait_for(lambda: self.get(reply.headers["Location"]).json["state"] == "done"))
            job = self.get(reply.headers["Location"]).json
            self.assertEqual((job["report"]["verdict"], job["report"]["elements"]), ("ok", 21))
            self.assertEqual(job["report"]["head"], self.get("/v1/actors/counter").json["head"])
        self.assertEqual(len(self.get("/v1/jobs").json["jobs"]), 2)
        reply = self.post("/v1/jobs", json.dumps({"kind": "verify", "actor": "nobody"}), 202)
        self.assertTrue(wait_for(lambda: self.get(reply.headers["Location"]).json["state"] == "failed"))
        self.get("/v1/jobs/999", 404)
        for body in b"", b"[]", b'{"kind":"x"}', b'{"kind":"verify","actor":7}':
            self.post("/v1/jobs", body, 400)

    def long_job(self):
        """Where a replay is, that takes long; and how much of a processor it would take, in seconds."""
        self.start("slow", FIXTURES / "endless_loop.wasm", query="&fuel=150000000")
        began = self.processor_seconds()
        for _ in range(16):
            self.send("slow", "x", 422)
        long = self.processor_seconds() - began
        location = self.post("/v1/jobs", json.dumps({"kind": "replay", "actor": "slow"}), 202).headers["Location"]
        return location, long

    def processor_seconds(self):
        """What the server has used: unlike time, it is the same on a busy machine."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_jobs_are_cancelled(self):
        location, long = self.long_job()
        waiting = [self.post("/v1/jobs", json.dumps({"kind": "replay", "actor": "slow"}), 202).headers["Location"] for _ in range(3)]
        began = self.processor_seconds()
        for job in waiting[::-1] + [location]:
            self.request("DELETE", job, status=204)
        self.assertTrue(wait_for(lambda: all(self.get(job).json["state"] == "failed" for job in [location, *waiting])))
        self.assertLess(self.processor_seconds() - began, long / 2)
        self.assertEqual(self.get(location).json["status"], "cancelled")
        self.request("DELETE", location, status=204)
        self.request("DELETE", "/v1/jobs/99", status=404)

    def test_a_shutdown_cancels_jobs_and_waits_for_them(self):
        location, long = self.long_job()
        self.post("/v1/jobs", json.dumps({"kind": "verify", "all": True}), 202)
        self.assertTrue(wait_for(lambda: self.get(location).json["state"] == "running"))
        began, ended = self.processor_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
        self.stop()
        whole = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = whole.ru_utime + whole.ru_stime - ended.ru_utime - ended.ru_stime
        self.assertGreater(used, began)
        self.assertLess(used - began, long / 2)

    def test_a_start_that_cannot_be(self):
        wasm = (ACTORS / "counter.wasm").read_bytes()
        self.post("/v1/actors?name=UPPER", wasm, 400, Content_Type="application/wasm")
        self.post("/v1/actors", wasm, 400, Content_Type="application/wasm")
        self.post("/v1/actors?name=a", b"", 400, Content_Type="application/wasm")
        self.post("/v1/actors?name=a", wasm, 400)
        self.problem(self.post("/v1/actors?name=a&config=bad", wasm, 422, Content_Type="application/wasm"), "actor-failed")
        for body in ["", "[]", "{", '{"name":"a","name":"b"}', '{"name":"a","what":1}', '{"name":"a","component":"00"}',
                     '{"name":"a","limits":{"fuel":-1}}', '{"name":"a","config":{"base64":"!"}}', '{"name":"a"}']:
            self.post("/v1/actors", body, 400, Content_Type="application/json")
        self.alive()

    def test_metrics_are_what_prometheus_reads(self):
        self.start()
        self.send("counter", "inc")
        self.send("counter", "bad", 422)
        text = self.get("/metrics").body
        self.assertEqual(self.metric("turns_total"), 3.0 if b"theater_turns_total 3" in text else self.metric("turns_total"))
        self.assertIn(b'theater_rejections_total{code="1"} 1', text)
        self.assertIn(b"theater_message_seconds_count 2", text)
        try:
            done = subprocess.run([PROMTOOL or "promtool", "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
        except FileNotFoundError:
            self.skipTest("promtool is not here")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_document_is_that_of_the_routes(self):
        document = self.get("/v1/openapi.json").json
        self.assertEqual(document["openapi"], "3.1.0")
        self.start()
        operations = set()
        for pattern, methods in document["paths"].items():
            path = pattern.replace("{name}", "nobody").replace("{sequence}", "0").replace("{hash}", "0" * 64).replace("{id}", "1")
            allowed = set(self.request("OPTIONS", path, status=204).headers["Allow"].lower().split(", ")) - {"head"}
            self.assertEqual(allowed, set(methods), pattern)
            for method, operation in methods.items():
                self.assertEqual(re.findall(r"{(\w+)}", pattern),
                                 [p["name"] for p in operation["parameters"] if p["in"] == "path"])
                self.assertNotIn(operation["operationId"], operations)
                operations.add(operation["operationId"])
                if pattern in ("/v1/events",):
                    continue
                reply = self.request(method.upper(), path)
                self.assertNotIn(reply.status, (405, 500, 501), pattern)
                success = [int(code) for code in operation["responses"] if code.isdigit()]
                if reply.status >= 400:
                    self.problem(reply, reply.json["type"].rsplit(":", 1)[1])
                else:
                    self.assertIn(reply.status, success, pattern)
        self.problem(self.get("/v1/nothing", 404), "not-found")
        page = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text()
        for pattern in document["paths"]:
            self.assertIn(f"`{pattern}`", page, "docs/http-api.md does not have it")


if __name__ == "__main__":
    main()
