#!/usr/bin/env python3
"""A second reader of Theater bundles, written from the description of the chain format alone.

It checks all that can be checked without running a component: encodings, links, hashes, state roots, the
rules of each type, fuel, effects, causes within and between the chains of a bundle, snapshots, tree heads
and signatures. It shares no line with the runtime, so where both agree on every hash, the format is what its
page says.

    theater_bundle.py verify FILE [--key VERIFIER-KEY]... [--json]
    theater_bundle.py state-root FILE

Exit codes: 0 verified, 1 does not verify, 2 a wrong call or a file that cannot be read.
"""

import argparse
import gc
from hashlib import sha256
import json
import sys

import cbor
from cbor import Refused
from causes import At, Ledger, Traffic
from element import (
    UnknownVersion,
    check_follows,
    check_links,
    check_payloads,
    check_turn,
    decode_element,
    is_name,
    read_links,
)
from merkle import EMPTY_ROOT, Tree, leaf, state_root, verify_consistency, verify_inclusion
from note import Checkpoint, VerifierKey, check_line

__all__ = (
    "EMPTY_ROOT",
    "Checkpoint",
    "RandomStream",
    "Refused",
    "Report",
    "Tree",
    "VerifierKey",
    "decode_element",
    "state_root",
    "verify_bundle",
    "verify_consistency",
    "verify_inclusion",
)

KIND = "theater-bundle"
COMPONENT, SNAPSHOT, ELEMENT, CHECKPOINT, KEY = range(1, 6)
RANDOM_BYTES = 65536


class RandomStream:
    """The random bytes that the turn of one element can read, from its first byte on."""

    def __init__(self, previous, sequence, timestamp, input_hash):
        self._seed = sha256(
            b"theater-random-v1"
            + previous
            + sequence.to_bytes(8, "big")
            + timestamp.to_bytes(8, "big")
            + input_hash
        ).digest()
        self._block = 0
        self._rest = b""
        self._read = 0

    def read(self, length):
        """The next bytes; a turn that reads over 65,536 of them fails, and so does this."""
        self._read += length
        if self._read > RANDOM_BYTES:
            raise ValueError("more than 65,536 random bytes in one turn")
        parts, have = [self._rest], len(self._rest)
        while have < length:
            parts.append(sha256(self._seed + self._block.to_bytes(8, "big")).digest())
            self._block += 1
            have += 32
        stream = b"".join(parts)
        self._rest = stream[length:]
        return stream[:length]


