//! What answers the functions that a component imports beside theater:actor/host.
//!
//! Time and random numbers are the host's, so they are the same whoever runs the turn. Everything else (files,
//! streams, sockets) is not there: a call writes to the actor's log what was called, and traps. The environment and
//! the arguments are empty, and handles may be dropped. What an interpreter lacks for UTF-8 is written here.

use wasm_encoder::{BlockType, Function, Instruction, MemArg};
use wasmparser::{FuncType, ValType};

use crate::linked::{Linked, Made, HOST};
use crate::utf8;

type Result<T> = std::result::Result<T, String>;

/// The level of a log line for what is missing: error.
const LEVEL: i32 = 4;

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A function of the host.
    Host(String),
    /// Seconds and nanoseconds of the turn's time.
    WallClock,
    /// Nanoseconds since 1970.
    Nanoseconds,
    /// How finely a clock ticks, as a number or as a record.
    Tick,
    TickRecord,
    /// Random bytes, in memory of this allocator.
    RandomBytes(u32),
    Random,
    /// Two numbers that seed hash tables: always the same.
    Seed,
    /// The bytes of a text, in memory of this allocator.
    EncodeText(u32),
    /// The text that bytes are, likewise, if they are UTF-8.
    DecodeText(u32),
    /// An empty list.
    Empty,
    /// A handle was dropped.
    Nothing,
    /// Everything else: its name for the log.
    Missing(String),
}

impl Answer {
    /// The functions of the host that it calls.
    pub fn needs(&self) -> &'static [&'static str] {
        match self {
            Answer::WallClock | Answer::Nanoseconds => &["now"],
            Answer::RandomBytes(_) | Answer::Random => &["random"],
            Answer::Missing(_) => &["log"],
            _ => &[],
        }
    }

    /// The allocator that its result must come from.
    pub fn realloc(&self) -> Option<u32> {
        match self {
            Answer::RandomBytes(realloc) | Answer::EncodeText(realloc) | Answer::DecodeText(realloc) => Some(*realloc),
            _ => None,
        }
    }
}

/// What a core function that the component makes is.
pub fn of(linked: &Linked, core: u32) -> Result<Answer> {
    let (interface, name, realloc) = match &linked.functions[core as usize] {
        Made::Alias(..) => return Err("the component: an alias stands for itself".into()),
        Made::Drop => return Ok(Answer::Nothing),
        Made::Other(what) => return Ok(Answer::Missing((*what).into())),
        Made::Lowered { interface, name, realloc } => (*interface, *name, *realloc),
    };
    Ok(named(linked, interface, name, realloc))
}

/// The answer to a function of an interface. All versions of WASI 0.2 answer alike.
pub fn named(linked: &Linked, interface: &str, name: &str, realloc: Option<u32>) -> Answer {
    if interface == HOST {
        return Answer::Host(name.into());
    }
    match (interface.split('@').next().unwrap_or(interface), name) {
        ("wasi:clocks/wall-clock", "now") => Answer::WallClock,
        ("wasi:clocks/wall-clock", "resolution") => Answer::TickRecord,
        ("wasi:clocks/monotonic-clock", "now") => Answer::Nanoseconds,
        ("wasi:clocks/monotonic-clock", "resolution") => Answer::Tick,
        ("wasi:random/random", "get-random-u64") | ("wasi:random/insecure", "get-insecure-random-u64") => {
            Answer::Random
        }
        ("wasi:random/random", "get-random-bytes") | ("wasi:random/insecure", "get-insecure-random-bytes") => {
            Answer::RandomBytes(realloc.unwrap_or(linked.realloc))
        }
        ("wasi:random/insecure-seed", _) => Answer::Seed,
        ("theater:javascript/text", "encode") => Answer::EncodeText(realloc.unwrap_or(linked.realloc)),
        ("theater:javascript/text", "decode") => Answer::DecodeText(realloc.unwrap_or(linked.realloc)),
        ("wasi:cli/environment", "get-environment" | "get-arguments") => Answer::Empty,
        ("wasi:filesystem/preopens", "get-directories") => Answer::Empty,
        // A module names a handle's drop as if it were a function.
        (_, drop) if drop.starts_with("[resource-drop]") => Answer::Nothing,
        _ => Answer::Missing(format!("{interface} {name}")),
    }
}

/// The core types of the host's functions that answers call.
pub fn host_type(name: &str) -> FuncType {
    let i32s = |count| vec![ValType::I32; count];
    match name {
        "now" => FuncType::new([], [ValType::I64]),
        "random" => FuncType::new(i32s(2), []),
        _ => FuncType::new(i32s(3), []),
    }
}

pub fn realloc_type() -> FuncType {
    FuncType::new([ValType::I32; 4], [ValType::I32])
}

/// The words that calls to what is missing log: one segment of data.
#[derive(Default)]
pub struct Words {
    bytes: Vec<u8>,
    places: Vec<(String, u32, u32)>,
}

impl Words {
    pub fn add(&mut self, name: &str) {
        let text = format!("an actor has no {name}");
        self.places.push((name.into(), self.bytes.len() as u32, text.len() as u32));
        self.bytes.extend_from_slice(text.as_bytes());
    }
    pub fn find(&self, name: &str) -> (u32, u32) {
        self.places.iter().find(|place| place.0 == name).map(|place| (place.1, place.2)).unwrap_or_default()
    }
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where the functions and things that an answer uses are in the module.
pub struct Place<'a> {
    pub host: &'a dyn Fn(&str) -> u32,
    pub realloc: u32,
    pub memory: u32,
    pub words: u32,
    pub word: &'a dyn Fn(&str) -> (u32, u32),
}

