"""Values as bytes, each value in one way only: a state is hashed, so equal values must become equal bytes."""

from __future__ import annotations

import json as _json
import struct
from typing import Any, Generic, TypeVar

from theater.values import Shape, plain


T = TypeVar("T")
Kind = TypeVar("Kind")


class Codec(Generic[T]):
    """Writes values as bytes. `codec(Type)` is the same for values of a type: dataclasses, enumerations, lists, dictionaries, tuples of
    types, `X | None`; then what is read has that type, or is refused with its place. A key in JSON is a string or a whole number."""

    def __init__(self, shape: Shape | None = None):
        self.shape = shape

    def __call__(self, kind: type[Kind]) -> Codec[Kind]:
        return type(self)(Shape(kind))  # type: ignore[arg-type, return-value]

    def encode(self, value: T) -> bytes:
        return self._encode(value)

    def decode(self, data: bytes) -> T:
        value = self._decode(data)
        return value if self.shape is None else self.shape.read(value)

    def _encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def _decode(self, data: bytes) -> Any:
        raise NotImplementedError


class _Raw(Codec[bytes]):
    def _encode(self, value):
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"bytes are wanted, not {type(value).__name__}")
        return bytes(value)

    def _decode(self, data):
        return data


class _Text(Codec[str]):
    def _encode(self, value):
        if not isinstance(value, str):
            raise TypeError(f"a string is wanted, not {type(value).__name__}")
        return value.encode()

    def _decode(self, data):
        return data.decode()


# ---- JSON ----------------------------------------------------------------------------------------------------------------------------------

_encoder = _json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain)


class _Json(Codec[Any]):
    def __call__(self, kind):
        return type(self)(Shape(kind, text_keys=True))

    def _encode(self, value):
        return b"" if value is None and self.shape is None else _encoder.encode(value).encode()

    def _decode(self, data):
        if not data and self.shape is None:
            return None
        return _json.loads(data.decode())


class _Anything(Codec[Any]):
    """For outputs and payloads: bytes as they are, a string as UTF-8, None as no bytes, everything else as JSON."""

    def _encode(self, value):
        if isinstance(value, (bytes, bytearray, memoryview)):
            return bytes(value)
        return value.encode() if isinstance(value, str) else json.encode(value)

    def _decode(self, data):
        return data


# ---- CBOR ----------------------------------------------------------------------------------------------------------------------------------
#
# RFC 8949 with the core deterministic encoding of its section 4.2.1: shortest forms, definite lengths, map entries sorted by their encoded
# keys. None, booleans, integers of up to 64 bits, floats, strings, bytes, lists, tuples and dictionaries.

_DEPTH = 128
_HEADS = ((24, 1, ">B"), (25, 2, ">H"), (26, 4, ">I"), (27, 8, ">Q"))


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes((major << 5 | count,))
    for info, size, form in _HEADS:
        if count < 1 << 8 * size:
            return bytes((major << 5 | info,)) + struct.pack(form, count)
    raise ValueError("an integer of more than 64 bits has no place in CBOR")


def _float(value: float) -> bytes:
    if value != value:
        return b"\xf9\x7e\x00"
    for head, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            packed = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, packed)[0] == value:
            return head + packed
    return b"\xfb" + struct.pack(">d", value)


def _write(value: Any, depth: int) -> bytes:
    if depth > _DEPTH:
        raise ValueError(f"the value is nested deeper than {_DEPTH}")
    if value is None or value is True or value is False:
        return b"\xf6" if value is None else b"\xf5" if value else b"\xf4"
    kind = type(value)
    if kind is int:
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if kind is str:
        encoded = value.encode()
        return _head(3, len(encoded)) + encoded
    if kind is bytes or kind is bytearray:
        return _head(2, len(value)) + value
    if kind is float:
        return _float(value)
    if kind is list or kind is tuple:
        return _head(4, len(value)) + b"".join([_write(item, depth + 1) for item in value])
    if kind is dict:
        entries = sorted((_write(key, depth + 1), _write(item, depth + 1)) for key, item in value.items())
        if len({key for key, _ in entries}) != len(entries):  # As an enumeration's member and its value are.
            raise ValueError("two keys of a dictionary are written alike")
        return _head(5, len(entries)) + b"".join([key + item for key, item in entries])
    return _write(plain(value), depth + 1)


class _Reader:
    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def fail(self, what: str):
        raise ValueError(f"this is not deterministic CBOR: {what} at byte {self.at}")

    def take(self, size: int) -> bytes:
        part = self.data[self.at:self.at + size]
        if len(part) != size:
            self.fail("it ends early")
        self.at += size
        return part

    def argument(self, info: int) -> int:
        if info < 24:
            return info
        for known, size, form in _HEADS:
            if info == known:
                count = struct.unpack(form, self.take(size))[0]
                if count < (24 if size == 1 else 1 << 4 * size):
                    self.fail("a number is longer than it need be")
                return count
        return self.fail("a length is missing")

    def simple(self, info: int) -> Any:
        for known, value in ((20, False), (21, True), (22, None), (23, None)):
            if info == known:
                return value
        start = self.at - 1
        for known, size, form in ((25, 2, ">e"), (26, 4, ">f"), (27, 8, ">d")):
            if info == known:
                value = struct.unpack(form, self.take(size))[0]
                if _float(value) != self.data[start:self.at]:
                    self.fail("a float is longer than it need be")
                return value
        return self.fail("a simple value has no meaning here")

    def map(self, count: int, depth: int) -> dict:
        value, last = {}, None
        for _ in range(count):
            start = self.at
            key = self.value(depth)
            encoded = self.data[start:self.at]
            if last is not None and encoded <= last:
                self.fail("keys are out of order")
            last = encoded
            if isinstance(key, (list, dict)):
                self.fail("a key is a list or a map")
            if key in value:  # As 1 and true are, which have different encodings.
                self.fail("two keys are one in a dictionary")
            value[key] = self.value(depth)
        return value

    def value(self, depth: int) -> Any:
        if depth > _DEPTH:
            self.fail("it is nested too deep")
        head = self.take(1)[0]
        major, info = head >> 5, head & 31
        if major == 7:
            return self.simple(info)
        count = self.argument(info)
        if major == 0:
            return count
        if major == 1:
            return -1 - count
        if major == 2:
            return self.take(count)
        if major == 3:
            return self.take(count).decode()
        if major == 4:
            return [self.value(depth + 1) for _ in range(count)]
        if major == 5:
            return self.map(count, depth + 1)
        return self.fail("a tag has no meaning here")


class _Cbor(Codec[Any]):
    def _encode(self, value):
        return _write(value, 0)

    def _decode(self, data):
        reader = _Reader(data)
        value = reader.value(0)
        if reader.at != len(data):
            reader.fail("there is more behind it")
        return value


raw = _Raw()
"""Bytes as they are. As a state: what to use for large states, of which a turn changes little."""
text = _Text()
"""A string as UTF-8."""
json = _Json()
"""JSON with members sorted by code points. Without a type no bytes stand for None. Floats that are not finite, bytes and sets are refused."""
cbor = _Cbor()
"""Deterministic CBOR: as JSON, with bytes, and smaller. JSON is the faster one here, being native."""
anything = _Anything()
