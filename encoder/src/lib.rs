//! Makes a component of the world `theater:actor/guest` from a core module.
//!
//! `theater_encoder.h` is the interface. The static library of this crate holds the engine as well: two Rust
//! static libraries in one program would each bring a standard library and clash, so the program `theater`
//! links this one alone.

// Linking the engine is what puts its C functions into this static library; nothing here calls them.
extern crate theater_engine as _;

mod answers;
mod linked;
mod merge;
mod rename;
mod snapshot;
mod utf8;

use std::panic::{catch_unwind, AssertUnwindSafe};

use wit_component::{embed_component_metadata, ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId, WorldItem, WorldKey};

const WIT: &str = include_str!("../../wit/actor.wit");

/// What WASI preview 1 may do besides: an adapter whose world only imports the host (sdk/wasi-stub/README.md).
const ADAPTER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/stub.wasm"));
const ADAPTER_WORLD: &str = "package theater:stub; world adapter { import theater:actor/host@0.1.0; }";

/// The one interface that an actor may import.
const HOST: &str = "theater:actor/host@0.1.0";

const WASI_REMEDY: &str = "WASI gives files, clocks and sockets that a replay could not give again; `theater build` \
                           makes components without it from sources and from core modules";

const UNKNOWN_REMEDY: &str = "an actor can import theater:actor/host@0.1.0 alone; docs/languages.md says what stands \
                              in the place of clocks and random numbers";

/// Bytes of names that a message lists.
const MOST_LIST: usize = 450;

#[repr(C)]
pub struct Bytes {
    data: *mut u8,
    size: usize,
}

impl Bytes {
    const EMPTY: Bytes = Bytes { data: std::ptr::null_mut(), size: 0 };
}

fn text<E: std::fmt::Display>(place: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{place}: {error:#}")
}

/// The built-in package, and the world `name` of it.
fn world(name: &str) -> Result<(Resolve, WorldId), String> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("actor.wit", WIT).map_err(text("the built-in world"))?;
    let package = match name {
        "adapter" => resolve.push_str("adapter.wit", ADAPTER_WORLD).map_err(text("the adapter's world"))?,
        _ => package,
    };
    let world = resolve.select_world(&[package], Some(name)).map_err(text("the built-in world"))?;
    Ok((resolve, world))
}

fn with_metadata(module: &[u8], world_name: &str) -> Result<Vec<u8>, String> {
    let (resolve, world) = world(world_name)?;
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(text("the core module"))?;
    Ok(module)
}

fn encode(module: &[u8], wasi: bool) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(&with_metadata(&rename::rename_exports(module), "guest")?)
        .map_err(text("the core module"))?;
    if wasi {
        let adapter = with_metadata(ADAPTER, "adapter")?;
        encoder = encoder.adapter("wasi_snapshot_preview1", &adapter).map_err(text("the adapter"))?;
    }
    encoder.encode().map_err(|error| match unknown_imports(module, wasi) {
        names if names.is_empty() => text("the component")(error),
        names => format!("{UNKNOWN_REMEDY}; it imports {}", list(&names)),
    })
}

/// What a core module imports of others than the host, and the adapter if there is one: a clock, random numbers, a console.
fn unknown_imports(module: &[u8], wasi: bool) -> Vec<String> {
    let known = |from: &str| from == HOST || (wasi && from == "wasi_snapshot_preview1");
    let sections = wasmparser::Parser::new(0).parse_all(module).filter_map(|payload| match payload {
        Ok(wasmparser::Payload::ImportSection(section)) => Some(section),
        _ => None,
    });
    let imports = sections.flat_map(|section| section.into_imports()).flatten();
    imports.filter(|import| !known(import.module)).map(|import| format!("{}.{}", import.module, import.name)).collect()
}