class Chain:
    """One chain of a bundle while it is read, item by item."""

    def __init__(self, actor, ledger, keys):
        self.actor = actor
        self.traffic = Traffic(actor)
        self.tree = Tree()
        self.key = None
        self.key_source = "none"
        self.checkpoints = 0
        self._ledger = ledger
        self._user_keys = keys
        self._bundle_key = None
        self._limits = None
        self._components = {}  # hash -> whether only dropped descriptors could name it
        self._last = None
        self._ended = False
        self._unknown = None

    def sequence(self):
        """The sequence that the next element must have."""
        return 0 if self._last is None else self._last.sequence + 1

    def take(self, item):
        """Reads one item of the bundle that belongs to this chain."""
        if type(item) is not list or not item or type(item[0]) is not int or not COMPONENT <= item[0] <= KEY:
            raise Refused("bundle item of unknown kind")
        kind = item[0]
        if len(item) != (2, 3, 5, 2, 2)[kind - 1]:
            raise Refused(f"bundle item of kind {kind} has {len(item)} fields")
        if kind <= ELEMENT and self._ended:
            raise Refused("bundle item after the key or the checkpoints")
        if kind == ELEMENT:
            self._take_element(item)
        elif self._unknown is not None:
            return
        elif kind == COMPONENT:
            self._components.setdefault(sha256(_bytes(item[1], "component")).digest(), False)
        elif kind == SNAPSHOT:
            self._take_snapshot(item[1], _bytes(item[2], "snapshot"))
        elif type(item[1]) is not str:
            raise Refused("checkpoint or key is not a text")
        elif kind == KEY:
            self._take_key(item[1])
        else:
            self._take_checkpoint(item[1])

    def _take_element(self, item):
        encoding, payloads = _bytes(item[1], "element"), item[2:]
        for what, payload in zip(("input", "output", "effects"), payloads):
            if payload is not None:
                _bytes(payload, what)
        if self._unknown is not None:
            self._take_links(encoding)
            return
        try:
            element = decode_element(encoding)
        except UnknownVersion as error:
            check_links(error.sequence, error.previous, self._last)
            self._unknown = error
            self._take_links(encoding)
            return
        check_follows(element, self._last)
        check_payloads(element, payloads)
        turn = check_turn(element, payloads, self._limits)
        if element.type in (0, 3):
            self._take_descriptor(turn.descriptor)
        self.traffic.add(element, turn, payloads, self._limits)
        if element.cause is not None:
            self._ledger.local(self.traffic, element)
        self.tree.append(element.hash)
        self._last = element

    def _take_links(self, encoding):
        """From an element of an unknown version on, only links can be followed, which every version keeps."""
        try:
            _, sequence, previous = read_links(encoding)
            check_links(sequence, previous, self._last)
        except Refused as error:
            self._refuse_unknown(f"and the links break at element {self.sequence()}: {error}")
        self._last = _Link(sequence, leaf(encoding))

    def _refuse_unknown(self, links):
        raise At(self.actor, self._unknown.sequence, f"{self._unknown}, {links}") from None

    def _take_descriptor(self, descriptor):
        if descriptor is None:
            self._limits = None
            self._components = dict.fromkeys(self._components, True)
            return
        if descriptor.name != self.actor:
            raise Refused(f"descriptor is of the actor {descriptor.name}")
        self._limits = descriptor.limits
        self._components.pop(descriptor.component, None)

    def _take_snapshot(self, sequence, state):
        elements = self.traffic.elements
        if type(sequence) is not int or sequence >= len(elements):
            raise Refused(f"snapshot of element {sequence} does not come after it")
        element = elements[sequence]
        if len(state) != element.state_size:
            raise At(
                self.actor,
                sequence,
                f"snapshot has {len(state)} bytes, not the state-size {element.state_size}",
            )
        if state_root(state) != element.state_after:
            raise At(self.actor, sequence, "snapshot differs from state-after")

    def _take_key(self, text):
        if self._ended:
            raise Refused("verifier key is not the first after the elements")
        self._end()
        self._bundle_key = VerifierKey(text)
        check_line(self._bundle_key.name, self.actor, self.tree.levels[0][0], "verifier key: its name")

    def _take_checkpoint(self, note):
        self._end()
        self.checkpoints += 1
        try:
            self._check_checkpoint(Checkpoint(note))
        except Refused as error:
            raise Refused(f"checkpoint {self.checkpoints}: {error}") from None

    def _check_checkpoint(self, checkpoint):
        checkpoint.check_chain(self.actor, self.tree.levels[0][0])
        if checkpoint.size > len(self.tree):
            raise Refused(f"it covers {checkpoint.size} elements, the bundle has {len(self.tree)}")
        if self.tree.head(checkpoint.size) != checkpoint.root:
            raise Refused(f"the tree head of size {checkpoint.size} differs")
        users = [key for key in self._user_keys if key.name == checkpoint.name]
        for key in users:
            checkpoint.check_signature(key)
            self._user_keys[key] = True
            self.key, self.key_source = key.text, "user"
        if self._user_keys and not users:
            raise Refused(f"it is not by a key that was given, but by {checkpoint.name}")
        if not users and self._bundle_key is not None:
            checkpoint.check_signature(self._bundle_key)
            if self.key is None:
                self.key, self.key_source = self._bundle_key.text, "bundle"

    def _end(self):
        """The elements are over: what follows are at most a key and checkpoints."""
        self._ended = True
        if self._last is None:
            raise Refused("chain has no genesis")

    def finish(self):
        """What only the whole chain can tell."""
        self._end()
        if self._unknown is not None:
            self._refuse_unknown(f"but the links hold to element {self._last.sequence}")
        if not all(self._components.values()):
            raise At(self.actor, None, "component that no element after it names")

    def summary(self):
        return {
            "actor": self.actor,
            "elements": len(self.tree),
            "head": self._last.hash.hex(),
            "root": self.tree.head().hex(),
            "state_root": self._last.state_after.hex(),
            "checkpoints": self.checkpoints,
            "key": self.key,
            "key_source": self.key_source,
            "causes_checked": self.traffic.checked,
            "causes_open": self.traffic.open,
        }


class _Link:
    """All that is known of an element of another version."""

    def __init__(self, sequence, hash_):
        self.sequence, self.hash = sequence, hash_


class Report:
    """The verdict: summaries of the chains that were read whole, and the first finding or None."""

    def __init__(self):
        self.chains = []
        self.error = None

    @property
    def ok(self):
        return self.error is None

    def as_dict(self):
        return {"ok": self.ok, "chains": self.chains, "error": self.error}


