#!/usr/bin/env python3
"""Random actors, as text for theater-fixtures: generate.py FOLDER COUNT SEED.

Each is a part of the core module in tests/fixtures/components/actor.template. `handle` fills variables of every type from its input and
state, runs random statements over them (arithmetic of all kinds with NaNs among it, lanes, memory that is read, written and grown past
its limit, calls through a table, recursion, host calls, now and then a trap), and gives the variables as output and as new state. Those
named plain-N ask for no time and no random numbers, so that two runs of them have the same outputs; those named any-N do, and make requests,
whose answers come when they come.

small-N and named-N in the folder `small` are whole components, small ones (decision 0017) with awkward data segments. They differ only in
that an instruction of named-N names a segment, so that Wasmtime makes its memory: all that they do must be the same. `handle` gives the
whole memory as output, and what runs after it leaves nothing in memory, table and global as it was.
"""

from pathlib import Path
import random
import shutil
import sys

TEMPLATE = Path(__file__).resolve().parents[1] / "fixtures/components/actor.template"
TYPES = ("i32", "i64", "f32", "f64", "v128")
LOCALS = {"i32": "abcd", "i64": "efgh", "f32": "klm", "f64": "pqr", "v128": "xy"}
SIZE = {"i32": 4, "i64": 8, "f32": 4, "f64": 8, "v128": 16}
FUNCTIONS = 4
PLACE = 512  # where the variables go at the end, in the template's memory
INTEGER = ("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr")
DIVISION = ("div_s", "div_u", "rem_s", "rem_u")
FLOAT = ("add", "sub", "mul", "div", "min", "max", "copysign")
COMPARE_INTEGER = ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "ge_u")
COMPARE_FLOAT = ("eq", "ne", "lt", "gt", "le", "ge")
UNARY = {"i32": ("clz", "ctz", "popcnt", "extend8_s", "extend16_s"), "i64": ("clz", "ctz", "popcnt", "extend32_s"),
         "f32": ("abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest"), "f64": ("abs", "neg", "sqrt", "ceil", "floor", "trunc", "nearest")}
CONVERT = {"i32": (("i32.wrap_i64", "i64"), ("i32.trunc_sat_f32_s", "f32"), ("i32.trunc_sat_f64_u", "f64"), ("i32.reinterpret_f32", "f32")),
           "i64": (("i64.extend_i32_s", "i32"), ("i64.extend_i32_u", "i32"), ("i64.trunc_sat_f64_s", "f64"), ("i64.reinterpret_f64", "f64")),
           "f32": (("f32.convert_i32_s", "i32"), ("f32.convert_i64_u", "i64"), ("f32.demote_f64", "f64"), ("f32.reinterpret_i32", "i32")),
           "f64": (("f64.convert_i32_u", "i32"), ("f64.convert_i64_s", "i64"), ("f64.promote_f32", "f32"), ("f64.reinterpret_i64", "i64"))}
LANES = ("f32x4.add", "f32x4.mul", "f32x4.div", "f32x4.min", "f32x4.max", "f32x4.pmin", "f64x2.add", "f64x2.div", "f64x2.mul", "f64x2.pmax",
         "i32x4.add", "i32x4.mul", "i16x8.q15mulr_sat_s", "i8x16.add_sat_u", "i8x16.swizzle", "i64x2.mul", "v128.xor", "i16x8.narrow_i32x4_s",
         "i32x4.dot_i16x8_s", "f32x4.lt", "i8x16.avgr_u")
LANES_UNARY = ("f32x4.sqrt", "f64x2.sqrt", "f32x4.neg", "f64x2.ceil", "f32x4.nearest", "i32x4.trunc_sat_f32x4_s", "f32x4.convert_i32x4_u",
               "f64x2.promote_low_f32x4", "f32x4.demote_f64x2_zero", "i8x16.popcnt", "i32x4.abs", "v128.not")
SPECIAL = {"f32": ("nan", "-nan", "nan:0x200001", "inf", "-inf", "-0", "1e38", "1e-44", "0.1"), "f64": ("nan", "-nan", "nan:0x4000000000001", "inf", "-0", "1e308", "5e-324", "0.1")}


