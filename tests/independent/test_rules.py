"""The rules that the vectors do not reach: for each a bundle that keeps it, and one that breaks it."""

from pathlib import Path
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from builder import COMPONENT, ChainBuilder, descriptor, header, log, message, sha
from bundle_test import BundleTest
import cbor
from cbor import Refused
from element import is_name
from merkle import Tree, leaf, node, state_root, verify_consistency, verify_inclusion

SMALL = (100, 65536, 50, 20, 60)  # Limits: fuel, memory, state, message, effects.


def small(**more):
    return ChainBuilder("a", genesis=descriptor("a", limits=SMALL), **more)


class Cbor(unittest.TestCase):
    def test_what_it_takes_has_one_encoding(self):
        for value in (
            0,
            23,
            24,
            255,
            256,
            65535,
            65536,
            2**32 - 1,
            2**32,
            2**64 - 1,
            b"",
            b"x" * 24,
            "",
            "\u00e9",
            [],
            [1, [2]],
            {},
            {0: 1, 24: [None]},
            True,
            False,
            None,
        ):
            self.assertEqual(cbor.decode(cbor.encode(value)), value)

    def test_what_it_refuses(self):
        for data, why in (
            ("1817", "shortest"),
            ("1900ff", "shortest"),
            ("1a0000ffff", "shortest"),
            ("1b00000000ffffffff", "shortest"),
            ("581700", "shortest"),
            ("9817", "shortest"),
            ("b817", "shortest"),
            ("20", "negative"),
            ("3bffffffffffffffff", "negative"),
            ("c000", "tag"),
            ("f7", "simple"),
            ("f0", "simple"),
            ("f820", "simple"),
            ("f93c00", "float"),
            ("fa3f800000", "float"),
            ("fb3ff0000000000000", "float"),
            ("5f4100ff", "indefinite"),
            ("7f6100ff", "indefinite"),
            ("9fff", "indefinite"),
            ("bfff", "indefinite"),
            ("1c", "reserved"),
            ("ff", "indefinite"),
            ("", "cut off"),
            ("18", "cut off"),
            ("19ff", "cut off"),
            ("42ff", "cut off"),
            ("62c3", "cut off"),
            ("82", "cut off"),
            ("8200", "cut off"),
            ("a1", "cut off"),
            ("a100", "cut off"),
            ("61ff", "UTF-8"),
            ("62c080", "UTF-8"),
            ("63eda080", "UTF-8"),
            ("a2010000", "ascending"),
            ("a201000100", "ascending"),
            ("a1f400", "map key"),
            ("a1616100", "map key"),
            ("0000", "after the end"),
            ("9bffffffffffffffff00", "cut off"),
            ("81" * 9 + "00", "too deeply"),
        ):
            with self.subTest(data), self.assertRaisesRegex(Refused, why):
                cbor.decode(bytes.fromhex(data))


class Names(unittest.TestCase):
    def test_names(self):
        for name in ("a", "0", "-", "_", "a.b", "a-b_c.9", "x" * 128):
            self.assertTrue(is_name(name), name)
        for name in (
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "A",
            "a b",
            "\u00e9",
            "a/b",
            "a\n",
            "x" * 129,
            None,
            b"a",
            1,
        ):
            self.assertFalse(is_name(name), name)


