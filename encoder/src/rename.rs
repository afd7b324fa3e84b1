//! Exports of a core module under the names that the canonical ABI wants.
//!
//! Some compilers (AssemblyScript's) export a function only under a name that is an identifier of their language. So a module may call its
//! functions `theater_init` and so on, and gets the names of the world here: the export section is written anew, all else stays as it is.

/// What a module may say, and what the component encoder looks for.
const NAMES: [(&[u8], &[u8]); 4] = [
    (b"theater_init", b"theater:actor/actor@0.1.0#init"),
    (b"theater_handle", b"theater:actor/actor@0.1.0#handle"),
    (b"theater_verify_state", b"theater:actor/actor@0.1.0#verify-state"),
    (b"theater_realloc", b"cabi_realloc"),
];

const HEADER: usize = 8;
const EXPORT_SECTION: u8 = 7;

/// Takes an unsigned LEB128 number off the front.
fn number(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0u64;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

fn put_number(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take<'a>(bytes: &mut &'a [u8], size: usize) -> Option<&'a [u8]> {
    if size > bytes.len() {
        return None;
    }
    let (part, rest) = bytes.split_at(size);
    *bytes = rest;
    Some(part)
}

/// The contents of an export section with other names; None when it is not well formed.
fn renamed(mut section: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(section.len() + 128);
    let count = number(&mut section)?;
    put_number(count, &mut out);
    for _ in 0..count {
        let size = number(&mut section)?;
        let name = take(&mut section, size)?;
        let name = NAMES.iter().find(|(from, _)| *from == name).map_or(name, |(_, to)| *to);
        put_number(name.len(), &mut out);
        out.extend_from_slice(name);
        out.push(take(&mut section, 1)?[0]);
        put_number(number(&mut section)?, &mut out);
    }
    section.is_empty().then_some(out)
}

/// The module with its exports renamed. One that is not well formed, or has none of the names, is given back as it is: the encoder will
/// say what is wrong with it.
pub fn rename_exports(module: &[u8]) -> Vec<u8> {
    let whole = || -> Option<Vec<u8>> {
        let mut rest = module.get(HEADER..)?;
        let mut out = module[..HEADER].to_vec();
        while !rest.is_empty() {
            let id = take(&mut rest, 1)?[0];
            let size = number(&mut rest)?;
            let contents = take(&mut rest, size)?;
            let contents = if id == EXPORT_SECTION { renamed(contents)? } else { contents.to_vec() };
            out.push(id);
            put_number(contents.len(), &mut out);
            out.extend_from_slice(&contents);
        }
        Some(out)
    };
    let named = NAMES.iter().any(|(from, _)| module.windows(from.len()).any(|window| window == *from));
    if named { whole().unwrap_or_else(|| module.to_vec()) } else { module.to_vec() }
}
