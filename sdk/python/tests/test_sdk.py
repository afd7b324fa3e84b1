#!/usr/bin/env python3
"""The codecs, their shapes and the host for tests, in an ordinary Python."""

from dataclasses import dataclass, field
import enum
from pathlib import Path
import sys
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import theater
from theater import Actor, Client, FromActor, Genesis, Reject, Reply, cbor, json, raw, text
from theater.testing import Host, Instance, Logged, Sent


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Number(enum.IntEnum):
    ONE = 1


@dataclass
class Part:
    name: str
    price: float
    colour: Colour | None = None
    parts: list["Part"] = field(default_factory=list)


class Codecs(unittest.TestCase):
    def test_a_value_has_one_form(self):
        value = {"b": [1, -2, True, None], "aa": "é\n", "a": 0.5}
        self.assertEqual(json.encode(value), '{"a":0.5,"aa":"é\\n","b":[1,-2,true,null]}'.encode())
        self.assertEqual(cbor.encode(value).hex(), "a36161f93800616284" "0121f5f6" "62616163c3a90a")
        for codec in (json, cbor):
            self.assertEqual(codec.decode(codec.encode(value)), value)
        self.assertEqual((json.encode(None), json.decode(b"")), (b"", None))
        self.assertEqual((text.encode("é"), text.decode("é".encode()), raw.encode(bytearray(b"x"))), ("é".encode(), "é", b"x"))

    def test_numbers_take_the_shortest_form(self):
        # Values of RFC 8949, appendix A.
        for value, form in ((0, "00"), (23, "17"), (24, "1818"), (1000, "1903e8"), (2**64 - 1, "1bffffffffffffffff"), (-1000, "3903e7"),
                            (1.5, "f93e00"), (100000.0, "fa47c35000"), (1.1, "fb3ff199999999999a"), (5.960464477539063e-8, "f90001")):
            self.assertEqual(cbor.encode(value).hex(), form)
            self.assertEqual(cbor.decode(bytes.fromhex(form)), value)

    def test_what_is_not_of_the_encoding_is_refused(self):
        for wrong in ("1801", "a2616201616101", "a2616101616101", "9f01ff", "c001", "61ff", "0101", "62", "f8ff", "a18001", "a20102f503",
                      "1817", "fa3fc00000", "fb3ff8000000000000", "fb40f86a0000000000", "fa7f800000", "fa7fc00000", "f97e01"):
            with self.assertRaises(ValueError, msg=wrong):
                cbor.decode(bytes.fromhex(wrong))
        for value in (float("nan"), {1, 2}, object(), b"bytes"):
            with self.assertRaises((TypeError, ValueError)):
                json.encode(value)
        for value in ({1, 2}, object(), 2**64, {Colour.RED: 1, "red": 2}):
            with self.assertRaises((TypeError, ValueError)):
                cbor.encode(value)

    def test_a_type_comes_back_or_its_place_is_named(self):
        table = Part("table", 10.0, None, [Part("leg", 1.5, Colour.RED)])
        for codec in (json(Part), cbor(Part)):
            self.assertEqual(codec.decode(codec.encode(table)), table)
        for wrong, part in ((b'{"name":1,"price":1.0}', "name is int, not str"), (b'{"name":"a"}', "price is missing"), (b"[]", "list"),
                            (b'{"name":"a","price":1,"colour":"green"}', "colour"), (b'{"name":"a","price":1,"size":2}', "no member size"),
                            (b'{"name":"a","price":1,"parts":[{"name":"b"}]}', "parts[0].price")):
            with self.assertRaises(ValueError) as raised:
                json(Part).decode(wrong)
            self.assertIn(part, str(raised.exception))


    def test_whole_numbers_are_keys_in_json_too(self):
        value = {3: {"a": 1}, -10: {}}
        for codec in (json(dict[int, dict[str, int]]), cbor(dict[int, dict[str, int]])):
            self.assertEqual(codec.decode(codec.encode(value)), value)
        self.assertEqual(json(dict[Number, int]).decode(b'{"1":2}'), {Number.ONE: 2})
        for wrong in (b'{"03":{}}', b'{" 3":{}}', b'{"a":{}}', b'{"3.0":{}}'):
            with self.assertRaises(ValueError):
                json(dict[int, dict[str, int]]).decode(wrong)
        with self.assertRaises(ValueError):
            cbor(dict[int, int]).decode(cbor.encode({"3": 1}))
        for key in (bool, float, Colour):
            with self.assertRaisesRegex(TypeError, "no key in JSON"):
                json(dict[key, int])


class Asker(Actor):
    input = text
    state = json(list[str])

    def init(self, config):
        return [theater.name(), str(theater.source())]

    def handle(self, input, state):  # pylint: disable=redefined-builtin
        if input == "fail":
            state.append("lost")
            raise Reject("as asked")
        if input == "bad":
            state.clear()
            return None
        theater.log.warn("asked", 1)
        theater.send("other", {"n": theater.sequence()})
        state.append(str(theater.request("other", b"x")))
        return [theater.now_ns(), theater.random_bytes(2).hex(), theater.now().year]

    def reply(self, value, state, about):
        return f"{value} {about.request} {about.failed}"

    def verify(self, state):
        return len(state) > 0


class OnTheMachine(unittest.TestCase):
    def test_there_is_a_host_inside_with_only(self):
        with self.assertRaises(RuntimeError):
            theater.now()
        with Host(now_ns=5, name="me", sequence=7, seed=1, source=Genesis()) as host:
            asker = Instance(Asker)
            host.from_whom = FromActor("she")
            outputs = [asker.handle("go"), asker.handle("go")]
            self.assertEqual(theater.source(), FromActor("she"))
        self.assertEqual(outputs[0][:4], b'[5,"')
        self.assertNotEqual(*outputs)
        self.assertEqual(asker.state, b'["me","Genesis()","458753","458754"]')
        self.assertEqual(host.logged, [Logged("warn", "asked 1")] * 2)
        self.assertEqual(host.sent[:2], [Sent("other", b'{"n":7}'), Sent("other", b"x", 7 << 16 | 1)])
        with self.assertRaises(RuntimeError):
            theater.now()

    def test_what_is_rejected_leaves_the_state(self):
        with Host(source=Client("anna")) as host:
            asker = Instance(Asker)
            before = asker.state
            for data, reason in (("fail", "as asked"), ("bad", "not valid"), (b"\xff", "the input")):
                with self.assertRaisesRegex(Reject, reason):
                    asker.handle(data)
                self.assertEqual(asker.state, before)
            self.assertEqual(host.logged, [])
            self.assertFalse(asker._runner.verify(b"[1]"))  # pylint: disable=protected-access
            self.assertEqual(host.logged, [Logged("warn", "the state is not valid: ValueError: [0] is int, not str")])
            host.from_whom = Reply(9, True)
            self.assertEqual(asker.handle("too late"), b"too late 9 True")


if __name__ == "__main__":
    unittest.main()
