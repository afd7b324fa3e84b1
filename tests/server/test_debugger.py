"""What the page's explorer and debugger ask for: filtered pages, turns run again, inputs tried, bundles of any chain."""

import json
import urllib.parse

from support import *


class Debugger(Case):
    def make(self, count=40):
        self.start()
        for i in range(count):
            self.send("counter", "nonsense" if i % 10 == 9 else "inc", 422 if i % 10 == 9 else 200)

    def pages(self, query):
        """The sequences on all pages, and how many pages there were."""
        found, pages, start = [], 0, ""
        while start is not None:
            page = self.get(f"/v1/actors/counter/elements?{query}{start}").json
            found += [e["sequence"] for e in page["elements"]]
            pages += 1
            start = f"&from={page['next']}" if page["next"] is not None else None
        return found, pages

    def test_filters(self):
        self.make()
        everything = list(range(41))
        self.assertEqual(self.pages("limit=7")[0], everything)
        self.assertEqual(self.pages("limit=7&reverse=true")[0], everything[::-1])
        self.assertEqual(self.pages("type=rejection")[0], [10, 20, 30, 40])
        self.assertEqual(self.pages("type=rejection&limit=1&reverse=true"), ([40, 30, 20, 10], 5))
        self.assertEqual(self.pages("type=genesis,rejection")[0], [0, 10, 20, 30, 40])
        self.assertEqual(self.pages("type=upgrade")[0], [])
        self.assertEqual(self.pages("text=NONSENSE")[0], [10, 20, 30, 40])
        output = self.get("/v1/actors/counter/elements/40").json["output"]["message"]
        self.assertEqual(self.pages("text=" + urllib.parse.quote_plus(output[:30].upper()))[0], [10, 20, 30, 40])
        self.assertEqual(self.pages("text=36&type=rejection")[0], [])
        self.assertEqual(self.pages("text=36")[0], [39])
        self.assertEqual(self.pages("principal=alice")[0], [])
        for bad in "type=x", "type=genesis;rejection", "text=" + "x" * 257, "limit=0", "from=-1", "reverse=perhaps":
            self.problem(self.get(f"/v1/actors/counter/elements?{bad}", 400), "invalid-argument")

    def test_one_request_reads_a_bounded_part(self):
        self.start()
        count = 21000
        self.post("/v1/actors/counter/messages/stream", b"inc\n" * count, Content_Type="text/plain")
        page = self.get("/v1/actors/counter/elements?text=nowhere").json
        self.assertEqual(page["elements"], [])
        self.assertEqual(page["next"], 20000)
        self.assertEqual(self.pages("text=nowhere"), ([], 2))
        self.assertEqual(self.pages("text=20999&reverse=true"), ([20999], 2))

    def test_principals(self):
        token = self.theater("token", "new", "alice").strip()
        self.start()
        self.send("counter", "inc")
        self.assertTrue(wait_for(lambda: self.post("/v1/actors/counter/messages", b"inc", None,
                                                   Authorization=f"Bearer {token}").status == 200))
        principal = self.get("/v1/actors/counter/elements/2").json["principal"]
        self.assertTrue(principal)
        self.assertEqual(self.pages(f"principal={principal}")[0], [2])

    def test_turns_are_run_again(self):
        self.make(12)
        for sequence in range(13):
            element = self.get(f"/v1/actors/counter/elements/{sequence}").json
            trial = self.post(f"/v1/actors/counter/elements/{sequence}/rerun").json
            self.assertEqual((trial["matches"], trial["differs"]), (True, []))
            self.assertEqual((trial["fuel"], trial["state_root"], trial["state_size"], trial["sequence"], trial["timestamp"]),
                             (element["fuel"], element["state_after"], element["state_size"], sequence, element["timestamp"]))
            if element["type"] == "rejection":
                self.assertEqual((trial["outcome"], trial["code"], trial["message"], trial["output"]),
                                 ("rejected", element["output"]["code"], element["output"]["message"], None))
            else:
                self.assertEqual((trial["outcome"], trial["code"], trial["message"], trial["output"]),
                                 ("ok", None, None, element["output"]))
        self.problem(self.post("/v1/actors/counter/elements/13/rerun", status=404), "not-found")
        self.problem(self.post("/v1/actors/counter/elements/x/rerun", status=400), "invalid-argument")
        self.problem(self.post("/v1/actors/nobody/elements/0/rerun", status=404), "not-found")
        self.assertEqual(self.get("/v1/actors/counter").json["elements"], 13)

    def test_traps_show_their_log_lines_and_stack(self):
        self.start("talker", FIXTURES / "log_then_trap.wasm")
        self.start("sender", FIXTURES / "send.wasm")
        self.send("talker", "x", 422)
        trial = self.post("/v1/actors/talker/elements/1/rerun").json
        self.assertEqual((trial["outcome"], trial["code"], trial["matches"]), ("rejected", 3, True))
        self.assertTrue(trial["log"])
        self.assertEqual(set(trial["log"][0]), {"level", "message"})
        self.assertIn("wasm", trial["detail"])
        trial = self.post("/v1/actors/sender/try", b"target").json
        self.assertEqual((trial["effects"][0]["kind"], trial["effects"][0]["to"], trial["effects"][0]["request"]), ("send", "target", None))

    def test_inputs_are_tried(self):
        self.make(5)
        for at in range(6):
            trial = self.post(f"/v1/actors/counter/try?at={at}&state=true", b"add 3").json
            self.assertEqual((trial["at"], trial["sequence"], trial["outcome"], trial["output"]), (at, at + 1, "ok", str(at + 3)))
            self.assertIn("state", trial)
        trial = self.post("/v1/actors/counter/try", b"inc").json
        self.assertEqual((trial["at"], trial["output"]), (5, "6"))
        self.assertNotIn("state", trial)
        self.assertNotIn("matches", trial)
        self.assertEqual(self.post("/v1/actors/counter/try", b"nonsense").json["outcome"], "rejected")
        self.problem(self.post("/v1/actors/counter/try?at=6", b"inc", 404), "not-found")
        self.problem(self.post("/v1/actors/counter/try?at=x", b"inc", 400), "invalid-argument")
        self.problem(self.post("/v1/actors/counter/try", b"x" * (1 << 20) + b"x", 413), "too-large")
        self.assertEqual(self.get("/v1/actors/counter").json["elements"], 6)

    def test_a_reader_may_do_all_of_this(self):
        token = self.theater("token", "new", "reader", "--read").strip()
        self.make(1)
        headers = {"Authorization": f"Bearer {token}"}
        self.assertTrue(wait_for(lambda: self.post("/v1/actors/counter/try", b"inc", None, **headers).status == 200))
        self.post("/v1/actors/counter/elements/1/rerun", **headers)
        self.assertEqual(self.send("counter", "inc", None, **headers).status, 403)

    def test_a_chain_without_a_key_is_a_bundle(self):
        self.make()
        (self.folder / "c.bundle").write_bytes(self.get("/v1/actors/counter/bundle").body)
        report = json.loads(self.theater("verify", self.folder / "c.bundle", "--json"))
        self.assertEqual((report["status"] if "status" in report else report["verdict"], report["elements"]), ("ok", 41))
        self.theater("replay", self.folder / "c.bundle")

    def test_commands(self):
        self.make(12)
        trial = json.loads(self.theater("rerun", "counter", 10, "--json"))
        self.assertEqual((trial["actor"], trial["outcome"], trial["matches"]), ("counter", "rejected", True))
        self.assertIn("all of it is as recorded", self.theater("rerun", "counter", 1))
        self.theater("rerun", "counter", 13, code=4)
        self.theater("rerun", "counter", "x", code=2)
        trial = json.loads(self.theater("try", "counter", "add 3", "--at", 2, "--state", "--json"))
        self.assertEqual((trial["at"], trial["output"], trial["sequence"]), (2, "5", 3))
        self.assertIn("output      12\n", self.theater("try", "counter", "inc"))
        self.assertIn("rejected", self.theater("try", "counter", "nonsense"))
        self.theater("try", "counter", "inc", "--at", 99, code=4)


if __name__ == "__main__":
    main()
