"""One element and its payloads: strict decoding, and every rule that needs no other element.

An element is checked against the one before it (`follows`) and against its payloads and the descriptor in
force (`check_turn`). A payload that was dropped is None, and what cannot be known without it is not checked;
what its hash alone gives away still is.
"""

from collections import namedtuple
from hashlib import sha256
import re

import cbor
from cbor import Refused
from merkle import EMPTY_ROOT, leaf

VERSION = 1
GENESIS, TRANSITION, REJECTION, UPGRADE = range(4)
TYPES = ("a genesis", "a transition", "a rejection", "an upgrade")
MESSAGE, ANSWER, UNDELIVERED = range(3)
WORLD = "theater:actor/guest@0.1.0"
ZEROS = bytes(32)
PLACES = 65536

CODE_ACTOR, CODE_STATE, CODE_TRAP, CODE_FUEL, CODE_LIMIT, CODE_STACK = range(1, 7)
MESSAGES = {
    CODE_STATE: ("invalid state",),
    CODE_TRAP: ("unreachable", "memory", "table", "division", "integer", "abi"),
    CODE_FUEL: ("out of fuel",),
    CODE_LIMIT: ("input", "error", "output", "state", "name", "payload", "requests", "effects", "random"),
    CODE_STACK: ("stack overflow",),
}
UNDELIVERED_INPUTS = (b"no such actor", b"removed")

# Payloads that their hash alone gives away, whether they were dropped or not.
NOTHING = sha256(b"").digest()
NO_EFFECTS = sha256(b"\x80").digest()
UNDELIVERED_HASHES = {sha256(text).digest() for text in UNDELIVERED_INPUTS}
KNOWN_REJECTIONS = {
    sha256(cbor.encode([code, text])).digest(): (code, text)
    for code, texts in MESSAGES.items()
    for text in texts
}

NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")

Cause = namedtuple("Cause", "kind actor sequence index hash request failed")
Limits = namedtuple("Limits", "fuel memory state message effects")
Descriptor = namedtuple("Descriptor", "name component config limits engine")
Message = namedtuple("Message", "index to payload request")  # One message effect; payload is its hash.
Element = namedtuple(
    "Element",
    (
        "sequence previous type timestamp input state_before state_after output effects fuel state_size "
        "cause principal id hash"
    ),
)


class UnknownVersion(Refused):
    """An element of a version that this reader does not know; only its links can be read."""

    def __init__(self, version, sequence, previous):
        super().__init__(f"version {version} is not known to this reader")
        self.sequence, self.previous = sequence, previous


def is_name(text):
    return type(text) is str and len(text) <= 128 and NAME.fullmatch(text) is not None


def _keys(value, needed, optional, what):
    """Checks that a value is a map with the keys 0 to needed - 1, and maybe some of the optional ones."""
    if type(value) is not dict:
        raise Refused(f"{what} is not a map")
    for key in range(needed):
        if key not in value:
            raise Refused(f"{what} has no key {key}")
    if len(value) > needed:
        for key in value:
            if key >= needed and key not in optional:
                raise Refused(f"{what} has the unknown key {key}")


def _uint(value, what):
    if type(value) is not int:
        raise Refused(f"{what} is not an unsigned integer")
    return value


def _hash(value, what):
    if type(value) is not bytes or len(value) != 32:
        raise Refused(f"{what} is not a byte string of 32 bytes")
    return value


ELEMENT_KEYS = (
    "version",
    "sequence",
    "previous",
    "type",
    "timestamp",
    "input",
    "state-before",
    "state-after",
    "output",
    "effects",
    "fuel",
    "state-size",
)
ELEMENT_HASHES = (2, 5, 6, 7, 8, 9)
ELEMENT_NUMBERS = (0, 1, 3, 4, 10, 11)


