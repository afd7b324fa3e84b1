//! Memories of large components, such as the actors that `theater build` makes of Python and JavaScript: an image that
//! is mapped, and after a turn the pages that it wrote, written back.
//!
//! Wasmtime's pool does the same, but gives up what a turn wrote in more than 32 places: it returns the rest of the
//! memory to the kernel, and the next turn takes each of its pages anew. A turn in Python writes in 150 places.
//!
//! 1. A slot that waits is as the component's memory begins: its image, and zeros. It belongs to one component, and goes
//!    with it.
//! 2. Pages once written stay the slot's own, and are written back after each turn. Another page becomes its own by a
//!    fault only. So after a turn in which its thread had no fault the kernel, who takes long to look through a large
//!    memory, need not be asked which they are (`pagemap`).
//! 3. Where the kernel has no word for it, or there are too many such pages, they go back to the kernel.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::ptr::{null, null_mut, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::fs::{memfd_create, MemfdFlags};
use rustix::mm::{madvise, mmap, munmap, Advice, MapFlags, ProtFlags};
use wasmtime::{bail, Result};

use crate::linear::{Home, Linear};
use crate::memory::{locked, Slot, PAGE};
use crate::pagemap::{self, Region};
use crate::Image;

/// Slots that wait, of one component and of all of one process.
const WAITING: usize = 32;
const WAITING_OF_ALL: usize = 128;
/// Regions that are taken from the kernel at once.
const REGIONS: usize = 512;

/// The image of one component as a file, and its slots that wait.
pub struct Pages {
    file: File,
    /// The image as it lies in the memory: whole pages.
    start: usize,
    size: usize,
    /// The file once more, to be read.
    view: NonNull<u8>,
    free: Mutex<Vec<Own>>,
    /// Most bytes of pages that a waiting slot keeps as its own.
    resident: usize,
    /// Whether slots wait.
    keeps: bool,
}

// SAFETY: the view is never written.
unsafe impl Send for Pages {}
unsafe impl Sync for Pages {}

/// Slots that wait, in this process.
static WAIT: AtomicUsize = AtomicUsize::new(0);

/// Tells the calling thread from all others.
fn thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

thread_local! {
    /// Whose the next memory is that this thread makes.
    static PAGES: Cell<*const Arc<Pages>> = const { Cell::new(null()) };
}

/// Runs `body`, in which the one memory of a paged component is made.
pub fn with_pages<T>(pages: &Arc<Pages>, body: impl FnOnce() -> T) -> T {
    struct Clear;
    impl Drop for Clear {
        fn drop(&mut self) {
            PAGES.set(null());
        }
    }
    let _clear = Clear;
    PAGES.set(pages);
    body()
}

/// Of what the memory that is made now is to be made, if it is one of a paged component.
pub fn wanted() -> Option<Arc<Pages>> {
    // SAFETY: `with_pages` borrows it for as long as it stands there.
    unsafe { PAGES.take().as_ref() }.cloned()
}

