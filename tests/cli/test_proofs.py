"""checkpoint, keys, prove and verify-proof."""

import base64
import os
import stat

from support import *


class Proofs(Case):
    def setUp(self):
        super().setUp()
        self.start()
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 40)

    def checkpoint(self):
        return self.run_theater("checkpoint", "counter").text

    def key(self):
        return self.run_theater("keys", "counter").text.strip()

    def prove(self, *arguments):
        proof = self.run_theater("prove", "counter", *arguments).output
        self.file("proof", proof)
        return proof

    def check(self, key=None, code=OK):
        return self.bare("verify-proof", "proof", "--key", key or self.key(), code=code)

    def test_a_checkpoint_has_size_and_name(self):
        lines = self.checkpoint().splitlines()
        genesis = self.chain("counter")[0]["hash"]
        self.assertEqual(lines[:2], [f"theater.local/counter/{genesis[:16]}", "41"])
        self.assertEqual(len(base64.b64decode(lines[2])), 32)
        self.assertEqual(lines[3], "")
        self.assertTrue(lines[4].startswith("\u2014 theater.local/counter/"))
        self.assertEqual(self.run_theater("inspect", "counter", "--json").json["checkpoint_size"], 41)

    def test_the_key_is_private(self):
        self.run_theater("keys", "counter", code=NOT_FOUND)
        self.checkpoint()
        key = self.data / "keys" / "signing.key"
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        self.assertNotIn(key.read_text().strip(), self.key())

    def test_an_origin_of_ones_own(self):
        note = self.run_theater("checkpoint", "counter", "--origin", "example.org/a").text
        self.assertTrue(note.startswith("example.org/a/counter/"))
        self.assertTrue(self.key().startswith("example.org/a/counter/"))
        self.prove("--element", "3")
        self.check()
        self.run_theater("checkpoint", "counter", "--origin", "no spaces", code=INVALID_ARGUMENT)

    def test_every_element_is_proved(self):
        self.checkpoint()
        elements = self.chain("counter")
        for sequence in 0, 1, 7, 8, 31, 32, 39, 40:
            proof = self.prove("--element", sequence).decode()
            self.assertTrue(proof.startswith("c2sp.org/tlog-proof@v1\nextra "))
            self.assertIn(f"\nindex {sequence}\n", proof)
            words = self.check().text
            self.assertIn(f"element {sequence} of actor counter", words)
            self.assertIn(elements[sequence]["hash"], words)

    def test_the_newest_checkpoint_must_cover_the_element(self):
        self.run_theater("prove", "counter", "--element", "3", code=NOT_FOUND)
        self.checkpoint()
        self.send("counter", "inc")
        self.run_theater("prove", "counter", "--element", "41", code=NOT_FOUND)
        self.checkpoint()
        self.prove("--element", "41")
        self.check()

    def test_what_is_missing_for_a_proof_is_named(self):
        note = self.checkpoint()
        self.file("note", note)
        self.send("counter", "inc")
        self.assertIn("no element 42: its last one is 41", self.run_theater("prove", "counter", "--element", "42", code=NOT_FOUND).errors)
        self.assertIn("newest checkpoint", self.run_theater("prove", "counter", "--element", "41", code=NOT_FOUND).errors)
        done = self.run_theater("prove", "counter", "--element", "41", "--checkpoint", "note", code=NOT_FOUND)
        self.assertIn("the checkpoint that was given covers the elements before 41", done.errors)
        self.run_theater("export", "counter", "bundle")
        self.bare("--data", "archive", "import", "bundle")
        self.assertIn("name one with --checkpoint",
                      self.bare("--data", "archive", "prove", "counter", "--element", "1", code=NOT_FOUND).errors)
        self.file("proof", self.bare("--data", "archive", "prove", "counter", "--element", "1", "--checkpoint", "note").output)
        self.check()

    def test_an_older_checkpoint_may_be_named(self):
        self.file("old", self.checkpoint())
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 9)
        self.checkpoint()
        self.prove("--element", "5", "--checkpoint", "old")
        self.assertIn("one of the 41", self.check().text)

    def test_consistency(self):
        old = self.checkpoint()
        self.file("old", old)
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 100)
        self.file("new", self.checkpoint())
        proof = self.prove("--consistency", "old")
        self.assertTrue(proof.startswith(b"theater-consistency-proof@v1\nolder "))
        self.assertIn("the chain of 141 elements", self.check().text)
        self.prove("--consistency", "old", "--checkpoint", "new")
        self.assertEqual(self.bare("verify-proof", "proof", "--key", self.key(), "--json").json["verdict"], "ok")
        self.prove("--consistency", "old", "--checkpoint", "old")
        self.check()
        self.run_theater("prove", "counter", "--consistency", "new", "--checkpoint", "old", code=INVALID_ARGUMENT)

    def test_whatever_is_altered_in_a_proof_is_found(self):
        self.file("old", self.checkpoint())
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 9)
        self.checkpoint()
        key = self.key()
        for arguments in ["--element", "5"], ["--consistency", "old"]:
            proof = self.prove(*arguments)
            for at in range(0, len(proof), 5):
                broken = bytearray(proof)
                broken[at] ^= 1
                self.file("proof", bytes(broken))
                done = self.check(key, code=None)
                self.assertIn(done.code, (VERIFY_FAILED, CORRUPT, VERSION), f"byte {at}")
            for size in 0, 10, len(proof) // 2, len(proof) - 1:
                self.file("proof", proof[:size])
                self.assertIn(self.check(key, code=None).code, (VERIFY_FAILED, CORRUPT))

    def test_a_wrong_key_proves_nothing(self):
        self.checkpoint()
        self.prove("--element", "5")
        self.start("other", component=ACTORS / "counter.wasm")
        self.run_theater("checkpoint", "other")
        self.check(self.run_theater("keys", "other").text.strip(), code=VERIFY_FAILED)
        self.check("nonsense", code=INVALID_ARGUMENT)
        self.bare("verify-proof", "proof", code=INVALID_ARGUMENT)
        self.bare("verify-proof", "/no/such/file", "--key", self.key(), code=NOT_FOUND)

    def test_a_checkpoint_of_another_chain_is_refused(self):
        self.start("other", component=ACTORS / "counter.wasm")
        self.file("other", self.run_theater("checkpoint", "other").output)
        self.run_theater("prove", "counter", "--element", "0", "--checkpoint", "other", code=INVALID_ARGUMENT)
        self.file("text", "hello")
        self.run_theater("prove", "counter", "--element", "0", "--checkpoint", "text", code=CORRUPT)
        self.run_theater("prove", "counter", code=INVALID_ARGUMENT)
        self.run_theater("prove", "counter", "--element", "0", "--consistency", "other", code=INVALID_ARGUMENT)

    def test_verify_takes_the_key_from_its_user(self):
        self.checkpoint()
        key = self.key()
        self.run_theater("export", "counter", "c.bundle")
        self.assertIn("signed by the key that came with the bundle", self.bare("verify", "c.bundle").text)
        done = self.bare("verify", "c.bundle", "--key", key, "--json")
        self.assertEqual((done.json["key"], done.json["checkpoints"]), ("given", 1))
        self.run_theater("verify", "counter", "--key", key)
        self.bare("replay", "c.bundle", "--key", key)
        self.start("other", component=ACTORS / "counter.wasm")
        self.run_theater("checkpoint", "other")
        other = self.run_theater("keys", "other").text.strip()
        self.bare("verify", "c.bundle", "--key", other, code=VERIFY_FAILED)
        self.bare("verify", "c.bundle", "--key", "nonsense", code=INVALID_ARGUMENT)

    def test_a_bundle_without_checkpoints_does_not_satisfy_a_key(self):
        self.run_theater("export", "counter", "c.bundle")
        self.checkpoint()
        done = self.bare("verify", "c.bundle", "--key", self.key(), code=VERIFY_FAILED)
        self.assertIn("no checkpoint", done.errors)

    def test_long_chains_are_proved_from_snapshots(self):
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 30000)
        self.file("old", self.checkpoint())
        self.assertIsNotNone(self.run_theater("inspect", "counter", "--json").json["snapshot"])
        self.run_theater("send", "counter", "--lines", stdin=b"inc\n" * 30000)
        self.checkpoint()
        key = self.key()
        for sequence in 0, 16384, 29999, 60039:
            self.prove("--element", sequence)
            self.check(key)
        self.prove("--consistency", "old")
        self.check(key)

    def test_an_older_copy_of_the_folder_does_not_sign(self):
        self.run_theater("backup", "copy")
        self.send("counter", "inc")
        self.checkpoint()
        for name in (self.data / "keys").rglob("*"):
            if name.is_file():
                target = self.folder / "copy" / "keys" / name.relative_to(self.data / "keys")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(name.read_bytes())
                target.chmod(0o600)
        self.bare("--data", "copy", "checkpoint", "counter", code=CORRUPT)


if __name__ == "__main__":
    main()
