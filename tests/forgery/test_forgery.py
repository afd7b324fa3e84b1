"""Chains that somebody changed after they were made, by every way that we could think of, and who refuses them.

Chains are recorded and exported by the program. Each is then taken apart and put together wrongly, with CBOR, trees and signatures of the
second reader (tests/independent), so that nothing of the program takes part in a forgery. A forgery names what must refuse it:

  verify   reading the bundle alone, with and without a key: the program and the second reader
  key      reading it with the key of the real chain; without the key it may pass, and the verdict says so
  all      reading all chains that talk to each other
  replay   only running the turns again: the forgery is consistent in itself, which the test asserts

THEATER_PROGRAM names the program, THEATER_ACTORS the folder with the components of the example actors.
"""

from base64 import b64encode
import collections
import copy
from hashlib import sha256
import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "independent"))

from builder import sign_note, verifier_key  # noqa: E402
import cbor  # noqa: E402
from merkle import Tree, leaf, state_root  # noqa: E402
from theater_bundle import verify_bundle  # noqa: E402

PROGRAM = os.environ["THEATER_PROGRAM"]
ACTORS = Path(os.environ["THEATER_ACTORS"])
SEQUENCE, PREVIOUS, TYPE, TIME, INPUT, BEFORE, AFTER, OUTPUT, EFFECTS, FUEL, SIZE, CAUSE, PRINCIPAL, ID = range(1, 15)
TRANSITION, REJECTION = 1, 2
REFUSED = (16, 21)  # exit codes of a bundle that is not verified, and of one that does not decode
OTHER_SEED = b"\x07" * 32


class Chain:
    """One chain of a bundle, taken apart: elements as maps with their payloads, and what lies beside them."""

    def __init__(self, header):
        self.header, self.components, self.snapshots, self.elements, self.notes, self.key = header, [], [], [], [], None

    def take(self, item):
        if item[0] == 1:
            self.components.append(item)
        elif item[0] == 2:
            self.snapshots.append(item)
        elif item[0] == 3:
            self.elements.append([cbor.item(item[1])[0], *item[2:]])
        elif item[0] == 4:
            self.notes.append(item[1])
        else:
            self.key = item[1]

    def copy(self):
        return copy.deepcopy(self)

    def hashes(self):
        return [leaf(cbor.encode(element[0])) for element in self.elements]

    def relink(self, start=1, states=True):
        """Sequences, links, times and states before follow from `start` on, as if the chain had always been so."""
        time = 0
        for place, (fields, *payloads) in enumerate(self.elements):
            if place >= start:
                before = self.elements[place - 1][0]
                fields[SEQUENCE], fields[PREVIOUS] = place, leaf(cbor.encode(before))
                fields[TIME] = max(fields[TIME], time)
                if states:
                    fields[BEFORE] = before[AFTER]
                    if fields[TYPE] in (2, 3):
                        fields[AFTER], fields[SIZE] = before[AFTER], before[SIZE]
                for key, payload in zip((INPUT, OUTPUT, EFFECTS), payloads):
                    fields[key] = sha256(payload).digest()
            time = fields[TIME]
        return self

    def without_notes(self):
        self.notes, self.key, self.snapshots = [], None, []
        return self

    def signed_by(self, seed):
        """With a checkpoint by another key, which the bundle brings along."""
        hashes = self.hashes()
        line = self.notes[-1].split("\n")[0] if self.notes else None
        root = Tree(hashes).head()
        text = f"{line}\n{len(hashes)}\n{b64encode(root).decode()}\n"
        self.notes, self.key, self.snapshots = [sign_note(text, line, seed)], verifier_key(line, seed), []
        return self

    def encode(self):
        items = [self.header, *self.components]
        for fields, *payloads in self.elements:
            items.append([3, cbor.encode(fields), *payloads])
            items += [item for item in self.snapshots if item[1] == fields[SEQUENCE]]
        if self.key:
            items.append([5, self.key])
        items += [[4, note] for note in self.notes]
        return b"".join(map(cbor.encode, items))


