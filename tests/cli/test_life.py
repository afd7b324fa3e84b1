"""Starting, stopping, resuming, removing and upgrading actors, and looking at them."""

from support import *


class Life(Case):
    def test_start_prints_the_genesis_and_makes_the_folder(self):
        done = self.start()
        genesis = self.chain("counter")[0]["hash"]
        self.assertEqual(done.text, f"started counter, genesis {genesis}\n")

    def test_start_with_json(self):
        done = self.run_theater("start", "counter", "--component", ACTORS / "counter.wasm", "--json")
        self.assertEqual(done.json, {"actor": "counter", "genesis": self.chain("counter")[0]["hash"]})

    def test_a_config_comes_from_text_or_a_file(self):
        self.start(config='{"start":41}')
        self.assertEqual(self.send("counter", "inc"), "42")
        self.run_theater("start", "other", "--component", ACTORS / "counter.wasm", "--config",
                         self.file("config", '{"start":7}'))
        self.assertEqual(self.send("other", "get"), "7")

    def test_a_manifest_says_all(self):
        self.file("component.wasm", (ACTORS / "counter.wasm").read_bytes())
        manifest = self.file("actor.yaml", "name: mine\ncomponent: component.wasm\nconfig: '{\"start\":5}'\n"
                             "limits: { fuel: 123456, state: 2MiB }\n")
        self.run_theater("start", "--manifest", manifest)
        self.assertEqual(self.send("mine", "get"), "5")
        limits = self.run_theater("inspect", "mine", "--json").json["limits"]
        self.assertEqual((limits["fuel"], limits["state"]), (123456, 2 << 20))
        self.run_theater("start", "second", "--manifest", manifest, "--fuel", "777777", "--config-text", "")
        self.assertEqual(self.send("second", "get"), "0")
        self.assertEqual(self.run_theater("inspect", "second", "--json").json["limits"]["fuel"], 777777)

    def test_limits_by_options(self):
        self.run_theater("start", "counter", "--component", ACTORS / "counter.wasm", "--memory", "1MiB", "--state", "4096",
                         "--message", "64KiB", "--effects", "1MiB")
        limits = self.run_theater("inspect", "counter", "--json").json["limits"]
        self.assertEqual(limits, {"fuel": 10**9, "memory": 1 << 20, "state": 4096, "message": 65536, "effects": 1 << 20})

    def test_a_stopped_actor_takes_nothing_from_clients_until_it_is_resumed(self):
        self.start()
        self.assertEqual(self.run_theater("stop", "counter").text, "stopped counter\n")
        self.run_theater("stop", "counter")
        self.run_theater("send", "counter", "inc", code=STOPPED)
        self.assertEqual(self.run_theater("list", "--json").json["status"], "stopped")
        self.assertEqual(self.run_theater("resume", "counter", "--json").json, {"actor": "counter", "status": "running"})
        self.assertEqual(self.send("counter", "inc"), "1")

    def test_an_archive_is_removed_and_uses_no_name_up(self):
        self.start()
        self.run_theater("export", "counter", "counter.bundle")
        self.run_theater("import", "counter.bundle", "--name", "guest")
        self.run_theater("import", "counter.bundle")  # counter#3, beside the actor
        self.assertEqual(self.run_theater("remove", "counter#3").text, "removed counter#3\n")
        self.assertIn("counter#1 is an actor and no archive", self.run_theater("remove", "counter#1", code=NOT_FOUND).errors)
        self.assertEqual(self.send("counter", "inc"), "1")
        self.assertEqual(self.run_theater("remove", "guest", "--json").json, {"actor": "guest", "status": "removed"})
        self.assertEqual(self.run_theater("inspect", "guest", "--json").json["status"], "removed")
        self.assertEqual(len(self.chain("guest")), 1)
        self.assertIn("there is no actor guest", self.run_theater("remove", "guest", code=NOT_FOUND).errors)
        self.run_theater("import", "counter.bundle", "--name", "guest")
        self.assertEqual(self.run_theater("inspect", "guest", "--json").json["status"], "archive")
        self.start("guest", ACTORS / "counter.wasm")  # an archive holds no name
        self.still_good("counter", "guest")

    def test_a_removed_actor_leaves_its_chain_with_its_name(self):
        self.start()
        self.send("counter", "inc")
        self.run_theater("remove", "counter")
        self.run_theater("send", "counter", "inc", code=NOT_FOUND)
        self.assertEqual([e["output"] for e in self.chain("counter")], ["", "1"])
        self.assertEqual(self.chain("counter#1"), self.chain("counter"))
        self.assertIn("no actors but removed ones", self.run_theater("list").text)
        for command in ["send", "counter", "inc"], ["query", "counter", "get"], ["stop", "counter"], ["remove", "counter"]:
            self.assertIn("actor counter was removed", self.run_theater(*command, code=NOT_FOUND).errors)
        self.assertIn("there is no actor nobody that runs here", self.run_theater("send", "nobody", "inc", code=NOT_FOUND).errors)
        self.assertEqual(self.run_theater("list", "--all", "--json").json["status"], "removed")
        self.start(code=EXISTS)
        self.run_theater("verify", "--all")

    def test_an_upgrade_changes_component_config_or_limits_and_keeps_the_rest(self):
        self.start_fixture("counter", name="a")
        self.run_theater("upgrade", "a", "--state", "1MiB")
        self.run_theater("upgrade", "a", "--component", FIXTURES / "echo.wasm")
        self.assertEqual(self.send("a", "hello"), "hello")
        elements = self.chain("a")
        self.assertEqual([e["type"] for e in elements], ["genesis", "upgrade", "upgrade", "transition"])
        limits = [e["input"]["descriptor"]["limits"] for e in elements[:3]]
        self.assertEqual([x["state"] for x in limits], [16 << 20, 1 << 20, 1 << 20])
        self.assertEqual([x["fuel"] for x in limits], [10**9] * 3)
        self.run_theater("replay", "a")

    def test_an_upgrade_that_refuses_the_state_changes_nothing(self):
        self.start()
        self.run_theater("upgrade", "counter", "--component", FIXTURES / "init_invalid.wasm", code=ACTOR_FAILED)
        self.assertEqual(self.send("counter", "inc"), "1")
        self.still_good("counter")

    def test_list_and_inspect_show_what_is(self):
        self.assertEqual(self.run_theater("list", code=NOT_FOUND).output, b"")
        self.start()
        self.start("other", component=ACTORS / "counter.wasm")
        self.send("counter", "inc")
        rows = self.run_theater("list", "--json").lines
        self.assertEqual([(r["name"], r["id"], r["elements"]) for r in rows], [("counter", 1, 2), ("other", 2, 1)])
        self.assertIn("running", self.run_theater("list").text)
        info = self.run_theater("inspect", "counter", "--json").json
        head = self.chain("counter")[-1]
        self.assertEqual((info["head"], info["state_root"], info["state_size"]),
                         (head["hash"], head["state_after"], head["state_size"]))
        self.assertEqual(info["engine"], "wasmtime-48")
        self.assertIn(info["genesis"], self.run_theater("inspect", "counter").text)


if __name__ == "__main__":
    main()