class Proofs(unittest.TestCase):
    def test_every_proof_of_small_trees(self):
        leaves = [leaf(bytes([i])) for i in range(20)]
        tree = Tree(leaves)
        for size in range(1, 21):
            root = tree.head(size)
            for index in range(size):
                path = tree.inclusion(index, size)
                self.assertTrue(verify_inclusion(leaves[index], index, size, path, root))
                self.assertFalse(verify_inclusion(leaves[index - 1], index, size, path, root) and size > 1)
                self.assertFalse(verify_inclusion(leaves[index], index, size, path + [root], root))
                self.assertFalse(verify_inclusion(leaves[index], size, size, path, root))
                for at in range(len(path)):
                    self.assertFalse(
                        verify_inclusion(leaves[index], index, size, path[:at] + path[at + 1 :], root)
                    )
            for old in range(size + 1):
                path = tree.consistency(old, size) if old else []
                self.assertTrue(verify_consistency(old, size, tree.head(old), root, path))
                self.assertFalse(verify_consistency(old, size, leaf(b"x"), root, path))
                self.assertFalse(verify_consistency(old, size, tree.head(old), root, path + [root]))
                self.assertFalse(verify_consistency(size + 1, size, tree.head(old), root, path))
                if old:
                    self.assertFalse(verify_consistency(old, size, tree.head(old), leaf(b"x"), path))
                for at in range(len(path)):
                    self.assertFalse(
                        verify_consistency(old, size, tree.head(old), root, path[:at] + path[at + 1 :])
                    )

    def test_a_step_too_many_proves_nothing_even_if_the_hashes_fit(self):
        a, b, c, d, extra = (leaf(bytes([i])) for i in range(5))
        self.assertFalse(verify_inclusion(a, 0, 1, [extra], node(extra, a)))
        three, four = Tree([a, b, c]), Tree([a, b, c, d])
        path = four.consistency(3, 4)
        self.assertTrue(verify_consistency(3, 4, three.head(), four.head(), path))
        self.assertFalse(
            verify_consistency(3, 4, node(extra, three.head()), node(extra, four.head()), path + [extra])
        )
        self.assertFalse(verify_consistency(3, 4, three.head(), four.head(), []))

    def test_a_chunk_of_a_state(self):
        state = bytes(range(256)) * 50
        chunks = [state[at : at + 4096] for at in range(0, len(state), 4096)]
        tree = Tree(map(leaf, chunks))
        for index, chunk in enumerate(chunks):
            path = tree.inclusion(index, len(chunks))
            self.assertTrue(verify_inclusion(leaf(chunk), index, len(chunks), path, state_root(state)))


class Elements(BundleTest):
    def test_a_plain_chain(self):
        chain = ChainBuilder("a", state=b"1", effects=[log("up"), message("b", b"x"), message("b", b"y", 1)])
        chain.transition(b"in", b"out", [message("a", b"z")], state=b"", f13="x" * 128, f14=b"i" * 64)
        chain.reject(b"in", 1, "why", [log("bad", 4)], fuel=7)
        chain.add(3, descriptor("a", b"other"), f13="who", effects=[log("checked", 0)])
        self.verified(chain)

    def test_shape(self):
        for what, fields in (
            ("principal is not a text", {"f13": "x" * 129}),
            ("principal is not a text", {"f13": b"x"}),
            ("principal is not a text", {"f13": "\u00e9" * 65}),
            ("id is not a byte", {"f14": b""}),
            ("id is not a byte", {"f14": "x"}),
            ("unknown key 16", {"f16": 0}),
            ("input is not a byte", {"f5": "x" * 32}),
            ("effects is not a byte", {"f9": b"x" * 33}),
            ("timestamp is not an", {"f4": b""}),
            ("has no key 4", {"f4": None}),
            ("type 5 is unknown", {"f3": 5}),
        ):
            with self.subTest(what):
                chain = ChainBuilder("a")
                chain.transition(b"", **fields)
                self.refused(what, ("a", 1), chain)

    def test_genesis(self):
        self.refused("previous hash of the genesis is not zero", ("a", 0), ChainBuilder("a", f2=b"1" * 32))
        self.refused("state-before of the genesis", ("a", 0), ChainBuilder("a", f6=sha(b"x"), f7=sha(b"x")))
        self.refused("a transition, not a genesis", ("a", 0), ChainBuilder("a", f3=1))
        self.refused("sequence is 1, not 0", ("a", 0), ChainBuilder("a", f1=1))
        self.refused("a cause in a genesis", ("a", 0), ChainBuilder("a", cause=[2, "b", 1]))
        self.refused(
            "output of a genesis is not empty", ("a", 0), ChainBuilder("a", f8=sha(b"x"), drop=["output"])
        )

    def test_timestamps_may_stand_still_and_never_go_back(self):
        chain = ChainBuilder("a")
        chain.transition(b"", f4=chain.time)
        self.verified(chain)
        chain.transition(b"", f4=0)
        self.refused("timestamp is less", ("a", 2), chain)

    def test_upgrade(self):
        chain = ChainBuilder("a", state=b"1")
        chain.add(3, descriptor("a", b"new", limits=SMALL), fuel=100)
        self.verified(chain)
        for what, more in (
            ("a cause in an upgrade", {"cause": [2, "b", 1]}),
            ("output of an upgrade is not empty", {"output": b"x"}),
            ("state-after differs from state-before in an upgrade", {"state": b"2"}),
            ("fuel 101 is over the limit of 100", {"fuel": 101}),
            ("descriptor is of the actor b", {"input_": descriptor("b", limits=SMALL)}),
            ("state-size is over the state limit", {"input_": descriptor("a", limits=(100, 1, 1, 20, 60))}),
        ):
            with self.subTest(what):
                chain = ChainBuilder("a", state=b"12")
                chain.add(**{"kind": 3, "input_": descriptor("a", limits=SMALL), "fuel": 0, **more})
                self.refused(what, ("a", 1), chain)

    def test_state_size(self):
        chain = ChainBuilder("a", state=b"12")
        chain.transition(b"", f11=3)
        self.refused("state-size is 3, but the state of 2 bytes did not change", ("a", 1), chain)
        self.refused("whether the state is empty", ("a", 0), ChainBuilder("a", state=b"1", f11=0))
        chain = ChainBuilder("a", state=b"12")
        chain.transition(b"", state=b"", f11=1)
        self.refused("whether the state is empty", ("a", 1), chain)

    def test_an_unknown_version_is_refused_and_its_links_are_followed(self):
        chain = ChainBuilder("a")
        chain.transition(b"", f0=2, f20=[])
        chain.transition(b"")
        self.refused(
            "version 2 is not known to this reader, but the links hold to element 2", ("a", 1), chain
        )
        chain.transition(b"", f2=sha(b"x"))
        self.refused("version 2 .* the links break at element 3: previous hash", ("a", 1), chain)
        chain = ChainBuilder("a")
        chain.transition(b"", f0=2, f1=7)
        self.refused("sequence is 7, not 1", ("a", 1), chain)


