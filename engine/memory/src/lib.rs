//! Memories for instances, made and reset more cheaply than Wasmtime's pool does: `memory` those of small components,
//! `paged` those of large ones, with `pagemap` for the kernel's word on what was written. Nothing here knows of actors.

mod linear;
pub mod memory;
pub mod paged;
mod pagemap;

/// The data of a memory: `bytes` from `offset` on, all else zero.
#[derive(Default)]
pub struct Image {
    pub offset: usize,
    pub bytes: Vec<u8>,
}