impl Pages {
    /// Of a component with this image. Its slots keep up to `resident` bytes of pages as their own, if they are kept at all.
    pub fn new(image: &Image, resident: usize, keeps: bool) -> std::io::Result<Arc<Pages>> {
        let start = image.offset & !(PAGE - 1);
        let size = (image.offset - start + image.bytes.len()).next_multiple_of(PAGE);
        let mut file = File::from(memfd_create(c"theater-image", MemfdFlags::CLOEXEC)?);
        file.set_len(size as u64)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start((image.offset - start) as u64))?;
        file.write_all(&image.bytes)?;
        // SAFETY: a new mapping.
        let view = unsafe { mmap(null_mut(), size, ProtFlags::READ, MapFlags::SHARED, &file, 0)? };
        let view = NonNull::new(view.cast()).expect("a mapping is not at zero");
        Ok(Arc::new(Pages { file, start, size, view, free: Mutex::default(), resident, keeps }))
    }

    /// The image, and where it begins.
    pub fn image(&self) -> (usize, &[u8]) {
        // SAFETY: the mapping that `new` made, which nobody writes.
        (self.start, unsafe { std::slice::from_raw_parts(self.view.as_ptr(), self.size) })
    }

    /// A memory of the component, of `minimum` bytes that may grow to `most`.
    pub fn memory(self: Arc<Self>, minimum: usize, most: usize, reservation: usize, guard: usize) -> Result<Linear<Pages>> {
        let waiting = locked(&self.free).pop();
        let mut own = match waiting {
            Some(own) => {
                WAIT.fetch_sub(1, Ordering::Relaxed);
                own
            }
            None => self.map(minimum, reservation, guard)?,
        };
        own.slot.resize(minimum)?;
        (own.faults, own.thread) = (pagemap::faults(), thread());
        Ok(Linear::new(own, most, self))
    }

    fn map(&self, minimum: usize, reservation: usize, guard: usize) -> Result<Own> {
        if self.start + self.size > minimum {
            bail!("the image is larger than the memory");
        }
        let mut slot = Slot::map(reservation, guard)?;
        slot.resize(minimum)?;
        let place = slot.base.as_ptr().wrapping_add(self.start);
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED);
        // SAFETY: a part of the slot's own mapping. Where there are no huge pages, none need be turned off.
        unsafe {
            mmap(place.cast(), self.size, access, flags, &self.file, 0)?;
            let _ = madvise(slot.base.as_ptr().cast(), reservation, Advice::LinuxNoHugepage);
        }
        Ok(Own { slot, written: Vec::new(), faults: 0, thread: 0 })
    }

    /// Back to how the memory begins (invariant 1). False if that cannot be done.
    fn reset(&self, own: &mut Own) -> bool {
        let calm = own.thread == thread() && own.faults == pagemap::faults();
        if !(calm && pagemap::probe()) && !self.look(own) {
            return false;
        }
        // A turn before may have grown the memory further: what cannot be reached now is zero already.
        let base = own.slot.base.as_ptr();
        for region in &own.written {
            let end = (region.end as usize - base as usize).min(own.slot.accessible);
            self.restore(base, region.start as usize - base as usize, end);
        }
        true
    }

    /// Finds out which pages are the slot's own, and gives back to the kernel those that are too many. What this turn could
    /// not reach, because an earlier one had grown the memory further, stays the slot's own as it was: a later turn that
    /// grows as far writes to those pages without a fault.
    fn look(&self, own: &mut Own) -> bool {
        let base = own.slot.base.as_ptr() as u64;
        let (mut from, end) = (base, base + own.slot.accessible as u64);
        own.written.retain(|region| region.end > end);
        for region in &mut own.written {
            region.start = region.start.max(end);
        }
        let (mut most, mut found) = (self.resident / PAGE, [Region::NONE; REGIONS]);
        most = most.saturating_sub(pages_of(&own.written));
        while from < end && most > 0 {
            let Some((count, walked)) = pagemap::written(from, end, most, &mut found) else { break };
            own.written.extend_from_slice(&found[..count]);
            most = most.saturating_sub(pages_of(&found[..count]));
            from = walked;
        }
        // SAFETY: memory of the slot, which nobody uses any more; its file and zeros come back.
        from >= end || unsafe { madvise(from as *mut _, (end - from) as usize, Advice::LinuxDontNeed) }.is_ok()
    }

    /// Writes the image, or zeros, over pages of a slot, from `start` to `end` of the memory that begins at `base`.
    fn restore(&self, base: *mut u8, start: usize, end: usize) {
        let image_end = self.start + self.size;
        let zero = |from: usize, to: usize| {
            // SAFETY: accessible memory of the slot, that no instance uses any more.
            unsafe { base.add(from).write_bytes(0, to.saturating_sub(from)) }
        };
        zero(start, end.min(self.start));
        let (from, to) = (start.max(self.start), end.min(image_end));
        if from < to {
            // SAFETY: likewise, and the view of the image.
            unsafe { base.add(from).copy_from_nonoverlapping(self.view.as_ptr().add(from - self.start), to - from) };
        }
        zero(start.max(image_end), end);
    }
}

impl Home for Pages {
    type Held = Own;

