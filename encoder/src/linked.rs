//! Reads how a component links its core modules: which instances there are, what each was given, and what the
//! component makes of its own functions.
//!
//! A tool may have wrapped the actor's component into others (to answer WASI, to load files while the actor was
//! built). The one that matters is found by what it exports; what the others would give it is answered by `answers`.

use std::collections::HashMap;

use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentTypeRef, ExternalKind, Instance,
    Parser, Payload,
};

pub const HOST: &str = "theater:actor/host@0.1.0";
const ACTOR: [&str; 3] =
    ["theater:actor/actor@0.1.0#init", "theater:actor/actor@0.1.0#handle", "theater:actor/actor@0.1.0#verify-state"];

type Result<T> = std::result::Result<T, String>;

fn wrong(error: impl std::fmt::Display) -> String {
    format!("the component: {error}")
}

/// A core instance.
pub enum Core<'a> {
    Module { binary: &'a [u8], arguments: HashMap<&'a str, u32> },
    Exports(HashMap<&'a str, (ExternalKind, u32)>),
}

/// Where a core function of the component comes from.
pub enum Made<'a> {
    Alias(u32, &'a str),
    /// Lowered from a function of an import: the interface, the function, and the allocator for its results.
    Lowered { interface: &'a str, name: &'a str, realloc: Option<u32> },
    /// A built-in that drops a handle.
    Drop,
    /// Anything else, by its name.
    Other(&'static str),
}

#[derive(Clone, Copy)]
enum Instanced<'a> {
    Import(&'a str),
    Other,
}

/// A function of the component, as far as it matters: of which import.
#[derive(Clone, Copy)]
enum Function<'a> {
    Import(&'a str, &'a str),
    Other,
}

