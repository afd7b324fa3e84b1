//! Which pages of a private mapping were written, by the kernel's word.
//!
//! 1. A written page is private to this process: it is there or swapped out, and is neither the kernel's page of zeros nor
//!    a page of the file that is mapped.
//! 2. The word is that of the process that asked first. After a fork there is none in the child.
//! 3. A page becomes private only by a fault of the thread that writes to it, which the kernel counts for that thread.
//!    Huge pages, which could bring others along, are turned off for the mappings that rely on it. `probe` tries it.

use std::fs::File;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::ioctl::{ioctl, opcode, Ioctl, IoctlOutput, Opcode};
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};

/// From the first byte to behind the last, as addresses.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Region {
    pub start: u64,
    pub end: u64,
    categories: u64,
}

impl Region {
    pub const NONE: Region = Region { start: 0, end: 0, categories: 0 };
}

/// `struct pm_scan_arg` of linux/fs.h.
#[repr(C)]
#[derive(Clone, Copy)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    inverted: u64,
    all_of: u64,
    any_of: u64,
    returned: u64,
}

const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const SWAPPED: u64 = 1 << 4;
const PFNZERO: u64 = 1 << 5;

// SAFETY: PAGEMAP_SCAN reads the argument, writes `walk_end` and at most `vec_len` regions at `vec`.
unsafe impl Ioctl for Scan {
    type Output = (usize, u64);
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<Scan>(b'f', 16)
    }
    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        (self as *mut Scan).cast()
    }
    unsafe fn output_from_ptr(out: IoctlOutput, argument: *mut std::ffi::c_void) -> rustix::io::Result<Self::Output> {
        let count = usize::try_from(out).map_err(|_| Errno::INVAL)?;
        Ok((count, (*argument.cast::<Scan>()).walk_end))
    }
}

/// For tests: what it is like on a kernel without PAGEMAP_SCAN, for the calling thread.
#[cfg(test)]
pub mod without {
    thread_local! {
        static OFF: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }

    pub fn is_set() -> bool {
        OFF.get()
    }

    pub fn set(off: bool) {
        OFF.set(off);
    }
}

/// The kernel's word about this process; nothing where it cannot be had.
fn pagemap() -> Option<&'static File> {
    #[cfg(test)]
    if without::is_set() {
        return None;
    }
    static PAGEMAP: OnceLock<Option<(u32, File)>> = OnceLock::new();
    let opened = PAGEMAP.get_or_init(|| Some((std::process::id(), File::open("/proc/self/pagemap").ok()?)));
    opened.as_ref().filter(|(process, _)| *process == std::process::id()).map(|(_, file)| file)
}

/// Finds written pages between two addresses: at most `most`, in as many regions as there is room for. Gives how many
/// regions there are and up to where it looked, which is before `end` when one of the bounds was met.
pub fn written(start: u64, end: u64, most: usize, found: &mut [Region]) -> Option<(usize, u64)> {
    let scan = Scan {
        size: size_of::<Scan>() as u64,
        flags: 0,
        start,
        end,
        walk_end: start,
        vec: found.as_mut_ptr() as u64,
        vec_len: found.len() as u64,
        max_pages: most as u64,
        inverted: FILE | PFNZERO,
        all_of: FILE | PFNZERO,
        any_of: PRESENT | SWAPPED,
        returned: 0,
    };
    // SAFETY: the kernel writes no more regions than there is room for.
    let (count, walked) = unsafe { ioctl(pagemap()?, scan) }.ok()?;
    Some((count.min(found.len()), walked))
}

/// Page faults of the calling thread so far.
pub fn faults() -> u64 {
    /// `struct rusage`: two times of two words, then fourteen words, of which the fifth and sixth are faults.
    #[repr(C)]
    struct Usage {
        times: [i64; 4],
        before: [i64; 4],
        minor: i64,
        major: i64,
        after: [i64; 8],
    }
    extern "C" {
        fn getrusage(who: i32, usage: *mut Usage) -> i32;
    }
    const THREAD: i32 = 1;
    let mut usage = MaybeUninit::<Usage>::zeroed();
    // SAFETY: the layout of every 64-bit Linux; zeros are numbers.
    let usage = unsafe {
        getrusage(THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    (usage.minor as u64).wrapping_add(usage.major as u64)
}

/// Whether a write to a page of a file's private mapping is counted as a fault, and is found.
pub fn probe() -> bool {
    #[cfg(test)]
    if without::is_set() {
        return tried().unwrap_or(false);
    }
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| tried().unwrap_or(false))
}

fn tried() -> Option<bool> {
    let size = crate::memory::PAGE;
    let file = rustix::fs::memfd_create(c"theater-probe", rustix::fs::MemfdFlags::CLOEXEC).ok()?;
    rustix::fs::ftruncate(&file, size as u64).ok()?;
    // SAFETY: a new mapping, unmapped below.
    let page =
        unsafe { mmap(null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE, &file, 0) }.ok()?;
    let (start, mut found) = (page as u64, [Region::NONE]);
    // SAFETY: one byte of that mapping.
    let read = unsafe { page.cast::<u8>().read_volatile() };
    let clean = written(start, start + size as u64, 1, &mut found);
    let before = faults();
    // SAFETY: likewise.
    unsafe { page.cast::<u8>().write_volatile(read + 1) };
    let counted = faults() != before;
    let dirty = written(start, start + size as u64, 1, &mut found);
    // SAFETY: the mapping from above.
    let _ = unsafe { munmap(page, size) };
    Some(counted && clean?.0 == 0 && dirty?.0 == 1 && found[0].start == start)
}
