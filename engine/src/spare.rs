//! Stores that serve several turns of small components, one after the other.
//!
//! Making a store and dropping it costs as much as an instance. So a store whose turn ended well is kept for the next
//! turn of the same component on the same thread, and is dropped after `TURNS` of them with all their instances.
//!
//! 1. Each turn has an instance of its own, with memories, tables and globals of its own: an instance of a turn before
//!    is never entered again, and shares nothing with the next one but the store's bookkeeping.
//! 2. What the store counts for all its instances starts anew with each turn (fuel), has no bound that a turn before
//!    could bring nearer (the limiter sees each memory by itself), or cannot be met: handles of resources are counted
//!    for the whole store, so only components without resources come here (`small`).
//! 3. A turn that trapped, failed, or grew a memory past `MEMORY` or a table past `TABLE` leaves no store behind.
//! 4. A component's stores are dropped before it is.
//! 5. Where there is no pool nothing is kept: each memory takes 4 GiB of the address space, which may be what there is
//!    too little of.

use std::sync::Mutex;

use wasmtime::Store;

use crate::host::Host;
use theater_memory::memory::{locked, thread, THREADS};

/// Turns that a store serves. More save little, and their memories stop fitting into a processor's nearer cache.
const TURNS: u32 = 8;
/// Largest memory that may wait for the end of a store.
const MEMORY: usize = 1 << 20;
/// Elements of the largest table likewise.
const TABLE: usize = 4096;

pub struct Spare {
    pub store: Store<Host>,
    /// Turns that it served.
    pub turns: u32,
}

/// The spare stores of one engine, one a thread, each with the number of its component.
pub struct Spares {
    keeps: bool,
    places: [Mutex<Option<(u64, Spare)>>; THREADS],
}

impl Spares {
    pub fn new(keeps: bool) -> Spares {
        Spares { keeps, places: Default::default() }
    }

    /// The store that waits for a turn of this component on this thread.
    pub fn take(&self, component: u64) -> Option<Spare> {
        // Another thread with this number has it: no need to wait.
        let found = self.places[thread()].try_lock().ok()?.take();
        found.filter(|(of, _)| *of == component).map(|(_, spare)| spare)
    }

    /// Keeps the store of a turn that ended well, or drops it.
    pub fn give_back(&self, component: u64, mut spare: Spare) {
        spare.turns += 1;
        let host = spare.store.data();
        let light = host.largest_memory <= MEMORY && host.largest_table <= TABLE;
        if self.keeps && light && spare.turns < TURNS {
            // What the place held before is dropped without the lock.
            let before = self.places[thread()].try_lock().ok().and_then(|mut place| place.replace((component, spare)));
            drop(before);
        }
    }

    /// Drops the stores of a component.
    pub fn forget(&self, component: u64) {
        for place in &self.places {
            let mut place = locked(place);
            if place.as_ref().is_some_and(|(of, _)| *of == component) {
                *place = None;
            }
        }
    }
}
