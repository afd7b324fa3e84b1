//! The border to C: the layouts of `theater_engine.h`, and its functions.
//!
//! 1. No panic crosses: every function that does more than read a field runs inside `guarded`, which turns one into
//!    TH_ENGINE_FAILED, NULL or false. C's callbacks never unwind.
//! 2. Handles are boxes that C frees with the function of the same noun; they are borrowed here for a call only.
//! 3. C promises what the header says: pointers are valid, an engine outlives its components and they their turns,
//!    and one thread at a time uses a turn.

use std::ffi::{c_char, c_void, CStr};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use crate::component::TheaterComponent;
use crate::config::{Options, TheaterEngine};
use crate::host::{Host, Reply, Source};
use crate::turn::{End, Turn};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    data: *const u8,
    size: usize,
}

impl Bytes {
    pub const EMPTY: Bytes = Bytes { data: ptr::null(), size: 0 };

    pub fn of(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), size: bytes.len() }
    }

    /// # Safety
    /// The bytes must be valid for as long as the caller uses the slice.
    pub unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.data, self.size)
    }
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct TurnOptions {
    pub fuel: u64,
    pub memory_bytes: u64,
    pub timestamp_ns: u64,
    pub sequence: u64,
    self_name: Bytes,
    source_kind: u32,
    has_principal: bool,
    source_name: Bytes,
    reply_request: u64,
    reply_failed: bool,
    pub context: *mut c_void,
    pub log: unsafe extern "C" fn(*mut c_void, u32, Bytes) -> bool,
    pub random: unsafe extern "C" fn(*mut c_void, u32, *mut Bytes) -> bool,
    pub send: unsafe extern "C" fn(*mut c_void, Bytes, Bytes) -> bool,
    pub request: unsafe extern "C" fn(*mut c_void, Bytes, Bytes, *mut u64) -> bool,
}

/// th_engine_outcome, by its numbers.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Outcome {
    Ok = 0,
    Error = 1,
    Trap = 2,
    OutOfFuel = 3,
    Stopped = 4,
    Stack = 5,
    Failed = 6,
}

#[repr(C)]
pub struct TurnResult {
    output: Bytes,
    state: Bytes,
    valid: bool,
    trap: *const c_char,
    detail: *const c_char,
}

impl TurnResult {
    const EMPTY: TurnResult =
        TurnResult { output: Bytes::EMPTY, state: Bytes::EMPTY, valid: false, trap: ptr::null(), detail: ptr::null() };
}

fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// Writes a text with its closing zero; one that is cut, at a character's border, ends with dots.
unsafe fn write_text(text: &str, buffer: *mut c_char, size: usize) {
    if buffer.is_null() || size == 0 {
        return;
    }
    let dots = if text.len() < size { "" } else { &"..."[..(size - 1).min(3)] };
    let mut length = text.len().min(size - 1 - dots.len());
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast(), length);
    ptr::copy_nonoverlapping(dots.as_ptr(), buffer.cast::<u8>().add(length), dots.len());
    *buffer.add(length + dots.len()) = 0;
}

/// Runs a constructor; an error's text, or that of a panic, goes to C.
unsafe fn boxed<T>(reterr: *mut c_char, size: usize, body: impl FnOnce() -> Result<T, String>) -> *mut T {
    let made = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().map(String::as_str);
        let why = why.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(format!("the engine failed: {why}"))
    });
    match made {
        Ok(made) => Box::into_raw(Box::new(made)),
        Err(text) => {
            write_text(&text, reterr, size);
            ptr::null_mut()
        }
    }
}

unsafe fn dropped<T: ?Sized>(handle: *mut T) {
    if !handle.is_null() {
        guarded((), || drop(Box::from_raw(handle)));
    }
}

