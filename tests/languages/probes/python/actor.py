"""What Python's own clocks, random numbers and hash order give in a turn."""

import dataclasses
import datetime
import random
from random import randint
import secrets
import time
import uuid

from theater import Actor, Reject, cbor, json, log, name, now, now_ns, request, send, sequence, source, text


@dataclasses.dataclass
class State:
    drawn: list[float] = dataclasses.field(default_factory=list)
    order: str = ""


def clock(_state):
    return [time.time(), time.time_ns(), time.monotonic(), str(datetime.datetime.now()), str(datetime.date.today())]


def numbers(state):
    drawn = [random.random(), random.random(), random.Random().random(), randint(0, 1 << 60), secrets.randbits(60), uuid.uuid4().int]
    fresh = len(set(drawn + state.drawn)) == len(drawn) + len(state.drawn)
    state.drawn.extend(map(float, drawn))
    return fresh


def seeded(_state):
    random.seed(7)
    return random.random() == random.Random(7).random()


def order(state):
    seen = "".join({"b", "a", "c", "d", "e"}) + str(hash("x"))
    same, state.order = state.order == seen, seen
    return same


def hello(_state):
    print("hello", 1)
    log.warn("beware")


def late(_state):
    import socket  # pylint: disable=import-outside-toplevel
    return socket.gethostname()


PROBES = {
    "clock": clock,
    "random": numbers,
    "seeded": seeded,
    "order": order,
    "print": hello,
    "sleep": lambda _: time.sleep(1),
    "file": lambda _: open("/etc/passwd", encoding="utf-8"),
    "late": late,
    "mistake": lambda _: 1 // 0,
    "json": lambda _: json.encode({"b": [1.5, None], "a": {"d": "é"}}),
    "nan": lambda _: json.encode(float("nan")),
    "set": lambda _: json.encode({1, 2}),
    "cbor": lambda _: cbor.encode({"bb": 1, "a": [1.5, -1, 1e300, 70000, "x", True]}).hex(),
    "back": lambda _: cbor.decode(cbor.encode({"a": [1.5, -500, 2, 1 << 40]})),
    "unsorted": lambda _: cbor.decode(bytes.fromhex("a2616201616102")),
    "typed": lambda _: json(State).decode(b'{"drawn":["x"]}'),
    "host": lambda _: f"{now().isoformat()} {now_ns()} {name()} {sequence()}",
    "source": lambda _: str(source()),
    "send": lambda _: (send("other", "a message"), request("other", {"a": 1})),
}


class Probe(Actor):
    state = json(State)
    config = input = text

    def init(self, config):
        return State()

    def handle(self, input, state):
        if input not in PROBES:
            raise Reject("there is no such probe")
        return PROBES[input](state)

    def reply(self, value, state, about):
        return f"{value} {about.request} {about.failed}"
