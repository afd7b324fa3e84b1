//! Makes a component of the world `theater:actor/guest` from a core module.
//!
//! `theater_encoder.h` is the interface. The static library of this crate holds the engine as well: two Rust
//! static libraries in one program would each bring a standard library and clash, so the program `theater`
//! links this one alone.

// Linking the engine is what puts its C functions into this static library; nothing here calls them.
extern crate theater_engine as _;

use std::panic::{catch_unwind, AssertUnwindSafe};

use wit_component::{embed_component_metadata, ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../wit/actor.wit");

#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    size: usize,
}

impl Bytes {
    const EMPTY: Bytes = Bytes { data: std::ptr::null_mut(), size: 0 };
}

fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    let text = |place: &'static str| move |error| format!("{place}: {error:#}");
    let mut resolve = Resolve::default();
    let package = resolve.push_str("actor.wit", WIT).map_err(text("the built-in world"))?;
    let world = resolve.select_world(&[package], Some("guest")).map_err(text("the built-in world"))?;

    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(text("the core module"))?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .map_err(text("the core module"))?
        .encode()
        .map_err(text("the component"))
}

/// Writes `message` on one line, cut at a character's border, with a terminating zero.
fn write_error(message: &str, out: *mut u8, size: usize) {
    if out.is_null() || size == 0 {
        return;
    }
    let line: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut end = line.len().min(size - 1);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    // SAFETY: the caller gave `size` bytes at `out`, and `end` is less than `size`.
    unsafe {
        std::ptr::copy_nonoverlapping(line.as_ptr(), out, end);
        *out.add(end) = 0;
    }
}

/// See `theater_encoder.h`.
///
/// # Safety
/// `module` has `size` readable bytes, `ret` is writable, `reterr` has `reterr_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_component(
    module: *const u8,
    size: usize,
    ret: *mut Bytes,
    reterr: *mut u8,
    reterr_size: usize,
) -> bool {
    let module = if size == 0 { &[][..] } else { std::slice::from_raw_parts(module, size) };
    *ret = Bytes::EMPTY;
    match catch_unwind(AssertUnwindSafe(|| encode(module))) {
        Ok(Ok(component)) => {
            let component = Box::leak(component.into_boxed_slice());
            *ret = Bytes { data: component.as_mut_ptr(), size: component.len() };
            true
        }
        Ok(Err(message)) => {
            write_error(&message, reterr, reterr_size);
            false
        }
        Err(_) => {
            write_error("the encoder failed inside", reterr, reterr_size);
            false
        }
    }
}

/// See `theater_encoder.h`.
///
/// # Safety
/// `bytes` came from `th_encoder_component` and was not freed before.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_free(bytes: Bytes) {
    if !bytes.data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.size)));
    }
}
