//! Runs a core module's start-up once, at build time, and keeps what memory and globals hold after it.
//!
//! A runtime such as Go's sets itself up in `_initialize`: some 660,000 units of fuel, where the turn of a small actor takes 4,000. A turn
//! runs in a fresh instance, so it would pay for that each time. The module that this makes begins where the start-up ended.
//!
//! 1. The same module gives the same module: what the start-up asks of WASI is answered by constants (`answer`), and nothing else is there
//!    to be asked. So what it takes for random, such as a seed, is the same in every turn.
//! 2. What the module does after the start-up is what it would have done in that same instance. What a snapshot cannot keep is refused:
//!    changed tables, segments that are used later, globals that hold references.
//! 3. A start-up is bounded, in fuel and in memory. What it asks for is part of that: each byte that a call of WASI reads or writes takes a
//!    unit of fuel. One that fails says what it printed.
//! 4. The functions of the host have no answer before there is a turn: a start-up that calls one fails, by its name.

use std::borrow::Cow;

use wasm_encoder::{
    ConstExpr, DataSection, ExportKind, ExportSection, GlobalSection, GlobalType, MemorySection, Module, RawSection, ValType,
};
use wasmparser::{ExternalKind, Operator, Parser, Payload};
use wasmtime::{Caller, Config, Engine, Extern, Func, Instance, OptLevel, Store, StoreLimits, StoreLimitsBuilder, Val};

type Result<T> = std::result::Result<T, String>;

const START: &str = "_initialize";
const MEMORY: &str = "theater-snapshot-memory";
const GLOBAL: &str = "theater-snapshot-global-";
const WASI: &str = "wasi_snapshot_preview1";

/// Go's own start-up takes 700,000.
const FUEL: u64 = 2_000_000_000;
const MEMORY_BYTES: usize = 1 << 30;
const PAGE: usize = 65536;
const PRINTED: usize = 2048;

/// 1980-01-01, in nanoseconds: what clocks say while an actor is built. Before every turn, and not zero, which Go takes for a failure.
const CLOCK: u64 = 315_532_800_000_000_000;

/// Zeros between two pieces of memory that are worth a segment of their own, and the most segments that a module may have.
const GAP: usize = 64;
const SEGMENTS: usize = 100_000;

fn wrong(error: impl std::fmt::Display) -> String {
    format!("the module's start-up: {error:#}")
}

// ---- the module -----------------------------------------------------------------------------------------------------

/// What has to be known of the module; its sections stay as they are, but those that the snapshot changes.
#[derive(Default)]
struct Read<'a> {
    sections: Vec<(u8, &'a [u8])>,
    globals: Vec<wasmparser::GlobalType>,
    constants: Vec<ConstExpr>,
    memory: Option<wasmparser::MemoryType>,
    exports: Vec<wasmparser::Export<'a>>,
}

/// What a snapshot of memory and globals alone would lose.
fn is_lost(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
    )
}

