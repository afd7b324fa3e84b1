//! Memories of small components, made and reset here instead of by Wasmtime's pool.
//!
//! The pool asks the kernel which pages a turn wrote, some 0.9 us a turn, and locks the address space for it. A memory
//! of a few pages costs less to look through: pages that were never written are all the kernel's one page of zeros,
//! which stays in the processor's first cache.
//!
//! 1. A slot that lies in a free list is all zeros. So a memory that is made of it is as fresh as the kernel's; the
//!    component's data are copied into it.
//! 2. What is accessible ends where the guest's memory ends. All behind it, up to the reservation and a guard, cannot
//!    be touched, and so is the guard before it: the compiled code checks no bounds.
//! 3. A slot has one owner: a free list or a `Linear`, which gives it back when its store is dropped.
//! 4. A free list holds `SLOTS` at most: a thread may be given back slots that others took, as when it drops a
//!    component whose stores wait elsewhere.
//!
//! Threads: each uses the free list of its own number, so that slots stay warm in its cache and no list is fought for.

use std::cell::Cell;
use std::ptr::{null, null_mut, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::mm::{madvise, mmap_anonymous, mprotect, munmap, Advice, MapFlags, MprotectFlags, ProtFlags};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType, Result};

use crate::linear::{Home, Linear};
use crate::{paged, Image};

/// Numbers that threads get, in turn. Two threads with one number share a list, no more.
pub const THREADS: usize = 32;
/// Most slots of one free list: those of a thread's spare store, and of the one that takes its place.
const SLOTS: usize = 16;
pub const PAGE: usize = 4096;
/// What the kernel may take at once for memory past the part that a slot keeps (transparent huge pages).
const HUGE_PAGE: usize = 2 << 20;

/// The number of the calling thread, below `THREADS`.
pub fn thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed) % THREADS);
        }
        number.get()
    })
}

/// A panic of another thread leaves nothing half done in what these locks guard.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Address space for one memory: a guard, the memory, what it may grow into, a guard.
pub struct Slot {
    pub base: NonNull<u8>,
    pub reservation: usize,
    guard: usize,
    pub accessible: usize,
    /// A change of access failed, maybe in the midst of the range: `accessible` cannot be relied on, and nobody may get the slot.
    pub torn: bool,
}

// SAFETY: a slot is plain memory with one owner (invariant 3).
unsafe impl Send for Slot {}
unsafe impl Sync for Slot {}

impl Slot {
    pub fn map(reservation: usize, guard: usize) -> Result<Slot> {
        let (size, flags) = (reservation + 2 * guard, MapFlags::PRIVATE | MapFlags::NORESERVE);
        // SAFETY: a new mapping where the kernel has room.
        let start = unsafe { mmap_anonymous(null_mut(), size, ProtFlags::empty(), flags)? };
        let base = NonNull::new(start.cast::<u8>().wrapping_add(guard)).expect("a mapping is not at zero");
        Ok(Slot { base, reservation, guard, accessible: 0, torn: false })
    }

    /// What lies past `resident` is taken anew by each turn: in large pages where the kernel has them, which is faster for
    /// states of many megabytes.
    fn allow_huge_pages(&self, resident: usize) {
        let kept = resident.max(HUGE_PAGE);
        if kept < self.reservation {
            // SAFETY: the range lies in the mapping. A kernel that has none refuses, and nothing changes.
            let _ = unsafe {
                madvise(self.base.as_ptr().add(kept).cast(), self.reservation - kept, Advice::LinuxHugepage)
            };
        }
    }

    /// Makes exactly the first `size` bytes, whole pages, accessible. What is added is zero.
    pub fn resize(&mut self, size: usize) -> Result<()> {
        let (from, to) = (self.accessible.min(size), self.accessible.max(size));
        let access = if size > from { MprotectFlags::READ | MprotectFlags::WRITE } else { MprotectFlags::empty() };
        if from < to {
            // SAFETY: the range lies in the mapping, and nobody refers into it but a guest that asked for more.
            let changed = unsafe { mprotect(self.base.as_ptr().add(from).cast(), to - from, access) };
            self.torn |= changed.is_err();
            changed?;
        }
        self.accessible = size;
        Ok(())
    }

