"""What a program in Python expects of its surroundings, in a turn of an actor.

Clocks and random bytes need nothing: the component answers them by the host's. What must change is what Python remembers from when the actor
was built: the state of the module `random`, which would draw the same numbers in every turn, the streams of print, and the importer.
"""

import array
import gc
import hashlib  # pylint: disable=unused-import  # which the module `random` imports when it seeds with a text.
import random
import struct
import sys
import time
import types

from theater import host


class _TurnRandom(random.Random):
    """The generator behind the functions of the module `random`. Its first number of a turn seeds it from the turn's random stream."""

    _seeded = False

    def seed(self, a=None, version=2):
        self._seeded = a is not None
        super().seed(0 if a is None else a, version)

    def _prepare(self):
        self.seed(int.from_bytes(host.random_bytes(32), "little"))

    def random(self):
        if not self._seeded:
            self._prepare()
        return super().random()

    def getrandbits(self, k):
        if not self._seeded:
            self._prepare()
        return super().getrandbits(k)

    def getstate(self):
        if not self._seeded:
            self._prepare()
        return super().getstate()

    def setstate(self, state):
        super().setstate(state)
        self._seeded = True


class _Lines:
    """A stream that writes each line to the actor's log."""

    encoding, errors, closed = "utf-8", "replace", False

    def __init__(self, level):
        self._level, self._rest = level, ""

    def write(self, text):
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._level(line)
        return len(text)

    def flush(self):
        if self._rest:
            self._level(self._rest)
            self._rest = ""

    def isatty(self):
        return False

    def writable(self):
        return True


class _NoImport:
    """Says why a module that was not imported when the actor was built is not there."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        raise ImportError(f"{fullname} is imported in a turn; import it at the top of a module, so that it is there when the actor is built",
                          name=fullname)


def _sleep(_seconds):
    raise RuntimeError("an actor cannot sleep: time does not move within a turn")


def prepare():
    """Before the actor's module is imported, so that what it imports by name is what is put here."""
    generator = _TurnRandom()
    for name in dir(random):
        if getattr(getattr(random, name), "__self__", None) is random._inst:  # pylint: disable=protected-access
            setattr(random, name, getattr(generator, name))
    random._inst = generator  # pylint: disable=protected-access
    time.sleep = _sleep


def _leave_room():
    """Free memory for a turn, in what is there already. Without it the first allocations of every turn would make the memory grow by an
    arena of a mebibyte, which the C library fills with zeros: four fifths of what a turn cost."""
    blocks = [bytes(480) for _ in range(4096)]
    _kept.extend(blocks[::512])  # Something stays in each arena, or it would be given back.
    del blocks
    spare = bytearray(1 << 20)  # The same for what is too large for arenas.
    del spare


_kept: list[bytes] = []


def _mark_immortal():
    """Leaves a list of all objects that there are, each with its type, for `theater build`, which makes them immortal (encoder/src/immortal.rs):
    else a turn would write to a page for each object that it only reads, to count the reference."""
    seen, rest = set(), [gc.get_objects(), sys.modules]
    pairs = array.array("I")
    while rest:
        found = rest.pop()
        for value in gc.get_referents(found):
            if id(value) not in seen:
                seen.add(id(value))
                pairs.extend((id(value), id(type(value))))
                rest.append(value)
        if isinstance(found, types.CodeType):
            for value in (found.co_consts, *found.co_consts, found.co_names):
                if id(value) not in seen:
                    seen.add(id(value))
                    pairs.extend((id(value), id(type(value))))
                    rest.append(value)
    mark = b"theater:immortal" + bytes(part for i in range(1, 5) for part in (i, 255 - i))
    count = len(pairs) // 2
    _kept.append(b"".join((mark, struct.pack("<2I", count, count ^ 0xffffffff), pairs.tobytes())))


def finish():
    """After all is imported: what is in memory now is what every turn begins with."""
    sys.stdout, sys.stderr = _Lines(host.log.info), _Lines(host.log.warn)
    sys.meta_path.insert(0, _NoImport)
    sys.path_importer_cache.clear()
    # A turn is short and its memory is dropped: a collection would only touch, and so copy, pages that it has no other need for.
    gc.collect()
    _leave_room()
    _mark_immortal()
    gc.freeze()
    gc.disable()


def end_turn():
    """Lines of print without an end."""
    sys.stdout.flush()
    sys.stderr.flush()