impl<'a> Read<'a> {
    fn new(binary: &'a [u8]) -> Result<Self> {
        let mut read = Read::default();
        for payload in Parser::new(0).parse_all(binary) {
            let payload = payload.map_err(wrong)?;
            if let Some((id, range)) = payload.as_section() {
                read.sections.push((id, &binary[range]));
            }
            read.take(payload)?;
        }
        Ok(read)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    match import.map_err(wrong)?.ty {
                        wasmparser::TypeRef::Func(_) => {}
                        _ => return Err(wrong("the module imports more than functions")),
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    if self.memory.replace(memory.map_err(wrong)?).is_some() {
                        return Err(wrong("the module has more than one memory"));
                    }
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global.map_err(wrong)?;
                    self.constants.push(ConstExpr::try_from(global.init_expr).map_err(wrong)?);
                    self.globals.push(global.ty);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export.map_err(wrong)?);
                }
            }
            Payload::StartSection { .. } => return Err(wrong("the module has a start function besides")),
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().map_err(wrong)? {
                    if is_lost(&operator.map_err(wrong)?) {
                        return Err(wrong("the module changes tables or uses segments while it runs"));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn has_start(&self) -> bool {
        self.exports.iter().any(|export| export.name == START && export.kind == ExternalKind::Func)
    }

    /// The exports, without the start-up when it has been run.
    fn exports(&self, with_start: bool) -> Result<ExportSection> {
        let mut section = ExportSection::new();
        for export in self.exports.iter().filter(|export| with_start || export.name != START) {
            section.export(export.name, ExportKind::try_from(export.kind).map_err(|_| wrong("an export"))?, export.index);
        }
        Ok(section)
    }

    fn mutable(&self) -> impl Iterator<Item = (usize, &wasmparser::GlobalType)> {
        self.globals.iter().enumerate().filter(|(_, ty)| ty.mutable)
    }

    /// The same module, with its memory and its globals in sight.
    fn opened(&self) -> Result<Vec<u8>> {
        let mut exports = self.exports(true)?;
        exports.export(MEMORY, ExportKind::Memory, 0);
        for (index, _) in self.mutable() {
            exports.export(&format!("{GLOBAL}{index}"), ExportKind::Global, index as u32);
        }
        let mut module = Module::new();
        for &(id, data) in &self.sections {
            match id {
                7 => module.section(&exports),
                _ => module.section(&RawSection { id, data }),
            };
        }
        Ok(module.finish())
    }

    /// The module as it is after its start-up.
    fn after(&self, memory: &[u8], globals: &[Option<ConstExpr>]) -> Result<Vec<u8>> {
        let ty = self.memory.ok_or_else(|| wrong("the module has no memory"))?;
        let mut memories = MemorySection::new();
        memories.memory(wasm_encoder::MemoryType {
            minimum: (memory.len() / PAGE) as u64,
            maximum: ty.maximum,
            memory64: ty.memory64,
            shared: ty.shared,
            page_size_log2: ty.page_size_log2,
        });
        let mut section = GlobalSection::new();
        for ((ty, before), after) in self.globals.iter().zip(&self.constants).zip(globals) {
            section.global(
                GlobalType { val_type: value_type(ty)?, mutable: ty.mutable, shared: ty.shared },
                after.as_ref().unwrap_or(before),
            );
        }
        let (exports, data) = (self.exports(false)?, segments(memory)?);
        let mut module = Module::new();
        let mut written = false;
        for &(id, bytes) in &self.sections {
            match id {
                5 => module.section(&memories),
                6 => module.section(&section),
                7 => module.section(&exports),
                11 => {
                    written = true;
                    module.section(&data)
                }
                // The count of segments, which only instructions that are refused would need.
                12 => &mut module,
                _ => module.section(&RawSection { id, data: bytes }),
            };
        }
        if !written {
            module.section(&data);
        }
        Ok(module.finish())
    }
}

fn value_type(ty: &wasmparser::GlobalType) -> Result<ValType> {
    ValType::try_from(ty.content_type).map_err(|_| wrong("a global of a type that cannot be kept"))
}

/// The pieces of memory that are not zero.
fn segments(memory: &[u8]) -> Result<DataSection> {
    let (mut section, mut count, mut at) = (DataSection::new(), 0, 0);
    while let Some(start) = memory[at..].iter().position(|&byte| byte != 0).map(|skip| at + skip) {
        let (mut end, mut scan) = (start + 1, start + 1);
        while scan < memory.len() && scan - end < GAP {
            scan += 1;
            if memory[scan - 1] != 0 {
                end = scan;
            }
        }
        section.active(0, &ConstExpr::i32_const(start as i32), memory[start..end].iter().copied());
        (at, count) = (end, count + 1);
        if count > SEGMENTS {
            return Err(wrong("memory is in too many pieces"));
        }
    }
    Ok(section)
}

// ---- what the start-up asks -----------------------------------------------------------------------------------------

/// What a start-up that runs now knows.
struct Asked {
    printed: String,
    chance: u64,
    limits: StoreLimits,
}

impl Asked {
    /// Bytes that look random and are always the same (splitmix64).
    fn random(&mut self) -> u8 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as u8
    }
}