class Actor:
    def __init__(self, seed, observes):
        self.random, self.observes, self.function = random.Random(seed), observes, 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def variable(self, kind):
        return f"${self.random.choice(LOCALS[kind])}"

    # ---- expressions

    def constant(self, kind):
        if kind in ("i32", "i64"):
            bits = 31 if kind == "i32" else 63
            value = self.pick(0, 1, -1, 7, 1 << bits, (1 << bits) - 1, self.random.getrandbits(bits))
            return f"({kind}.const {value if value < 1 << bits else -(1 << bits)})"
        if kind == "v128":
            return "(v128.const i32x4 " + " ".join(str(self.pick(0, 2143289344, 2146435073, self.random.getrandbits(31))) for _ in range(4)) + ")"
        return f"({kind}.const {self.pick(*SPECIAL[kind], round(self.random.uniform(-1e6, 1e6), 3))})"

    def address(self, depth):
        """Within the first page, but one in sixty anywhere, which traps more often than not."""
        value = self.expression("i32", depth)
        return value if self.random.random() < 0.016 else f"(i32.and {value} (i32.const 0xffe0))"

    def expression(self, kind, depth):
        if depth <= 0 or self.random.random() < 0.15:
            return self.constant(kind) if self.random.random() < 0.4 else f"(local.get {self.variable(kind)})"
        e = lambda other=kind: self.expression(other, depth - 1)  # noqa: E731
        choice = self.random.random()
        if choice < 0.08:
            return f"({kind}.load $own {self.address(depth - 1)})"
        if choice < 0.14:
            return f"(select {e()} {e()} {e('i32')})"
        if choice < 0.20:
            return f"(if (result {kind}) {e('i32')} (then {e()}) (else {e()}))"
        if choice < 0.25 and self.function < FUNCTIONS and kind == "i64":
            return self.call(depth)
        if kind == "v128":
            return self.lanes(e)
        if choice < 0.40:
            return f"({kind}.{self.pick(*UNARY[kind])} {e()})"
        if choice < 0.55:
            name, other = self.pick(*CONVERT[kind])
            return f"({name} {e(other)})"
        if kind in ("f32", "f64"):
            if choice < 0.60:
                return f"({'f32x4' if kind == 'f32' else 'f64x2'}.extract_lane {self.pick(0, 1)} {e('v128')})"
            return f"({kind}.{self.pick(*FLOAT)} {e()} {e()})"
        if choice < 0.62:
            divisor = e() if self.random.random() < 0.08 else f"({kind}.or {e()} ({kind}.const 1))"
            return f"({kind}.{self.pick('div_u', 'rem_u', 'rem_s')} {e()} {divisor})"
        if kind == "i32" and choice < 0.76:
            return self.test(e)
        return f"({kind}.{self.pick(*INTEGER)} {e()} {e()})"

    def test(self, e):
        other = self.pick("i32", "i64", "f32", "f64", "v128", "memory")
        if other == "memory":
            return self.pick("(memory.size $own)", "(memory.grow $own (i32.const 1))", "(table.size $table)", "(table.grow $table (ref.null func) (i32.const 3))")
        if other == "v128":
            return f"({self.pick('v128.any_true', 'i32x4.all_true', 'i8x16.bitmask')} {e('v128')})"
        names = COMPARE_INTEGER if other[0] == "i" else COMPARE_FLOAT
        return f"({other}.{self.pick(*names)} {e(other)} {e(other)})"

    def lanes(self, e):
        choice = self.random.random()
        if choice < 0.2:
            kind, shape = self.pick(("i32", "i32x4"), ("i64", "i64x2"), ("f32", "f32x4"), ("f64", "f64x2"))
            return f"({shape}.splat {e(kind)})"
        if choice < 0.3:
            return f"(i8x16.shuffle {' '.join(str(self.random.randrange(32)) for _ in range(16))} {e()} {e()})"
        if choice < 0.4:
            return f"(v128.bitselect {e()} {e()} {e()})"
        if choice < 0.6:
            return f"({self.pick(*LANES_UNARY)} {e()})"
        return f"({self.pick(*LANES)} {e()} {e()})"

    def call(self, depth):
        arguments = " ".join(self.expression(kind, depth - 2) for kind in ("i32", "i64", "f32", "f64"))
        if self.random.random() < 0.4:
            index = f"(i32.add (i32.const {self.function}) (i32.rem_u {self.expression('i32', 1)} (i32.const {FUNCTIONS - self.function})))"
            return f"(call_indirect $table (type $work) {arguments} {index})"
        return f"(call $work{self.random.randrange(self.function, FUNCTIONS)} {arguments})"

    # ---- statements

    def statement(self, depth):
        kind = self.pick(*TYPES)
        choice = self.random.random()
        if choice < 0.45 or depth <= 0:
            return f"(local.set {self.variable(kind)} {self.expression(kind, 4)})"
        if choice < 0.60:
            return f"({kind}.store $own {self.address(3)} {self.expression(kind, 3)})"
        if choice < 0.70:
            body = " ".join(self.statement(depth - 1) for _ in range(self.random.randrange(1, 3)))
            counter = f"$i{depth}"
            return (f"(local.set {counter} (i32.const {self.random.randrange(1, 12)})) (loop $again{depth} {body} "
                    f"(br_if $again{depth} (local.tee {counter} (i32.sub (local.get {counter}) (i32.const 1)))))")
        if choice < 0.80:
            return f"(if {self.expression('i32', 3)} (then {self.statement(depth - 1)}) (else {self.statement(depth - 1)}))"
        if choice < 0.86:
            return f"(call $log (i32.const {self.random.randrange(5)}) (i32.const 64) (i32.const {self.random.randrange(1, 20)}))"
        if choice < 0.89:
            return f"(i64.store (i32.const 100) {self.expression('i64', 2)}) (call $send (i32.const 64) (i32.const 4) (i32.const 100) (i32.const 8))"
        if choice < 0.91 and self.observes:
            # Only early: an answer is another input, which would ask again.
            return f"(if (i64.lt_u (call $sequence) (i64.const 5)) (then (local.set {self.variable('i64')} (call $request (i32.const 64) (i32.const 4) (i32.const 100) (i32.const 3)))))"
        if choice < 0.94:
            depth_of = f"(i32.and {self.expression('i32', 2)} (i32.const {self.pick(7, 63, 511)}))"
            return f"(local.set {self.variable('i32')} (call $deep {depth_of}))"
        if choice < 0.945:
            return f"(if (i32.eq {self.expression('i32', 2)} (i32.const 3)) (then unreachable))"
        if choice < 0.96:
            return f"(memory.fill $own {self.address(2)} {self.expression('i32', 2)} (i32.const 24)) (memory.copy $own $own {self.address(2)} {self.address(2)} (i32.const 31))"
        if self.observes:
            return self.pick(f"(local.set {self.variable('i64')} (call $now))",
                             f"(call $random (i32.const 8) (i32.const 120)) (local.set {self.variable('i64')} (i64.load (i32.load (i32.const 120))))")
        return f"(local.set {self.variable('i64')} (call $sequence))"

    def locals(self, skip=""):
        names = "".join(f" (local ${name} {kind})" for kind in TYPES for name in LOCALS[kind] if name not in skip)
        return names + "".join(f" (local $i{depth} i32)" for depth in range(4))

    def work(self, number):
        """A function that calls only those behind it, so that it ends."""
        self.function = number + 1
        body = "\n      ".join(self.statement(1) for _ in range(self.random.randrange(1, 4)))
        result = self.expression("i64", 3)
        return (f"    (func $work{number} (type $work) (param $a i32) (param $e i64) (param $k f32) (param $p f64) (result i64)"
                f"{self.locals('aekp')}\n      {body}\n      {result})")

    def text(self):
        works = [self.work(number) for number in range(FUNCTIONS)]
        self.function = 0
        body = "\n      ".join(self.statement(3) for _ in range(self.random.randrange(6, 16)))
        begin = ("(local.set $e (i64.load (local.get $input))) (local.set $a (i32.wrap_i64 (local.get $e)))\n"
                 "      (local.set $k (f32.load (local.get $input))) (local.set $p (f64.load (local.get $input)))\n"
                 "      (local.set $x (v128.load (local.get $input)))\n"
                 "      (if (i32.ge_u (local.get $size) (i32.const 32)) (then (local.set $f (i64.load (local.get $state)))\n"
                 "        (local.set $q (f64.load offset=8 (local.get $state))) (local.set $y (v128.load offset=16 (local.get $state)))))")
        end, at = [], PLACE
        for kind in TYPES:
            for name in LOCALS[kind]:
                end.append(f"({kind}.store (i32.const {at}) (local.get ${name}))")
                at += SIZE[kind]
        names = self.locals()
        return f""";; A random actor of tests/determinism/generate.py.
    (type $work (func (param i32 i64 f32 f64) (result i64)))
    (memory $own {self.pick(1, 2)} {self.pick(3, 9, 40)})
    (table $table {FUNCTIONS} {self.pick(8, 20)} funcref)
    (elem (table $table) (i32.const 0) func {' '.join(f'$work{number}' for number in range(FUNCTIONS))})
    (data (i32.const 64) "peer-and-a-line-of-text")
    (func $deep (param $n i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
      (i32.add (i32.mul (call $deep (i32.sub (local.get $n) (i32.const 1))) (i32.const 3)) (local.get $n)))
{chr(10).join(works)}
    (func $handle (param $input i32) (param $input-size i32) (param $state i32) (param $size i32) (result i32)
     {names}
      {begin}
      {body}
      {' '.join(end)}
      (call $done (i32.const {PLACE}) (i32.const {at - PLACE}) (i32.const {PLACE})
        (i32.add (i32.const 64) (i32.and (local.get $a) (i32.const 0x3fff)))))
"""


