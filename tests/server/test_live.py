"""Events as they are committed, over server-sent events and WebSockets: no gap, no duplicate, whatever the reader does."""

import json
import resource
import threading
import time

from support import *


class Live(Case):
    def setUp(self):
        super().setUp()
        self.start()

    def sender(self, count, name="counter"):
        def run():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            for _ in range(count):
                connection.request("POST", f"/v1/actors/{name}/messages", b"inc")
                connection.getresponse().read()
            connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def test_catching_up_and_going_on(self):
        for _ in range(30):
            self.send("counter", "inc")
        thread = self.sender(300)
        events = Events(self.port, "/v1/actors/counter/events?from=0")
        self.assertEqual(events.answer.headers["Content-Type"], "text/event-stream")
        for sequence in range(331):
            event = events.next()
            self.assertEqual((int(event["id"]), event["data"]["sequence"], event["data"]["actor"]), (sequence, sequence, "counter"))
            self.assertEqual(event["event"], "genesis" if sequence == 0 else "transition")
        thread.join()
        self.send("counter", "bad", 422)
        self.assertEqual(events.next()["event"], "rejection")
        # The event is the element.
        self.send("counter", "inc")
        data = events.next()["data"]
        element = self.get("/v1/actors/counter/elements/332").json
        self.assertEqual({k: data[k] for k in element}, element)
        events.close()

    def test_from_now_on_and_after_the_last_one(self):
        for _ in range(5):
            self.send("counter", "inc")
        events = Events(self.port, "/v1/actors/counter/events")
        self.assertEqual(events.status, 200)
        self.send("counter", "inc")
        self.assertEqual(events.next()["id"], "6")
        events.close()
        events = Events(self.port, "/v1/actors/counter/events", Last_Event_ID="3")
        self.assertEqual([events.next()["id"] for _ in range(3)], ["4", "5", "6"])
        events.close()
        self.assertTrue(wait_for(lambda: self.metric("subscriptions") == 0))

    def test_all_actors_in_the_order_of_the_log(self):
        self.start("other", ACTORS / "counter.wasm")
        threads = [self.sender(200), self.sender(200, "other")]
        events = Events(self.port, "/v1/events?from=0")
        numbers, sequences = [], {"counter": [], "other": []}
        while sum(map(len, sequences.values())) < 402:
            event = events.next()
            numbers.append(int(event["id"]))
            sequences[event["data"]["actor"]].append(event["data"]["sequence"])
        self.assertEqual(numbers, sorted(set(numbers)))
        for got in sequences.values():
            self.assertEqual(got, list(range(201)))
        events.close()
        # Going on in the middle gives the rest.
        events = Events(self.port, "/v1/events", Last_Event_ID=str(numbers[199]))
        self.assertEqual([int(events.next()["id"]) for _ in range(202)], numbers[200:])
        events.close()
        for thread in threads:
            thread.join()

    def test_a_slow_reader_slows_nobody_and_loses_nothing(self):
        self.start("echo", FIXTURES / "echo.wasm")
        events = Events(self.port, "/v1/actors/echo/events?from=1")
        payload = b"x" * 20000
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for _ in range(600):
            connection.request("POST", "/v1/actors/echo/messages", payload)
            self.assertEqual(connection.getresponse().read(), payload)
        self.assertLess(time.monotonic() - began, 60)
        connection.close()
        # 24 MB of events were not read; what waits for this reader is bounded.
        for sequence in range(1, 601):
            self.assertEqual(int(events.next()["id"]), sequence)
        self.send("echo", "last")
        self.assertEqual(events.next()["data"]["input"], "last")
        events.close()

    def test_events_go_on_when_what_was_committed_can_be_read_again(self):
        """The feed opens the folder with the first event, and the process may have no more files then."""
        events = Events(self.port, "/v1/actors/counter/events")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.connect()
        self.assertTrue(wait_for(lambda: self.metric("http_work_waiting") == 0))
        bound = resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE, (3, bound[1]))
        connection.request("POST", "/v1/actors/counter/messages", b"inc")
        self.assertEqual(connection.getresponse().read(), b"1")
        self.assertTrue(wait_for(lambda: b"files" in (self.folder / "errors").read_bytes()))
        resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE, bound)
        self.assertEqual(events.next()["id"], "1")
        self.send("counter", "inc")
        self.assertEqual(events.next()["id"], "2")
        events.close()
        connection.close()

    def test_many_readers(self):
        readers = [Events(self.port, "/v1/actors/counter/events?from=0") for _ in range(50)]
        thread = self.sender(100)
        for reader in readers:
            self.assertEqual([int(reader.next()["id"]) for _ in range(101)], list(range(101)))
            reader.close()
        thread.join()

    def test_readers_that_leave_while_events_are_given_out(self):
        """More of them than are given an event at once, half of which go in the midst of it; the others get every event once."""
        count, messages = 600, 60
        readers = [WebSocket(self.port) for _ in range(count)]
        for reader in readers:
            reader.say(op="subscribe", id="s", actor="counter", **({"from": 1} if readers.index(reader) % 3 == 0 else {}))
        for reader in readers:
            self.assertEqual(reader.next()["op"], "subscribed")
        first = int(self.send("counter", "inc").headers["Theater-Sequence"])

        def leave():
            for reader in readers[::2]:
                reader.close()

        leaver = threading.Thread(target=leave)
        for i in range(messages):
            self.send("counter", "inc")
            if i == 5:
                leaver.start()
        leaver.join()
        for reader in readers[1::2]:
            seen = []
            while not seen or seen[-1] < first + messages:
                message = reader.next()
                self.assertEqual(message["op"], "event")
                seen.append(message["event"]["sequence"])
            self.assertEqual(seen, list(range(seen[0], first + messages + 1)))
            self.assertLessEqual(seen[0], first)
            reader.close()
        self.assertTrue(wait_for(lambda: self.metric("subscriptions") == 0))

    def test_what_cannot_be_followed(self):
        self.problem(self.get("/v1/actors/nobody/events", 404), "not-found")
        self.get("/v1/actors/counter/events?from=x", 400)
        self.get("/v1/events", 400, Last_Event_ID="x")

    def test_a_shutdown_ends_streams(self):
        events = Events(self.port, "/v1/events?from=0")
        socket_ = WebSocket(self.port)
        events.next()
        self.server.send_signal(signal.SIGTERM)
        with self.assertRaises(EOFError):
            while True:
                events.next()
        with self.assertRaises(EOFError) as caught:
            socket_.next()
        self.assertEqual(caught.exception.args[0][:2], (1001).to_bytes(2, "big"))
        socket_.close()
        events.close()
        self.assertEqual(self.server.wait(timeout=20), 0)


