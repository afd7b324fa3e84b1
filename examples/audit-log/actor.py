"""audit-log: what an AI agent did, call by call, so that nobody can deny or rewrite it afterwards.

Every tool call of an agent is entered before it is made, and its result afterwards. Some tools need the approval of a person first, some may be
used only so often. The chain keeps all inputs; the state keeps what a decision needs, and one number that stands for all entries in their order.
Inputs stand in README.md.
"""

from dataclasses import dataclass, field
import hashlib

from theater import Actor, Client, Reject, json, now, source

OPEN_MAX = 64  # calls at once


@dataclass
class Tool:
    """What the configuration says of a tool."""
    approval: bool = False
    calls: int | None = None
    """Most calls; None: any number."""


@dataclass
class Config:
    tools: dict[str, Tool]
    approvers: list[str] = field(default_factory=list)


@dataclass
class Call:
    """A call that has no result yet."""
    tool: str
    agent: str
    arguments: str
    """SHA-256 of the arguments: the state does not repeat what stands on the chain."""
    allowed: bool


@dataclass
class Count:
    calls: int = 0
    done: int = 0
    failed: int = 0
    denied: int = 0


@dataclass
class State:
    config: Config
    entries: int = 0
    head: str = "0" * 64
    """SHA-256 of the head before and the entry: who has all entries can compute it."""
    open: dict[str, Call] = field(default_factory=dict)
    counts: dict[str, Count] = field(default_factory=dict)


def digest(value) -> str:
    return hashlib.sha256(json.encode(value)).hexdigest()


def who() -> str:
    """The principal of the client that sent the input."""
    match source():
        case Client(principal):
            return principal or "anonymous"
        case other:
            raise Reject(f"an audit log listens to clients, and this comes from {other}")


def enter(state: State, kind: str, entry: dict) -> dict:
    """Appends an entry: its number, and the head that stands for it and all before."""
    state.entries += 1
    whole = {"kind": kind, "number": state.entries, "by": who(), "at": now().isoformat(), **entry}
    state.head = digest([state.head, whole])
    return {"entry": state.entries, "head": state.head}


# ---- inputs ---------------------------------------------------------------------------------------------------------------------------------


def member(given: dict, name: str, kind: type):
    value = given.get(name)
    if not isinstance(value, kind):
        raise Reject(f"{name} is missing, or no {kind.__name__}")
    return value


def call(state: State, given: dict) -> dict:
    """Before a tool is called: whether it may be."""
    call_id, name = member(given, "id", str), member(given, "tool", str)
    tool = state.config.tools.get(name)
    if tool is None:
        raise Reject(f"the agent has no tool {name}")
    if call_id in state.open:
        raise Reject(f"call {call_id} is open already")
    if len(state.open) >= OPEN_MAX:
        raise Reject("too many calls are open")
    count = state.counts.setdefault(name, Count())
    if tool.calls is not None and count.calls >= tool.calls:
        raise Reject(f"{name} was called {tool.calls} times, which is all it may be")
    count.calls += 1
    opened = Call(name, who(), digest(given.get("arguments")), not tool.approval)
    state.open[call_id] = opened
    return {**enter(state, "call", {"id": call_id, "tool": name, "arguments": opened.arguments}),
            "decision": "allowed" if opened.allowed else "waits"}


def waiting(state: State, given: dict) -> tuple[str, Call]:
    """A call that waits for a decision, which the sender may make."""
    if who() not in state.config.approvers:
        raise Reject(f"{who()} may not decide")
    call_id = member(given, "id", str)
    found = state.open.get(call_id)
    if found is None or found.allowed:
        raise Reject(f"no call {call_id} waits")
    if found.agent == who():
        raise Reject("nobody decides on a call of their own")
    return call_id, found


def approve(state: State, given: dict) -> dict:
    call_id, found = waiting(state, given)
    found.allowed = True
    return enter(state, "approve", {"id": call_id})


def deny(state: State, given: dict) -> dict:
    call_id, found = waiting(state, given)
    reason = member(given, "reason", str)
    del state.open[call_id]
    state.counts[found.tool].denied += 1
    return enter(state, "deny", {"id": call_id, "reason": reason})


def result(state: State, given: dict) -> dict:
    """After a call: what came of it. The output itself stands on the chain."""
    call_id, good = member(given, "id", str), member(given, "ok", bool)
    found = state.open.get(call_id)
    if found is None:
        raise Reject(f"no call {call_id} is open")
    if not found.allowed:
        raise Reject(f"call {call_id} was not approved")
    if found.agent != who():
        raise Reject(f"call {call_id} is {found.agent}'s")
    del state.open[call_id]
    count = state.counts[found.tool]
    count.done += good
    count.failed += not good
    return enter(state, "result", {"id": call_id, "ok": good, "output": digest(given.get("output"))})


def report(state: State, _given: dict) -> dict:
    return {"entries": state.entries, "head": state.head, "open": sorted(state.open),
            "tools": {name: vars(count) for name, count in state.counts.items()}}


# ---- the actor ------------------------------------------------------------------------------------------------------------------------------

INPUTS = {"call": call, "approve": approve, "deny": deny, "result": result, "report": report}


class AuditLog(Actor):
    config = json(Config)
    state = json(State)

    def init(self, config: Config) -> State:
        return State(config)

    def handle(self, input, state: State):
        who()  # Nobody but clients.
        match input:
            case dict() if len(input) == 1 and (word := next(iter(input))) in INPUTS and isinstance(input[word], dict):
                return INPUTS[word](state, input[word])
            case _:
                raise Reject(f"an input is one of: {', '.join(INPUTS)}")

    def verify(self, state: State) -> bool:
        """No call is lost: each is open, or has an end."""
        ended = sum(count.done + count.failed + count.denied for count in state.counts.values())
        return sum(count.calls for count in state.counts.values()) == ended + len(state.open) and len(state.open) <= OPEN_MAX
