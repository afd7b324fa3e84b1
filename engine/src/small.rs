//! Small components, such as the actors that `theater build` makes of C: what they are, and how their data are taken out
//! of them, so that a memory can be handed to an instance with the data in it.
//!
//! An instance that wrote its data itself would pay for it with fuel, where one that Wasmtime's pool gives an image does
//! not; and what fuel a turn takes may not depend on how its memory is made.
//!
//! 1. A component is small if all of this holds: no resource; one memory, of few pages, in a module of the outermost
//!    component that is instantiated once; few instances, tables, globals and functions, small tables; no instruction
//!    can name a data segment; and every data segment, also an empty one, has a constant place inside the memory.
//!    Whatever is not understood here is not small.
//! 2. Without its data sections such a component does the same from its first instruction on, given a memory that
//!    holds the data (WebAssembly core, Modules, Instantiation: data come before the start function).

use std::ops::Range;

use theater_memory::Image;

use crate::config::{CORE_INSTANCES, TABLE_ELEMENTS as MOST_TABLE_ELEMENTS};
use wasmparser::{
    BinaryReader, ComponentType, DataKind, DataSectionReader, ElementItems, Encoding, Instance, Operator, Parser,
    Payload, Result,
};

/// Most pages of 64 KiB of the memory, elements of a table, and instances of modules.
const MEMORY_PAGES: u64 = 4;
const TABLE_ELEMENTS: u64 = 1024;
const INSTANCES: u32 = 16;
/// Most of what instances keep for the rest, over all modules: the pool bounds it for other components, and several
/// instances wait in a store. `TABLES` counts a table once for each instance that there is.
const TABLES: u32 = 32;
const GLOBALS: u32 = 1024;
/// Functions, with those that are imported, lowered and lifted, and the elements that name them.
const FUNCTIONS: u32 = 16 << 10;
/// Most bytes from the first to the last of the data: they are copied for each instance.
const DATA_BYTES: usize = 64 << 10;

/// Of a component that is not small, but has a memory made beforehand: as many instances as the pool takes, and of
/// tables and functions what tool chains make, ten times. What is larger comes from the pool, which bounds it itself.
const PAGED_TABLES: u32 = 256;
const PAGED_FUNCTIONS: u32 = 1 << 20;

/// Numbers of sections: of a core module in a component, and of data in a core module.
pub const MODULE_SECTION: u8 = 1;
pub const DATA_SECTION: u8 = 11;
/// Magic number and version, of components and of modules.
const HEADER: usize = 8;

/// A small component without its data, and the data; nothing if the component, which must be valid, is not small.
pub fn split(binary: &[u8]) -> Option<(Vec<u8>, Image)> {
    let memory_bytes = memory_of_small(binary).ok()??;
    let mut data = Data { memory: vec![0; memory_bytes], used: 0..0 };
    let without = rewrite(binary, MODULE_SECTION, &mut |module| {
        rewrite(module, DATA_SECTION, &mut |section| {
            data.add(section)?;
            Some(None)
        })
        .map(Some)
    })?;
    Some((without, data.image()))
}

/// What memory a component has, and of what it consists.
struct Shape {
    /// One memory, in a module of the outermost component that is instantiated once, and no data but for it.
    single: bool,
    small: bool,
    tables_fit: bool,
    memory_bytes: usize,
    instances: u32,
    tables: u32,
    functions: u32,
}

/// The bytes of its memory if a component is small, but for the places of the data (invariant 1).
fn memory_of_small(binary: &[u8]) -> Result<Option<usize>> {
    let shape = shape(binary)?;
    Ok((shape.single && shape.small).then_some(shape.memory_bytes))
}

/// The same for one that is not small, but for which a memory can be made beforehand too (`large`).
pub fn memory_of_paged(binary: &[u8]) -> Result<Option<usize>> {
    let shape = shape(binary)?;
    let bounded = shape.tables_fit
        && shape.instances <= CORE_INSTANCES
        && shape.tables.saturating_mul(shape.instances) <= PAGED_TABLES
        && shape.functions <= PAGED_FUNCTIONS;
    Ok((shape.single && bounded).then_some(shape.memory_bytes))
}

