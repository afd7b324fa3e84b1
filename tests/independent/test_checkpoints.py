"""Checkpoints: signed notes, their heads, whose key counts, and how the verdict names it."""

from pathlib import Path
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from builder import ChainBuilder, SEED, sha, sign_note, verifier_key
from bundle_test import BundleTest
from cbor import Refused
import ed25519
from note import VerifierKey, is_key_name


class Checkpoints(BundleTest):
    def setUp(self):
        self.chain = ChainBuilder("a")
        for _ in range(6):
            self.chain.transition(b"")
        self.line = self.chain.line()
        self.key = [5, self.chain.verifier_key()]

    def note(self, text):
        return [4, sign_note(text, self.line)]

    def test_every_size(self):
        notes = [[4, self.chain.checkpoint(size)] for size in range(8)]
        self.assertEqual(self.verified(self.chain, self.key, *notes).chains[0]["checkpoints"], 8)

    def test_heads(self):
        chain, at = self.chain, ("a", None)
        self.refused(
            "checkpoint 2: the tree head of size 3 differs",
            at,
            chain,
            self.key,
            [4, chain.checkpoint()],
            [4, chain.checkpoint(3, root=sha(b""))],
        )
        self.refused("covers 8 elements, the bundle has 7", at, chain, self.key, [4, chain.checkpoint(8)])

    def test_lines(self):
        chain, at = self.chain, ("a", None)
        for line in (
            "theater.local/b" + self.line[15:],
            self.line[:-1] + "g",
            self.line + "0",
            self.line[13:],
            self.line.replace("/a/", "/x.a/"),
            "/a/" + self.line.rpartition("/")[2],
        ):
            self.refused("names another chain", at, chain, [4, chain.checkpoint(line=line)])
            self.refused("names another chain|no valid name", at, chain, [5, verifier_key(line)])
        for origin in ("theater local", "a+b", "a\u00a0b", "a\u2028b", "a\u007fb", "a\u3000"):
            line = chain.line(origin)
            self.refused("no key name|control", at, chain, [4, chain.checkpoint(line=line)])
        for origin in ("x", "log.example/theater", "\u00e9", "/"):
            line = chain.line(origin)
            self.verified(chain, [5, verifier_key(line)], [4, chain.checkpoint(line=line)])

    def test_notes(self):
        chain, at = self.chain, ("a", None)
        good = chain.checkpoint()
        line, size, root = good.split("\n")[:3]
        for what, text in (
            ("not three lines", f"{line}\n{size}\n"),
            ("not three lines", f"{line}\n{size}\n{root}\nmore\n"),
            ("size is not a decimal", f"{line}\n07\n{root}\n"),
            ("size is not a decimal", f"{line}\n-7\n{root}\n"),
            ("size is not a decimal", f"{line}\n7 \n{root}\n"),
            ("size is not a decimal", f"{line}\n{2**64}\n{root}\n"),
            ("is not base64", f"{line}\n{size}\n{root[:-1]}\n"),
            ("is not base64", f"{line}\n{size}\n{root[:-2]}\u00e9=\n"),
            ("not canonical", f"{line}\n{size}\n{root[:-2]}{chr(ord(root[-2]) + 1)}=\n"),
            ("has not 32 bytes", f"{line}\n{size}\nAAAA\n"),
            ("control characters", f"{line}\r\n{size}\n{root}\n"),
        ):
            with self.subTest(what):
                self.refused(what, at, chain, self.key, self.note(text))
        for what, note in (
            ("has no signatures", good.replace("\n\n", "\n")),
            ("end with a newline", good[:-1]),
            ("malformed signature", good + "x\n"),
            ("not three lines", good + "\n"),
            ("malformed signature", good.replace("\u2014", "-")),
            ("is not base64", good[:-2] + "\n"),
            ("too short", good + f"\u2014 {line} AAAA\n"),
            ("by the key that its first line names", good.replace("\u2014 theater", "\u2014 other")),
        ):
            with self.subTest(what):
                self.refused(what, at, chain, [4, note])

    def test_signatures(self):
        chain, at = self.chain, ("a", None)
        other = bytes(32)
        good = chain.checkpoint()
        self.refused("is not signed by the key", at, chain, self.key, [4, chain.checkpoint(seed=other)])
        # A signature of somebody else is ignored, one more by the known key has to be right.
        stranger = chain.checkpoint(seed=other).split("\n\n")[1]
        self.verified(chain, self.key, [4, good + stranger])
        self.verified(chain, self.key, [4, good.replace("\n\n", "\n\n" + stranger)])
        wrong = chain.checkpoint(3).split("\n\n")[1]
        self.refused("signature is wrong", at, chain, self.key, [4, good + wrong])
        self.refused(
            "signature is wrong", at, chain, self.key, [4, good.replace(good.split("\n\n")[1], wrong)]
        )

    def test_the_users_key_goes_first(self):
        chain, at = self.chain, ("a", None)
        mine, theirs = chain.verifier_key(), chain.verifier_key(bytes(32))
        forged = [[5, theirs], [4, chain.checkpoint(seed=bytes(32))]]
        self.assertEqual(self.verified(chain, *forged).chains[0]["key_source"], "bundle")
        self.refused("is not signed by the key", at, chain, *forged, keys=[mine])
        report = self.verified(chain, *forged[:1], [4, chain.checkpoint()], keys=[mine])
        self.assertEqual((report.chains[0]["key_source"], report.chains[0]["key"]), ("user", mine))
        self.refused("no checkpoint is signed by the given key", (None, None), chain, self.key, keys=[mine])
        other = ChainBuilder("b")
        both = [chain, [4, chain.checkpoint()], other, [4, other.checkpoint()]]
        report = self.verified(*both, keys=[other.verifier_key(), mine])
        self.assertEqual([entry["key_source"] for entry in report.chains], ["user", "user"])
        # Who gives keys trusts those alone: what another key signed is no evidence then.
        self.refused("checkpoint 1: it is not by a key that was given", ("b", None), *both, keys=[mine])
        report = self.verified(*both[:3], keys=[mine])
        self.assertEqual([entry["key_source"] for entry in report.chains], ["user", "none"])

    def test_verifier_keys(self):
        good = self.chain.verifier_key()
        name, hash_, key = good.split("+", 2)
        self.assertEqual(VerifierKey(good).public_key, ed25519.public_key(SEED))
        for what, text in (
            ("not name", name),
            ("not name", f"{name}+{hash_}"),
            ("no valid name", f"+{hash_}+{key}"),
            ("no valid name", f"a b+{hash_}+{key}"),
            ("hex", f"{name}+{hash_.upper()}x+{key}"),
            ("hex", f"{name}+{hash_}0+{key}"),
            ("hash differs", f"{name}+00000000+{key}"),
            ("hash differs", f"x{name}+{hash_}+{key}"),
            ("not base64", f"{name}+{hash_}+{key}!"),
            ("not an Ed25519", f"{name}+{hash_}+AAAA"),
            ("not an Ed25519", f"{name}+{hash_}+Ag{key[2:]}"),
        ):
            with self.subTest(what), self.assertRaisesRegex(Refused, what):
                VerifierKey(text)
        self.refused("hash differs", ("a", None), self.chain, [5, f"{name}+00000000+{key}"])

    def test_key_names(self):
        for name in (
            "",
            "a b",
            "a+b",
            "\t",
            "a\u0085",
            "\u1680",
            "\u2003",
            "\u2029",
            "\u202f",
            "\u205f",
            "\x1f",
        ):
            self.assertFalse(is_key_name(name), name)

    def test_points_that_are_none_verify_nothing(self):
        message_, signature = b"x", ed25519.sign(SEED, b"x")
        key = ed25519.public_key(SEED)
        self.assertTrue(ed25519.verify(key, message_, signature))
        for bad in (
            ed25519.P.to_bytes(32, "little"),
            (2**255 - 1).to_bytes(32, "little"),
            (2).to_bytes(32, "little"),
            (1 | 1 << 255).to_bytes(32, "little"),
            key[:31],
            key + b"\0",
        ):
            self.assertFalse(ed25519.verify(bad, message_, signature))
        self.assertFalse(ed25519.verify(key, message_, signature[:63]))
        self.assertFalse(ed25519.verify(key, message_, signature[:32] + bytes(32)))


if __name__ == "__main__":
    unittest.main()
