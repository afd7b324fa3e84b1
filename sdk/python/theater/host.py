"""What the runtime gives an actor. Every answer is a function of the chain alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

try:
    from wit_world.imports import host as _host
except ImportError:  # In an ordinary Python, where a module of an actor is tested by itself.
    _host = None

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


_in_turn = False


def begin_turn() -> None:
    """From here on there is a host; while modules are imported there is none."""
    global _in_turn  # pylint: disable=global-statement
    _in_turn = True


def _there() -> Any:
    if _host is None or not _in_turn:
        raise RuntimeError("there is a host only in a turn of an actor")
    return _host


class _Log:
    """Lines for whoever operates the actor. They stand in the chain as effects. Values are joined by spaces, as print does; print itself
    writes to `info`."""

    def _write(self, level: str, values: tuple) -> None:
        host = _there()
        line = " ".join(map(str, values)).encode("utf-8", "replace").decode("utf-8")
        host.log(getattr(host.Level, level), line)

    def trace(self, *values: Any) -> None:
        self._write("TRACE", values)

    def debug(self, *values: Any) -> None:
        self._write("DEBUG", values)

    def info(self, *values: Any) -> None:
        self._write("INFO", values)

    def warn(self, *values: Any) -> None:
        self._write("WARN", values)

    def error(self, *values: Any) -> None:
        self._write("ERROR", values)


log = _Log()


def now() -> datetime:
    """The turn's time, in UTC. It does not move within a turn."""
    return _EPOCH + timedelta(microseconds=now_ns() // 1000)


def now_ns() -> int:
    """The turn's time: nanoseconds since the Unix epoch."""
    return _there().now()


def random_bytes(length: int) -> bytes:
    """The next bytes of the turn's random stream, at most 65,536 in a turn. Anyone who has the chain can compute them: they are no
    secret."""
    return _there().random(length)


def name() -> str:
    """This actor's name."""
    return _there().self_name()


def sequence() -> int:
    """The sequence number of the element that this turn will become."""
    return _there().sequence()


@dataclass(frozen=True)
class Genesis:
    """The configuration, in `init`."""


@dataclass(frozen=True)
class Client:
    """A client, with its principal if it was authenticated; an upgrade too."""
    principal: str | None


@dataclass(frozen=True)
class FromActor:
    """Another actor's `send` or `request`."""
    name: str


@dataclass(frozen=True)
class Reply:
    """The answer to this actor's own `request`. Failed: the input is the reason, as text."""
    request: int
    failed: bool


Source = Genesis | Client | FromActor | Reply


def source() -> Source:
    """Where the input of this turn came from."""
    found = _there().source()
    kind = type(found).__name__.rpartition("_")[2]
    if kind == "Client":
        return Client(found.value)
    if kind == "Actor":
        return FromActor(found.value)
    if kind == "Reply":
        return Reply(found.value.request, found.value.failed)
    return Genesis()


def send(to: str, payload: Any) -> None:
    """Sends a message when this turn is committed. It is delivered exactly once, in order for each pair. Bytes go as they are, a string as
    UTF-8, None as no bytes, everything else as JSON. A name that is none, or a payload over the limit, ends the turn."""
    from theater.codec import anything
    _there().send(to, anything.encode(payload))


def request(to: str, payload: Any) -> int:
    """As `send`, but the target's output, or the reason of its rejection, comes back as a later input. Gives the id that the reply will
    have."""
    from theater.codec import anything
    return _there().request(to, anything.encode(payload))