def decode_element(data):
    """Decodes the encoding of one element; UnknownVersion where only the links can be read."""
    if data[1:3] != b"\0\1":
        _check_version(data)
    fields = cbor.decode(data)
    _keys(fields, 12, (12, 13, 14), "element")
    for key in ELEMENT_HASHES:
        _hash(fields[key], ELEMENT_KEYS[key])
    for key in ELEMENT_NUMBERS:
        _uint(fields[key], ELEMENT_KEYS[key])
    if fields[3] > UPGRADE:
        raise Refused(f"type {fields[3]} is unknown")
    principal, id_ = fields.get(13), fields.get(14)
    if 13 in fields and (type(principal) is not str or not 1 <= len(principal.encode("utf-8")) <= 128):
        raise Refused("principal is not a text of 1 to 128 bytes")
    if 14 in fields and (type(id_) is not bytes or not 1 <= len(id_) <= 64):
        raise Refused("id is not a byte string of 1 to 64 bytes")
    cause = decode_cause(fields[12]) if 12 in fields else None
    return Element(
        fields[1],
        fields[2],
        fields[3],
        fields[4],
        fields[5],
        fields[6],
        fields[7],
        fields[8],
        fields[9],
        fields[10],
        fields[11],
        cause,
        principal,
        id_,
        leaf(data),
    )


def read_links(data):
    """Version, sequence and previous hash, which stand in the first three keys in every version."""
    major, _, pos = cbor.head(data, 0)
    if major != 5:
        raise Refused("element is not a map")
    fields = []
    for key in range(3):
        found, pos = cbor.item(data, pos)
        if type(found) is not int or found != key:
            raise Refused(f"element has no key {key} where it belongs")
        value, pos = cbor.item(data, pos)
        fields.append(_hash(value, "previous") if key == 2 else _uint(value, ELEMENT_KEYS[key]))
    return fields


def _check_version(data):
    """Tells a version of which only the links are known from what is no element at all."""
    fields = read_links(data)
    if fields[0] != VERSION:
        raise UnknownVersion(*fields)


def decode_cause(value):
    shapes = {MESSAGE: 5, ANSWER: 6, UNDELIVERED: 3}
    if type(value) is not list or not value or type(value[0]) is not int or value[0] not in shapes:
        raise Refused("cause is of no known kind")
    kind = value[0]
    if len(value) != shapes[kind]:
        raise Refused(f"cause of kind {kind} has not {shapes[kind]} items")
    if not is_name(value[1]):
        raise Refused("cause: the actor is no name")
    if kind == UNDELIVERED:
        return Cause(kind, value[1], None, None, None, _request(value[2]), True)
    sequence = _uint(value[2], "cause: the sequence")
    if kind == MESSAGE:
        index = _uint(value[3], "cause: the index")
        return Cause(kind, value[1], sequence, index, _hash(value[4], "cause: the hash"), None, None)
    if type(value[5]) is not bool:
        raise Refused("cause: failed is not a boolean")
    hash_ = _hash(value[3], "cause: the hash")
    return Cause(kind, value[1], sequence, None, hash_, _request(value[4]), value[5])


def _request(value):
    if _uint(value, "cause: the request") % PLACES == 0:
        raise Refused("cause: the request is no request id")
    return value


def check_links(sequence, previous, before):
    """The checks that hold in every version: the sequence and the hash of the element before, if any."""
    expected = 0 if before is None else before.sequence + 1
    if sequence != expected:
        raise Refused(f"sequence is {sequence}, not {expected}")
    if previous != (ZEROS if before is None else before.hash):
        raise Refused(
            "previous hash differs from the hash of the element before"
            if before is not None
            else "previous hash of the genesis is not zero"
        )


