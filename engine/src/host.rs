//! What a guest can call, and what bounds its growth: the store's data of one turn.

use wasmtime::component::{ComponentType, Lift, Linker, Lower, WasmList, WasmStr};
use wasmtime::{bail, ResourceLimiter, Result, StoreContextMut};

use crate::check::HOST;
use crate::config::TABLE_ELEMENTS;
use crate::ffi::{Bytes, TurnOptions};

/// The levels of `log`, whose numbers C is given; only the canonical ABI makes them.
#[allow(dead_code)]
#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub struct Reply {
    #[component(name = "request")]
    pub request: u64,
    #[component(name = "failed")]
    pub failed: bool,
}

/// `input-source`. The texts are borrowed from the caller of the turn, see `Host`.
#[derive(ComponentType, Lower, Clone, Copy)]
#[component(variant)]
pub enum Source {
    #[component(name = "genesis")]
    Genesis,
    #[component(name = "client")]
    Client(Option<&'static str>),
    #[component(name = "actor")]
    Actor(&'static str),
    #[component(name = "reply")]
    Reply(Reply),
}

/// The data of one turn's store. Every `'static` in it means "until th_engine_turn_end", which C promises for all that
/// `th_engine_turn_options` borrows, and which the store does not outlive.
pub struct Host {
    pub options: TurnOptions,
    pub self_name: &'static str,
    pub source: Source,
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
        Ok(desired as u64 <= self.options.memory_bytes && maximum.is_none_or(|maximum| desired <= maximum))
    }

    /// Only growths that the limits allow come here, so the host itself has failed.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.failed = true;
        Err(error.context("the host could not grow a memory within its limit"))
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
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

/// Ends the guest's run at this host call; the turn's outcome says whose wish it was.
fn stop<T>(host: &mut Host) -> Result<T> {
    host.stopped = true;
    bail!("a host call ended the turn")
}

/// Defines `theater:actor/host`. A text that is not UTF-8 fails in `to_str`, before the callback hears of it.
pub fn define(linker: &mut Linker<Host>) -> Result<()> {
    let mut host = linker.instance(HOST)?;
    host.func_wrap("log", |mut store: StoreContextMut<'_, Host>, (level, text): (Level, WasmStr)| {
        let text = text.to_str(&store)?;
        let options = &store.data().options;
        // SAFETY: the callback and its context are C's, valid until the turn ends; the text lives for the call.
        match unsafe { (options.log)(options.context, level as u32, Bytes::of(text.as_bytes())) } {
            true => Ok(()),
            false => stop(store.data_mut()),
        }
    })?;
    host.func_wrap("now", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().options.timestamp_ns,)))?;
    host.func_wrap("random", |mut store: StoreContextMut<'_, Host>, (length,): (u32,)| {
        let options = &store.data().options;
        let mut bytes = Bytes::EMPTY;
        // SAFETY: as above; the bytes stay valid until the next callback, and are copied to the guest before it.
        unsafe {
            match (options.random)(options.context, length, &mut bytes) {
                true => Ok((bytes.as_slice(),)),
                false => stop(store.data_mut()),
            }
        }
    })?;
    host.func_wrap("self-name", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().self_name,)))?;
    host.func_wrap("sequence", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().options.sequence,)))?;
    host.func_wrap("source", |store: StoreContextMut<'_, Host>, (): ()| Ok((store.data().source,)))?;
    host.func_wrap("send", |mut store: StoreContextMut<'_, Host>, (to, payload): (WasmStr, WasmList<u8>)| {
        let name = to.to_str(&store)?;
        let options = &store.data().options;
        let (name, payload) = (Bytes::of(name.as_bytes()), Bytes::of(payload.as_le_slice(&store)));
        // SAFETY: as in `log`.
        match unsafe { (options.send)(options.context, name, payload) } {
            true => Ok(()),
            false => stop(store.data_mut()),
        }
    })?;
    host.func_wrap("request", |mut store: StoreContextMut<'_, Host>, (to, payload): (WasmStr, WasmList<u8>)| {
        let name = to.to_str(&store)?;
        let options = &store.data().options;
        let (name, payload) = (Bytes::of(name.as_bytes()), Bytes::of(payload.as_le_slice(&store)));
        let mut id = 0;
        // SAFETY: as in `log`.
        match unsafe { (options.request)(options.context, name, payload, &mut id) } {
            true => Ok((id,)),
            false => stop(store.data_mut()),
        }
    })?;
    Ok(())
}
