"""An actor, and what its three functions are to the runtime."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from theater import host
from theater.codec import Codec, anything, json


class Reject(Exception):
    """A rejection: the message is the reason, word for word. Every other exception is taken for a mistake: its rejection says the class
    and the place too."""


@dataclass
class Answer:
    output: Any
    state: Any


def reply(output: Any, state: Any) -> Answer:
    """An output with a state that replaces the old one. When `handle` returns anything else, that is the output, and the state that
    `handle` was given is kept, with what was changed in it."""
    return Answer(output, state)


class Actor:
    """What an actor's author derives from. A module has one class that does."""

    config: Codec[Any] = json
    state: Codec[Any] = json
    input: Codec[Any] = json
    output: Codec[Any] = anything
    """Bytes as they are, a string as UTF-8, None as no bytes, everything else as JSON."""
    replies: Codec[Any] | None = None
    """Of the answers to requests; `input` when it is None."""

    samples: Sequence[bytes | str] = ()
    """A configuration and inputs that are run some times when the actor is built, on a state of their own: the interpreter then has fitted its
    code to what it does, and a turn costs about a third less. There is no host meanwhile; a sample that needs it, or is rejected, ends
    there."""

    def init(self, config: Any) -> Any:
        """Makes the first state of the configuration."""
        raise NotImplementedError

    def handle(self, input: Any, state: Any) -> Any:
        """One turn: changes the state in place and returns the output, or returns `reply(output, state)`, or raises."""
        raise NotImplementedError

    def reply(self, value: Any, state: Any, about: host.Reply) -> Any:
        """The answer to a request of this actor; of a failed one the value is the reason, as a string. As it is, `handle` gets it."""
        return self.handle(value, state)

    def verify(self, state: Any) -> bool:
        """Whether a state is valid: asked of every new state before it is kept, and when the actor is upgraded."""
        return True


def _decoded(codec: Codec[Any], data: bytes, what: str) -> Any:
    try:
        return codec.decode(data)
    except (ValueError, RecursionError) as error:
        raise Reject(f"{what}: {error}") from None


class Runner:
    """Calls an actor's functions with values, and gives back bytes."""

    def __init__(self, kind: type[Actor]):
        self.actor = kind()
        self.replies = kind.replies or kind.input
        # A plain actor need not ask where an input came from.
        self.has_reply = kind.reply is not Actor.reply

    def init(self, config: bytes) -> bytes:
        return self.actor.state.encode(self.actor.init(_decoded(self.actor.config, config, "the configuration")))

    def handle(self, data: bytes, state: bytes) -> tuple[bytes, bytes]:
        actor = self.actor
        before = actor.state.decode(state)
        about = host.source() if self.has_reply else None
        if isinstance(about, host.Reply):
            value = data.decode() if about.failed else _decoded(self.replies, data, "the reply")
            answer = actor.reply(value, before, about)
        else:
            answer = actor.handle(_decoded(actor.input, data, "the input"), before)
        if isinstance(answer, Answer):
            return actor.output.encode(answer.output), actor.state.encode(answer.state)
        return actor.output.encode(answer), actor.state.encode(before)

    def verify(self, state: bytes) -> bool:
        try:
            return bool(self.actor.verify(self.actor.state.decode(state)))
        except Exception as error:  # pylint: disable=broad-exception-caught
            # All that a rejection says is "invalid state": why stands on the log.
            host.log.warn("the state is not valid:", reason(error))
            return False


def warm_up(runner: Runner, rounds: int = 40) -> None:
    """Runs the actor's samples."""
    config, *inputs = (sample.encode() if isinstance(sample, str) else sample for sample in runner.actor.samples or (b"",))
    for _ in range(rounds if runner.actor.samples else 0):
        try:
            state = runner.init(config)
        except Exception:  # pylint: disable=broad-exception-caught
            return
        for data in inputs:
            try:
                _, state = runner.handle(data, state)
                runner.verify(state)
            except Exception as error:  # pylint: disable=broad-exception-caught
                reason(error)


def reason(error: BaseException) -> str:
    """The text of a rejection."""
    if isinstance(error, Reject):
        return str(error)
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "/theater/" not in file:
            place = f" ({file.rpartition('/')[2]}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{place}"
