//! A compiled component, with everything found once that each turn needs: the linked imports and the three exports.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::Engine;

use crate::check;
use crate::config::Engines;
use crate::host::{self, Host};
use crate::small::{self, Image};

/// A compiled form ends with a byte that says for which of the two engines it is. Before that of a small component
/// stand the data of its memory, and in 8 bytes each, little-endian, their place and size.
const GENERAL: u8 = 0;
const SMALL: u8 = 1;

pub struct TheaterComponent {
    pub engines: Arc<Engines>,
    /// The data of a small component's memory; of another none.
    pub image: Option<Image>,
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
            let (without_data, image) = match small::split(binary) {
                Some((without_data, image)) => (without_data, Some(image)),
                None => (Vec::new(), None),
            };
            let code = if image.is_some() { &without_data } else { binary };
            match Component::from_binary(engines.of(&image), code) {
                Ok(component) => return TheaterComponent::link(engines, image, component),
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
        let (image, code) = match compiled.split_last() {
            Some((&GENERAL, code)) => (None, code),
            Some((&SMALL, rest)) => take_image(rest).ok_or("not a compiled form: its data are cut")?,
            _ => return Err("not a compiled form: its last byte is none of one's".into()),
        };
        let component = Component::deserialize(engines.of(&image), code)
            .map_err(|error| format!("not a compiled form for this engine: {error:#}"))?;
        TheaterComponent::link(engines, image, component)
    }

    /// What `deserialize` takes.
    pub fn serialize(&self) -> Result<Vec<u8>, String> {
        let mut out =
            self.component.serialize().map_err(|error| format!("cannot serialize the component: {error:#}"))?;
        if let Some(image) = &self.image {
            out.extend_from_slice(&image.bytes);
            out.extend_from_slice(&(image.offset as u64).to_le_bytes());
            out.extend_from_slice(&(image.bytes.len() as u64).to_le_bytes());
        }
        out.push(if self.image.is_some() { SMALL } else { GENERAL });
        Ok(out)
    }

    fn link(engines: &Arc<Engines>, image: Option<Image>, component: Component) -> Result<TheaterComponent, String> {
        let mut linker = Linker::new(engines.of(&image));
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
            image,
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
    fn of(&self, image: &Option<Image>) -> &Engine {
        if image.is_some() {
            &self.small
        } else {
            &self.engine
        }
    }
}

/// The data at the end of a compiled form, and what stands before them.
fn take_image(bytes: &[u8]) -> Option<(Option<Image>, &[u8])> {
    let (rest, size) = bytes.split_last_chunk()?;
    let (rest, offset) = rest.split_last_chunk()?;
    let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
    let (code, data) = rest.split_at_checked(rest.len().checked_sub(size)?)?;
    let image = Image { offset: usize::try_from(u64::from_le_bytes(*offset)).ok()?, bytes: data.to_vec() };
    Some((Some(image), code))
}