    fn fill(&mut self, image: &Image) {
        assert!(image.offset + image.bytes.len() <= self.accessible, "the data lie in the memory");
        // SAFETY: by the assertion.
        unsafe {
            self.base.as_ptr().add(image.offset).copy_from_nonoverlapping(image.bytes.as_ptr(), image.bytes.len());
        }
    }

    /// Back to zeros (invariant 1). What is past `resident` goes back to the kernel.
    fn reset(&mut self, resident: usize) -> Result<()> {
        let kept = self.accessible.min(resident);
        if kept < self.accessible {
            // SAFETY: as in `resize`.
            unsafe {
                madvise(self.base.as_ptr().add(kept).cast(), self.accessible - kept, Advice::LinuxDontNeed)?;
            }
        }
        // SAFETY: accessible memory of ours, that no instance uses any more.
        let memory = unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), kept) };
        zero(memory);
        Ok(())
    }
}

impl AsRef<Slot> for Slot {
    fn as_ref(&self) -> &Slot {
        self
    }
}

impl AsMut<Slot> for Slot {
    fn as_mut(&mut self) -> &mut Slot {
        self
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let start = self.base.as_ptr().wrapping_sub(self.guard);
        // SAFETY: the mapping that `map` made, and nobody uses it any more.
        let _ = unsafe { munmap(start.cast(), self.reservation + 2 * self.guard) };
    }
}

/// Writes zeros to the pages that are not zero. Reading first keeps pages that were never written from being made, and
/// the others from being written for nothing.
fn zero(memory: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has it.
            return unsafe { zero_avx512(memory) };
        }
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: likewise.
            return unsafe { zero_avx2(memory) };
        }
    }
    zero_pages(memory, is_zero);
}

/// With vectors that the compiler does not use by itself, which halves the time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn zero_avx512(memory: &mut [u8]) {
    use std::arch::x86_64::{_mm512_load_si512, _mm512_or_si512, _mm512_test_epi64_mask};
    zero_pages(memory, |page| {
        let start = page.as_ptr();
        for block in (0..PAGE).step_by(512) {
            // SAFETY: 64 bytes inside the page, which lies at a multiple of its size.
            let load = |at: usize| unsafe { _mm512_load_si512(start.add(block + at).cast()) };
            let [a, b] = [0, 256].map(|half| {
                let low = _mm512_or_si512(load(half), load(half + 64));
                _mm512_or_si512(low, _mm512_or_si512(load(half + 128), load(half + 192)))
            });
            let any = _mm512_or_si512(a, b);
            if _mm512_test_epi64_mask(any, any) != 0 {
                return false;
            }
        }
        true
    });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn zero_avx2(memory: &mut [u8]) {
    zero_pages(memory, is_zero);
}

#[inline(always)]
fn zero_pages(memory: &mut [u8], is_zero: impl Fn(&[u8]) -> bool) {
    for page in memory.chunks_exact_mut(PAGE) {
        if !is_zero(page) {
            page.fill(0);
        }
    }
}

/// Compiled for the vectors of its caller: hence loops, and none that ends early inside a block.
#[inline(always)]
fn is_zero(page: &[u8]) -> bool {
    // SAFETY: any bytes are numbers.
    let (_, blocks, _) = unsafe { page.align_to::<[u64; 64]>() };
    for block in blocks {
        let mut any = 0;
        for word in block {
            any |= word;
        }
        if any != 0 {
            return false;
        }
    }
    true
}

/// The slots of one engine.
pub struct Memories {
    free: [Mutex<Vec<Slot>>; THREADS],
    /// Most bytes of one memory, what a slot keeps between turns, and whether there are slots between turns.
    most: usize,
    resident: usize,
    pooled: bool,
}

