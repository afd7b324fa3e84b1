"""Tests of an actor on the machine itself, in an ordinary Python 3.11 or newer, without a component:

    import unittest
    from actor import Poll
    from theater import Reject
    from theater.testing import Host, Instance

    class PollTest(unittest.TestCase):
        def test_a_vote_counts(self):
            with Host() as host:
                poll = Instance(Poll, "tea coffee")
                self.assertEqual(poll.handle("vote tea"), b"1")
                with self.assertRaises(Reject):
                    poll.handle("vote wine")
                self.assertEqual(host.sent, [])

    PYTHONPATH=.theater/python python3 -m unittest

What the functions of a `Host` answer is what the test says. Clocks and random numbers of Python's own modules are those of the machine here.
"""

from __future__ import annotations

from dataclasses import dataclass
import random as _random
from typing import Any

from theater import host as _module
from theater.actor import Actor, Reject, Runner
from theater.host import Client, FromActor, Genesis, Reply, Source


@dataclass(frozen=True)
class Logged:
    """A line that an actor logged; the level is "info" or another of `theater.log`."""
    level: str
    line: str


@dataclass(frozen=True)
class Sent:
    """A message that an actor sent; of a request its id."""
    to: str
    payload: bytes
    request: int | None = None


class _Lifted:
    """What the component's own host gives for a source, whose class has the name of the case."""

    def __init__(self, value: Any):
        self.value = value


_CASES = {kind: type(f"Source_{name}", (_Lifted,), {})
          for kind, name in ((Genesis, "Genesis"), (Client, "Client"), (FromActor, "Actor"), (Reply, "Reply"))}


class Host:
    """Stands in the host's place inside `with`. Set what a turn should see, and look at what it did."""

    class Level:
        """The levels by their names in the component."""
        TRACE, DEBUG, INFO, WARN, ERROR = "trace", "debug", "info", "warn", "error"

    def __init__(self, *, now_ns: int = 1_767_225_600_000_000_000, name: str = "actor", sequence: int = 1, seed: int = 0,
                 source: Source = Client(None)):
        self.now_ns, self.name, self.number, self.from_whom = now_ns, name, sequence, source
        self.logged: list[Logged] = []
        self.sent: list[Sent] = []
        self._random = _random.Random(seed)
        self._before: tuple[Any, bool] = (None, False)

    def __enter__(self) -> Host:
        self._before = (_module._host, _module._in_turn)  # pylint: disable=protected-access
        _module._host, _module._in_turn = self, True  # pylint: disable=protected-access
        return self

    def __exit__(self, *_error: object) -> None:
        _module._host, _module._in_turn = self._before  # pylint: disable=protected-access

    # What the component's host has, as `theater.host` calls it.

    def log(self, level: str, line: str) -> None:
        self.logged.append(Logged(level, line))

    def now(self) -> int:
        return self.now_ns

    def random(self, length: int) -> bytes:
        return self._random.randbytes(length)

    def self_name(self) -> str:
        return self.name

    def sequence(self) -> int:
        return self.number

    def source(self) -> _Lifted:
        found = self.from_whom
        value = {Client: lambda: found.principal, FromActor: lambda: found.name}.get(type(found), lambda: found)()
        return _CASES[type(found)](value)

    def send(self, to: str, payload: bytes) -> None:
        self.sent.append(Sent(to, payload))

    def request(self, to: str, payload: bytes) -> int:
        place = 1 + sum(sent.request is not None and sent.request >> 16 == self.number for sent in self.sent)
        self.sent.append(Sent(to, payload, self.number << 16 | place))
        return self.number << 16 | place


class Instance:
    """An actor with its state, whose turns are those of the component: codecs, `handle`, `verify`."""

    def __init__(self, kind: type[Actor], config: bytes | str = b""):
        self._runner = Runner(kind)
        self.state = self._runner.init(_bytes(config))
        self._verify(self.state)

    def handle(self, data: bytes | str) -> bytes:
        """One turn: the output. After an exception the state is as it was."""
        output, state = self._runner.handle(_bytes(data), self.state)
        self._verify(state)
        self.state = state
        return output

    def _verify(self, state: bytes) -> None:
        if not self._runner.verify(state):
            raise Reject("the new state is not valid")


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
