//! A compiled component, with everything found once that each turn needs: the linked imports and the three exports.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::Engine;

use crate::check;
use crate::config::Engines;
use crate::host::{self, Host};
use crate::large;
use crate::small;
use theater_memory::paged::Pages;
use theater_memory::Image;

/// A compiled form ends with a byte that says for which of the two engines it is. Before that of a small component
/// and of a paged one stand the data of its memory, and in 8 bytes each, little-endian, their place and size.
const GENERAL: u8 = 0;
const SMALL: u8 = 1;
const PAGED: u8 = 2;

/// How the memory of a component is made.
pub enum Memory {
    /// By Wasmtime's pool.
    General,
    /// From data that are copied into it.
    Small(Image),
    /// From data that are mapped into it.
    Paged(Arc<Pages>),
}

pub struct TheaterComponent {
    pub engines: Arc<Engines>,
    pub memory: Memory,
    /// Tells it from the other components of these engines.
    pub number: u64,
    pub component: Component,
    pub pre: InstancePre<Host>,
    pub init: ComponentExportIndex,
    pub handle: ComponentExportIndex,
    pub verify_state: ComponentExportIndex,
}

impl TheaterComponent {
    /// Compiles a component; the error is all findings, one a line.
    pub fn compile(engines: &Arc<Engines>, binary: &[u8]) -> Result<TheaterComponent, String> {
        let mut findings = check::shape(binary);
        if findings.is_empty() {
            let (memory, without_data) = Memory::of(engines, binary);
            let code = without_data.as_deref().unwrap_or(binary);
            match Component::from_binary(engines.of(&memory), code) {
                Ok(component) => return TheaterComponent::link(engines, memory, component),
                Err(error) => {
                    check::features(binary, &mut findings);
                    // Valid and of no refused feature: it is the engine or its pool that cannot take it.
                    if findings.is_empty() {
                        findings.push(format!("cannot be run here: {error:#}"));
                    }
                }
            }
        } else if wasmparser::Parser::is_component(binary) {
            check::features(binary, &mut findings);
        }
        findings.dedup();
        Err(findings.join("\n"))
    }

    /// Takes over a compiled form that `serialize` of an engine with the same fingerprint gave.
    ///
    /// # Safety
    /// The bytes are native code and are not checked: they must be unchanged since they were serialized.
    pub unsafe fn deserialize(engines: &Arc<Engines>, compiled: &[u8]) -> Result<TheaterComponent, String> {
        let (memory, code) = match compiled.split_last() {
            Some((&GENERAL, code)) => (Memory::General, code),
            Some((&form @ (SMALL | PAGED), rest)) => {
                let (image, code) = take_image(rest).ok_or("not a compiled form: its data are cut")?;
                let paged = || engines.pages(&image).map_err(|error| format!("no room for its data: {error}"));
                (if form == SMALL { Memory::Small(image) } else { Memory::Paged(paged()?) }, code)
            }
            _ => return Err("not a compiled form: its last byte is none of one's".into()),
        };
        let component = Component::deserialize(engines.of(&memory), code)
            .map_err(|error| format!("not a compiled form for this engine: {error:#}"))?;
        TheaterComponent::link(engines, memory, component)
    }

    pub fn is_small(&self) -> bool {
        matches!(self.memory, Memory::Small(_))
    }

    /// What `deserialize` takes.
    pub fn serialize(&self) -> Result<Vec<u8>, String> {
        let mut out =
            self.component.serialize().map_err(|error| format!("cannot serialize the component: {error:#}"))?;
        let (form, offset, bytes) = match &self.memory {
            Memory::General => {
                out.push(GENERAL);
                return Ok(out);
            }
            Memory::Small(image) => (SMALL, image.offset, image.bytes.as_slice()),
            Memory::Paged(pages) => (PAGED, pages.image().0, pages.image().1),
        };
        out.extend_from_slice(bytes);
        out.extend_from_slice(&(offset as u64).to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        out.push(form);
        Ok(out)
    }

    fn link(engines: &Arc<Engines>, memory: Memory, component: Component) -> Result<TheaterComponent, String> {
        let mut linker = Linker::new(engines.of(&memory));
        host::define(&mut linker).map_err(|error| format!("cannot define the host's functions: {error:#}"))?;
        let pre = linker.instantiate_pre(&component).map_err(|error| format!("cannot be linked: {error:#}"))?;
        let (_, actor) = component
            .get_export(None, check::ACTOR)
            .ok_or_else(|| format!("does not export the interface {}", check::ACTOR))?;
        let find = |name: &str| {
            component
                .get_export_index(Some(&actor), name)
                .ok_or_else(|| format!("does not export the function {name} of {}", check::ACTOR))
        };
        Ok(TheaterComponent {
            number: engines.components.fetch_add(1, Ordering::Relaxed),
            engines: engines.clone(),
            memory,
            init: find("init")?,
            handle: find("handle")?,
            verify_state: find("verify-state")?,
            pre,
            component,
        })
    }
}

impl Drop for TheaterComponent {
    fn drop(&mut self) {
        self.engines.spares.forget(self.number);
    }
}

impl Engines {
    fn of(&self, memory: &Memory) -> &Engine {
        match memory {
            Memory::General => &self.engine,
            Memory::Small(_) | Memory::Paged(_) => &self.small,
        }
    }

    fn pages(&self, image: &Image) -> std::io::Result<Arc<Pages>> {
        Pages::new(image, self.paged_resident, self.has_pool)
    }
}

impl Memory {
    /// Of a component, and the component without its data where they are taken out of it.
    fn of(engines: &Engines, binary: &[u8]) -> (Memory, Option<Vec<u8>>) {
        if let Some((without_data, image)) = small::split(binary) {
            return (Memory::Small(image), Some(without_data));
        }
        let paged = large::split(binary, engines.memory_bytes)
            .and_then(|(without_data, image)| Some((engines.pages(&image).ok()?, without_data)));
        match paged {
            Some((pages, without_data)) => (Memory::Paged(pages), Some(without_data)),
            None => (Memory::General, None),
        }
    }
}

/// The data at the end of a compiled form, and what stands before them.
fn take_image(bytes: &[u8]) -> Option<(Image, &[u8])> {
    let (rest, size) = bytes.split_last_chunk()?;
    let (rest, offset) = rest.split_last_chunk()?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
    let (code, data) = rest.split_at_checked(rest.len().checked_sub(size)?)?;
    let image = Image { offset: usize::try_from(u64::from_le_bytes(*offset)).ok()?, bytes: data.to_vec() };
    Some((image, code))
}