def check_follows(element, before):
    """Checks an element against the one before it, or as a genesis where there is none."""
    check_links(element.sequence, element.previous, before)
    kind = element.type
    if (kind == GENESIS) != (before is None):
        raise Refused(
            "a genesis after the first element"
            if kind == GENESIS
            else f"the first element is {TYPES[kind]}, not a genesis"
        )
    if before is not None and element.timestamp < before.timestamp:
        raise Refused("timestamp is less than that of the element before")
    root, size = (EMPTY_ROOT, 0) if before is None else (before.state_after, before.state_size)
    if element.state_before != root:
        raise Refused(
            "state-before differs from the state-after of the element before"
            if before is not None
            else "state-before of the genesis is not the root of the empty state"
        )
    unchanged = element.state_after == element.state_before
    if kind in (REJECTION, UPGRADE) and not unchanged:
        raise Refused(f"state-after differs from state-before in {TYPES[kind]}")
    if unchanged and element.state_size != size:
        raise Refused(f"state-size is {element.state_size}, but the state of {size} bytes did not change")
    if (element.state_size == 0) != (element.state_after == EMPTY_ROOT):
        raise Refused("state-size and state-after do not agree on whether the state is empty")
    if element.cause is not None:
        if kind in (GENESIS, UPGRADE):
            raise Refused(f"a cause in {TYPES[kind]}")
        if element.principal is not None or element.id is not None:
            raise Refused("a principal or an id beside a cause")
        if element.cause.kind == UNDELIVERED and element.input not in UNDELIVERED_HASHES:
            raise Refused("input is neither 'no such actor' nor 'removed'")


def decode_descriptor(data):
    fields = cbor.decode(data)
    _keys(fields, 7, (), "descriptor")
    if _uint(fields[0], "descriptor: version") != 1:
        raise Refused(f"descriptor: version {fields[0]} is unknown")
    if not is_name(fields[1]):
        raise Refused("descriptor: the actor name is no name")
    component = _hash(fields[2], "descriptor: component hash")
    if type(fields[3]) is not bytes:
        raise Refused("descriptor: config is not a byte string")
    _keys(fields[4], 5, (), "descriptor: limits")
    for key in range(5):
        if _uint(fields[4][key], f"descriptor: limit {key}") == 0:
            raise Refused(f"descriptor: limit {key} is 0")
    limits = Limits(*(fields[4][key] for key in range(5)))
    if type(fields[5]) is not str:
        raise Refused("descriptor: engine is not a text")
    if type(fields[6]) is not str or fields[6] != WORLD:
        raise Refused(f"descriptor: world is not {WORLD}")
    if len(fields[3]) > limits.message:
        raise Refused("descriptor: config is longer than its message limit")
    return Descriptor(fields[1], component, fields[3], limits, fields[5])


def decode_rejection(data):
    """The (code, message) of a rejection's output."""
    value = cbor.decode(data)
    if type(value) is not list or len(value) != 2 or type(value[0]) is not int or type(value[1]) is not str:
        raise Refused("output of a rejection is not [code, message]")
    code, message = value
    if not CODE_ACTOR <= code <= CODE_STACK:
        raise Refused(f"rejection code {code} is unknown")
    if code != CODE_ACTOR and message not in MESSAGES[code]:
        raise Refused(f"rejection message {message!r} does not belong to code {code}")
    return code, message


def decode_effects(data, sequence):
    """The messages of an effects payload, and the sum of the encoded lengths of its effects."""
    if data == b"\x80":
        return (), 0
    effects = cbor.decode(data)
    if type(effects) is not list:
        raise Refused("effects are not an array")
    messages, place = [], 0
    for index, effect in enumerate(effects):
        what = f"effect {index}"
        if type(effect) is not list or not effect or type(effect[0]) is not int or effect[0] > 1:
            raise Refused(f"{what} is of no known kind")
        if effect[0] == 0:
            if len(effect) != 3 or type(effect[1]) is not int or effect[1] > 4 or type(effect[2]) is not str:
                raise Refused(f"{what} is not [0, level, text] with a level of 0 to 4")
            continue
        if len(effect) != 4:
            raise Refused(f"{what} is not [1, to, payload hash, request]")
        if not is_name(effect[1]):
            raise Refused(f"{what}: the receiver is no name")
        payload, request = _hash(effect[2], f"{what}: payload hash"), _uint(effect[3], f"{what}: request")
        if request:
            place += 1
            if place == PLACES or request != sequence * PLACES + place:
                raise Refused(f"{what}: request id is {request}, not {sequence * PLACES + place}")
        messages.append(Message(index, effect[1], payload, request))
    return messages, len(data) - cbor.head(data, 0)[2]