impl Place<'_> {
    fn at(&self, offset: u64, align: u32) -> MemArg {
        MemArg { offset, align, memory_index: self.memory }
    }
}

/// Calls realloc for `size` bytes that stand on the stack of a fresh allocation.
fn allocate<'b>(place: &Place, size: Instruction<'b>) -> [Instruction<'b>; 5] {
    use Instruction::*;
    [I32Const(0), I32Const(0), I32Const(8), size, Call(place.realloc)]
}

/// Copies the bytes that locals 0 and 1 are, and writes where they are and how many to where local 2 points. `to` is a local.
fn give_copy(place: &Place, to: u32, offset: u64) -> [Instruction<'static>; 15] {
    use Instruction::*;
    [
        I32Const(0),
        I32Const(0),
        I32Const(1),
        LocalGet(1),
        Call(place.realloc),
        LocalTee(to),
        LocalGet(0),
        LocalGet(1),
        MemoryCopy { src_mem: place.memory, dst_mem: place.memory },
        LocalGet(2),
        LocalGet(to),
        I32Store(place.at(offset, 2)),
        LocalGet(2),
        LocalGet(1),
        I32Store(place.at(offset + 4, 2)),
    ]
}

/// Writes the function. Its type is the importer's, so a wrong one is found when the module is validated.
pub fn write(answer: &Answer, ty: &FuncType, place: &Place) -> Result<Function> {
    use Instruction::*;
    let parameters = ty.params().len() as u32;
    let mut code: Vec<Instruction> = Vec::new();
    let mut locals = Vec::new();
    match answer {
        Answer::Host(_) => return Err("the component: the host's function is an import".into()),
        Answer::WallClock => {
            locals.push((1, wasm_encoder::ValType::I64));
            code.extend([Call((place.host)("now")), LocalSet(1)]);
            code.extend([LocalGet(0), LocalGet(1), I64Const(1_000_000_000), I64DivU, I64Store(place.at(0, 3))]);
            code.extend([LocalGet(0), LocalGet(1), I64Const(1_000_000_000), I64RemU, I32WrapI64]);
            code.push(I32Store(place.at(8, 2)));
        }
        Answer::Nanoseconds => code.push(Call((place.host)("now"))),
        Answer::Tick => code.push(I64Const(1)),
        Answer::TickRecord => {
            code.extend([LocalGet(0), I64Const(0), I64Store(place.at(0, 3))]);
            code.extend([LocalGet(0), I32Const(1), I32Store(place.at(8, 2))]);
        }
        Answer::RandomBytes(_) => {
            // The host's answer lies in memory of the actor's own allocator; the caller may want it elsewhere.
            locals.push((1, wasm_encoder::ValType::I32));
            code.extend([LocalGet(0), I32WrapI64, LocalGet(1), Call((place.host)("random"))]);
            code.extend([I32Const(0), I32Const(0), I32Const(1), LocalGet(0), I32WrapI64, Call(place.realloc)]);
            code.extend([LocalTee(2), LocalGet(1), I32Load(place.at(0, 2)), LocalGet(0), I32WrapI64]);
            code.push(MemoryCopy { src_mem: place.memory, dst_mem: place.memory });
            code.extend([LocalGet(1), LocalGet(2), I32Store(place.at(0, 2))]);
        }
        Answer::Random => {
            locals.push((1, wasm_encoder::ValType::I32));
            code.extend(allocate(place, I32Const(8)));
            code.extend([LocalSet(0), I32Const(8), LocalGet(0), Call((place.host)("random"))]);
            code.extend([LocalGet(0), I32Load(place.at(0, 2)), I64Load(place.at(0, 0))]);
        }
        Answer::EncodeText(_) => {
            locals.push((1, wasm_encoder::ValType::I32));
            code.extend(give_copy(place, 3, 0));
        }
        Answer::DecodeText(_) => {
            locals.push((utf8::LOCALS, wasm_encoder::ValType::I32));
            code.extend(utf8::check(3, place.memory));
            let valid = LocalGet(3 + utf8::LOCALS - 1);
            code.extend([LocalGet(2), valid.clone(), I32Store(place.at(0, 2))]);
            code.extend([valid, If(BlockType::Empty)]);
            code.extend(give_copy(place, 3, 4));
            code.push(End);
        }
        Answer::Seed => {
            for half in [0, 8] {
                code.extend([LocalGet(0), I64Const(0), I64Store(place.at(half, 3))]);
            }
        }
        Answer::Empty => {
            for half in [0, 4] {
                code.extend([LocalGet(0), I32Const(0), I32Store(place.at(half, 2))]);
            }
        }
        Answer::Nothing => (),
        Answer::Missing(name) => {
            let (offset, size) = (place.word)(name);
            let (offset, size, text) = (offset as i32, size as i32, parameters);
            locals.push((1, wasm_encoder::ValType::I32));
            code.extend(allocate(place, I32Const(size)));
            code.extend([LocalTee(text), I32Const(offset), I32Const(size)]);
            code.push(MemoryInit { mem: place.memory, data_index: place.words });
            code.extend([I32Const(LEVEL), LocalGet(text), I32Const(size), Call((place.host)("log")), Unreachable]);
        }
    }
    let mut function = Function::new(locals);
    for instruction in &code {
        function.instruction(instruction);
    }
    function.instruction(&End);
    Ok(function)
}
