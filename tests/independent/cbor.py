"""Strict CBOR: the core deterministic encoding of RFC 8949, section 4.2.1, and nothing else.

The chain format uses unsigned integers, byte strings, texts, arrays, maps with unsigned keys, booleans and
null. Whatever else CBOR has (negative integers, tags, floats, indefinite lengths, other simple values) stands
nowhere in it, so this decoder refuses it, and it refuses every encoding that is not the shortest. What it
accepts has therefore exactly one encoding, which is what lets a hash over bytes stand for a value.
"""

MAX_DEPTH = 8  # The deepest value of the format, a map in a map, needs 3.


class Refused(ValueError):
    """What was read is not what the chain format allows; the text says where it differs."""


def head(data, pos):
    """Reads one initial byte with its argument: (major type, argument, position after)."""
    try:
        first = data[pos]
    except IndexError:
        raise Refused("cut off") from None
    argument = first & 31
    if argument < 24:
        return first >> 5, argument, pos + 1
    if argument > 27:
        raise Refused("indefinite length or reserved form")
    if first >> 5 == 7:
        raise Refused("a float or an unknown simple value")
    size = 1 << (argument - 24)
    after = pos + 1 + size
    if after > len(data):
        raise Refused("cut off")
    argument = int.from_bytes(data[pos + 1 : after], "big")
    if argument < (24 if size == 1 else 1 << (4 * size)):
        raise Refused("a number or length that is not in its shortest form")
    return first >> 5, argument, after


def item(data, pos=0, depth=0):
    """Decodes the one item at `pos`: (value, position after)."""
    major, argument, pos = head(data, pos)
    if major == 0:
        return argument, pos
    if major == 2 or major == 3:
        after = pos + argument
        if after > len(data):
            raise Refused("cut off")
        if major == 2:
            return data[pos:after], after
        try:
            return data[pos:after].decode("utf-8"), after
        except UnicodeDecodeError:
            raise Refused("text that is not UTF-8") from None
    if depth == MAX_DEPTH:
        raise Refused("nested too deeply")
    if major == 4:
        values = []
        for _ in range(argument):
            value, pos = item(data, pos, depth + 1)
            values.append(value)
        return values, pos
    if major == 5:
        values = {}
        last = -1
        for _ in range(argument):
            major, key, pos = head(data, pos)
            if major != 0:
                raise Refused("a map key that is not an unsigned integer")
            if key <= last:
                raise Refused("map keys that are not in ascending order")
            last = key
            values[key], pos = item(data, pos, depth + 1)
        return values, pos
    if major == 7 and 20 <= argument <= 22:
        return (False, True, None)[argument - 20], pos
    raise Refused(("", "a negative integer", "", "", "", "", "a tag", "an unknown simple value")[major])


def decode(data):
    """Decodes bytes that hold exactly one item."""
    value, pos = item(data)
    if pos != len(data):
        raise Refused("bytes after the end")
    return value


def encode(value):
    """Encodes a value of the kinds above."""
    if value is None or value is True or value is False:
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return _encode_head(0, value)
    if isinstance(value, bytes):
        return _encode_head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8")
        return _encode_head(3, len(text)) + text
    if isinstance(value, list):
        return _encode_head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        return _encode_head(5, len(value)) + b"".join(encode(k) + encode(value[k]) for k in sorted(value))
    raise TypeError(f"no CBOR for {type(value).__name__}")


def _encode_head(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    for size, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if argument < 1 << (8 * size):
            return bytes([major << 5 | code]) + argument.to_bytes(size, "big")
    raise ValueError("an integer of 2^64 or more")
