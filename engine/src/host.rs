//! What a guest can call, and what bounds its growth: the store's data of one turn.

use wasmtime::component::{ComponentType, Lift, Linker, Lower, WasmList, WasmStr};
use wasmtime::{bail, ResourceLimiter, Result, StoreContextMut};

use crate::check::HOST;
use crate::config::TABLE_ELEMENTS;
use crate::ffi::{Bytes, TurnOptions};

/// The levels of `log`, whose numbers C is given; only the canonical ABI makes them.
#[allow(dead_code, non_camel_case_types)]
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum Level {
    trace,
    debug,
    info,
    warn,
    error,
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub struct Reply {
    pub request: u64,
    pub failed: bool,
}

/// `input-source`, by its own names. The texts are borrowed from the caller of the turn, see `Host`.
#[allow(non_camel_case_types)]
#[derive(ComponentType, Lower, Clone, Copy)]
#[component(variant)]
pub enum Source {
    genesis,
    client(Option<&'static str>),
    actor(&'static str),
    reply(Reply),
}

/// The data of one turn's store. Every `'static` in it means "until th_engine_turn_end", which C promises for all that
/// `th_engine_turn_options` borrows, and which the store does not outlive.
pub struct Host {
    pub options: TurnOptions,
    pub self_name: &'static str,
    pub source: Source,
    /// Of the memories of the turn, in bytes.
    pub largest_memory: usize,
    /// Of the tables, in elements.
    pub largest_table: usize,
    /// A callback returned false.
    pub stopped: bool,
    /// The host could not do what the limits allow: the turn must not become an element.
    pub failed: bool,
}

// SAFETY: the raw pointers in the options are C's, which promises that one thread at a time runs a turn.
unsafe impl Send for Host {}

impl ResourceLimiter for Host {
    /// Also asked for the memory that an instance begins with: a no then fails the instantiation, without an element.
    fn memory_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.largest_memory = self.largest_memory.max(desired);
        Ok(desired as u64 <= self.options.memory_bytes && maximum.is_none_or(|maximum| desired <= maximum))
    }

    /// Only growths that the limits allow come here, so the host itself has failed.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.failed = true;
        Err(error.context("the host could not grow a memory within its limit"))
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        self.largest_table = self.largest_table.max(desired);
        Ok(desired <= TABLE_ELEMENTS && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.failed = true;
        Err(error.context("the host could not grow a table within its limit"))
    }

    // The component's own counts are bounded when it is loaded.
    fn instances(&self) -> usize {
        usize::MAX
    }
    fn tables(&self) -> usize {
        usize::MAX
    }
    fn memories(&self) -> usize {
        usize::MAX
    }
}

/// What a callback answered: where it said no, the guest's run ends at this host call.
fn answered<T>(mut store: StoreContextMut<'_, Host>, yes: bool, value: T) -> Result<T> {
    if !yes {
        store.data_mut().stopped = true;
        bail!("a host call ended the turn");
    }
    Ok(value)
}

/// Defines `theater:actor/host`. A text that is not UTF-8 fails in `to_str`, before the callback hears of it.
///
/// SAFETY of the calls: the callbacks and their context are C's, valid until the turn ends; what they are given lives
/// for the call, and the random bytes stay valid until the next callback, before which they are in the guest's memory.
pub fn define(linker: &mut Linker<Host>) -> Result<()> {
    let mut host = linker.instance(HOST)?;
    host.func_wrap("now", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().options.timestamp_ns,)))?;
    host.func_wrap("self-name", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().self_name,)))?;
    host.func_wrap("sequence", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().options.sequence,)))?;
    host.func_wrap("source", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().source,)))?;
    host.func_wrap("log", |store: StoreContextMut<'_, Host>, (level, text): (Level, WasmStr)| {
        let (options, text) = (&store.data().options, text.to_str(&store)?);
        let yes = unsafe { (options.log)(options.context, level as u32, Bytes::of(text.as_bytes())) };
        answered(store, yes, ())
    })?;
    host.func_wrap("random", |store: StoreContextMut<'_, Host>, (length,): (u32,)| {
        let (options, mut bytes) = (&store.data().options, Bytes::EMPTY);
        let yes = unsafe { (options.random)(options.context, length, &mut bytes) };
        answered(store, yes, (if yes { unsafe { bytes.as_slice() } } else { &[] },))
    })?;
    host.func_wrap("send", |store: StoreContextMut<'_, Host>, (to, payload): (WasmStr, WasmList<u8>)| {
        let (options, to) = (&store.data().options, to.to_str(&store)?);
        let payload = Bytes::of(payload.as_le_slice(&store));
        let yes = unsafe { (options.send)(options.context, Bytes::of(to.as_bytes()), payload) };
        answered(store, yes, ())
    })?;
    host.func_wrap("request", |store: StoreContextMut<'_, Host>, (to, payload): (WasmStr, WasmList<u8>)| {
        let (options, to, mut id) = (&store.data().options, to.to_str(&store)?, 0);
        let payload = Bytes::of(payload.as_le_slice(&store));
        let yes = unsafe { (options.request)(options.context, Bytes::of(to.as_bytes()), payload, &mut id) };
        answered(store, yes, (id,))
    })?;
    Ok(())
}
