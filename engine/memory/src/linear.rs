//! A memory in use: a slot, held by one instance, and the home that it goes back to.

use std::sync::Arc;

use wasmtime::{bail, LinearMemory, Result};

use crate::memory::Slot;

/// Where slots come from, and go back to when the store of their instance is dropped.
pub trait Home: Send + Sync + 'static {
    /// A slot, with what its home knows of it.
    type Held: AsRef<Slot> + AsMut<Slot> + Send + Sync;
    fn give_back(&self, held: Self::Held);
}

pub struct Linear<H: Home> {
    held: Option<H::Held>,
    most: usize,
    home: Arc<H>,
}

impl<H: Home> Linear<H> {
    /// A memory that may grow to `most` bytes.
    pub fn new(held: H::Held, most: usize, home: Arc<H>) -> Self {
        Linear { held: Some(held), most, home }
    }

    pub fn held(&self) -> &H::Held {
        self.held.as_ref().expect("the slot is there until the drop")
    }

    fn slot(&self) -> &Slot {
        self.held().as_ref()
    }
}

// SAFETY: a slot is a mapping that lies still, and what is past its accessible part cannot be touched. That it begins as the
// component's memory does is its home's to see to.
unsafe impl<H: Home> LinearMemory for Linear<H> {
    fn byte_size(&self) -> usize {
        self.slot().accessible
    }

    fn byte_capacity(&self) -> usize {
        self.slot().reservation
    }

    fn grow_to(&mut self, size: usize) -> Result<()> {
        if size > self.most {
            bail!("a memory of {size} bytes does not fit into {}", self.most);
        }
        self.held.as_mut().expect("the slot is there until the drop").as_mut().resize(size)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot().base.as_ptr()
    }
}

impl<H: Home> Drop for Linear<H> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            self.home.give_back(held);
        }
    }
}
