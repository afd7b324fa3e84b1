//! Large components whose memory can be made beforehand (`theater_memory::paged`), such as the actors that `theater
//! build` makes of Python and JavaScript: what they are, and how their data are taken out of them.
//!
//! 1. A component is paged if it is not small and all of this holds: one memory, in a module of the outermost component
//!    that is instantiated once; every active segment at a constant place inside it, and all together of a size of which
//!    Wasmtime, too, would make an image. So the fuel of a turn is the same however the memory is made.
//! 2. An active segment becomes a passive one without bytes, which is what it is to all instructions once the instance
//!    is there (WebAssembly core, Modules, Instantiation); the others keep their numbers and bytes.

use theater_memory::Image;
use wasmparser::{BinaryReader, DataKind, DataSectionReader, Operator};

use crate::small::{self, rewrite, write_size, DATA_SECTION, MODULE_SECTION};

/// Most bytes of a memory at its beginning: it is looked through.
const MEMORY_BYTES: usize = 256 << 20;
/// Up to this size Wasmtime makes an image of any data, and of larger ones if at least half of it is data.
const IMAGE_BYTES: usize = 16 << 20;

/// A paged component without its data, and the data; nothing if the component, which must be valid, is not paged, or
/// begins with more memory than there may be.
pub fn split(binary: &[u8], most_bytes: usize) -> Option<(Vec<u8>, Image)> {
    let memory_bytes = small::memory_of_paged(binary).ok()??;
    if memory_bytes > MEMORY_BYTES.min(most_bytes) {
        return None;
    }
    let mut data = Data { memory_bytes, segments: Vec::new() };
    let without = rewrite(binary, MODULE_SECTION, &mut |module| {
        rewrite(module, DATA_SECTION, &mut |section| data.take(section).map(Some)).map(Some)
    })?;
    Some((without, data.image()?))
}

struct Data {
    memory_bytes: usize,
    segments: Vec<(usize, Vec<u8>)>,
}

impl Data {
    /// Takes the active segments of a data section, and gives what is left of it.
    fn take(&mut self, section: &[u8]) -> Option<Vec<u8>> {
        const PASSIVE: u8 = 1;
        let reader = DataSectionReader::new(BinaryReader::new(section, 0)).ok()?;
        let mut rest = Vec::new();
        write_size(&mut rest, reader.count() as usize);
        for segment in reader {
            let segment = segment.ok()?;
            let left = match segment.kind {
                DataKind::Passive => segment.data,
                DataKind::Active { memory_index: 0, offset_expr } => {
                    let mut operators = offset_expr.get_operators_reader();
                    let Operator::I32Const { value } = operators.read().ok()? else { return None };
                    let Operator::End = operators.read().ok()? else { return None };
                    let start = value as u32 as usize;
                    // Data past the memory's end are the guest's trap, and none of this.
                    (start + segment.data.len() <= self.memory_bytes).then_some(())?;
                    self.segments.push((start, segment.data.to_vec()));
                    &[]
                }
                DataKind::Active { .. } => return None,
            };
            rest.push(PASSIVE);
            write_size(&mut rest, left.len());
            rest.extend_from_slice(left);
        }
        Some(rest)
    }

    /// Later segments lie over earlier ones.
    fn image(&self) -> Option<Image> {
        let filled = || self.segments.iter().filter(|(_, bytes)| !bytes.is_empty());
        let start = filled().map(|(start, _)| *start).min()?;
        let end = filled().map(|(start, bytes)| start + bytes.len()).max()?;
        let size: usize = filled().map(|(_, bytes)| bytes.len()).sum();
        (end - start < IMAGE_BYTES || end - start < 2 * size).then_some(())?;
        let mut bytes = vec![0; end - start];
        for (at, segment) in filled() {
            bytes[at - start..at - start + segment.len()].copy_from_slice(segment);
        }
        Some(Image { offset: start, bytes })
    }
}