/// The guest's memory, with what is known beside it.
struct Place<'a> {
    memory: &'a mut [u8],
    asked: &'a mut Asked,
    fuel: u64, // what is left
}

impl Place<'_> {
    /// A part of memory, for which the start-up pays: whatever a call does, it does with these.
    fn at(&mut self, at: u64, size: u32) -> Result<&mut [u8]> {
        self.fuel = self.fuel.checked_sub(1 + u64::from(size)).ok_or("all fuel consumed by what it asks for")?;
        self.memory.get_mut(at as usize..).and_then(|rest| rest.get_mut(..size as usize)).ok_or_else(|| "a place outside memory".into())
    }

    fn put(&mut self, at: u32, bytes: &[u8]) -> Result<i32> {
        self.at(at.into(), bytes.len() as u32)?.copy_from_slice(bytes);
        Ok(0)
    }

    fn word(&mut self, at: u64) -> Result<u32> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.at(at, 4)?);
        Ok(u32::from_le_bytes(bytes))
    }

    fn print(&mut self, pieces: u32, count: u32, ret: u32) -> Result<i32> {
        let mut size = 0u32;
        for piece in (0..u64::from(count)).map(|piece| u64::from(pieces) + 8 * piece) {
            let (at, length) = (self.word(piece)?, self.word(piece + 4)?);
            let room = PRINTED.saturating_sub(self.asked.printed.len());
            let part = self.at(at.into(), length)?;
            let text = String::from_utf8_lossy(&part[..part.len().min(room)]).into_owned();
            self.asked.printed.push_str(&text);
            size = size.checked_add(length).ok_or("it prints more than 4 GiB at once")?;
        }
        self.put(ret, &size.to_le_bytes())
    }

    /// The same answers as those of sdk/wasi-stub, but constant, and waiting is over at once. A number is the call's errno.
    fn answer(&mut self, name: &str, p: &[u32]) -> Result<i32> {
        match (name, p) {
            ("clock_time_get", &[_, _, ret]) => self.put(ret, &CLOCK.to_le_bytes()),
            ("clock_res_get", &[_, ret]) => self.put(ret, &1u64.to_le_bytes()),
            ("random_get", &[at, size]) => {
                for place in 0..u64::from(size) {
                    let byte = self.asked.random();
                    self.at(u64::from(at) + place, 1)?[0] = byte;
                }
                Ok(0)
            }
            ("fd_write", &[1 | 2, pieces, count, ret]) => self.print(pieces, count, ret),
            ("fd_read", &[0, _, _, ret]) => self.put(ret, &[0; 4]),
            ("fd_fdstat_get", &[fd @ 0..=2, ret]) => {
                let mut bytes = [0; 24];
                (bytes[0], bytes[8]) = (2, if fd == 0 { 2 } else { 0x40 });
                self.put(ret, &bytes)
            }
            ("fd_filestat_get", &[0..=2, ret]) => {
                let mut bytes = [0; 64];
                bytes[16] = 2;
                self.put(ret, &bytes)
            }
            ("fd_fdstat_set_flags" | "fd_close", &[0..=2, ..]) => Ok(0),
            ("args_sizes_get" | "environ_sizes_get", &[count, size]) => self.put(count, &[0; 4]).and(self.put(size, &[0; 4])),
            ("args_get" | "environ_get" | "sched_yield", _) => Ok(0),
            // Go waits a moment before it says of what it dies. Nothing else has to wait: whoever does spends the fuel.
            ("poll_oneoff", &[_, _, _, ret]) => self.put(ret, &[0; 4]),
            ("proc_exit", _) => Err("it ended the program".into()),
            _ => Ok(8),
        }
    }
}

