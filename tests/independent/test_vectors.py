"""The second reader against tests/vectors/vectors.json: every value, every refusal, and broken bundles."""

import json
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import builder
import cbor
import ed25519
from element import check_follows, check_payloads, check_turn, decode_descriptor, decode_element, Element
from merkle import Tree, state_root
from note import Checkpoint, VerifierKey
from theater_bundle import RandomStream, Refused, verify_bundle

VECTORS = json.loads((HERE.parent / "vectors" / "vectors.json").read_text())
CHAIN = VECTORS["chain"]
BUNDLE = bytes.fromhex(VECTORS["bundle"])
KEY = VECTORS["checkpoint"]["verifier_key"]

# What each refused vector is refused for, in this reader's words.
ELEMENT_REASONS = {
    "version 2": "version 2 is not known",
    "version as a bool": "version is not an unsigned",
    "sequence one too far": "sequence is 2, not 1",
    "sequence as a float": "a float",
    "sequence in a long form": "shortest form",
    "another previous hash": "previous hash differs",
    "a short previous hash": "previous is not a byte string of 32",
    "a second genesis": "a genesis after the first",
    "unknown type": "type 4 is unknown",
    "timestamp before the genesis": "timestamp is less",
    "another state before": "state-before differs",
    "a rejection that changes the state": "state-after differs from state-before in a rejection",
    "fuel as text": "fuel is not an unsigned",
    "negative fuel": "a negative integer",
    "no fuel": "has no key 10",
    "no state size": "has no key 11",
    "cause of unknown kind": "of no known kind",
    "cause from what is no name": "the actor is no name",
    "cause beside a principal": "a principal or an id beside a cause",
    "empty principal": "principal is not a text of 1 to 128",
    "id of 65 bytes": "id is not a byte string of 1 to 64",
    "unknown key": "unknown key 15",
    "keys out of order": "has no key 0 where it belongs",
    "an indefinite map": "indefinite length",
    "bytes after the element": "bytes after the end",
    "cut off": "cut off",
    "not a map": "not a map",
}
PAYLOAD_REASONS = {
    "a message in a rejection": "a message among the effects of a rejection",
    "effects after a stack overflow": "effects after a stack overflow",
    "request place out of order": "request id is 65538, not 65537",
    "request id of another element": "request id is 131073, not 65537",
    "log level 5": "level of 0 to 4",
    "a message to what is no name": "the receiver is no name",
    "an effect of unknown kind": "no known kind",
    "effects that are not an array": "effects are not an array",
    "unknown code": "code 7 is unknown",
    "a trap of unknown name": "does not belong to code 3",
    "fuel after a trap": "fuel is 9, not 0",
    "less fuel than the limit after out of fuel": "fuel is 9, not the limit of 1000000",
    "more fuel than the limit": "fuel 1000001 is over the limit",
    "output of a genesis": "output of a genesis is not empty",
    "a limit of 0": "limit 2 is 0",
    "another world": "world is not",
    "a descriptor without config": "descriptor has no key 3",
}


def raw(vector, *names):
    return [bytes.fromhex(vector[name]) for name in names]


def bundle_items():
    items, pos = [], 0
    while pos < len(BUNDLE):
        item, pos = cbor.item(BUNDLE, pos)
        items.append(item)
    return items