class Payloads(BundleTest):
    def test_descriptors(self):
        def genesis(**more):
            return ChainBuilder("a", genesis=descriptor("a", **more))

        for what, chain in (
            ("is of the actor b", ChainBuilder("a", genesis=descriptor("b"))),
            ("version 2 is unknown", genesis(f0=2)),
            ("actor name is no name", genesis(f1="A")),
            ("component hash is not", genesis(f2=b"")),
            ("config is not a byte", genesis(f3="")),
            ("limits is not a map", genesis(f4=[])),
            ("limits has no key 4", genesis(limits=SMALL[:4])),
            ("limits has the unknown key 5", genesis(limits=SMALL + (1,))),
            ("limit 0 is 0", genesis(limits=(0, 1, 1, 1, 1))),
            ("limit 1 is not an unsigned", genesis(limits=(1, b"", 1, 1, 1))),
            ("engine is not a text", genesis(engine=b"")),
            ("world is not", genesis(f6="x")),
            ("world is not", genesis(f6=b"x")),
            ("unknown key 7", genesis(f7=0)),
            ("descriptor is not a map", ChainBuilder("a", genesis=cbor.encode([]))),
            ("config is longer than its message limit", genesis(limits=SMALL, config=bytes(21))),
        ):
            with self.subTest(what):
                self.refused(what, ("a", 0), chain)
        self.verified(genesis(limits=SMALL, config=bytes(20)))

    def test_limits_of_a_turn(self):
        for what, take, more in (
            ("output is longer", {"output": bytes(20)}, {"output": bytes(21)}),
            ("input is longer", {"input_": bytes(20)}, {"input_": bytes(21)}),
            ("state-size is over", {"state": bytes(50)}, {"state": bytes(51)}),
            ("fuel 101 is over", {"fuel": 100}, {"fuel": 101}),
            # [0, 2, text of 26 bytes] has 30 bytes.
            (
                "effects are longer",
                {"effects": [log("x" * 25)] * 2},
                {"effects": [log("x" * 25), log("x" * 26)]},
            ),
        ):
            with self.subTest(what):
                chain = small()
                chain.add(**{"kind": 1, "input_": b"", **take})
                self.verified(chain)
                chain = small()
                chain.add(**{"kind": 1, "input_": b"", **more})
                self.refused(what, ("a", 1), chain)

    def test_limits_follow_upgrades(self):
        chain = small()
        chain.add(3, descriptor("a"))
        chain.transition(bytes(21))
        self.verified(chain)
        chain.add(3, descriptor("a", limits=SMALL))
        chain.transition(bytes(21))
        self.refused("input is longer", ("a", 4), chain)

    def test_a_dropped_descriptor_leaves_the_limits_open(self):
        chain = small()
        chain.add(3, descriptor("a"), drop=["input"])
        chain.transition(bytes(21), fuel=10**9)
        self.verified(chain)

    def test_rejections(self):
        for code, text, fuel in (
            (1, "", 3),
            (1, "x" * 20, 100),
            (2, "invalid state", 9),
            (3, "abi", 0),
            (4, "out of fuel", 100),
            (5, "random", 0),
            (6, "stack overflow", 0),
        ):
            with self.subTest(text):
                chain = small()
                chain.reject(b"", code, text, fuel=fuel)
                self.verified(chain)
        for what, code, text, fuel in (
            ("code 0 is unknown", 0, "x", 0),
            ("belong to code 2", 2, "no", 0),
            ("belong to code 4", 4, "", 100),
            ("belong to code 5", 5, "memory", 0),
            ("belong to code 6", 6, "", 0),
            ("error is longer", 1, "x" * 21, 0),
            ("not 0, in a rejection with code 5", 5, "state", 1),
            ("not 0, in a rejection with code 6", 6, "stack overflow", 1),
            ("not the limit", 4, "out of fuel", 0),
            ("fuel 101 is over", 2, "invalid state", 101),
        ):
            with self.subTest(what):
                chain = small()
                chain.reject(b"", code, text, fuel=fuel)
                self.refused(what, ("a", 1), chain)
        for output in (
            b"",
            cbor.encode([1]),
            cbor.encode(["x", 1]),
            cbor.encode([1, b"x"]),
            cbor.encode({0: 1}),
        ):
            chain = small()
            chain.add(2, b"", output)
            self.refused("cut off|not .code, message", ("a", 1), chain)

    def test_a_known_rejection_shows_by_its_hash_when_it_was_dropped(self):
        chain = small()
        chain.reject(b"", 3, "memory", fuel=1, drop=["input", "output", "effects"])
        self.refused("fuel is 1, not 0", ("a", 1), chain)
        chain = small()
        chain.reject(b"", 6, "stack overflow", [log("x")], drop=["input", "output", "effects"])
        self.refused("effects after a stack overflow", ("a", 1), chain)
        chain = small()
        chain.reject(bytes(21), 1, "x", drop=["output"])
        self.verified(chain)

    def test_an_input_over_the_limit_comes_from_an_actor_and_does_not_run(self):
        cause = [0, "b", 3, 0, sha(b"b")]
        chain = small()
        chain.reject(bytes(21), 5, "input", cause=cause)
        self.verified(chain)
        for what, more in (
            ("a client's input over", {"cause": None}),
            ("effects of an input that was not run", {"effects": [log("x")]}),
            ("but it is not over it", {"input_": bytes(20)}),
            ("input is longer", {"text": "state"}),
        ):
            with self.subTest(what):
                chain = small()
                chain.reject(**{"input_": bytes(21), "code": 5, "text": "input", "cause": cause, **more})
                self.refused(what, ("a", 1), chain)

    def test_effects(self):
        good = [
            log("", 0),
            message("b", b"", 65537),
            log("x", 4),
            message("b", b""),
            message("a", b"", 65538),
        ]
        chain = ChainBuilder("a")
        chain.transition(b"", effects=good)
        self.verified(chain)
        for what, effect in (
            ("effect 0 is of no known kind", []),
            ("effect 0 is of no known kind", "x"),
            ("no known kind", [2]),
            ("no known kind", [False, 0, "x"]),
            ("level of 0 to 4", [0, 0]),
            ("level of 0 to 4", [0, 0, b"x"]),
            ("level of 0 to 4", [0, "x", "x"]),
            ("is not .1, to", [1, "b", sha(b"")]),
            ("payload hash is not", [1, "b", b"", 0]),
            ("request is not an unsigned", [1, "b", sha(b""), None]),
            ("request id is 1, not 65537", [1, "b", sha(b""), 1]),
            ("receiver is no name", [1, b"b", sha(b""), 0]),
            ("request id is 65538, not 65537", message("b", b"", 65538)),
        ):
            with self.subTest(what):
                chain = ChainBuilder("a")
                chain.transition(b"", effects=[effect])
                self.refused(what, ("a", 1), chain)
        chain = ChainBuilder("a")
        chain.transition(b"", effects_bytes=b"\x80\x80")
        self.refused("bytes after the end", ("a", 1), chain)

    def test_a_turn_has_65535_requests_at_most(self):
        chain = ChainBuilder("a", genesis=descriptor("a", limits=(10, 10, 10, 10, 1 << 30)))
        effects = [message("b", b"", 65536 + place) for place in range(1, 65536)]
        chain.transition(b"", effects=effects)
        self.verified(chain)
        chain = ChainBuilder("a", genesis=descriptor("a", limits=(10, 10, 10, 10, 1 << 30)))
        chain.transition(b"", effects=effects + [message("b", b"", 131072)])
        self.refused("request id is 131072", ("a", 1), chain)