/// One import as a function of this machine.
fn function(store: &mut Store<Asked>, module: &str, name: &str, ty: wasmtime::FuncType) -> Func {
    let (module, name) = (module.to_string(), name.to_string());
    Func::new(store, ty, move |mut caller: Caller<'_, Asked>, parameters, results| {
        if module != WASI {
            return Err(wasmtime::Error::msg(format!("it calls {name} of {module}, which only a turn can")));
        }
        let numbers: Vec<u32> = parameters
            .iter()
            .map(|value| match value {
                Val::I32(value) => *value as u32,
                Val::I64(value) => *value as u32,
                _ => 0,
            })
            .collect();
        let Some(Extern::Memory(memory)) = caller.get_export(MEMORY) else {
            return Err(wasmtime::Error::msg("there is no memory"));
        };
        let fuel = caller.get_fuel()?;
        let (memory, asked) = memory.data_and_store_mut(&mut caller);
        let mut place = Place { memory, asked, fuel };
        let answer = place.answer(&name, &numbers).map_err(wasmtime::Error::msg)?;
        let left = place.fuel;
        caller.set_fuel(left)?;
        if let Some(result) = results.first_mut() {
            *result = Val::I32(answer);
        }
        Ok(())
    })
}

// ---- the run --------------------------------------------------------------------------------------------------------

fn store() -> Result<Store<Asked>> {
    let mut config = Config::new();
    // It runs once: what counts is the time to compile.
    config.cranelift_opt_level(OptLevel::None).consume_fuel(true).cranelift_nan_canonicalization(true);
    let engine = Engine::new(&config).map_err(wrong)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).build();
    let mut store = Store::new(&engine, Asked { printed: String::new(), chance: 0, limits });
    store.limiter(|asked| &mut asked.limits);
    store.set_fuel(FUEL).map_err(wrong)?;
    Ok(store)
}

fn run(store: &mut Store<Asked>, binary: &[u8]) -> Result<Instance> {
    let module = wasmtime::Module::new(store.engine(), binary).map_err(wrong)?;
    let mut imports = Vec::new();
    for import in module.imports() {
        let ty = import.ty().func().cloned().ok_or_else(|| wrong("the module imports more than functions"))?;
        imports.push(function(store, import.module(), import.name(), ty).into());
    }
    let instance = Instance::new(&mut *store, &module, &imports).map_err(wrong)?;
    let start = instance.get_typed_func::<(), ()>(&mut *store, START).map_err(wrong)?;
    start.call(&mut *store, ()).map_err(|error| {
        let printed = store.data().printed.trim();
        let reason = error.root_cause();
        wrong(if printed.is_empty() { Cow::from(reason.to_string()) } else { Cow::from(format!("{reason}: {printed}")) })
    })?;
    Ok(instance)
}

fn constant(value: Val) -> Result<ConstExpr> {
    Ok(match value {
        Val::I32(value) => ConstExpr::i32_const(value),
        Val::I64(value) => ConstExpr::i64_const(value),
        Val::F32(bits) => ConstExpr::f32_const(f32::from_bits(bits).into()),
        Val::F64(bits) => ConstExpr::f64_const(f64::from_bits(bits).into()),
        _ => return Err(wrong("a global of a type that cannot be kept")),
    })
}

/// Runs `_initialize`, and gives the module as it is after it. A module without one is given back as it is.
pub fn snapshot(binary: &[u8]) -> Result<Vec<u8>> {
    let read = Read::new(binary)?;
    if !read.has_start() {
        return Ok(binary.to_vec());
    }
    if read.memory.is_none() {
        return Err(wrong("the module has no memory"));
    }
    let mut store = store()?;
    let instance = run(&mut store, &read.opened()?)?;
    let mut globals = vec![None; read.globals.len()];
    for (index, _) in read.mutable() {
        let global = instance.get_global(&mut store, &format!("{GLOBAL}{index}")).ok_or_else(|| wrong("a global is missing"))?;
        globals[index] = Some(constant(global.get(&mut store))?);
    }
    let memory = instance.get_memory(&mut store, MEMORY).ok_or_else(|| wrong("the memory is missing"))?;
    read.after(memory.data(&store), &globals)
}
