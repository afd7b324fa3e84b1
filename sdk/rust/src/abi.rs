//! The canonical ABI of the world `theater:actor/guest`, by hand: three functions, one allocator, one place for results.
//!
//! There is no post-return function: the instance is dropped after the turn, and a call into it that only frees would cost more than it gives.

#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

use crate::{Actor, Codec, Result};
#[cfg(target_arch = "wasm32")]
use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

/// `result<list<u8>, string>` and `result<tuple<list<u8>, list<u8>>, string>`: a discriminant, padded, then pointers and lengths.
#[repr(C)]
struct Lowered {
    failed: u32,
    first: *const u8,
    first_size: usize,
    second: *const u8,
    second_size: usize,
}

/// Bytes that the runtime placed by `cabi_realloc`.
unsafe fn taken(data: *mut u8, size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    // SAFETY: cabi_realloc below made it with this size and an alignment of 1.
    Vec::from_raw_parts(data, size, size)
}

fn lower(result: Result<(Vec<u8>, Vec<u8>)>) -> *const u8 {
    let (failed, first, second) = match result {
        Ok((first, second)) => (0, first, second),
        Err(reject) => (1, reject.0.into_bytes(), Vec::new()),
    };
    let lowered = Box::new(Lowered {
        failed,
        first: first.as_ptr(),
        first_size: first.len(),
        second: second.as_ptr(),
        second_size: second.len(),
    });
    core::mem::forget((first, second));
    Box::leak(lowered) as *const Lowered as *const u8
}

fn panics_to_log() {
    #[cfg(all(target_arch = "wasm32", feature = "panic-log"))]
    std::panic::set_hook(Box::new(|panic| crate::host::log(crate::host::Level::Error, &panic.to_string())));
}

fn encoded<T, C: Codec<T>>(state: T) -> Result<Vec<u8>> {
    C::encode(state).ok_or_else(|| "the new state cannot be encoded".into())
}

pub unsafe fn init<A: Actor, C: Codec<A>>(config: *mut u8, size: usize) -> *const u8 {
    panics_to_log();
    lower(A::init(&taken(config, size)).and_then(encoded::<A, C>).map(|state| (state, Vec::new())))
}

pub unsafe fn handle<A: Actor, C: Codec<A>>(input: *mut u8, input_size: usize, state: *mut u8, size: usize) -> *const u8 {
    panics_to_log();
    lower(turn::<A, C>(&taken(input, input_size), taken(state, size)))
}

/// One turn, on the machine too.
pub fn turn<A: Actor, C: Codec<A>>(input: &[u8], state: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut actor = C::decode(state).ok_or("the state is none of this actor")?;
    let output = actor.handle(input)?;
    Ok((output, encoded::<A, C>(actor)?))
}

pub unsafe fn verify_state<A: Actor, C: Codec<A>>(state: *mut u8, size: usize) -> bool {
    panics_to_log();
    C::decode(taken(state, size)).is_some_and(|actor| actor.verify())
}

/// Called by the component to place arguments and answers.
#[cfg(target_arch = "wasm32")]
#[no_mangle]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if size == 0 {
        return align as *mut u8;
    }
    let layout = Layout::from_size_align_unchecked(old_size.max(1), align);
    let room = match old_size {
        0 => std::alloc::alloc(Layout::from_size_align_unchecked(size, align)),
        _ => std::alloc::realloc(old, layout, size),
    };
    if room.is_null() {
        core::arch::wasm32::unreachable();
    }
    room
}

const PAGE: u32 = 65536;

/// Where `size` bytes go behind what ends at `at`, and where they end. None: not below 4 GiB, which no address says.
fn placed(at: u32, size: u32, align: u32) -> Option<(u32, u32)> {
    let place = at.checked_next_multiple_of(align)?;
    Some((place, place.checked_add(size)?))
}

/// See `bump_allocator!`.
pub struct Bump {
    at: Cell<u32>,    // 0: nothing was placed
    pages: Cell<u32>, // that memory has: up to 65,536, whose end no address says
}

// SAFETY: an actor has one thread.
unsafe impl Sync for Bump {}

impl Bump {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Bump { at: Cell::new(0), pages: Cell::new(0) }
    }
}

#[cfg(target_arch = "wasm32")]
extern "C" {
    // The first free address; the linker sets it.
    static __heap_base: u8;
}

#[cfg(target_arch = "wasm32")]
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.at.get() == 0 {
            self.at.set(&__heap_base as *const u8 as u32);
            self.pages.set(core::arch::wasm32::memory_size(0) as u32);
        }
        let Some((place, end)) = placed(self.at.get(), layout.size() as u32, layout.align() as u32) else { return core::ptr::null_mut() };
        let pages = end.div_ceil(PAGE);
        if pages > self.pages.get() {
            if core::arch::wasm32::memory_grow(0, (pages - self.pages.get()) as usize) == usize::MAX {
                return core::ptr::null_mut();
            }
            self.pages.set(pages);
        }
        self.at.set(end);
        place as *mut u8
    }

    // Fresh memory is zero, and nothing is used twice.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.alloc(layout)
    }

    unsafe fn dealloc(&self, _place: *mut u8, _layout: Layout) {}

    // What was placed last grows where it is.
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if place as u32 + layout.size() as u32 == self.at.get() && size >= layout.size() {
            let more = Layout::from_size_align_unchecked(size - layout.size(), 1);
            return if self.alloc(more).is_null() { core::ptr::null_mut() } else { place };
        }
        if size <= layout.size() {
            return place;
        }
        let room = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !room.is_null() {
            core::ptr::copy_nonoverlapping(place, room, layout.size());
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_ends_below_4_gib() {
        assert_eq!(placed(1027, 5, 8), Some((1032, 1037)));
        assert_eq!(placed(0xffff_0000, 0xffff, 16), Some((0xffff_0000, u32::MAX)));
        assert_eq!(u32::MAX.div_ceil(PAGE), 65536);
        assert_eq!(placed(0xffff_0000, 0x1_0000, 16), None);
        assert_eq!(placed(0xffff_fff1, 0, 16), None);
        assert_eq!(placed(u32::MAX, 0, 1), Some((u32::MAX, u32::MAX)));
        assert_eq!(placed(u32::MAX, 1, 1), None);
    }
}
