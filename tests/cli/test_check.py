"""verify, replay, export and import."""

import forge
from support import *


class Check(Case):
    def setUp(self):
        super().setUp()
        self.start()
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 60 + b"bad\n" + b"add 7\n" * 9, code=REJECTED)

    def export(self, *more):
        self.run_theater("export", "counter", "counter.bundle", *more)
        return self.folder / "counter.bundle"

    def test_a_good_chain(self):
        report = self.run_theater("verify", "counter", "--json").json
        head = self.chain("counter")[-1]
        self.assertEqual((report["verdict"], report["elements"], report["head"], report["state_root"], report["chains"]),
                         ("ok", 71, head["hash"], head["state_after"], 1))
        self.assertIn("counter: 71 elements verified", self.run_theater("verify", "counter").text)
        report = self.run_theater("replay", "counter", "--json").json
        self.assertEqual((report["verdict"], report["elements"]), ("ok", 71))

    def test_the_second_engine_and_any_number_of_threads_agree(self):
        for more in ["--engine", "pulley"], ["--engine", "cranelift"], ["--threads", "1"], ["--threads", "7"]:
            self.run_theater("replay", "counter", *more)
        self.run_theater("replay", "counter", "--engine", "winch", code=INVALID_ARGUMENT)
        self.run_theater("replay", "counter", "--threads", "0", code=INVALID_ARGUMENT)

    def test_a_bundle_needs_no_data_folder(self):
        self.export()
        self.assertEqual(self.bare("verify", "counter.bundle", "--json").json["elements"], 71)
        self.bare("replay", "counter.bundle")
        self.bare("replay", "counter.bundle", "--engine", "pulley")

    def test_json_stays_json_where_a_path_is_no_utf8(self):
        done = self.run_theater("export", "counter", b"a\xe9\xc3\xa9.bundle", "--json")
        self.assertEqual(done.json["file"], "a\ufffdé.bundle")

    def test_a_bundle_that_is_not_there_is_missed_as_a_file(self):
        (self.folder / "sub").mkdir()
        for run in self.bare, self.run_theater:
            self.assertIn("./none.bundle: No such file", run("verify", "./none.bundle", code=NOT_FOUND).errors)
            self.assertIn("sub/ is a folder", run("verify", "sub/", code=INVALID_ARGUMENT).errors)
        self.assertIn("there is no file none.bundle", self.bare("verify", "none.bundle", code=NOT_FOUND).errors)

    def test_an_export_replaces_files_only(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "link").symlink_to("pipe")
        for name in "pipe", "link":
            self.assertIn("no regular file", self.run_theater("export", "counter", name, code=INVALID_ARGUMENT).errors)
        self.assertTrue((self.folder / "pipe").is_fifo())
        self.assertTrue((self.folder / "link").is_symlink())

    def test_an_actors_name_comes_before_a_files(self):
        self.file("counter", "this is no bundle")
        self.run_theater("verify", "counter")
        self.run_theater("verify", "./counter", code=VERIFY_FAILED)
        self.run_theater("verify", "nothing", code=NOT_FOUND)
        self.run_theater("verify", "No thing", code=NOT_FOUND)
        self.export()
        self.run_theater("verify", "counter.bundle")
        self.bare("verify", "counter.bundle", environment={"THEATER_DATA": "/no/such/folder"})

    def test_every_flipped_byte_of_a_bundle_is_found(self):
        bundle = self.export().read_bytes()
        begin = bundle.index(b"inc") - 400
        for at in list(range(begin, begin + 600, 7)) + [0, 5, len(bundle) - 1, len(bundle) - 40]:
            broken = bytearray(bundle)
            broken[at] ^= 0x10
            self.file("broken.bundle", bytes(broken))
            done = self.bare("verify", "broken.bundle", code=None)
            self.assertIn(done.code, (VERIFY_FAILED, VERSION), f"byte {at}: {done.errors}{done.text}")
            self.assertTrue(done.errors.startswith("theater: "), done.errors)

    def test_a_flipped_byte_names_the_element(self):
        elements = self.chain("counter")
        bundle = bytearray(self.export().read_bytes())
        at = bundle.index(bytes.fromhex(elements[33]["hash"]))  # the previous of element 34
        bundle[at] ^= 1
        self.file("broken.bundle", bytes(bundle))
        done = self.bare("verify", "broken.bundle", code=VERIFY_FAILED)
        self.assertIn("element 34 of actor counter", done.errors)
        report = self.bare("verify", "broken.bundle", "--json", code=VERIFY_FAILED).json
        self.assertEqual((report["verdict"], report["sequence"], report["actor"], report["what"]),
                         ("verify-failed", 34, "counter", "previous"))

    def test_a_truncated_bundle_says_where_it_ends(self):
        bundle = self.export().read_bytes()
        for size in 0, 1, 10, len(bundle) // 2, len(bundle) - 1:
            self.file("cut.bundle", bundle[:size])
            done = self.bare("verify", "cut.bundle", code=VERIFY_FAILED)
            self.bare("replay", "cut.bundle", code=VERIFY_FAILED)
        self.assertIn("behind element 69 of actor counter", done.errors)

    def test_a_file_that_is_no_bundle(self):
        self.file("text", "hello")
        self.bare("verify", "./text", code=VERIFY_FAILED)
        self.bare("verify", "/no/such/file", code=None)
        self.bare("verify", code=INVALID_ARGUMENT)

    def test_bundles_without_parts(self):
        self.export("--without-snapshots")
        self.bare("replay", "counter.bundle")
        self.export("--without-components")
        self.bare("verify", "counter.bundle")
        self.bare("replay", "counter.bundle", code=NOT_FOUND)
        self.export("--without-payloads")
        report = self.bare("verify", "counter.bundle", "--json").json
        self.assertEqual((report["verdict"], report["dropped_payloads"]), ("ok", 3 * 71))
        done = self.bare("replay", "counter.bundle", "--json", code=UNDECIDED)
        self.assertEqual((done.json["verdict"], done.json["skipped"]), ("undecided", 71))

    def test_a_folder_without_a_name_is_checked_whole(self):
        self.start("second", component=ACTORS / "counter.wasm")
        report = self.run_theater("verify", "--json").json
        self.assertEqual((report["chains"], report["elements"]), (2, 72))
        self.assertEqual(self.run_theater("replay", "--json").json["elements"], 72)

    def test_exports_of_several_chains(self):
        self.start("second", component=ACTORS / "counter.wasm")
        self.run_theater("export", "counter", "second", "two.bundle")
        self.assertEqual(self.bare("verify", "two.bundle", "--json").json["chains"], 2)
        self.bare("replay", "two.bundle")
        self.run_theater("export", "--all", "all.bundle")
        self.assertEqual((self.folder / "all.bundle").read_bytes(), (self.folder / "two.bundle").read_bytes())
        self.run_theater("export", "counter", code=INVALID_ARGUMENT)
        self.run_theater("export", "--all", "counter", "x.bundle", code=INVALID_ARGUMENT)
        self.run_theater("export", "nobody", "x.bundle", code=NOT_FOUND)
        self.run_theater("export", "counter", "/no/such/folder/x.bundle", code=NOT_FOUND)

    def test_the_same_chain_gives_the_same_bundle(self):
        self.assertEqual(self.export().read_bytes(), self.export().read_bytes())

    def two_histories(self):
        """Bundles of one chain from two copies of its folder, in which other things happened; and its beginning."""
        beginning = self.export().rename(self.folder / "beginning.bundle")
        self.run_theater("backup", self.folder / "copy")
        bundles = []
        for data, text in (self.data, "inc"), (self.folder / "copy", "add 5"):
            self.bare("--data", data, "send", "counter", text)
            self.bare("--data", data, "send", "counter", "inc")
            self.bare("--data", data, "export", "counter", f"{text[:3]}.bundle")
            bundles.append(self.folder / f"{text[:3]}.bundle")
        return beginning, *bundles

    def test_a_bundle_holds_a_chain_once(self):
        beginning, one, other = self.two_histories()
        for both in (one, other), (one, one), (beginning, one):
            self.bare("verify", one)
            self.file("both.bundle", b"".join(bundle.read_bytes() for bundle in both))
            done = self.bare("verify", "both.bundle", "--json", code=VERIFY_FAILED)
            self.assertEqual((done.json["what"], done.json["actor"]), ("order", "counter"))
            self.assertIn("the same chain stands twice in the bundle", done.errors)
            self.bare("replay", "both.bundle", code=VERIFY_FAILED)

    def test_a_chain_that_a_folder_has_twice_is_exported_once(self):
        beginning, one, other = self.two_histories()
        longest = self.export().read_bytes()
        self.run_theater("import", beginning)  # beside the actor that it is of
        for names in (["--all"], ["counter", "counter"], ["counter", "counter#2"], ["counter#2", "counter"]):
            done = self.run_theater("export", *names, "once.bundle", "--json")
            self.assertEqual(done.json["chains"], 1)
            self.assertEqual((self.folder / "once.bundle").read_bytes(), longest)
        self.run_theater("export", "counter#2", "short.bundle")
        self.assertEqual((self.folder / "short.bundle").read_bytes(), beginning.read_bytes())
        # The archive knows more than the actor here, whose folder was copied before.
        data = self.folder / "old"
        self.bare("--data", data, "import", beginning)
        self.bare("--data", data, "import", one, "--name", "newer")
        self.bare("--data", data, "export", "--all", "newer.bundle")
        self.assertEqual(self.bare("verify", "newer.bundle", "--json").json["elements"], self.bare("verify", one, "--json").json["elements"])
        # Two histories are no copies of each other.
        data = self.folder / "both"
        self.bare("--data", data, "import", one)
        self.bare("--data", data, "import", other, "--name", "other")
        done = self.bare("--data", data, "export", "--all", "both.bundle", code=INVALID_ARGUMENT)
        self.assertIn("two histories of one chain", done.errors)
        self.assertFalse((self.folder / "both.bundle").exists())

    def test_an_archive_goes_on_as_it_began(self):
        beginning, one, other = self.two_histories()
        data = self.folder / "archive"
        self.bare("--data", data, "import", beginning)
        self.bare("--data", data, "import", one)
        self.bare("--data", data, "import", beginning, code=EXISTS)
        done = self.bare("--data", data, "import", other, code=VERIFY_FAILED)
        self.assertIn("two histories of one chain", done.errors)
        self.bare("--data", data, "verify", "--all")
        # A shorter one that goes another way, against the end that both have.
        longer = self.folder / "longer"
        self.bare("--data", longer, "import", other)
        self.run_theater("send", "counter", "inc")
        self.run_theater("export", "counter", "third.bundle")
        self.bare("--data", longer, "import", "third.bundle", code=VERIFY_FAILED)
        self.bare("--data", data, "import", "third.bundle")
        self.bare("--data", data, "import", other, code=VERIFY_FAILED)
        self.bare("--data", data, "replay")

    def test_several_keys(self):
        self.start("second", component=ACTORS / "counter.wasm")
        keys = []
        for name in "counter", "second":
            self.run_theater("checkpoint", name)
            keys.append(self.run_theater("keys", name).text.strip())
        self.run_theater("export", "--all", "two.bundle")
        given = ["--key", keys[0], "--key", keys[1]]
        done = self.bare("verify", "two.bundle", *given)
        self.assertIn("2 checkpoints, signed by the given key", done.text)
        self.bare("verify", "two.bundle", *given[2:], *given[:2])
        self.bare("replay", "two.bundle", *given)
        self.run_theater("verify", *given)
        # A checkpoint of a log that no key is for; a key that nothing is signed by; what is no key.
        done = self.bare("verify", "two.bundle", *given[:2], code=VERIFY_FAILED)
        self.assertIn("not of the log", done.errors)
        self.run_theater("export", "counter", "one.bundle")
        done = self.bare("verify", "one.bundle", *given, code=VERIFY_FAILED)
        self.assertIn(f"the given key is for {keys[1].split('+')[0]}", done.errors)
        self.bare("verify", "one.bundle", *given[:2], "--key", "nonsense", code=INVALID_ARGUMENT)
        self.bare("verify", "one.bundle", *given[:2], *given[:2])

    def test_an_import_is_an_archive(self):
        self.export()
        data = self.folder / "archive"
        self.bare("--data", data, "import", "counter.bundle")
        self.assertEqual(self.bare("--data", data, "list", "--json").json["status"], "archive")
        self.assertEqual(self.bare("--data", data, "chain", "counter", "--json").output,
                         self.run_theater("chain", "counter", "--json").output)
        self.bare("--data", data, "verify", "--all")
        self.bare("--data", data, "replay")
        self.assertEqual(self.bare("--data", data, "state", "counter", "--at", "70").output, (60 + 63).to_bytes(8, "little"))
        self.assertEqual(self.bare("--data", data, "send", "counter", "inc", code=None).code != OK, True)
        self.bare("--data", data, "import", "counter.bundle", code=EXISTS)
        self.bare("--data", data, "import", "counter.bundle", "--name", "renamed")
        self.bare("--data", data, "verify", "--all")
        self.bare("--data", data, "replay", "renamed")
        self.bare("--data", data, "export", "renamed", "again.bundle")
        self.bare("verify", "again.bundle")

    def test_a_bad_bundle_is_not_imported(self):
        bundle = bytearray(self.export().read_bytes())
        bundle[len(bundle) // 2] ^= 1
        self.file("broken.bundle", bytes(bundle))
        data = self.folder / "archive"
        self.bare("--data", data, "import", "broken.bundle", code=VERIFY_FAILED)
        self.assertEqual(self.bare("--data", data, "list").text, "no actors\n")


class Replay(Case):
    """A chain that verifies, but did not come from its component: only a replay can tell."""

    def setUp(self):
        super().setUp()
        self.start_fixture("set_state", name="s")
        for text in "one", "two", "three":
            self.send("s", text)
        self.run_theater("export", "s", "s.bundle")

    def forge(self, sequence, change, what, words):
        """The report of a replay of the chain in which one element was altered."""
        forged = forge.forge((self.folder / "s.bundle").read_bytes(), sequence, change)
        self.file("forged.bundle", forged)
        self.bare("verify", "forged.bundle")
        done = self.bare("replay", "forged.bundle", "--json", code=VERIFY_FAILED)
        self.assertEqual((done.json["verdict"], done.json["sequence"], done.json["what"]), ("verify-failed", sequence, what))
        self.assertIn(f"element {sequence} of actor s", done.errors)
        self.assertIn(words, done.errors)

    def test_another_output(self):
        def change(element, payloads):
            payloads[1] = b"lie"
        self.forge(2, change, "output", "output")

    def test_other_effects(self):
        def change(element, payloads):
            payloads[2] = forge.cbor.encode([[0, 2, "I was here"]])
        self.forge(1, change, "effects", "effects")

    def test_another_state(self):
        def change(element, payloads):
            forge.set_state(element, b"lie")
        self.forge(3, change, "state", "state")

    def test_other_fuel(self):
        def change(element, payloads):
            element[forge.FUEL] += 1
        self.forge(2, change, "fuel", "fuel")

    def test_a_transition_that_was_none(self):
        def change(element, payloads):
            element[forge.TYPE], element[forge.AFTER] = 2, element[forge.BEFORE]
            element[forge.SIZE], payloads[1] = 0, forge.cbor.encode([1, "never"])
        self.forge(1, change, "type", "rejection")

    def test_a_reason_that_was_another(self):
        self.run_theater("send", "s", "!", code=REJECTED)
        self.send("s", "after")
        self.run_theater("export", "s", "s.bundle")

        def change(element, payloads):
            payloads[1] = forge.cbor.encode([1, "never"])
        self.forge(4, change, "reason", "never")

    def test_a_genesis_that_was_another(self):
        def change(element, payloads):
            forge.set_state(element, b"lie")
        self.forge(0, change, "state", "state")

    def test_the_first_difference_is_named_whatever_the_threads(self):
        # One long range whose lie is at its end, then short ones whose lies other threads find at once.
        self.run_theater("send", "s", "--lines", stdin=b"x\n" * 4000)
        for i in range(12):
            self.run_theater("send", "s", "--file", self.file("large", bytes([65 + i]) * 700000))
        self.run_theater("export", "s", "s.bundle")
        bundle = (self.folder / "s.bundle").read_bytes()
        self.assertGreater(sum(1 for item in forge.items(bundle) if not isinstance(item, dict) and item[0] == 2), 4)

        def change(element, payloads):
            payloads[1] = b"lie"
        for sequence in 4015, 4013, 4011, 4009, 4000:
            bundle = forge.forge(bundle, sequence, change, snapshots=True)
        self.file("forged.bundle", bundle)
        for threads in 1, 2, 3, 8:
            report = self.bare("replay", "forged.bundle", "--json", "--threads", threads, code=VERIFY_FAILED).json
            self.assertEqual(report["sequence"], 4000)


class Undecided(Case):
    def test_a_stack_overflow_that_came_out_otherwise_decides_nothing(self):
        self.start_fixture("endless_recursion", name="s")
        self.run_theater("send", "s", "x", code=REJECTED)
        self.run_theater("replay", "s")
        self.run_theater("export", "s", "s.bundle")

        def change(element, payloads):
            payloads[0] = b"another input"
        self.file("forged.bundle", forge.forge((self.folder / "s.bundle").read_bytes(), 1, change))
        self.bare("replay", "forged.bundle", code=None)


class Causes(Case):
    def test_every_cause_is_checked_against_the_other_chains(self):
        self.start("pong")
        self.start("ping", config="pong")
        self.send("ping", "play 10")
        report = self.run_theater("verify", "--all", "--json").json
        self.assertEqual((report["chains"], report["causes"], report["missing_causes"]), (2, 20, 0))
        report = self.run_theater("verify", "pong", "--all", "--json").json
        self.assertEqual((report["chains"], report["causes"]), (1, 10))
        self.run_theater("export", "pong", "pong.bundle")
        report = self.bare("verify", "pong.bundle", "--all", "--json").json
        self.assertEqual((report["causes"], report["missing_causes"]), (0, 10))

    def test_a_message_that_was_never_sent_is_found(self):
        self.start("pong")
        self.start("ping", config="pong")
        self.send("ping", "play 3")
        self.run_theater("export", "pong", "pong.bundle")
        self.run_theater("export", "ping", "ping.bundle")

        def change(element, payloads):
            payloads[0] = b"ping 9"
        forged = forge.forge((self.folder / "pong.bundle").read_bytes(), 2, change)
        self.file("both.bundle", forged + (self.folder / "ping.bundle").read_bytes())
        self.bare("verify", "both.bundle")
        done = self.bare("verify", "both.bundle", "--all", code=VERIFY_FAILED)
        self.assertIn("element 2 of actor pong", done.errors)


if __name__ == "__main__":
    main()
