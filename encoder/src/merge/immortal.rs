//! Python's objects that are there when a turn begins, made immortal.
//!
//! CPython counts the references to an object in the object itself, so that merely reading a turn's code and data writes
//! to hundreds of pages, each of which is copied for that turn. It has a count that stands for "never counted"; it is
//! given here to everything that was made before the snapshot. A turn's memory is dropped as a whole, so nothing is
//! lost by it.
//!
//! `theater/surroundings.py` of the Python SDK leaves a list in memory: a mark, how many (twice), and for each object its address
//! and that of its type. An object is changed only if that type and a likely count stand there, so memory that was freed
//! since is left alone. Modules without the mark are not touched.

/// A mark that no text of a program has: half of it is put together when it runs.
const MARK: &[u8] = b"theater:immortal\x01\xfe\x02\xfd\x03\xfc\x04\xfb";
/// CPython's count of immortal objects where a pointer has 32 bits (Include/refcount.h).
const IMMORTAL: u32 = 5 << 28;
/// No honest count is as large; addresses of freed memory, which may stand in its place, are larger.
const LIKELY: std::ops::Range<u32> = 1..1_000_000;
/// Memory that is looked at: more than an actor can have.
const IMAGE_MAX: usize = 1 << 30;

/// A data segment of the memory: where it begins, and its bytes.
pub type Segment = (usize, Vec<u8>);

fn word(image: &[u8], at: usize) -> Option<u32> {
    let bytes = image.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Writes to a segment that holds the whole of it.
fn put(segments: &mut [Segment], at: usize, bytes: &[u8]) {
    let place = segments.partition_point(|(start, _)| *start <= at);
    if let Some((start, data)) = place.checked_sub(1).and_then(|last| segments.get_mut(last)) {
        if let Some(part) = data.get_mut(at - *start..at - *start + bytes.len()) {
            part.copy_from_slice(bytes);
        }
    }
}

/// Where the list begins, and its length. Behind the mark the length stands twice, the second time with all bits turned:
/// parts of the list's making may still be in memory that is free.
fn find_list(image: &[u8]) -> Option<(usize, usize)> {
    let marks = image.windows(MARK.len()).enumerate().filter(|(_, part)| *part == MARK);
    marks.map(|(at, _)| at + MARK.len()).find_map(|at| {
        let (count, check) = (word(image, at)?, word(image, at + 4)?);
        (count == !check).then_some((at + 8, count as usize))
    })
}

/// Changes the counts in segments, which are sorted and do not overlap. How many were changed.
pub fn make_immortal(segments: &mut [Segment]) -> usize {
    let end = segments.iter().map(|(start, data)| start + data.len()).max().unwrap_or(0);
    if end > IMAGE_MAX {
        return 0;
    }
    let mut image = vec![0; end];
    for (start, data) in segments.iter() {
        image[*start..start + data.len()].copy_from_slice(data);
    }
    let Some((list, count)) = find_list(&image) else { return 0 };
    let mut changed = 0;
    for entry in 0..count {
        let (Some(object), Some(kind)) = (word(&image, list + 8 * entry), word(&image, list + 8 * entry + 4)) else { break };
        let object = object as usize;
        let counted = word(&image, object).is_some_and(|references| LIKELY.contains(&references));
        if counted && word(&image, object + 4) == Some(kind) {
            put(segments, object, &IMMORTAL.to_le_bytes());
            changed += 1;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_still_an_object_is_changed() {
        let words = |list: &[u32]| list.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        // At 64: an object, freed memory, another type's, an immortal one already.
        let objects = words(&[3, 500, 4_000_000, 500, 3, 600, IMMORTAL, 500]);
        let mut list = MARK.to_vec();
        list.extend(words(&[5, !5, 64, 500, 72, 500, 80, 500, 88, 500, 9_999, 500]));
        let mut segments = vec![(64, objects), (200, list)];
        assert_eq!(make_immortal(&mut segments), 1);
        assert_eq!(segments[0].1, words(&[IMMORTAL, 500, 4_000_000, 500, 3, 600, IMMORTAL, 500]));
        assert_eq!(make_immortal(&mut [(0, vec![0; 100])]), 0);
    }
}