class Items(BundleTest):
    def test_headers(self):
        chain = ChainBuilder("a")
        for what, item in (
            ("not a theater-bundle", {0: "x", 1: 1, 2: "a"}),
            ("version 2 is unknown", {0: "theater-bundle", 1: 2, 2: "a"}),
            ("is no name", {0: "theater-bundle", 1: 1, 2: "A"}),
            ("header is not", {0: "theater-bundle", 1: 1}),
            ("header is not", {0: "theater-bundle", 1: True, 2: "a"}),
            ("header is not", [1, b""]),
            ("header is not", {**header("a"), 3: 0}),
        ):
            self.refused(what, (None, None), item, *chain.items)
        self.refused("is of the actor a", ("b", 0), header("b"), *chain.items)
        self.refused("cut off", (None, None))
        self.refused("chain has no genesis", ("a", None), header("a"))
        self.refused("chain has no genesis", ("a", None), header("a"), [5, chain.verifier_key()])

    def test_kinds(self):
        chain = ChainBuilder("a")
        for item in ([6, b""], [0], [], "x", [True, b""], ["x"]):
            self.refused("unknown kind", ("a", None), chain, item)
        self.refused("has 3 fields", ("a", None), chain, [1, b"", b""])
        self.refused("is not a byte string", ("a", None), chain, [1, "x"])
        self.refused("element is not a byte", ("a", 1), chain, [3, "x", b"", b"", b""])
        self.refused("effects is not a byte", ("a", 1), chain, [3, b"", b"", b"", "x"])
        self.refused("snapshot is not a byte", ("a", None), chain, [2, 0, None])
        self.refused("is not a text", ("a", None), chain, [4, b"x"])
        self.refused("is not a text", ("a", None), chain, [5, b"x"])

    def test_snapshots(self):
        chain = ChainBuilder("a", state=b"1" * 5000)
        chain.transition(b"", state=b"2")
        self.verified(chain, [2, 1, b"2"], [2, 0, b"1" * 5000])
        self.refused("has 1 bytes, not the state-size 5000", ("a", 0), chain, [2, 0, b"2"])
        self.refused("snapshot differs", ("a", 1), chain, [2, 1, b"3"])
        self.refused("does not come after", ("a", None), chain, [2, 2, b"2"])
        self.refused("does not come after", ("a", None), header("a"), [2, 0, b"1" * 5000], *chain.items)
        self.refused("does not come after", ("a", None), chain, [2, b"", b"2"])

    def test_components(self):
        chain = ChainBuilder("a")
        chain.add(3, descriptor("a", b"new"))
        self.verified(header("a"), [1, b"new"], [1, COMPONENT], *chain.items)
        self.verified(header("a"), chain.items[0], [1, b"new"], chain.items[1])
        self.refused(
            "no element after it names",
            ("a", None),
            header("a"),
            chain.items[0],
            [1, COMPONENT],
            chain.items[1],
        )
        self.refused("no element after it names", ("a", None), chain, [1, b"new"])
        dropped = ChainBuilder("a", drop=["input"])
        self.verified(header("a"), [1, b"new"], *dropped.items)
        self.refused("no element after it names", ("a", None), dropped, [1, b"new"])

    def test_key_and_checkpoints_come_last(self):
        chain = ChainBuilder("a")
        chain.transition(b"")
        key, note = [5, chain.verifier_key()], [4, chain.checkpoint()]
        self.verified(chain, key)
        self.verified(chain, key, note, note, [4, chain.checkpoint(1)])
        self.assertEqual(self.verified(chain, note).chains[0]["key_source"], "none")
        self.refused("not the first after", ("a", None), chain, note, key)
        self.refused("not the first after", ("a", None), chain, key, key)
        for late in ([1, COMPONENT], [2, 0, b""]):
            self.refused("after the key", ("a", None), chain, note, late)
        self.refused("after the key", ("a", 1), header("a"), chain.items[0], key, chain.items[1])

    def test_several_chains(self):
        one, two, again = ChainBuilder("a"), ChainBuilder("b"), ChainBuilder("a", state=b"x")
        report = self.verified(
            one, [4, one.checkpoint()], two, [5, two.verifier_key()], [4, two.checkpoint()], again
        )
        self.assertEqual([chain["key_source"] for chain in report.chains], ["none", "bundle", "none"])
        self.refused("stands twice", ("a", None), one, two, one)
        two.transition(b"", f4=0)
        report = self.refused("timestamp is less", ("b", 1), one, two)
        self.assertEqual([chain["actor"] for chain in report.chains], ["a"])


if __name__ == "__main__":
    unittest.main()