#[no_mangle]
pub extern "C" fn th_engine_name() -> *const c_char {
    c"wasmtime-48".as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_fingerprint(engine: &TheaterEngine) -> *const c_char {
    engine.fingerprint.as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_describe(engine: &TheaterEngine) -> *const c_char {
    engine.describe.as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_stack_bytes(engine: &TheaterEngine) -> usize {
    engine.stack_bytes
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_new(options: &Options, reterr: *mut c_char, size: usize) -> *mut TheaterEngine {
    boxed(reterr, size, || TheaterEngine::new(options).map_err(|error| format!("cannot make an engine: {error:#}")))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_free(engine: *mut TheaterEngine) {
    dropped(engine)
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_compile(
    engine: &TheaterEngine,
    binary: Bytes,
    reterr: *mut c_char,
    reterr_size: usize,
) -> *mut TheaterComponent {
    boxed(reterr, reterr_size, || TheaterComponent::compile(&engine.engines, binary.as_slice()))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_serialize(
    component: &TheaterComponent,
    ret: &mut Bytes,
    reterr: *mut c_char,
    reterr_size: usize,
) -> bool {
    let made = boxed(reterr, reterr_size, || component.serialize());
    if made.is_null() {
        return false;
    }
    let bytes = Box::leak(Box::from_raw(made).into_boxed_slice());
    *ret = Bytes::of(bytes);
    true
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_bytes_free(bytes: Bytes) {
    if !bytes.data.is_null() {
        dropped(ptr::slice_from_raw_parts_mut(bytes.data.cast_mut(), bytes.size));
    }
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_deserialize(
    engine: &TheaterEngine,
    compiled: Bytes,
    reterr: *mut c_char,
    reterr_size: usize,
) -> *mut TheaterComponent {
    boxed(reterr, reterr_size, || TheaterComponent::deserialize(&engine.engines, compiled.as_slice()))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_component_free(component: *mut TheaterComponent) {
    dropped(component)
}

/// Runs a step of a turn, and gives its outcome and what belongs to it.
fn step(turn: &mut Turn, ret: &mut TurnResult, body: impl FnOnce(&mut Turn) -> Result<bool, End>) -> Outcome {
    *ret = TurnResult::EMPTY;
    guarded(Outcome::Failed, || {
        let (end, valid) = body(turn).map_or_else(|end| (end, false), |valid| (End::OK, valid));
        let (output, state) = (Bytes::of(&turn.output), Bytes::of(&turn.state));
        let trap = end.trap.map_or(ptr::null(), CStr::as_ptr);
        let detail = turn.detail.as_ref().map_or(ptr::null(), |detail| detail.as_ptr());
        *ret = TurnResult { output, state, valid, trap, detail };
        end.outcome
    })
}

unsafe fn host_of(options: &TurnOptions) -> Result<Host, std::str::Utf8Error> {
    let name = std::str::from_utf8(options.source_name.as_slice())?;
    Ok(Host {
        self_name: std::str::from_utf8(options.self_name.as_slice())?,
        source: match options.source_kind {
            0 => Source::genesis,
            1 => Source::client(options.has_principal.then_some(name)),
            2 => Source::actor(name),
            _ => Source::reply(Reply { request: options.reply_request, failed: options.reply_failed }),
        },
        options: *options,
        largest_memory: 0,
        largest_table: 0,
        stopped: false,
        failed: false,
    })
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_turn_begin<'a>(
    component: &'a TheaterComponent,
    options: &TurnOptions,
    ret: &mut *mut Turn<'a>,
    ret_result: &mut TurnResult,
) -> Outcome {
    *ret = ptr::null_mut();
    *ret_result = TurnResult::EMPTY;
    let turn = guarded(None, || Turn::new(component, host_of(options).ok()?).ok().map(Box::new));
    let Some(turn) = turn else { return Outcome::Failed };
    *ret = Box::into_raw(turn);
    step(&mut **ret, ret_result, |turn| turn.instantiate().map(|()| false))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_turn_init(turn: &mut Turn, config: Bytes, ret: &mut TurnResult) -> Outcome {
    step(turn, ret, |turn| turn.init(config.as_slice()).map(|()| false))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_turn_handle(
    turn: &mut Turn,
    input: Bytes,
    state: Bytes,
    ret: &mut TurnResult,
) -> Outcome {
    step(turn, ret, |turn| turn.handle(input.as_slice(), state.as_slice()).map(|()| false))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_turn_verify_state(turn: &mut Turn, state: Bytes, ret: &mut TurnResult) -> Outcome {
    step(turn, ret, |turn| turn.verify_state(state.as_slice()))
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_turn_fuel(turn: &Turn) -> u64 {
    guarded(0, || turn.fuel())
}

#[no_mangle]
pub unsafe extern "C" fn th_engine_turn_end(turn: *mut Turn) {
    dropped(turn)
}
