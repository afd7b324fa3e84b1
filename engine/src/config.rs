//! The one place that decides how components are executed (chain format, "Execution" and "Fuel").
//!
//! 1. Whatever could make two machines differ is fixed here: NaNs are canonical, fuel is counted, and the features
//!    that the chain format refuses are off. Threads, shared memory and exceptions are off because the crate features
//!    that they need are not compiled in.
//! 2. The pool, residency and stack size change costs, never results. A machine that cannot have the pool runs
//!    without it.
//! 3. The pool's address space holds 4 GiB for each memory, so that no growth within the limits can fail for want
//!    of room: bounds show only where the chain format puts them.

use std::ffi::CString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::Arc;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, WasmBacktraceDetails,
};

use crate::spare::Spares;
use theater_memory::memory::{Creator, Memories};

/// The version that `Cargo.toml` pins; part of the fingerprint.
const WASMTIME_VERSION: &str = "48.0.8";
/// The form in which `component` serializes, and what is `small` or `large`: changed with them.
const FORM: u32 = 4;
/// Most elements of a table, by the chain format.
pub const TABLE_ELEMENTS: usize = 100_000;
/// Stack of a recorder and of a verifier, by the chain format.
const RECORDER_STACK: usize = 1 << 20;
const VERIFIER_STACK: usize = 4 << 20;
/// Stack that the engine's own code and the host callbacks may need beside the guest's.
const HOST_STACK: usize = 512 << 10;
/// What one component may consist of. Tool chains make 4 to 30 core instances, 1 or 2 memories, 1 to 4 tables.
pub const CORE_INSTANCES: u32 = 200;
const MEMORIES: u32 = 16;
const TABLES: u32 = 32;
/// Bytes of bookkeeping of one core instance, and of all of one component.
const INSTANCE_BYTES: usize = 16 << 20;
/// Memory of a slot kept between turns: with pagemap_scan only the pages that a turn wrote are reset, so much is
/// kept cheaply; without it all that is kept is reset at every turn, so little is.
const RESIDENT_WITH_SCAN: usize = 1 << 20;
const RESIDENT_WITHOUT_SCAN: usize = 64 << 10;
/// The same for a small component, whose memory has grown: writing zeros costs a tenth of taking pages anew.
const RESIDENT_SMALL: usize = 8 << 20;
/// The same for a paged component: what its slots may keep as their own.
const RESIDENT_PAGED: usize = 8 << 20;

/// th_engine_options.
#[repr(C)]
pub struct Options {
    pulley: bool,
    verifier: bool,
    turns: u32,
    memory_bytes: u64,
    keep_resident_bytes: u64,
    no_pooling: bool,
}

/// What the components of one engine share.
pub struct Engines {
    /// For components in general: memories are images that are mapped, from a pool.
    pub engine: Engine,
    /// For small components and paged ones: memories come from `theater_memory`, with their data.
    pub small: Engine,
    /// What a paged memory keeps between turns as its own, most bytes of one, and whether any are kept.
    pub paged_resident: usize,
    pub memory_bytes: usize,
    pub has_pool: bool,
    pub spares: Spares,
    /// Most turns at once, and how many there are.
    pub most_turns: usize,
    pub turns: AtomicUsize,
    /// Numbers for components.
    pub components: AtomicU64,
}

/// An engine and what C is told about it.
pub struct TheaterEngine {
    pub engines: Arc<Engines>,
    pub fingerprint: CString,
    pub describe: CString,
    pub stack_bytes: usize,
}

