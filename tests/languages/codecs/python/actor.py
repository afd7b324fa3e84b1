"""A state in CBOR: see codecs.test."""

from dataclasses import dataclass

from theater import Actor, cbor, text


@dataclass
class State:
    title: str
    left: int
    price: float
    shelves: dict[str, int]
    note: str | None
    even: list[bool]


class Stock(Actor):
    config = text
    input = text
    state = cbor(State)

    def init(self, config: str) -> State:
        return State(config, 0, 0.5, {}, None, [])

    def handle(self, input: str, state: State) -> str:
        name, digits = input.split(" ")
        count = int(digits)
        state.shelves[name] = count
        state.left -= count
        state.price = count + 0.5
        state.note = name if count > 0 else None
        state.even.append(count % 2 == 0)
        return str(state.left)
