"""Actors that talk to each other: waiting for what was caused, going on later, tracing."""

from support import *


class Actors(Case):
    def setUp(self):
        super().setUp()
        self.start("pong")
        self.start("ping", config="pong")

    def test_send_waits_for_what_it_caused(self):
        self.send("ping", "play 50")
        self.assertEqual(self.run_theater("query", "ping", "score").text, "won 50 lost 0 idle")
        self.assertEqual(len(self.chain("pong")), 51)

    def test_what_is_left_goes_on_with_the_next_process(self):
        done = self.run_theater("send", "ping", "play 20000", "--drain", "1ms")
        self.assertIn("messages are left", done.errors)
        self.send("pong", "nothing of use", code=None)
        self.assertEqual(self.run_theater("query", "ping", "score").text, "won 20000 lost 0 idle")

    def test_causes_stand_on_the_chain(self):
        self.send("ping", "play 1")
        message = self.chain("pong")[1]
        self.assertEqual(message["cause"], {"kind": "message", "actor": "ping", "sequence": 1,
                                            "hash": self.chain("ping")[1]["hash"], "index": 0})
        reply = self.chain("ping")[2]
        self.assertEqual(reply["cause"], {"kind": "reply", "actor": "pong", "sequence": 1, "hash": message["hash"],
                                          "request": 1 << 16 | 1, "failed": False})
        self.assertEqual((reply["principal"], reply["id"]), (None, None))

    def test_a_trace_goes_both_ways(self):
        self.send("ping", "play 2")
        steps = self.run_theater("trace", "pong", "1", "--json").lines
        self.assertEqual([(s["relation"], s["actor"], s["sequence"], s["kind"]) for s in steps],
                         [("element", "pong", 1, None), ("cause", "ping", 1, "message"), ("effect", "ping", 2, "reply"),
                          ("effect", "pong", 2, "message"), ("effect", "ping", 3, "reply")])
        self.assertIn("caused by ping element 1", self.run_theater("trace", "pong", "1").text)
        done = self.run_theater("trace", "ping", "1", "--max", "2", "--json")
        self.assertEqual(len(done.lines), 2)
        self.assertIn("--max", done.errors)
        self.run_theater("trace", "ping", "99", code=NOT_FOUND)
        self.run_theater("trace", "ping", "x", code=INVALID_ARGUMENT)

    def test_a_removed_partner_is_a_notice(self):
        self.run_theater("remove", "pong")
        self.send("ping", "play 3")
        notice = self.chain("ping")[2]
        self.assertEqual(notice["cause"]["kind"], "notice")
        self.assertEqual(notice["cause"]["actor"], "pong")
        steps = self.run_theater("trace", "ping", "2", "--json").lines
        self.assertEqual([(s["relation"], s["sequence"], s["kind"]) for s in steps],
                         [("element", 2, None), ("cause", 1, "notice")])
        self.run_theater("verify", "--all")
        self.run_theater("replay")

    def test_a_stopped_partner_keeps_its_messages(self):
        self.run_theater("stop", "pong")
        self.send("ping", "play 3")
        self.assertEqual(self.run_theater("inspect", "pong", "--json").json["undelivered"], 1)
        self.run_theater("resume", "pong")
        self.send("ping", "score")
        self.assertEqual(self.run_theater("query", "ping", "score").text, "won 3 lost 0 idle")


class Ring(Case):
    def test_a_ring_of_actors_and_its_check(self):
        for i in range(5):
            self.run_theater("start", f"ring-{i}", "--component", ACTORS / "ring.wasm", "--config-text", f"ring-{(i + 1) % 5}")
        self.send("ring-0", "spin 23")
        report = self.run_theater("verify", "--all", "--json").json
        self.assertEqual(report["verdict"], "ok")
        self.assertGreater(report["causes"], 24)
        self.run_theater("replay")
        self.run_theater("export", "--all", "ring.bundle")
        self.assertEqual(self.bare("verify", "ring.bundle", "--all", "--json").json["causes"], report["causes"])


if __name__ == "__main__":
    main()
