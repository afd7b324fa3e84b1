//! A compiled component, with everything found once that each turn needs: the linked imports and the three exports.

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::Engine;

use crate::check;
use crate::host::{self, Host};

pub struct TheaterComponent {
    pub engine: Engine,
    pub component: Component,
    pub pre: InstancePre<Host>,
    pub init: ComponentExportIndex,
    pub handle: ComponentExportIndex,
    pub verify_state: ComponentExportIndex,
}

impl TheaterComponent {
    /// Compiles a component; the error is all findings, one a line.
    pub fn compile(engine: &Engine, binary: &[u8]) -> Result<TheaterComponent, String> {
        let mut findings = check::shape(binary);
        if findings.is_empty() {
            match Component::from_binary(engine, binary) {
                Ok(component) => return TheaterComponent::link(engine, component),
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
    pub unsafe fn deserialize(engine: &Engine, compiled: &[u8]) -> Result<TheaterComponent, String> {
        let component = Component::deserialize(engine, compiled)
            .map_err(|error| format!("not a compiled form for this engine: {error:#}"))?;
        TheaterComponent::link(engine, component)
    }

    fn link(engine: &Engine, component: Component) -> Result<TheaterComponent, String> {
        let mut linker = Linker::new(engine);
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
            engine: engine.clone(),
            init: find("init")?,
            handle: find("handle")?,
            verify_state: find("verify-state")?,
            pre,
            component,
        })
    }
}
