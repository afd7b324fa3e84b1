"""Between what codecs write (dictionaries, lists, strings, numbers) and what an actor's author has (dataclasses, enumerations).

A shape is made once, when the actor is built, so that a turn only calls functions that are there already.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Any, Callable


def plain(value: Any) -> Any:
    """What stands for a value that is not plain itself."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: getattr(value, name) for name in _fields(type(value))}
    if isinstance(value, enum.Enum):
        return value.value
    # Subclasses of what is plain: a codec looks at exact types, to be fast.
    for kind in (bool, int, float, str, bytes, list, tuple, dict):
        if isinstance(value, kind) and type(value) is not kind:
            return kind(value)
    if isinstance(value, (set, frozenset)):
        raise TypeError("a set has no order to be written in; write sorted(...)")
    raise TypeError(f"{type(value).__name__} has no place in this encoding")


_names: dict[type, tuple[str, ...]] = {}


def _fields(kind: type) -> tuple[str, ...]:
    names = _names.get(kind)
    if names is None:
        names = _names[kind] = tuple(field.name for field in dataclasses.fields(kind))
    return names


class Shape:
    """Makes values of a type from what a codec has read. With `text_keys` it writes keys as text, as JSON does."""

    def __init__(self, kind: Any, text_keys: bool = False):
        self.kind = kind
        self._read = _reader(kind, {}, text_keys)

    def read(self, value: Any) -> Any:
        return self._read(value, "")


_Read = Callable[[Any, str], Any]


def _wrong(value: Any, wanted: str, path: str):
    raise ValueError(f"{path or 'the value'} is {type(value).__name__}, not {wanted}")


def _exact(kind: type) -> _Read:
    def read(value, path):
        return value if type(value) is kind else _wrong(value, kind.__name__, path)
    return read


def _float(value, path):
    if type(value) is float:
        return value
    return float(value) if type(value) is int else _wrong(value, "float", path)


def _none(value, path):
    return None if value is None else _wrong(value, "None", path)


def _reader(kind: Any, known: dict[Any, list[_Read]], text_keys: bool) -> _Read:
    if kind is Any or kind is object:
        return lambda value, path: value
    if kind is None or kind is type(None):
        return _none
    if kind is float:
        return _float
    if kind in (int, str, bool, bytes, list, dict):
        return _exact(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _dataclass(kind, known, text_keys)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _enum(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return _list(_reader(arguments[0], known, text_keys))
    if origin is tuple:
        return _tuple(arguments, known, text_keys)
    if origin is dict:
        return _dict(_key(arguments[0], known, text_keys), _reader(arguments[1], known, text_keys))
    if origin is typing.Union or origin is types.UnionType:
        return _optional(kind, arguments, known, text_keys)
    raise TypeError(f"{kind!r} is no type that a codec can read")


def _list(item: _Read) -> _Read:
    def read(value, path):
        if type(value) is not list:
            _wrong(value, "a list", path)
        return [item(part, f"{path}[{i}]") for i, part in enumerate(value)]
    return read


def _tuple(arguments: tuple, known: dict, text_keys: bool) -> _Read:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        items = _list(_reader(arguments[0], known, text_keys))
        return lambda value, path: tuple(items(value, path))
    readers = [_reader(argument, known, text_keys) for argument in arguments]

    def read(value, path):
        if type(value) is not list or len(value) != len(readers):
            _wrong(value, f"a list of {len(readers)}", path)
        return tuple(reader(part, f"{path}[{i}]") for i, (reader, part) in enumerate(zip(readers, value)))
    return read


def _key(kind: Any, known: dict, text_keys: bool) -> _Read:
    read = _reader(kind, known, text_keys)
    if not text_keys or kind in (str, Any, object) or (isinstance(kind, type) and issubclass(kind, str)):
        return read
    if not isinstance(kind, type) or not issubclass(kind, int) or kind is bool:
        raise TypeError(f"{getattr(kind, '__name__', kind)} is no key in JSON: str and int are")

    def number(value, path):
        try:
            whole = int(value)
        except ValueError:
            return _wrong(value, "the digits of a number", path)
        return read(whole if str(whole) == value else value, path)
    return number


def _dict(key: _Read, item: _Read) -> _Read:
    def read(value, path):
        if type(value) is not dict:
            _wrong(value, "a dictionary", path)
        return {key(name, path): item(part, f"{path}.{name}") for name, part in value.items()}
    return read


def _optional(kind: Any, arguments: tuple, known: dict, text_keys: bool) -> _Read:
    others = [argument for argument in arguments if argument is not type(None)]
    if len(others) != 1 or len(arguments) != 2:
        raise TypeError(f"{kind!r}: of unions a codec can read only X | None")
    other = _reader(others[0], known, text_keys)
    return lambda value, path: None if value is None else other(value, path)


def _enum(kind: type[enum.Enum]) -> _Read:
    members = {member.value: member for member in kind}

    def read(value, path):
        if type(value) not in (int, str) or value not in members:
            _wrong(value, f"one of {kind.__name__}", path)
        return members[value]
    return read


def _dataclass(kind: type, known: dict[Any, list[_Read]], text_keys: bool) -> _Read:
    if kind in known:  # A type that contains itself: its reader is put here when it is done.
        later = known[kind]
        return lambda value, path: later[0](value, path)
    known[kind] = []
    hints = typing.get_type_hints(kind)
    fields = [(field.name, _reader(hints[field.name], known, text_keys), field.default is not dataclasses.MISSING or
               field.default_factory is not dataclasses.MISSING) for field in dataclasses.fields(kind) if field.init]
    names = {name for name, _, _ in fields}

    def read(value, path):
        if type(value) is not dict:
            _wrong(value, f"{kind.__name__}, which is written as a dictionary", path)
        arguments = {}
        for name, reader, optional in fields:
            place = f"{path}.{name}" if path else name
            if name in value:
                arguments[name] = reader(value[name], place)
            elif not optional:
                raise ValueError(f"{place} is missing")
        if len(value) > len(arguments):
            raise ValueError(f"{path or kind.__name__} has no member {min(map(str, value.keys() - names))}")
        return kind(**arguments)
    known[kind].append(read)
    return read