class Sockets(Case):
    def setUp(self):
        super().setUp()
        self.start()
        self.ws = WebSocket(self.port)
        self.addCleanup(self.ws.close)
        self.assertEqual((self.ws.status, self.ws.accepted), (101, True))

    def test_messages_and_answers_by_id(self):
        for i in range(500):
            self.ws.say(op="send", id=f"m{i}", actor="counter", input="inc")
        answers = {}
        while len(answers) < 500:
            answer = self.ws.next()
            self.assertEqual((answer["op"], answer["status"]), ("answer", "ok"))
            answers[answer["id"]] = answer["output"]
        self.assertEqual(answers, {f"m{i}": str(i + 1) for i in range(500)})
        self.ws.say(op="send", id=7, actor="counter", input="bad")
        answer = self.ws.next()
        self.assertEqual((answer["id"], answer["status"], answer["code"]), ("7", "rejected", 1))
        self.ws.say(op="query", id="q", actor="counter", input="get")
        self.assertEqual(self.ws.next()["output"], "500")
        self.ws.say(op="send", id="k", actor="counter", input={"base64": "aW5j"}, key="once")
        self.ws.say(op="send", id="k", actor="counter", input="inc", key="once")
        self.assertEqual([self.ws.next()["output"], self.ws.next()["output"]], ["501", "501"])

    def test_what_is_refused_is_told_by_id_and_stops_nothing(self):
        for i in range(400):
            self.ws.say(op="send", id=f"m{i}", actor="counter", input="inc")
            self.ws.say(op="send", id=f"n{i}", actor="nobody", input="inc")
        answers = [self.ws.next() for _ in range(800)]
        self.assertEqual([a["id"] for a in answers if a["op"] == "answer"], [f"m{i}" for i in range(400)])
        refused = [a for a in answers if a["op"] == "error"]
        self.assertEqual({a["id"] for a in refused}, {f"n{i}" for i in range(400)})
        self.assertEqual({a["status"] for a in refused}, {"not-found"})
        self.assertTrue(wait_for(lambda: self.metric("messages_in_flight") == 0))
        # Calls whose connection goes away are answered to nobody.
        other = WebSocket(self.port)
        for i in range(200):
            other.say(op="send", id=f"x{i}", actor="nobody" if i % 2 else "counter", input="inc")
        other.close()
        self.assertTrue(wait_for(lambda: self.metric("messages_in_flight") == 0))
        self.ws.say(op="query", id="q", actor="counter", input="get")
        self.assertGreaterEqual(int(self.ws.next()["output"]), 400)

    def test_over_the_unix_socket_a_client_names_its_principal(self):
        for name in "alice", "b" * 128:
            ws = WebSocket(self.port, unix=self.data / "server.sock", Theater_Principal=name)
            ws.say(op="send", id=1, actor="counter", input="inc")
            answer = ws.next()
            self.assertEqual((answer["op"], answer["status"]), ("answer", "ok"))
            self.assertEqual(self.get(f"/v1/actors/counter/elements/{answer['sequence']}").json["principal"], name)
            ws.close()
        refused = WebSocket(self.port, Theater_Principal="alice")
        self.assertEqual(refused.status, 403)
        refused.close()

    def test_subscriptions(self):
        self.ws.say(op="subscribe", id="s", actor="counter", **{"from": 0})
        self.assertEqual(self.ws.next(), {"op": "subscribed", "id": "s"})
        self.assertEqual(self.ws.next()["event"]["sequence"], 0)
        self.send("counter", "inc")
        self.assertEqual(self.ws.next()["event"]["output"], "1")
        self.ws.say(op="subscribe", id="s", actor="counter")
        self.assertEqual(self.ws.next()["status"], "exists")
        self.ws.say(op="subscribe", id="all")
        self.assertEqual(self.ws.next(), {"op": "subscribed", "id": "all"})
        self.send("counter", "inc")
        self.assertEqual({self.ws.next()["id"], self.ws.next()["id"]}, {"s", "all"})
        self.ws.say(op="unsubscribe", id="s")
        self.assertEqual(self.ws.next(), {"op": "unsubscribed", "id": "s"})
        self.send("counter", "inc")
        self.assertEqual(self.ws.next()["id"], "all")
        self.ws.say(op="subscribe", id="x", actor="nobody")
        self.assertEqual(self.ws.next()["status"], "not-found")
        for i in range(64):
            self.ws.say(op="subscribe", id=f"n{i}", actor="counter")
        self.assertIn("too-large", [self.ws.next().get("status") for _ in range(64)])

    def test_commands_that_are_none(self):
        for text in [b"", b"[]", b"nonsense", b"{}", b'{"op":"send","id":1}', b'{"op":"x","id":1}', b'{"op":"send","op":"send","id":1}',
                     b'{"op":"send","id":[],"actor":"counter"}', b'{"op":"subscribe","id":1,"from":-1}', b'{"op":"unsubscribe","id":1}',
                     b'{"op":"send","id":1,"actor":"nobody"}', b'{"op":"send","id":1,"actor":"counter","input":{"base64":"!!"}}']:
            self.ws.frame(1, text)
            self.assertEqual(self.ws.next()["op"], "error", text)
        self.ws.say(op="query", id=1, actor="counter", input="get")
        self.assertEqual(self.ws.next()["output"], "0")

    def test_frames(self):
        self.ws.frame(9, b"ping")
        self.assertEqual(self.ws.next_frame(), (10, b"ping"))
        text = json.dumps({"op": "query", "id": 1, "actor": "counter", "input": "get"}).encode()
        self.ws.frame(1, text[:5], final=False)
        self.ws.frame(9, b"between")
        self.ws.frame(0, text[5:])
        self.assertEqual(self.ws.next_frame(), (10, b"between"))
        self.assertEqual(self.ws.next()["output"], "0")
        self.ws.frame(8, (1000).to_bytes(2, "big"))
        self.assertEqual(self.ws.next_frame(), (8, (1000).to_bytes(2, "big")))

    def code_of(self, send):
        ws = WebSocket(self.port)
        send(ws)
        try:
            while True:
                opcode, payload = ws.next_frame()
                if opcode == 8:
                    return int.from_bytes(payload[:2], "big")
        except (EOFError, OSError):
            return None
        finally:
            ws.close()

    def test_frames_that_break_the_protocol(self):
        self.assertEqual(self.code_of(lambda ws: ws.frame(1, b"{}", masked=False)), 1002)
        self.assertEqual(self.code_of(lambda ws: ws.frame(3, b"")), 1002)
        self.assertIn(self.code_of(lambda ws: ws.frame(9, b"x" * 126)), (1002, None))
        self.assertEqual(self.code_of(lambda ws: ws.frame(0, b"x")), 1002)
        self.assertEqual(self.code_of(lambda ws: ws.frame(1, b"\xff\xff")), 1007)
        self.assertEqual(self.code_of(lambda ws: ws.frame(2, b"bytes")), 1003)
        self.assertEqual(self.code_of(lambda ws: ws.socket.sendall(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"abcdefgh")), 1009)
        self.code_of(lambda ws: ws.socket.sendall(b"\xff" * 1000))
        self.alive()

    def test_handshakes_that_are_none(self):
        def head(**more):
            fields = {"Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                      "Sec-WebSocket-Version": "13", **more}
            return ("GET /v1/websocket HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v) + "\r\n").encode()

        self.assertIn(b" 426 ", self.say(head(**{"Sec-WebSocket-Version": "12"})))
        self.assertIn(b" 426 ", self.say(head(Upgrade=None, Connection=None)))
        self.assertIn(b" 400 ", self.say(head(**{"Sec-WebSocket-Key": "short"})))
        self.assertIn(b" 403 ", self.say(head(Origin="http://evil.example", Connection="Upgrade, close")))

    def test_a_client_that_vanishes_while_its_messages_run(self):
        for i in range(100):
            self.ws.say(op="send", id=i, actor="counter", input="inc")
        self.ws.say(op="subscribe", id="s", **{"from": 0})
        self.ws.close()
        self.assertTrue(wait_for(lambda: self.metric("messages_in_flight") == 0 and self.metric("subscriptions") == 0))
        self.alive()


if __name__ == "__main__":
    main()