class Values(unittest.TestCase):
    def test_elements_links_and_hashes(self):
        before = None
        for sequence, vector in enumerate(CHAIN):
            element = decode_element(bytes.fromhex(vector["element"]))
            check_follows(element, before)
            self.assertEqual(element.sequence, sequence)
            self.assertEqual(element.hash.hex(), vector["hash"])
            before = element

    def test_elements_encode_to_the_same_bytes(self):
        for vector in CHAIN:
            for name in ("element", "effects"):
                data = bytes.fromhex(vector[name])
                self.assertEqual(cbor.encode(cbor.decode(data)), data)

    def test_payloads(self):
        limits = None
        for vector in CHAIN:
            element = decode_element(bytes.fromhex(vector["element"]))
            payloads = raw(vector, "input", "output", "effects")
            check_payloads(element, payloads)
            turn = check_turn(element, payloads, limits)
            if turn.descriptor is not None:
                limits = turn.descriptor.limits
            for at in range(3):
                other = list(payloads)
                other[at] += b"\0"
                with self.assertRaisesRegex(Refused, "payload differs from its hash"):
                    check_payloads(element, other)

    def test_state_roots_of_elements(self):
        for vector in CHAIN:
            state = bytes.fromhex(vector["state"])
            element = decode_element(bytes.fromhex(vector["element"]))
            self.assertEqual(state_root(state).hex(), vector["state_root"])
            self.assertEqual(element.state_after.hex(), vector["state_root"])
            self.assertEqual(element.state_size, len(state))

    def test_state_roots(self):
        for size, root in VECTORS["state_roots"]["roots"].items():
            state = bytes((7 * i + (i >> 8)) & 255 for i in range(int(size)))
            self.assertEqual(state_root(state).hex(), root, size)

    def test_tree_heads(self):
        tree = Tree(bytes.fromhex(vector["hash"]) for vector in CHAIN)
        self.assertEqual([tree.head(size).hex() for size in range(len(CHAIN) + 1)], VECTORS["tree_heads"])
        for size in range(len(CHAIN) + 1):
            self.assertEqual(Tree(tree.levels[0][:size]).head().hex(), VECTORS["tree_heads"][size])

    def test_random_streams(self):
        for vector in CHAIN:
            element = decode_element(bytes.fromhex(vector["element"]))
            key = element.previous, element.sequence, element.timestamp, element.input
            stream, bytewise = RandomStream(*key), RandomStream(*key)
            expected = vector["random_first_20"] + vector["random_next_80"]
            self.assertEqual(stream.read(20).hex(), vector["random_first_20"])
            self.assertEqual(stream.read(80).hex(), vector["random_next_80"])
            self.assertEqual(b"".join(bytewise.read(1) for _ in range(100)).hex(), expected)

    def test_random_stream_ends_at_its_bound(self):
        stream = RandomStream(bytes(32), 0, 0, bytes(32))
        stream.read(65535)
        stream.read(1)
        stream.read(0)
        with self.assertRaises(ValueError):
            stream.read(1)

    def test_checkpoint(self):
        vector = VECTORS["checkpoint"]
        checkpoint, key = Checkpoint(vector["note"]), VerifierKey(vector["verifier_key"])
        checkpoint.check_signature(key)
        checkpoint.check_chain("counter", bytes.fromhex(CHAIN[0]["hash"]))
        self.assertEqual(checkpoint.size, len(CHAIN))
        self.assertEqual(checkpoint.root.hex(), VECTORS["tree_heads"][-1])

    def test_checkpoint_is_made_from_the_seed(self):
        vector = VECTORS["checkpoint"]
        seed = bytes.fromhex(vector["private_key_seed"])
        text = vector["note"].rpartition("\n\n")[0] + "\n"
        line = text.split("\n")[0]
        self.assertEqual(builder.sign_note(text, line, seed), vector["note"])
        self.assertEqual(builder.verifier_key(line, seed), vector["verifier_key"])

    def test_ed25519_of_rfc_8032(self):
        # RFC 8032, section 7.1, tests 1 and 3.
        for seed, public, message, signature in (
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                "5fb8821590a33bacc61e39701cf9b46b"
                "d25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                "18ff9b538d16f290ae67f760984dc659"
                "4a7c15e9716ed28dc027beceea1ec40a",
            ),
        ):
            seed, public, message, signature = map(bytes.fromhex, (seed, public, message, signature))
            self.assertEqual(ed25519.public_key(seed), public)
            self.assertEqual(ed25519.sign(seed, message), signature)
            self.assertTrue(ed25519.verify(public, message, signature))
            self.assertFalse(ed25519.verify(public, message + b"x", signature))
            # The same signature with S + L is refused, so a signature has one form.
            other = int.from_bytes(signature[32:], "little") + ed25519.ORDER
            self.assertFalse(ed25519.verify(public, message, signature[:32] + other.to_bytes(32, "little")))