def chains_of(bundle):
    found, at = [], 0
    while at < len(bundle):
        item, at = cbor.item(bundle, at)
        if isinstance(item, dict):
            found.append(Chain(item))
        else:
            found[-1].take(item)
    return found


def encode(chains):
    return b"".join(chain.encode() for chain in chains)


class Forgeries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="theater-forgery-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.data = cls.folder / "data"
        for name, component, config in (("counter", "counter", ""), ("ping", "ping", "pong"), ("pong", "pong", ""), ("r0", "ring", "r1 r2"),
                                        ("r1", "ring", "r2 r0"), ("r2", "ring", "r0 r1")):
            cls.call("start", name, "--component", ACTORS / f"{component}.wasm", "--config-text", config)
        cls.forked = cls.folder / "forked"
        for text in ("add 3", "add 7", "inc", "nonsense"):
            cls.call("send", "counter", text, code=None)
        cls.call("checkpoint", "counter")
        shutil.copytree(cls.data, cls.forked)
        for number, text in enumerate(("add 11", "inc", "add 100", "inc")):
            cls.call("send", "counter", text, "--id", f"message-{number}")
        cls.call("send", "ping", "play 4")
        for ring in ("r0", "r1"):
            cls.call("send", ring, "spin 4")
        cls.note = cls.call("checkpoint", "counter")
        cls.key = cls.call("keys", "counter").decode().strip()
        cls.chain = cls.export("counter")[0]
        cls.talk = cls.export("ping", "pong", "r0", "r1", "r2")
        for text in ("inc", "inc", "inc", "add 2"):
            cls.call("send", "counter", text, data=cls.forked)
        cls.fork_note = cls.call("checkpoint", "counter", data=cls.forked)
        cls.fork = cls.export("counter", data=cls.forked)[0]

    @classmethod
    def run_program(cls, *arguments, data=None):
        command = [PROGRAM, "--data", data or cls.data, *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, timeout=120, check=False)

    @classmethod
    def call(cls, *arguments, code=0, data=None):
        done = cls.run_program(*arguments, data=data)
        if code is not None and done.returncode != code:
            raise AssertionError(done.stderr.decode())
        return done.stdout

    @classmethod
    def export(cls, *names, data=None):
        file = cls.folder / "exported"
        cls.call("export", *names, file, data=data)
        return chains_of(file.read_bytes())

    def setUp(self):
        self.tried = collections.Counter()

    def tearDown(self):
        print(f"{self.id().rsplit('.', 1)[1]}: {', '.join(f'{count} by {who}' for who, count in sorted(self.tried.items()))}")

    # ---- who refuses

    def program(self, command, data, *options):
        file = self.folder / "forged"
        file.write_bytes(data)
        done = self.run_program(command, file, *options)
        text = (done.stderr or done.stdout).decode(errors="replace")
        self.assertIn(done.returncode, (0, *REFUSED), text)
        if done.returncode:
            self.assertRegex(text, "element|checkpoint|item|key|chain|snapshot|actor", "a refusal names a place")
        return done.returncode == 0

    def refused(self, who, data, what):
        if isinstance(data, Chain):
            data = data.encode()
        elif isinstance(data, list):
            data = encode(data)
        self.tried[who] += 1
        if who == "verify":
            self.assertFalse(self.program("verify", data), f"{what}: the program")
            self.assertFalse(self.program("verify", data, "--key", self.key), f"{what}: the program with a key")
            self.assertFalse(verify_bundle(data).ok, f"{what}: the second reader")
        elif who == "key":
            self.assertFalse(self.program("verify", data, "--key", self.key), f"{what}: the program")
            self.assertFalse(verify_bundle(data, [self.key]).ok, f"{what}: the second reader")
        elif who == "all":
            self.assertFalse(self.program("verify", data, "--all"), f"{what}: the program")
            self.assertFalse(verify_bundle(data).ok, f"{what}: the second reader")
        else:
            self.assertTrue(self.program("verify", data), f"{what}: is found without running it")
            self.assertTrue(verify_bundle(data).ok, f"{what}: is found without running it")
            self.assertFalse(self.program("replay", data), f"{what}: replay")

    # ---- the forgeries

    def test_what_was_recorded_is_accepted(self):
        data = self.chain.encode()
        self.assertTrue(self.program("verify", data, "--key", self.key))
        self.assertTrue(self.program("replay", data))
        self.assertTrue(verify_bundle(data, [self.key]).ok)
        self.assertTrue(self.program("verify", encode(self.talk), "--all"))
        self.assertTrue(verify_bundle(encode(self.talk)).ok)
        self.assertGreater(len(self.chain.elements), 8)

    def shapes(self):
        """(what, chain with its elements dropped, reordered, repeated or moved, whether another life could have gone so)."""
        count = len(self.chain.elements)
        for place in range(1, count):
            kind = self.chain.elements[place][0][TYPE]
            chain = self.chain.copy()
            del chain.elements[place]
            yield f"element {place} dropped", chain, kind == REJECTION or place == count - 1
            chain = self.chain.copy()
            chain.elements.insert(place, copy.deepcopy(chain.elements[place]))
            yield f"element {place} repeated", chain, kind == REJECTION
            if place + 1 < count:
                chain = self.chain.copy()
                chain.elements[place], chain.elements[place + 1] = chain.elements[place + 1], chain.elements[place]
                same = REJECTION in (kind, chain.elements[place][0][TYPE])
                yield f"elements {place} and {place + 1} reordered", chain, same
        for place in range(1, count - 2):
            chain = self.chain.copy()
            chain.elements.append(chain.elements.pop(place))
            yield f"element {place} moved to the end", chain, self.chain.elements[place][0][TYPE] == REJECTION
        for place in range(5, min(count, len(self.fork.elements))):
            chain = self.chain.copy()
            chain.elements[place:] = copy.deepcopy(self.fork.elements[place:])
            yield f"spliced with another life from element {place} on", chain, place == 5
            chain = self.chain.copy()
            chain.elements[place] = copy.deepcopy(self.fork.elements[place])
            yield f"element {place} from another life", chain, False

    def test_elements_dropped_reordered_repeated_and_spliced(self):
        for what, chain, _ in self.shapes():
            # Cut off before its last element, or as the other life itself, only the checkpoint is wrong.
            if "from element 5 on" not in what and what != f"element {len(self.chain.elements) - 1} dropped":
                self.refused("verify", chain.copy().without_notes(), what)
            self.refused("verify", chain, what)

    def test_the_same_made_to_fit_again(self):
        for what, chain, possible in self.shapes():
            chain.relink()
            if what != f"element {len(self.chain.elements) - 1} repeated":  # a chain may go on behind its checkpoint
                self.refused("verify", chain, f"{what}, re-linked")
            self.refused("key", chain.copy().signed_by(OTHER_SEED), f"{what}, signed by another key")
            self.refused("key", chain.copy().without_notes(), f"{what}, without checkpoints")
            if not possible:
                self.refused("replay", chain.copy().without_notes(), f"{what}, re-linked")

    def test_cut_off(self):
        for size in range(1, len(self.chain.elements)):
            chain = self.chain.copy()
            del chain.elements[size:]
            chain.snapshots = [item for item in chain.snapshots if item[1] < size]
            self.refused("verify", chain, f"cut off at {size}")
            self.refused("key", chain.copy().without_notes(), f"cut off at {size}, without checkpoints")
            self.refused("key", chain.copy().signed_by(OTHER_SEED), f"cut off at {size}, signed by another key")

    def test_every_field_of_every_element(self):
        other = {PREVIOUS: b"\1" * 32, TYPE: 3, TIME: 1, INPUT: b"\2" * 32, BEFORE: b"\3" * 32, AFTER: b"\4" * 32, OUTPUT: b"\5" * 32,
                 EFFECTS: b"\6" * 32, SEQUENCE: 77}
        for place in range(1, len(self.chain.elements)):
            for key, value in other.items():
                chain = self.chain.copy()
                chain.elements[place][0][key] = value
                self.refused("verify", chain, f"element {place}: field {key}")
                if place + 1 < len(chain.elements):
                    self.refused("verify", chain.without_notes(), f"element {place}: field {key}, without checkpoints")
            for key, value in ((FUEL, 7), (SIZE, 9), (PRINCIPAL, "mallory"), (ID, b"another")):
                chain = self.chain.copy()
                chain.elements[place][0][key] = value
                self.refused("verify", chain, f"element {place}: field {key}")

    def test_payloads_swapped(self):
        count = len(self.chain.elements)
        for place in range(count):
            for payload, name in ((1, "input"), (2, "output"), (3, "effects")):
                for from_place in range(count):
                    mine, theirs = self.chain.elements[place], self.chain.elements[from_place]
                    if mine[payload] == theirs[payload]:
                        continue
                    chain = self.chain.copy()
                    chain.elements[place][payload] = theirs[payload]
                    self.refused("verify", chain, f"{name} of element {place} swapped with that of {from_place}")
        chain = self.chain.copy()
        if len(chain.snapshots) == 0:
            last = chain.elements[-1][0]
            chain.snapshots = [[2, last[SEQUENCE], b"x" * last[SIZE]]]
        else:
            chain.snapshots[0][2] = b"x" * len(chain.snapshots[0][2])
        self.refused("verify", chain, "a snapshot of another state")
        chain = self.chain.copy()
        chain.components = [[1, (ACTORS / "ping.wasm").read_bytes()]]
        self.refused("verify", chain, "another component")

    def test_what_only_running_it_again_shows(self):
        for place in range(1, len(self.chain.elements)):
            kind = self.chain.elements[place][0][TYPE]
            changes = [("fuel", lambda element: element[0].__setitem__(FUEL, element[0][FUEL] + 1))]
            changes.append(("effects", lambda element: element.__setitem__(3, cbor.encode([[0, 2, "never said"]]))))
            if kind == TRANSITION:
                changes.append(("output", lambda element: element.__setitem__(2, b"1000000")))
                changes.append(("state", lambda element: element[0].update({AFTER: state_root(b"8 bytes!"), SIZE: 8})))
                changes.append(("input", lambda element: element.__setitem__(1, b"add 1000000")))
            else:
                changes.append(("reason", lambda element: element.__setitem__(2, cbor.encode([1, "no such thing"]))))
            for what, change in changes:
                chain = self.chain.copy().without_notes()
                change(chain.elements[place])
                chain.relink()
                for key, payload in zip((INPUT, OUTPUT, EFFECTS), chain.elements[place][1:]):
                    chain.elements[place][0][key] = sha256(payload).digest()
                chain.relink()
                self.refused("replay", chain, f"{what} of element {place}")
        chain = self.chain.copy().without_notes()
        chain.elements[3][0], chain.elements[3][2] = {**chain.elements[3][0], TYPE: REJECTION, FUEL: 0}, cbor.encode([3, "unreachable"])
        chain.elements[3][0].update({AFTER: chain.elements[2][0][AFTER], SIZE: chain.elements[2][0][SIZE]})
        chain.relink()
        self.refused("replay", chain, "a transition called a rejection")

    def test_two_lives_of_one_chain(self):
        """Both are right chains with right signatures; that they are two shows where they are held against each other."""
        for chain, note in ((self.chain, self.fork), (self.fork, self.chain)):
            self.assertTrue(self.program("verify", chain.encode(), "--key", self.key))
            forged = chain.copy()
            forged.notes.append(note.notes[-1])
            self.refused("verify", forged, "the checkpoint of another life")
        older = self.folder / "older"
        older.write_text(self.fork.notes[-1], encoding="utf-8")
        done = self.run_program("prove", "counter", "--consistency", older)
        self.assertNotEqual(done.returncode, 0, "a proof that one life goes on from the other")
        newer = self.folder / "newer"
        newer.write_text(self.chain.notes[0], encoding="utf-8")
        proof = self.folder / "proof"
        proof.write_bytes(self.call("prove", "counter", "--consistency", newer))
        self.assertEqual(self.run_program("verify-proof", proof, "--key", self.key).returncode, 0)
        self.assertNotEqual(self.run_program("verify-proof", proof, "--key", self.fork.key.replace("+", "+0", 1)).returncode, 0)

    def test_lies_about_causes(self):
        """What one chain says of another; each chain for itself is made to fit again."""
        ends = {chain.header[2]: len(chain.elements) for chain in self.talk}
        for number, victim in enumerate(self.talk):
            for place, (fields, *_) in enumerate(victim.elements):
                if CAUSE not in fields:
                    continue
                cause = fields[CAUSE]
                lies = []
                if cause[0] == 0:
                    lies = [[0, cause[1], cause[2], cause[3] + 1, cause[4]], [0, cause[1], cause[2] + 1, cause[3], cause[4]],
                            [0, cause[1], cause[2], cause[3], b"\7" * 32], [0, "r0" if cause[1] != "r0" else "r1", *cause[2:]], None]
                elif cause[0] == 1:
                    lies = [[1, cause[1], cause[2], cause[3], cause[4], not cause[5]], [1, cause[1], cause[2] + 1, *cause[3:]],
                            [1, cause[1], cause[2], b"\7" * 32, *cause[4:]], [1, *cause[1:4], cause[4] + 1, cause[5]],
                            [2, cause[1], cause[4]]]
                for lie in lies:
                    if lie and lie[0] != 2 and lie[2] >= ends[lie[1]]:
                        continue  # where a chain ends before, nothing can be said
                    talk = copy.deepcopy(self.talk)
                    for chain in talk:
                        chain.without_notes()
                    forged = talk[number]
                    forged.elements[place][0].pop(CAUSE)
                    if lie is not None:
                        forged.elements[place][0][CAUSE] = lie
                    if lie is not None and lie[0] == 2:
                        forged.elements[place][1] = b"removed"
                    forged.relink()
                    if lie is None and not self.later_cause(talk, number, place):
                        continue  # a message that nobody answered, taken for a client's: only the sender's view is left
                    self.refused("all", talk, f"{forged.header[2]} element {place}: cause {lie}")

    @staticmethod
    def later_cause(talk, number, place):
        """Whether another chain names one of the victim's elements from `place` on: their hashes changed."""
        name = talk[number].header[2]
        return any(
            CAUSE in fields and fields[CAUSE][0] in (0, 1) and fields[CAUSE][1] == name and fields[CAUSE][2] >= place
            for other, chain in enumerate(talk) if other != number for fields, *_ in chain.elements
        )

    def test_messages_left_out_and_taken_twice(self):
        for number, victim in enumerate(self.talk):
            for place, (fields, *_) in enumerate(victim.elements):
                if CAUSE not in fields or (fields[CAUSE][0] != 0):
                    continue
                for what in ("left out", "taken twice"):
                    talk = copy.deepcopy(self.talk)
                    for chain in talk:
                        chain.without_notes()
                    elements = talk[number].elements
                    if what == "left out":
                        if not any(CAUSE in later[0] and later[0][CAUSE][:2] == fields[CAUSE][:2] for later in elements[place + 1:]):
                            continue  # the last one of a sender may be still on its way
                        del elements[place]
                    else:
                        elements.insert(place + 1, copy.deepcopy(elements[place]))
                    talk[number].relink()
                    self.refused("all", talk, f"{victim.header[2]} element {place} {what}")


if __name__ == "__main__":
    unittest.main()