thread_local! {
    /// What the next memory that this thread makes is to hold.
    static IMAGE: Cell<*const Image> = const { Cell::new(null()) };
}

/// Runs `body`, in which the one memory of a small component is made, with these data.
pub fn with_image<T>(image: &Image, body: impl FnOnce() -> T) -> T {
    struct Clear;
    impl Drop for Clear {
        fn drop(&mut self) {
            IMAGE.set(null());
        }
    }
    let _clear = Clear;
    IMAGE.set(image);
    body()
}

impl Memories {
    pub fn new(most: usize, resident: usize, pooled: bool) -> Memories {
        Memories { free: Default::default(), most, resident: resident & !(PAGE - 1), pooled }
    }

    /// Takes a warm slot, or maps one. Those in use are bounded by the turns and the kept stores, see `spare`.
    fn take(&self, reservation: usize, guard: usize) -> Result<Slot> {
        match locked(&self.free[thread()]).pop() {
            Some(slot) => Ok(slot),
            None => {
                let slot = Slot::map(reservation, guard)?;
                slot.allow_huge_pages(self.resident);
                Ok(slot)
            }
        }
    }
}

impl Home for Memories {
    type Held = Slot;

    fn give_back(&self, mut slot: Slot) {
        // A slot that cannot be reset, or that there is no place for, is unmapped, without the lock.
        if self.pooled && !slot.torn && slot.reset(self.resident).is_ok() {
            let mut free = locked(&self.free[thread()]);
            if free.len() < SLOTS {
                free.push(slot);
                return;
            }
        }
        drop(slot);
    }
}

/// What Wasmtime is given for `Memories`.
pub struct Creator(pub Arc<Memories>);

// SAFETY: what it makes is a mapping that lies still, is zero at first, and ends with memory that cannot be touched.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _type: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reservation: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let reservation = reservation.unwrap_or(0);
        let most = self.0.most.min(maximum.unwrap_or(usize::MAX)).min(reservation);
        if minimum > most {
            return Err(format!("a memory of {minimum} bytes does not fit into {most}"));
        }
        if let Some(pages) = paged::wanted() {
            return match pages.memory(minimum, self.0.most.min(reservation), reservation, guard) {
                Ok(linear) => Ok(Box::new(linear)),
                Err(error) => Err(format!("no room for a memory: {error}")),
            };
        }
        let mut slot = self.0.take(reservation, guard).map_err(|error| format!("no room for a memory: {error}"))?;
        let made = slot.resize(minimum);
        // SAFETY: `with_image` borrows the image for as long as it stands there.
        if let (Ok(()), Some(image)) = (&made, unsafe { IMAGE.take().as_ref() }) {
            slot.fill(image);
        }
        let linear = Linear::new(slot, self.0.most.min(reservation), self.0.clone());
        made.map_err(|error| format!("no room for a memory: {error}"))?;
        Ok(Box::new(linear))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_whose_growth_failed_is_not_used_again() {
        let memories = Memories::new(8 << 20, 1 << 20, true);
        let waiting = || locked(&memories.free[thread()]).len();
        for fails in [false, true] {
            let mut slot = memories.take(8 << 20, PAGE).unwrap();
            slot.resize(PAGE).unwrap();
            if fails {
                let file = std::fs::File::open("/proc/self/exe").unwrap();
                let place = slot.base.as_ptr().wrapping_add(4 << 20).cast();
                // SAFETY: a page of the slot's own mapping becomes one that nobody may write.
                let made = unsafe {
                    rustix::mm::mmap(place, PAGE, ProtFlags::empty(), MapFlags::SHARED | MapFlags::FIXED, &file, 0)
                };
                made.unwrap();
            }
            assert_eq!(slot.resize(6 << 20).is_err(), fails);
            memories.give_back(slot);
            assert_eq!(waiting(), usize::from(!fails));
        }
    }
}