class Refusals(unittest.TestCase):
    def test_elements(self):
        before = decode_element(bytes.fromhex(CHAIN[0]["element"]))
        check_follows(decode_element(bytes.fromhex(CHAIN[1]["element"])), before)
        for vector in VECTORS["refused_as_element_1"]:
            with self.subTest(vector["why"]):
                with self.assertRaisesRegex(Refused, ELEMENT_REASONS[vector["why"]]):
                    check_follows(decode_element(bytes.fromhex(vector["element"])), before)

    def test_elements_in_a_bundle(self):
        items = bundle_items()
        place = [item[0] if isinstance(item, list) else 0 for item in items].index(3) + 1
        for vector in VECTORS["refused_as_element_1"]:
            with self.subTest(vector["why"]):
                other = list(items)
                other[place] = [3, bytes.fromhex(vector["element"])] + items[place][2:]
                report = verify_bundle(builder.bundle(*other))
                self.assertEqual((report.error["actor"], report.error["sequence"]), ("counter", 1))
                self.assertRegex(report.error["what"], ELEMENT_REASONS[vector["why"]])

    def test_payloads(self):
        limits = decode_descriptor(bytes.fromhex(CHAIN[0]["input"])).limits
        for vector in VECTORS["refused_as_payload"]:
            with self.subTest(vector["why"]):
                payloads = raw(vector, "input", "output", "effects")
                hashes = [builder.sha(payload) for payload in payloads]
                element = Element(
                    vector["sequence"],
                    bytes(32),
                    vector["element_type"],
                    0,
                    hashes[0],
                    bytes(32),
                    bytes(32),
                    hashes[1],
                    hashes[2],
                    vector["fuel"],
                    1,
                    None,
                    None,
                    None,
                    bytes(32),
                )
                with self.assertRaisesRegex(Refused, PAYLOAD_REASONS[vector["why"]]):
                    check_turn(element, payloads, limits)


class Bundle(unittest.TestCase):
    def refused(self, data, keys=()):
        report = verify_bundle(data, keys)
        self.assertFalse(report.ok)
        return report.error

    def test_is_verified(self):
        report = verify_bundle(BUNDLE)
        self.assertIsNone(report.error)
        self.assertEqual(
            report.chains,
            [
                {
                    "actor": "counter",
                    "elements": 12,
                    "head": CHAIN[-1]["hash"],
                    "root": VECTORS["tree_heads"][-1],
                    "state_root": CHAIN[-1]["state_root"],
                    "checkpoints": 1,
                    "key": KEY,
                    "key_source": "bundle",
                    "causes_checked": 1,
                    "causes_open": 2,
                }
            ],
        )

    def test_is_verified_with_the_users_key(self):
        report = verify_bundle(BUNDLE, [KEY])
        self.assertTrue(report.ok)
        self.assertEqual(report.chains[0]["key_source"], "user")

    def test_encodes_to_the_same_bytes(self):
        self.assertEqual(builder.bundle(*bundle_items()), BUNDLE)

    def test_another_users_key_is_refused(self):
        line = KEY.split("+")[0]
        error = self.refused(BUNDLE, [builder.verifier_key(line, bytes(32))])
        self.assertIn("checkpoint 1: checkpoint is not signed by the key", error["what"])

    def test_a_users_key_of_another_chain_is_refused(self):
        error = self.refused(BUNDLE, [builder.verifier_key("theater.local/counter/0000000000000000")])
        self.assertIn("it is not by a key that was given", error["what"])

    def test_every_changed_byte_is_found(self):
        elements = BUNDLE.index(bytes.fromhex(CHAIN[3]["state"])[:64])
        places = (
            set(range(0, 4096, 5)) | set(range(elements - 40, elements + 40)) | set(range(0, len(BUNDLE), 23))
        )
        places |= set(range(len(BUNDLE) - 400, len(BUNDLE), 3))
        for place in sorted(places):
            data = bytearray(BUNDLE)
            data[place] ^= 1 << place % 8
            self.assertFalse(verify_bundle(bytes(data)).ok, place)

    def test_every_cut_is_found_by_who_has_a_key(self):
        ends, pos = set(), 0
        while pos < len(BUNDLE):
            pos = cbor.item(BUNDLE, pos)[1]
            ends.add(pos)
        for size in sorted(ends | {end - 1 for end in ends} | set(range(0, len(BUNDLE), 97))):
            if size != len(BUNDLE):
                self.assertFalse(verify_bundle(BUNDLE[:size], [KEY]).ok, size)
                if size not in ends:
                    self.assertFalse(verify_bundle(BUNDLE[:size]).ok, size)

    def test_items_left_out_repeated_or_swapped(self):
        items = bundle_items()
        kinds = [0] + [item[0] for item in items[1:]]
        for at, kind in enumerate(kinds):
            # A component, a snapshot and the key may be absent; what is left is still a right bundle.
            optional = kind in (1, 2, 5)
            self.assertEqual(
                verify_bundle(builder.bundle(*items[:at], *items[at + 1 :]), [KEY]).ok, optional, at
            )
            if kind in (0, 3, 5):
                self.refused(builder.bundle(*items[: at + 1], *items[at:]))
            if kind == 3 and kinds[at + 1] == 3:
                self.refused(builder.bundle(*items[:at], items[at + 1], items[at], *items[at + 2 :]))

    def test_dropped_payloads_leave_the_chain_sound(self):
        items = bundle_items()
        for names in ((2,), (3,), (4,), (2, 3, 4)):
            dropped = []
            for item in items:
                if isinstance(item, list) and item[0] == 3:
                    item = [None if at in names else field for at, field in enumerate(item)]
                dropped.append(item)
            report = verify_bundle(builder.bundle(*dropped), [KEY])
            self.assertIsNone(report.error)
            self.assertEqual(report.chains[0]["root"], VECTORS["tree_heads"][-1])


