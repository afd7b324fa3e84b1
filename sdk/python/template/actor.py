"""{{name}}: counts votes.

The configuration is the list of choices, separated by spaces. Inputs: "vote CHOICE", "result".
"""

from dataclasses import dataclass

from theater import Actor, Reject, json, text


@dataclass
class State:
    """All that the actor remembers. It is kept as JSON with sorted members; the choices are a list, so that they keep their order."""
    choices: list[str]
    votes: list[int]


class Poll(Actor):
    config = text
    input = text
    state = json(State)
    samples = ["tea coffee", "vote tea", "result", "vote x"]  # Run when the actor is built, so that its turns are shorter.

    def init(self, config: str) -> State:
        """Makes the first state."""
        choices = config.split()
        if not choices:
            raise Reject("no choice is configured")
        return State(choices, [0] * len(choices))

    def handle(self, input: str, state: State) -> str:
        """One turn: changes the state and returns the output, or raises why the input is rejected."""
        match input.split():
            case ["result"]:
                return " ".join(f"{choice}={votes}" for choice, votes in zip(state.choices, state.votes))
            case ["vote", choice]:
                if choice not in state.choices:
                    raise Reject("there is no such choice")
                place = state.choices.index(choice)
                state.votes[place] += 1
                return str(state.votes[place])
            case _:
                raise Reject("say: vote CHOICE, or: result")

    def verify(self, state: State) -> bool:
        """Asked of every new state before it is kept: a turn whose state is not valid is rejected."""
        return len(state.choices) == len(state.votes) > 0 and min(state.votes) >= 0