#[derive(Default)]
pub struct Linked<'a> {
    pub instances: Vec<Core<'a>>,
    pub functions: Vec<Made<'a>>,
    tables: Vec<(u32, &'a str)>,
    memories: Vec<(u32, &'a str)>,
    globals: Vec<(u32, &'a str)>,
    /// The three functions of an actor: core function and name.
    pub exports: Vec<(u32, &'a str)>,
    /// Allocator and memory of the three: a core function and a core memory.
    pub realloc: u32,
    pub memory: u32,
    modules: Vec<&'a [u8]>,
    nested: Vec<&'a [u8]>,
    component_instances: Vec<Instanced<'a>>,
    component_functions: Vec<Function<'a>>,
}

impl<'a> Linked<'a> {
    /// Finds and reads the component that exports an actor.
    pub fn new(binary: &'a [u8]) -> Result<Self> {
        let mut queue = vec![binary];
        while let Some(binary) = queue.pop() {
            let linked = Linked::read(binary)?;
            if linked.exports.len() == ACTOR.len() {
                return Ok(linked);
            }
            queue.extend(linked.nested);
        }
        Err(wrong("it exports no theater:actor/actor@0.1.0"))
    }

    /// The export of an instance that a core item is.
    pub fn alias(&self, kind: ExternalKind, index: u32) -> Option<(u32, &'a str)> {
        let index = index as usize;
        match kind {
            ExternalKind::Func => match self.functions.get(index) {
                Some(Made::Alias(instance, name)) => Some((*instance, name)),
                _ => None,
            },
            ExternalKind::Table => self.tables.get(index).copied(),
            ExternalKind::Memory => self.memories.get(index).copied(),
            ExternalKind::Global => self.globals.get(index).copied(),
            _ => None,
        }
    }

    fn read(binary: &'a [u8]) -> Result<Self> {
        let mut linked = Linked::default();
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(binary) {
            let payload = payload.map_err(wrong)?;
            match payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    if depth == 0 {
                        linked.modules.push(&binary[unchecked_range]);
                    }
                    depth += 1;
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    if depth == 0 {
                        linked.nested.push(&binary[unchecked_range]);
                    }
                    depth += 1;
                }
                Payload::End(_) => depth -= 1,
                payload if depth == 0 => linked.take(payload)?,
                _ => (),
            }
        }
        Ok(linked)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    let instance = instance.map_err(wrong)?;
                    self.take_instance(instance)?;
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import.map_err(wrong)?;
                    match import.ty {
                        ComponentTypeRef::Instance(_) => {
                            self.component_instances.push(Instanced::Import(import.name.name))
                        }
                        ComponentTypeRef::Func(_) => {
                            self.component_functions.push(Function::Import("", import.name.name))
                        }
                        ComponentTypeRef::Module(_) => return Err(wrong("it imports a module")),
                        _ => (),
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                self.component_instances.extend((0..section.count()).map(|_| Instanced::Other))
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    match export.map_err(wrong)?.kind {
                        ComponentExternalKind::Instance => self.component_instances.push(Instanced::Other),
                        ComponentExternalKind::Func => self.component_functions.push(Function::Other),
                        _ => (),
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.take_alias(alias.map_err(wrong)?)?;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    self.take_canonical(function.map_err(wrong)?);
                }
            }
            _ => (),
        }
        Ok(())
    }

    fn take_instance(&mut self, instance: Instance<'a>) -> Result<()> {
        self.instances.push(match instance {
            Instance::Instantiate { module_index, args } => Core::Module {
                binary: self.modules.get(module_index as usize).ok_or_else(|| wrong("a module is missing"))?,
                arguments: args.iter().map(|argument| (argument.name, argument.index)).collect(),
            },
            Instance::FromExports(exports) => {
                Core::Exports(exports.iter().map(|export| (export.name, (export.kind, export.index))).collect())
            }
        });
        Ok(())
    }

    fn take_alias(&mut self, alias: ComponentAlias<'a>) -> Result<()> {
        match alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => match kind {
                ExternalKind::Func => self.functions.push(Made::Alias(instance_index, name)),
                ExternalKind::Table => self.tables.push((instance_index, name)),
                ExternalKind::Memory => self.memories.push((instance_index, name)),
                ExternalKind::Global => self.globals.push((instance_index, name)),
                _ => return Err(wrong("an alias of a kind that cannot be merged")),
            },
            ComponentAlias::InstanceExport { kind, instance_index, name } => match kind {
                ComponentExternalKind::Func => {
                    let function = match self.component_instances.get(instance_index as usize) {
                        Some(Instanced::Import(interface)) => Function::Import(interface, name),
                        _ => Function::Other,
                    };
                    self.component_functions.push(function);
                }
                ComponentExternalKind::Instance => self.component_instances.push(Instanced::Other),
                ComponentExternalKind::Module => return Err(wrong("a module comes from another component")),
                _ => (),
            },
            ComponentAlias::Outer { kind: wasmparser::ComponentOuterAliasKind::CoreModule, .. } => {
                return Err(wrong("a module comes from outside"))
            }
            ComponentAlias::Outer { .. } => (),
        }
        Ok(())
    }

    fn take_canonical(&mut self, function: CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { core_func_index, options, .. } => {
                self.component_functions.push(Function::Other);
                let Some(Made::Alias(_, name)) = self.functions.get(core_func_index as usize) else { return };
                if ACTOR.contains(name) {
                    self.exports.push((core_func_index, name));
                    for option in options.iter() {
                        match option {
                            CanonicalOption::Realloc(function) => self.realloc = *function,
                            CanonicalOption::Memory(memory) => self.memory = *memory,
                            _ => (),
                        }
                    }
                }
            }
            CanonicalFunction::Lower { func_index, options } => {
                let realloc = options.iter().find_map(|option| match option {
                    CanonicalOption::Realloc(function) => Some(*function),
                    _ => None,
                });
                self.functions.push(match self.component_functions.get(func_index as usize) {
                    Some(Function::Import(interface, name)) => Made::Lowered { interface, name, realloc },
                    _ => Made::Other("a function of another component"),
                });
            }
            CanonicalFunction::ResourceDrop { .. } => self.functions.push(Made::Drop),
            _ => self.functions.push(Made::Other("a built-in of the component model")),
        }
    }
}