    fn give_back(&self, mut own: Own) {
        let full = WAIT.load(Ordering::Relaxed) >= WAITING_OF_ALL;
        if !self.keeps || full || own.slot.torn || !self.reset(&mut own) {
            return;
        }
        let mut free = locked(&self.free);
        if free.len() < WAITING {
            free.push(own);
            WAIT.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        WAIT.fetch_sub(locked(&self.free).len(), Ordering::Relaxed);
        // SAFETY: the mapping that `new` made, and nobody reads it any more.
        let _ = unsafe { munmap(self.view.as_ptr().cast(), self.size) };
    }
}

fn pages_of(regions: &[Region]) -> usize {
    regions.iter().map(|region| (region.end - region.start) as usize / PAGE).sum()
}

/// A slot of one component.
pub struct Own {
    slot: Slot,
    /// The pages that are its own.
    written: Vec<Region>,
    /// The thread that uses it, and the faults that it had had then.
    thread: usize,
    faults: u64,
}

impl AsRef<Slot> for Own {
    fn as_ref(&self) -> &Slot {
        &self.slot
    }
}

impl AsMut<Slot> for Own {
    fn as_mut(&mut self) -> &mut Slot {
        &mut self.slot
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::LinearMemory;

    use super::*;
    use crate::pagemap::without;

    const PAGES: usize = 64;
    const MINIMUM: usize = PAGES * PAGE;
    const MOST: usize = 2 * MINIMUM;
    /// Lies in the third page and the two behind it.
    const IMAGE_AT: usize = 2 * PAGE + 100;

    fn pages(resident: usize) -> Arc<Pages> {
        let bytes = (0..2 * PAGE + 50).map(|i| i as u8 | 1).collect();
        Pages::new(&Image { offset: IMAGE_AT, bytes }, resident, true).unwrap()
    }

    fn memory(pages: &Arc<Pages>) -> Linear<Pages> {
        pages.clone().memory(MINIMUM, MOST, MOST, PAGE).unwrap()
    }

    fn bytes(memory: &Linear<Pages>) -> &mut [u8] {
        // SAFETY: the memory's accessible bytes, which the test alone uses.
        unsafe { std::slice::from_raw_parts_mut(memory.as_ptr(), memory.byte_size()) }
    }

    fn assert_fresh(pages: &Arc<Pages>, memory: &Linear<Pages>) {
        let (start, image) = pages.image();
        for (at, &byte) in bytes(memory).iter().enumerate() {
            let expected = at.checked_sub(start).and_then(|at| image.get(at)).copied().unwrap_or(0);
            assert_eq!(byte, expected, "byte {at}");
        }
    }

    /// Some turns in one slot, each of which must find it as the component's memory begins. Gives how many pages the slot had of its own.
    fn turns(pages: &Arc<Pages>) -> usize {
        let first = memory(pages).as_ptr();
        for turn in 0..6 {
            let mut memory = memory(pages);
            assert_eq!(memory.as_ptr(), first, "the slot waits");
            assert_fresh(pages, &memory);
            // Before the image, in it and behind it; every other turn grows and writes there too; the last one only reads.
            if turn % 2 == 1 {
                memory.grow_to(MOST).unwrap();
                assert_fresh(pages, &memory);
                bytes(&memory)[MOST - 1] = 1;
            }
            if turn < 5 {
                for page in [0, 2, 3, 4, 9, 10, 11, 40] {
                    bytes(&memory)[page * PAGE + 200] ^= 0xff;
                }
            }
        }
        let memory = memory(pages);
        assert_fresh(pages, &memory);
        pages_of(&memory.held().written)
    }

    #[test]
    fn a_slot_is_fresh_where_the_kernel_knows_what_was_written() {
        if !pagemap::probe() {
            println!("this kernel has no PAGEMAP_SCAN");
            return;
        }
        assert_eq!(turns(&pages(MOST)), 9);
        // More pages than a slot may keep go back to the kernel.
        assert_eq!(turns(&pages(3 * PAGE)), 3);
        assert_eq!(turns(&pages(0)), 0);
    }

    #[test]
    fn a_slot_is_fresh_where_the_kernel_has_no_word_for_it() {
        without::set(true);
        assert!(!pagemap::probe());
        assert_eq!(turns(&pages(MOST)), 0);
        without::set(false);
    }

    #[test]
    fn a_slot_is_fresh_when_the_kernels_word_ends_or_begins() {
        let pages = pages(MOST);
        for off in [false, true, false, true] {
            without::set(off);
            turns(&pages);
        }
        without::set(false);
    }
}