class Small:
    """Segments that overlap, are empty, end with the memory, end behind it, have places that are computed, or are named by nobody."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pages = self.random.choice((1, 1, 2, 4))
        self.begin = [self.segment() for _ in range(self.random.randrange(1, 8))]
        self.named = "(func (data.drop 0))"
        self.grow, self.elements = self.random.randrange(4), self.random.choice((3, 3, 3, 3, 4))

    def segment(self):
        end, size = self.pages << 16, self.random.choice((0, 1, 7, 8, 64, 5000))
        place = self.random.choice((0x1000, 0x1000, 0x1003, 0x1ffc, 0xffe, 0x9000, end - size, end - size, end - 0x2000, self.random.randrange(end - size)))
        if self.random.random() < 0.06:
            place, size = self.random.choice(((end - size + 1, size), (end + 1, 0), (0x7fff0000, 0), (-1, 0), (-4, 8)))
        offset = f"(i32.const {place})"
        if self.random.random() < 0.04:
            offset = f"(i32.add (i32.const {place}) (i32.const 0))"
        where = "" if self.random.random() < 0.05 else offset
        return f'(data {where} "{"".join(chr(self.random.randrange(97, 123)) for _ in range(size))}")'

    def text(self, named):
        segments = "\n    ".join(self.begin)
        return f""";; A random small actor of tests/determinism/generate.py.
