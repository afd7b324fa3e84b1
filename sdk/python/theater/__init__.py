"""Actors for Theater in Python.

    from dataclasses import dataclass
    from theater import Actor, Reject, json, text

    @dataclass
    class State:
        count: int = 0

    class Counter(Actor):
        state = json(State)
        input = text

        def init(self, config):
            return State()

        def handle(self, input, state):
            if input != "inc":
                raise Reject("say: inc")
            state.count += 1
            return {"count": state.count}

What to know:

1. The state is the only memory. Each turn runs in a fresh instance: a variable of a module is as it was left when the actor was built.
2. `handle` may change the state in place. If it raises, the state stays as it was before the turn, and the exception is the reason of the
   rejection.
3. A turn sees only what the chain holds. `time`, `datetime`, `random`, `secrets` and `uuid` give the turn's time and random stream, the same
   for whoever runs the turn again. There are no files, threads or sockets.
4. Modules are imported when the actor is built, so imports stand at the top of a module.
5. A set has an order of its own in every build: write `sorted(...)` where the order can be seen.
"""

from theater.actor import Actor, Answer, Reject, reply
from theater.codec import Codec, cbor, json, raw, text
from theater.host import (Client, FromActor, Genesis, Reply, Source, log, name, now, now_ns, random_bytes, request, send, sequence,
                          source)

__all__ = ["Actor", "Answer", "Client", "Codec", "FromActor", "Genesis", "Reject", "Reply", "Source", "cbor", "json", "log", "name", "now",
           "now_ns", "random_bytes", "raw", "reply", "request", "send", "sequence", "source", "text"]