impl TheaterEngine {
    pub fn new(options: &Options) -> Result<TheaterEngine> {
        let (engine, describe, has_pool) = match options.no_pooling {
            true => (Engine::new(&execution(options)?)?, "on demand".to_string(), false),
            false => match pooled(options) {
                Ok((engine, describe)) => (engine, describe, true),
                Err(error) => (Engine::new(&execution(options)?)?, format!("on demand (no pool: {error})"), false),
            },
        };
        let small = small(options, has_pool)?;
        let text = fingerprint(&engine, options);
        let most_turns = if options.no_pooling { usize::MAX } else { turns(options) as usize };
        Ok(TheaterEngine {
            engines: Arc::new(Engines {
                engine,
                small,
                paged_resident: usize::try_from(options.keep_resident_bytes).unwrap_or(usize::MAX).min(RESIDENT_PAGED),
                memory_bytes: usize::try_from(memory_bytes(options))?,
                has_pool,
                spares: Spares::new(has_pool),
                most_turns,
                turns: AtomicUsize::new(0),
                components: AtomicU64::new(0),
            }),
            fingerprint: CString::new(text)?,
            describe: CString::new(describe.replace('\0', " "))?,
            stack_bytes: stack(options) + HOST_STACK,
        })
    }
}

fn stack(options: &Options) -> usize {
    [RECORDER_STACK, VERIFIER_STACK][usize::from(options.verifier)]
}

/// Everything that a result, a fuel count or compiled code depends on.
fn execution(options: &Options) -> Result<Config> {
    let mut config = Config::new();
    if options.pulley {
        config.target("pulley64")?;
    }
    config.cranelift_nan_canonicalization(true);
    config.consume_fuel(true);
    config.wasm_gc(false);
    config.wasm_relaxed_simd(false);
    config.wasm_memory64(false);
    // A guest's stack lies on the thread's own; without fibers the second size only has to be no smaller.
    config.max_wasm_stack(stack(options));
    config.async_stack_size(stack(options));
    config.memory_reservation(4 << 30);
    config.memory_init_cow(true);
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    Ok(config)
}

fn turns(options: &Options) -> u32 {
    if options.turns == 0 {
        16
    } else {
        options.turns
    }
}

fn memory_bytes(options: &Options) -> u64 {
    if options.memory_bytes == 0 {
        4 << 30
    } else {
        options.memory_bytes.min(4 << 30)
    }
}

/// The engine for small components: the same but for where memories come from. Without a pool no slots are kept either.
fn small(options: &Options, has_pool: bool) -> Result<Engine> {
    let resident = match options.keep_resident_bytes {
        u64::MAX => RESIDENT_SMALL,
        bytes => usize::try_from(bytes)?,
    };
    let memories = Memories::new(usize::try_from(memory_bytes(options))?, resident, has_pool);
    let mut config = execution(options)?;
    config.with_host_memory(Arc::new(Creator(Arc::new(memories))));
    Engine::new(&config)
}

fn pooled(options: &Options) -> Result<(Engine, String)> {
    let scan = PoolingAllocationConfig::is_pagemap_scan_available();
    let resident = match options.keep_resident_bytes {
        u64::MAX if scan => RESIDENT_WITH_SCAN,
        u64::MAX => RESIDENT_WITHOUT_SCAN,
        bytes => usize::try_from(bytes)?,
    };
    let (turns, memory_bytes) = (turns(options), memory_bytes(options));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(turns)
        .total_core_instances(turns.saturating_mul(CORE_INSTANCES))
        .total_memories(turns.saturating_mul(MEMORIES))
        .total_tables(turns.saturating_mul(TABLES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memories_per_module(MEMORIES)
        .max_tables_per_module(TABLES)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_memory_size(usize::try_from(memory_bytes)?)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(resident)
        .table_keep_resident(resident)
        .pagemap_scan(if scan { Enabled::Yes } else { Enabled::No });
    let mut config = execution(options)?;
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)?;
    let scan = if scan { "pagemap_scan" } else { "no pagemap_scan" };
    Ok((engine, format!("pooling, {scan}, {} KiB resident, {turns} turns", resident >> 10)))
}

/// Wasmtime hashes all that its compiled forms depend on; the readable parts say what the hash stands for.
fn fingerprint(engine: &Engine, options: &Options) -> String {
    let mut hasher = DefaultHasher::new();
    FORM.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let target = if options.pulley { "pulley64" } else { std::env::consts::ARCH };
    let (os, hash) = (std::env::consts::OS, hasher.finish());
    format!("wasmtime {WASMTIME_VERSION}; {target}-{os}; canonical NaNs; fuel; {hash:016x}")
}