(component
  (core module $actor-module
    (memory (export "memory") {self.pages} 20)
    (global $next (mut i32) (i32.const 0x200))
    (global $seen (mut i32) (i32.const 7))
    (table $table 3 9 funcref)
    {segments}
    {self.named if named else ""}
    (elem (table $table) (i32.const {self.elements - 1}) func $start)
    (func $start
      (i32.store (i32.const 0x1001) (i32.add (i32.load (i32.const 0x1002)) (i32.const 3)))
      (i32.store (i32.const 0x40) (i32.load (i32.const {(self.pages << 16) - 4}))))
    (start $start)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.add (global.get $next) (local.get 3)))
      (i32.sub (global.get $next) (local.get 3)))
    (func (export "init") (param i32 i32) (result i32) (i32.const 16))
    (func (export "handle") (param $input i32) (param $size i32) (param $state i32) (param $state-size i32) (result i32)
      (i32.store (i32.const 0x50) (memory.grow (i32.const {self.grow})))
      (i32.store (i32.const 0x54) (global.get $seen))
      (i32.store (i32.const 0x58) (table.size $table))
      (i32.store (i32.const 0x5c) (ref.is_null (table.get $table (i32.const 0))))
      (if (i32.eq (i32.load8_u (local.get $input)) (i32.const 0x21)) (then (call $leave (i32.const 0)) unreachable))
      (i32.store (i32.const 20) (i32.const 0))
      (i32.store (i32.const 24) (i32.mul (memory.size) (i32.const 65536)))
      (i32.store (i32.const 28) (local.get $state))
      (i32.store (i32.const 32) (local.get $state-size))
      (i32.const 16))
    (func $leave (export "leave") (param i32)
      (drop (memory.grow (i32.const {self.random.randrange(3)})))
      (memory.fill (i32.const 0) (i32.const 0xaa) (i32.mul (memory.size) (i32.const 65536)))
      (global.set $seen (i32.const 9))
      (drop (table.grow $table (ref.null func) (i32.const 2)))
      (table.fill $table (i32.const 0) (ref.func $start) (i32.const 3)))
    (func (export "verify") (param i32 i32) (result i32) (i32.const 1)))
  (core instance $actor (instantiate $actor-module))
  (alias core export $actor "memory" (core memory $bytes))
  (alias core export $actor "realloc" (core func $realloc))
  (func $init (param "config" (list u8)) (result (result (list u8) (error string)))
    (canon lift (core func $actor "init") (memory $bytes) (realloc $realloc)))
  (func $handle (param "input" (list u8)) (param "state" (list u8))
    (result (result (tuple (list u8) (list u8)) (error string)))
    (canon lift (core func $actor "handle") (memory $bytes) (realloc $realloc) (post-return (core func $actor "leave"))))
  (func $verify (param "state" (list u8)) (result bool)
    (canon lift (core func $actor "verify") (memory $bytes) (realloc $realloc)))
  (instance $exports (export "init" (func $init)) (export "handle" (func $handle)) (export "verify-state" (func $verify)))
  (export "theater:actor/actor@0.1.0" (instance $exports)))
"""


def main():
    folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(TEMPLATE, folder)
    for number in range(count):
        observes = number % 2 == 1
        name = f"{'any' if observes else 'plain'}-{number:03}.wat"
        (folder / name).write_text(Actor(seed * 1_000_003 + number, observes).text())
    (folder / "small").mkdir(exist_ok=True)
    for number in range(count):
        for kind in ("small", "named"):
            (folder / "small" / f"{kind}-{number:03}.wat").write_text(Small(seed * 1_000_003 + number).text(kind == "named"))


if __name__ == "__main__":
    main()