class Program(unittest.TestCase):
    def run_program(self, *arguments):
        command = [sys.executable, "-B", str(HERE / "theater_bundle.py"), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "bundle"
        self.file.write_bytes(BUNDLE)

    def test_verified(self):
        done = self.run_program("verify", self.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("IN THE BUNDLE", done.stdout)
        done = self.run_program("verify", self.file, "--key", KEY, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        verdict = json.loads(done.stdout)
        self.assertTrue(verdict["ok"])
        self.assertIsNone(verdict["error"])
        self.assertEqual(verdict["chains"][0]["key_source"], "user")

    def test_not_verified(self):
        element = bytes.fromhex(CHAIN[5]["element"])
        self.file.write_bytes(BUNDLE.replace(element, element.replace(b"\x0a\x18\x33", b"\x0a\x18\x34")))
        done = self.run_program("verify", self.file, "--json")
        self.assertEqual(done.returncode, 1)
        error = json.loads(done.stdout)["error"]
        # Fuel alone breaks no rule of element 5 itself: the next link shows it.
        self.assertEqual((error["actor"], error["sequence"]), ("counter", 6))
        self.assertIn("previous hash differs", error["what"])
        done = self.run_program("verify", self.file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not verify: element 6 of counter: previous hash differs", done.stdout)
        self.file.write_bytes(b"")
        done = self.run_program("verify", self.file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not verify: bundle: byte 0: cut off", done.stdout)

    def test_wrong_calls(self):
        self.assertEqual(self.run_program("verify", self.file.parent / "none").returncode, 2)
        self.assertEqual(self.run_program("verify", self.file, "--key", "nonsense").returncode, 2)
        self.assertEqual(self.run_program("verify").returncode, 2)
        self.assertEqual(self.run_program().returncode, 2)

    def test_state_root(self):
        self.file.write_bytes(bytes.fromhex(CHAIN[3]["state"]))
        done = self.run_program("state-root", self.file)
        self.assertEqual((done.returncode, done.stdout), (0, CHAIN[3]["state_root"] + "\n"))


if __name__ == "__main__":
    unittest.main()