/// The imports of a component that the host does not have, one name each.
fn foreign_imports(component: &[u8]) -> Result<Vec<String>, String> {
    let decoded = wit_component::decode(component).map_err(text("not a component"))?;
    let wit_component::DecodedWasm::Component(resolve, world) = decoded else {
        return Err("not a component but a WIT package".into());
    };
    let name = |key: &WorldKey, item: &WorldItem| match item {
        WorldItem::Type { .. } => None,
        _ => Some(resolve.name_world_key(key)).filter(|name| name != HOST),
    };
    Ok(resolve.worlds[world].imports.iter().filter_map(|(key, item)| name(key, item)).collect())
}

/// The names, as many as fit into a message, and how many there are besides.
fn list(names: &[String]) -> String {
    let mut size = 0;
    let shown = names.iter().take_while(|name| { size += name.len() + 2; size <= MOST_LIST }).count();
    let more = if shown < names.len() { format!(" and {} more", names.len() - shown) } else { String::new() };
    format!("{}{more}", names[..shown].join(", "))
}

fn inspect(component: &[u8]) -> Result<(), String> {
    let imports = foreign_imports(component)?;
    if imports.is_empty() {
        return Ok(());
    }
    // The remedy stands first: of a long list the end may be cut off.
    let remedy = match imports.iter().any(|name| name.starts_with("wasi:")) {
        true => WASI_REMEDY,
        false => "an actor can import theater:actor/host@0.1.0 alone",
    };
    Err(format!("{remedy}; it imports {}", list(&imports)))
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

/// Runs a step that makes bytes of bytes, and gives them or what went wrong.
unsafe fn made(
    input: *const u8,
    size: usize,
    ret: *mut Bytes,
    reterr: *mut u8,
    reterr_size: usize,
    step: impl FnOnce(&[u8]) -> Result<Vec<u8>, String>,
) -> bool {
    let input = if size == 0 { &[][..] } else { std::slice::from_raw_parts(input, size) };
    *ret = Bytes::EMPTY;
    match catch_unwind(AssertUnwindSafe(|| step(input))) {
        Ok(Ok(output)) => {
            let output = Box::leak(output.into_boxed_slice());
            *ret = Bytes { data: output.as_mut_ptr(), size: output.len() };
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
/// `module` has `size` readable bytes, `ret` is writable, `reterr` has `reterr_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_component(
    module: *const u8,
    size: usize,
    wasi: bool,
    ret: *mut Bytes,
    reterr: *mut u8,
    reterr_size: usize,
) -> bool {
    made(module, size, ret, reterr, reterr_size, |module| encode(module, wasi))
}

/// See `theater_encoder.h`.
///
/// # Safety
/// `component` has `size` readable bytes, `ret` is writable, `reterr` has `reterr_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_merge(
    component: *const u8,
    size: usize,
    ret: *mut Bytes,
    reterr: *mut u8,
    reterr_size: usize,
) -> bool {
    made(component, size, ret, reterr, reterr_size, merge::merge)
}

/// See `theater_encoder.h`.
///
/// # Safety
/// `module` has `size` readable bytes, `ret` is writable, `reterr` has `reterr_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_snapshot(
    module: *const u8,
    size: usize,
    ret: *mut Bytes,
    reterr: *mut u8,
    reterr_size: usize,
) -> bool {
    made(module, size, ret, reterr, reterr_size, snapshot::snapshot)
}

/// See `theater_encoder.h`.
///
/// # Safety
/// `component` has `size` readable bytes, `reterr` has `reterr_size` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_inspect(
    component: *const u8,
    size: usize,
    reterr: *mut u8,
    reterr_size: usize,
) -> bool {
    let component = if size == 0 { &[][..] } else { std::slice::from_raw_parts(component, size) };
    match catch_unwind(AssertUnwindSafe(|| inspect(component))) {
        Ok(Ok(())) => true,
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
/// `bytes` came from `th_encoder_component`, `th_encoder_merge` or `th_encoder_snapshot` and was not freed before.
#[no_mangle]
pub unsafe extern "C" fn th_encoder_free(bytes: Bytes) {
    if !bytes.data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(bytes.data, bytes.size)));
    }
}