fn shape(binary: &[u8]) -> Result<Shape> {
    let (mut open, mut modules, mut instances, mut fits, mut single) = (Vec::new(), 0, 0, true, true);
    let mut tables_fit = true;
    let (mut tables, mut globals, mut functions) = (0, 0, 0);
    // The module with the memory, and how often it is instantiated.
    let (mut memory_of, mut memories_made, mut memory_pages) = (None, 0, 0);
    for payload in Parser::new(0).parse_all(binary) {
        match payload? {
            Payload::Version { encoding, .. } => {
                if encoding == Encoding::Module {
                    single &= open.len() == 1;
                    modules += 1;
                }
                open.push(encoding);
            }
            Payload::End(_) => drop(open.pop()),
            Payload::MemorySection(section) => {
                for memory in section {
                    memory_pages = memory?.initial;
                    fits &= memory_pages <= MEMORY_PAGES;
                    single &= memory_of.replace(modules - 1).is_none();
                }
            }
            Payload::TableSection(section) => {
                tables += section.count();
                for table in section {
                    let elements = table?.ty.initial;
                    fits &= elements <= TABLE_ELEMENTS;
                    tables_fit &= elements <= MOST_TABLE_ELEMENTS as u64;
                }
            }
            Payload::GlobalSection(section) => globals += section.count(),
            Payload::FunctionSection(section) => functions += section.count(),
            Payload::ImportSection(section) => functions += section.count(),
            Payload::ComponentCanonicalSection(section) => functions += section.count(),
            Payload::ElementSection(section) => {
                for element in section {
                    functions += match element?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                }
            }
            // Without it, no instruction names a segment.
            Payload::DataCountSection { .. } => fits = false,
            Payload::DataSection(_) => single &= memory_of == Some(modules - 1),
            Payload::InstanceSection(section) => {
                instances += section.count();
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        single &= open.len() == 1;
                        memories_made += u32::from(Some(module_index) == memory_of);
                    }
                }
            }
            // An alias could give a module another number.
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    single &= !is_of_module(&alias?);
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    fits &= !matches!(ty?, ComponentType::Resource { .. });
                }
            }
            _ => {}
        }
    }
    fits &= tables.saturating_mul(instances) <= TABLES && globals <= GLOBALS && functions <= FUNCTIONS;
    // More than a memory of 32 bits can have is an error of the component, and of no use here.
    let memory_bytes = usize::try_from(memory_pages.saturating_mul(64 << 10)).unwrap_or(usize::MAX);
    Ok(Shape {
        single: single && memories_made == 1,
        small: fits && instances <= INSTANCES,
        tables_fit,
        memory_bytes,
        instances,
        tables,
        functions,
    })
}

fn is_of_module(alias: &wasmparser::ComponentAlias) -> bool {
    use wasmparser::{ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind};
    matches!(
        alias,
        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. }
    )
}

/// Copies a module or component, with what `change` makes of each section of one kind: other contents, or nothing.
pub fn rewrite(binary: &[u8], kind: u8, change: &mut dyn FnMut(&[u8]) -> Option<Option<Vec<u8>>>) -> Option<Vec<u8>> {
    let mut out = binary.get(..HEADER)?.to_vec();
    let mut reader = BinaryReader::new(&binary[HEADER..], HEADER);
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let size = reader.read_var_u32().ok()? as usize;
        let content = reader.read_bytes(size).ok()?;
        let changed = if id == kind { change(content)? } else { Some(content.to_vec()) };
        if let Some(content) = changed {
            out.push(id);
            write_size(&mut out, content.len());
            out.extend_from_slice(&content);
        }
    }
    Some(out)
}

/// LEB128, as WebAssembly writes sizes.
pub fn write_size(out: &mut Vec<u8>, mut size: usize) {
    while size >= 0x80 {
        out.push(size as u8 | 0x80);
        size >>= 7;
    }
    out.push(size as u8);
}

/// A memory with the data that were found so far.
struct Data {
    memory: Vec<u8>,
    /// From the first to the last of them.
    used: Range<usize>,
}

impl Data {
    /// Adds the segments of a data section. Nothing if one has no constant place, or they are too far from one another.
    fn add(&mut self, section: &[u8]) -> Option<()> {
        for segment in DataSectionReader::new(BinaryReader::new(section, 0)).ok()? {
            let segment = segment.ok()?;
            let DataKind::Active { memory_index: 0, offset_expr } = segment.kind else { return None };
            let mut operators = offset_expr.get_operators_reader();
            let Operator::I32Const { value } = operators.read().ok()? else { return None };
            let Operator::End = operators.read().ok()? else { return None };
            self.put(value as u32 as usize, segment.data)?;
        }
        Some(())
    }

    /// Later segments lie over earlier ones.
    fn put(&mut self, offset: usize, bytes: &[u8]) -> Option<()> {
        let range = offset..offset + bytes.len();
        // Data past the memory's end, were they none, are the guest's trap.
        self.memory.get_mut(range.clone())?.copy_from_slice(bytes);
        if bytes.is_empty() {
            return Some(());
        }
        self.used = match self.used.is_empty() {
            true => range,
            false => self.used.start.min(range.start)..self.used.end.max(range.end),
        };
        (self.used.len() <= DATA_BYTES).then_some(())
    }

    fn image(&self) -> Image {
        Image { offset: self.used.start, bytes: self.memory[self.used.clone()].to_vec() }
    }
}