def _bytes(value, what):
    if type(value) is not bytes:
        raise Refused(f"{what} is not a byte string")
    return value


def _read_header(item):
    if type(item) is not dict or list(item) != [0, 1, 2] or type(item[1]) is not int:
        raise Refused("bundle header is not {0, 1, 2}")
    if item[0] != KIND:
        raise Refused(f"not a {KIND}")
    if item[1] != 1:
        raise Refused(f"bundle version {item[1]} is unknown")
    if not is_name(item[2]):
        raise Refused("bundle header: the actor is no name")
    return item[2]


def verify_bundle(data, keys=()):
    """Checks a whole bundle; `keys` are the user's verifier keys, as texts. Returns a Report."""
    report, ledger, chains = Report(), Ledger(), []
    user_keys = {VerifierKey(text): False for text in keys}
    try:
        _read_chains(data, ledger, user_keys, chains)
        names = {}
        for chain in chains:
            names.setdefault(chain.actor, []).append(chain.traffic)
        for chain in chains:
            ledger.across(chain.traffic, names)
        for key, used in user_keys.items():
            if not used:
                raise At(None, None, f"no checkpoint is signed by the given key {key.name}+{key.hash.hex()}")
    except At as error:
        report.error = {"actor": error.actor, "sequence": error.sequence, "what": str(error)}
    report.chains = [chain.summary() for chain in chains]
    return report


def _read_chains(data, ledger, user_keys, chains):
    """Reads all chains into `chains`, each when it is whole; every finding leaves as At."""
    chain, pos, geneses = None, 0, set()

    def finish():
        chain.finish()
        genesis = chain.tree.levels[0][0]
        if genesis in geneses:
            raise At(chain.actor, None, "the same chain stands twice in the bundle")
        geneses.add(genesis)
        chains.append(chain)

    while pos < len(data) or chain is None:
        start = pos
        try:
            item, pos = cbor.item(data, pos)
            if type(item) is dict or chain is None:
                name = _read_header(item)
                if chain is not None:
                    finish()
                chain = Chain(name, ledger, user_keys)
            else:
                chain.take(item)
        except At:
            raise
        except Refused as error:
            raise _place(chain, error, start, data) from None
    try:
        finish()
    except At:
        raise
    except Refused as error:
        raise _place(chain, error, pos, data) from None


def _place(chain, error, start, data):
    """Where a finding belongs: an element, where the item at fault is or should be one, or else the chain."""
    what = str(error)
    if chain is None:
        return At(None, None, f"byte {start}: {what}")
    if data[start : start + 2] == b"\x85\x03":
        return At(chain.actor, chain.sequence(), what)
    return At(chain.actor, None, f"byte {start}: {what}")


def _print(report, name):
    for chain in report.chains:
        key = {
            "user": "signed by the key given",
            "bundle": "signed by the key IN THE BUNDLE",
            "none": "signatures not checked" if chain["checkpoints"] else "not signed",
        }[chain["key_source"]]
        print(f"{chain['actor']}: {chain['elements']} elements, head {chain['head']}")
        print(f"  tree head {chain['root']}, state root {chain['state_root']}")
        print(
            f"  {chain['checkpoints']} checkpoints, {key}; causes: {chain['causes_checked']} checked, "
            f"{chain['causes_open']} open"
        )
    if report.ok:
        print(f"{name}: verified (not run again)")
        return
    error = report.error
    place = "" if error["sequence"] is None else f"element {error['sequence']} of "
    print(f"{name}: does not verify: {place}{error['actor'] or 'bundle'}: {error['what']}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Reads and checks Theater bundles without running them.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="check a bundle")
    verify.add_argument("file")
    verify.add_argument("--key", action="append", default=[], help="a verifier key that you trust")
    verify.add_argument("--json", action="store_true", help="print the verdict as JSON")
    root = commands.add_parser("state-root", help="print the state root of a file")
    root.add_argument("file")
    options = parser.parse_args(arguments)
    try:
        with open(options.file, "rb") as file:
            data = file.read()
    except OSError as error:
        print(f"{options.file}: {error.strerror}", file=sys.stderr)
        return 2
    if options.command == "state-root":
        print(state_root(data).hex())
        return 0
    gc.disable()  # Millions of small values and no cycles: collecting would only cost time.
    try:
        report = verify_bundle(data, options.key)
    except Refused as error:
        print(f"--key: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(report.as_dict()))
    else:
        _print(report, options.file)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
