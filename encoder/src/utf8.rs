//! A function that says whether bytes are UTF-8 (RFC 3629: no surrogates, nothing longer than it need be), as code of a
//! core module: for interpreters that have none.

use wasm_encoder::{BlockType, Instruction, MemArg};

/// Locals that the check needs, all of 32 bits, from the first on that its caller gives.
pub const LOCALS: u32 = 7;

/// Leaves in the last of the locals from `first` on whether the bytes are UTF-8 that local 0 points to and local 1 counts.
/// Eight bytes of ASCII are looked at together.
pub fn check(first: u32, memory: u32) -> Vec<Instruction<'static>> {
    use Instruction::*;
    let [at, end, byte, more, low, high, valid] = [0, 1, 2, 3, 4, 5, 6].map(|place| first + place);
    let memarg = |align| MemArg { offset: 0, align, memory_index: memory };
    let set = |local, value| [I32Const(value), LocalSet(local)];
    let add = |local, value| [LocalGet(local), I32Const(value), I32Add, LocalSet(local)];
    // Runs `then` if the byte is `value`.
    let narrow = |value, local, bound| [LocalGet(byte), I32Const(value), I32Eq, If(BlockType::Empty), I32Const(bound), LocalSet(local), End];
    let load = [LocalGet(at), I32Load8U(memarg(0)), LocalSet(byte)];
    let mut code = vec![LocalGet(0), LocalTee(at), LocalGet(1), I32Add, LocalSet(end)];
    code.extend(set(valid, 1));
    code.extend([Block(BlockType::Empty), Loop(BlockType::Empty)]);

    code.extend([Block(BlockType::Empty), Loop(BlockType::Empty)]);
    code.extend([LocalGet(end), LocalGet(at), I32Sub, I32Const(8), I32LtU, BrIf(1)]);
    code.extend([LocalGet(at), I64Load(memarg(0)), I64Const(0x8080_8080_8080_8080_u64 as i64), I64And, I64Eqz, I32Eqz]);
    code.push(BrIf(1));
    code.extend(add(at, 8));
    code.extend([Br(0), End, End]);

    code.extend([LocalGet(at), LocalGet(end), I32Eq, BrIf(1)]);
    code.extend(load.clone());
    code.extend(add(at, 1));
    code.extend([LocalGet(byte), I32Const(0x80), I32LtU, BrIf(0)]);
    // From here on it is valid only when the whole sequence was seen.
    code.extend(set(valid, 0));
    code.extend(set(low, 0x80));
    code.extend(set(high, 0xbf));
    code.extend([LocalGet(byte), I32Const(0xc2), I32Sub, I32Const(0xe0 - 0xc2), I32LtU, If(BlockType::Empty)]);
    code.extend(set(more, 1));
    code.extend([Else, LocalGet(byte), I32Const(0xf0), I32And, I32Const(0xe0), I32Eq, If(BlockType::Empty)]);
    code.extend(set(more, 2));
    code.extend(narrow(0xe0, low, 0xa0));
    code.extend(narrow(0xed, high, 0x9f));
    code.extend([Else, LocalGet(byte), I32Const(0xf0), I32Sub, I32Const(5), I32GeU, BrIf(3)]);
    code.extend(set(more, 3));
    code.extend(narrow(0xf0, low, 0x90));
    code.extend(narrow(0xf4, high, 0x8f));
    code.extend([End, End]);

    code.push(Loop(BlockType::Empty));
    code.extend([LocalGet(at), LocalGet(end), I32Eq, BrIf(2)]);
    code.extend(load);
    code.extend([LocalGet(byte), LocalGet(low), I32LtU, BrIf(2), LocalGet(byte), LocalGet(high), I32GtU, BrIf(2)]);
    code.extend(add(at, 1));
    code.extend(set(low, 0x80));
    code.extend(set(high, 0xbf));
    code.extend([LocalGet(more), I32Const(1), I32Sub, LocalTee(more), BrIf(0), End]);
    code.extend(set(valid, 1));
    code.extend([Br(0), End, End]);
    code
}