class Turn:
    """What the payloads of one element say: None where a payload was dropped."""

    __slots__ = ("descriptor", "rejection", "messages", "effects_bytes")

    def __init__(self):
        self.descriptor = self.rejection = self.messages = self.effects_bytes = None


def check_payloads(element, payloads):
    """Checks the hashes of the payloads that are there: input, output and effects, None where dropped."""
    for what, payload, expected in zip(
        ("input", "output", "effects"), payloads, (element.input, element.output, element.effects)
    ):
        if payload is not None and sha256(payload).digest() != expected:
            raise Refused(f"{what} payload differs from its hash")


def check_turn(element, payloads, limits):
    """Checks payloads by the rules of the element's type; limits are those in force before it, or None."""
    input_, output, effects = payloads
    kind, turn = element.type, Turn()
    if kind in (GENESIS, UPGRADE):
        if input_ is not None:
            turn.descriptor = decode_descriptor(input_)
        limits = turn.descriptor and turn.descriptor.limits
        if element.output != NOTHING:
            raise Refused(f"output of {TYPES[kind]} is not empty")
    elif kind == TRANSITION:
        if limits and output is not None and len(output) > limits.message:
            raise Refused("output is longer than the message limit")
    else:
        turn.rejection = KNOWN_REJECTIONS.get(element.output)
        if output is not None:
            turn.rejection = decode_rejection(output)
    if effects is not None:
        turn.messages, turn.effects_bytes = decode_effects(effects, element.sequence)
        if kind == REJECTION and turn.messages:
            raise Refused("a message among the effects of a rejection")
        if limits and turn.effects_bytes > limits.effects:
            raise Refused("effects are longer than the effects limit")
    elif kind == REJECTION:
        turn.messages = ()
    _check_fuel(element, turn.rejection, limits)
    if limits and element.state_size > limits.state:
        raise Refused("state-size is over the state limit")
    if kind == REJECTION:
        _check_rejection(element, turn.rejection, limits)
    if kind in (TRANSITION, REJECTION):
        _check_input(element, turn.rejection, input_, limits)
    return turn


def _check_fuel(element, rejection, limits):
    if limits and element.fuel > limits.fuel:
        raise Refused(f"fuel {element.fuel} is over the limit of {limits.fuel}")
    if rejection is None:
        return
    code = rejection[0]
    if code in (CODE_TRAP, CODE_LIMIT, CODE_STACK) and element.fuel != 0:
        raise Refused(f"fuel is {element.fuel}, not 0, in a rejection with code {code}")
    if code == CODE_FUEL and limits and element.fuel != limits.fuel:
        raise Refused(f"fuel is {element.fuel}, not the limit of {limits.fuel}, in a turn out of fuel")


def _check_rejection(element, rejection, limits):
    if rejection is None:
        return
    code, message = rejection
    if code == CODE_STACK and element.effects != NO_EFFECTS:
        raise Refused("effects after a stack overflow")
    if code == CODE_ACTOR and limits and len(message.encode("utf-8")) > limits.message:
        raise Refused("the actor's error is longer than the message limit")
    if rejection == (CODE_LIMIT, "input"):
        if element.cause is None:
            raise Refused("a client's input over the message limit makes no element")
        if element.effects != NO_EFFECTS:
            raise Refused("effects of an input that was not run")


def _check_input(element, rejection, input_, limits):
    """An input over the message limit is rejected as such, and no other is."""
    if input_ is None or limits is None:
        return
    over = len(input_) > limits.message
    if element.type == REJECTION and rejection is None:
        return
    if over != (rejection == (CODE_LIMIT, "input")):
        raise Refused(
            "input is longer than the message limit"
            if over
            else "rejection for an input over the message limit, but it is not over it"
        )
