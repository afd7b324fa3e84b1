//! Makes one core module of a component that a tool chain made of many.
//!
//! The tools for Python and JavaScript link dozens of modules when an instance is made: libraries at run-time
//! addresses, each importing the functions of the others, one by one. A turn runs in a fresh instance, so it would
//! pay for that linking every time (measured: 690 of 770 microseconds of a turn in Python). Here the linking is done
//! once, when the actor is built: all instances become one module with constant addresses, whose memory is one image
//! and whose table needs no filling. What is left of WASI is answered inside (`answers`).
//!
//! 1. The merged module computes what the component computes. Every instance of a core module is copied in with its
//!    own functions, tables, memories and globals; an import becomes what it was linked to.
//! 2. Where instances had an order, there is none left to see: a start function, which could tell, is refused, and
//!    segments are written in the order of the instances.
//! 3. The same component gives the same module. All that is numbered is numbered in the order of the binary.
//! 4. What neither an export nor a table reaches is left out. A global that nothing sets is a constant where it is
//!    used.

mod immortal;

use std::collections::{HashMap, HashSet};

use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, ExportKind, ExportSection,
    FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection, Module, TableSection, TypeSection,
};
use wasmparser::{
    Data, DataKind, Element, ElementItems, ElementKind, ExternalKind, FuncType, FunctionBody, Global, MemoryType,
    Operator, Payload, TableType, TypeRef,
};

use crate::answers::{self, Answer};
use crate::linked::{Core, Linked, HOST};

type Result<T> = std::result::Result<T, String>;

fn wrong(error: impl std::fmt::Display) -> String {
    format!("the component: {error}")
}

// ---- core modules ---------------------------------------------------------------------------------------------------

/// Where an index of a module points: to an import or into the module itself.
#[derive(Default)]
pub struct Parsed<'a> {
    types: Vec<FuncType>,
    imports: Vec<(&'a str, &'a str, TypeRef)>,
    /// For each index: the import, or the place among those defined here.
    functions: Vec<Place>,
    tables: Vec<Place>,
    memories: Vec<Place>,
    globals: Vec<Place>,
    function_types: Vec<u32>,
    own_tables: Vec<TableType>,
    own_memories: Vec<MemoryType>,
    own_globals: Vec<Global<'a>>,
    exports: HashMap<&'a str, (ExternalKind, u32)>,
    elements: Vec<Element<'a>>,
    data: Vec<Data<'a>>,
    bodies: Vec<FunctionBody<'a>>,
}

#[derive(Clone, Copy)]
enum Place {
    Import(u32),
    Own(u32),
}

impl<'a> Parsed<'a> {
    pub fn new(binary: &'a [u8]) -> Result<Self> {
        let mut parsed = Parsed::default();
        for payload in wasmparser::Parser::new(0).parse_all(binary) {
            parsed.take(payload.map_err(wrong)?)?;
        }
        Ok(parsed)
    }

    fn take(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group.map_err(wrong)?.into_types() {
                        match ty.composite_type.inner {
                            wasmparser::CompositeInnerType::Func(ty) => self.types.push(ty),
                            _ => return Err(wrong("a type is no function's")),
                        }
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(wrong)?;
                    let place = Place::Import(self.imports.len() as u32);
                    match import.ty {
                        TypeRef::Func(_) => self.functions.push(place),
                        TypeRef::Table(_) => self.tables.push(place),
                        TypeRef::Memory(_) => self.memories.push(place),
                        TypeRef::Global(_) => self.globals.push(place),
                        _ => return Err(wrong("an import of a kind that cannot be merged")),
                    }
                    self.imports.push((import.module, import.name, import.ty));
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(Place::Own(self.function_types.len() as u32));
                    self.function_types.push(ty.map_err(wrong)?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table.map_err(wrong)?;
                    if !matches!(table.init, wasmparser::TableInit::RefNull) {
                        return Err(wrong("a table with an initial value"));
                    }
                    self.tables.push(Place::Own(self.own_tables.len() as u32));
                    self.own_tables.push(table.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memories.push(Place::Own(self.own_memories.len() as u32));
                    self.own_memories.push(memory.map_err(wrong)?);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    self.globals.push(Place::Own(self.own_globals.len() as u32));
                    self.own_globals.push(global.map_err(wrong)?);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(wrong)?;
                    self.exports.insert(export.name, (export.kind, export.index));
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.elements.push(element.map_err(wrong)?);
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    self.data.push(data.map_err(wrong)?);
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::StartSection { .. } => return Err(wrong("a module has a start function")),
            Payload::TagSection(_) => return Err(wrong("a module has exception tags")),
            _ => (),
        }
        Ok(())
    }
}

// ---- linking --------------------------------------------------------------------------------------------------------

/// What an import was linked to: the item of an instance, by its place among those defined there, or what the
/// component itself makes of a function.
#[derive(Clone)]
enum Target {
    Own(usize, u32),
    /// A function that is no module's.
    Made(Answer),
}

struct Merge<'a> {
    linked: &'a Linked<'a>,
    /// By core instance; None where the instance is a bundle of exports.
    parsed: Vec<Option<Parsed<'a>>>,
    types: Vec<FuncType>,
    type_index: HashMap<FuncType, u32>,
    imports: Vec<(String, u32)>,
    import_index: HashMap<String, u32>,
    /// What answers a function that the component makes, by what it is.
    answers: Vec<(Answer, u32)>,
    answer_index: HashMap<(Answer, u32), u32>,
    functions: HashMap<(usize, u32), u32>,
    order: Vec<(usize, u32)>,
    tables: HashMap<(usize, u32), u32>,
    memories: HashMap<(usize, u32), u32>,
    globals: HashMap<(usize, u32), u32>,
    elements: HashMap<(usize, u32), u32>,
    data: HashMap<(usize, u32), u32>,
    /// Globals that some function sets.
    set: HashSet<(usize, u32)>,
    passive: answers::Words,
}

impl<'a> Merge<'a> {
    fn instance(&self, instance: usize) -> Result<&Parsed<'a>> {
        self.parsed[instance].as_ref().ok_or_else(|| wrong("an instance without a module is used as one"))
    }

    /// What an export of an instance is.
    fn export(&self, instance: u32, name: &str, kind: ExternalKind) -> Result<Target> {
        match &self.linked.instances[instance as usize] {
            Core::Exports(items) => match items.get(name) {
                Some(&(found, index)) if found == kind => self.core(kind, index),
                _ => Err(wrong(format!("there is no {name:?} to import"))),
            },
            Core::Module { .. } => {
                let parsed = self.instance(instance as usize)?;
                match parsed.exports.get(name) {
                    Some(&(found, index)) if found == kind => self.item(instance as usize, kind, index),
                    _ => Err(wrong(format!("there is no {name:?} to import"))),
                }
            }
        }
    }

    /// What an item of the component's own core index spaces is.
    fn core(&self, kind: ExternalKind, index: u32) -> Result<Target> {
        match self.linked.alias(kind, index) {
            Some((instance, name)) => self.export(instance, name, kind),
            None if kind == ExternalKind::Func => Ok(Target::Made(answers::of(self.linked, index)?)),
            None => Err(wrong("an item that is no alias")),
        }
    }

    /// What an index inside an instance's module is.
    fn item(&self, instance: usize, kind: ExternalKind, index: u32) -> Result<Target> {
        let parsed = self.instance(instance)?;
        let places = match kind {
            ExternalKind::Func => &parsed.functions,
            ExternalKind::Table => &parsed.tables,
            ExternalKind::Memory => &parsed.memories,
            ExternalKind::Global => &parsed.globals,
            _ => return Err(wrong("an item of a kind that cannot be merged")),
        };
        match places.get(index as usize) {
            Some(Place::Own(own)) => Ok(Target::Own(instance, *own)),
            Some(Place::Import(import)) => {
                let (module, name, _) = parsed.imports[*import as usize];
                if module.starts_with("wasi:") && kind == ExternalKind::Func {
                    // Where a tool has put functions that only trap, there are better answers.
                    return Ok(Target::Made(answers::named(self.linked, module, name, None)));
                }
                let Core::Module { arguments, .. } = &self.linked.instances[instance] else {
                    return Err(wrong("an instance without a module"));
                };
                let from = arguments.get(module).ok_or_else(|| wrong(format!("nothing is linked to {module:?}")))?;
                self.export(*from, name, kind)
            }
            None => Err(wrong("an index is out of range")),
        }
    }

    fn own(&self, instance: usize, kind: ExternalKind, index: u32) -> Result<(usize, u32)> {
        match self.item(instance, kind, index)? {
            Target::Own(instance, own) => Ok((instance, own)),
            Target::Made(_) => Err(wrong("a function stands where something else is wanted")),
        }
    }

    /// The type that an instance gives to a function index.
    fn type_of(&self, instance: usize, index: u32) -> Result<FuncType> {
        let parsed = self.instance(instance)?;
        let ty = match parsed.functions.get(index as usize) {
            Some(Place::Own(own)) => parsed.function_types[*own as usize],
            Some(Place::Import(import)) => match parsed.imports[*import as usize].2 {
                TypeRef::Func(ty) => ty,
                _ => return Err(wrong("an import is no function")),
            },
            None => return Err(wrong("a function index is out of range")),
        };
        parsed.types.get(ty as usize).cloned().ok_or_else(|| wrong("a type index is out of range"))
    }

    fn intern(&mut self, ty: FuncType) -> u32 {
        if let Some(&index) = self.type_index.get(&ty) {
            return index;
        }
        let index = self.types.len() as u32;
        self.types.push(ty.clone());
        self.type_index.insert(ty, index);
        index
    }

    // ---- what is reached --------------------------------------------------------------------------------------------

    /// Notes a function as used, and puts it on the list of those whose bodies are still to be read.
    fn use_function(&mut self, instance: usize, index: u32, list: &mut Vec<(usize, u32)>) -> Result<()> {
        let ty = self.type_of(instance, index)?;
        let target = self.item(instance, ExternalKind::Func, index)?;
        self.use_target(target, ty, list)
    }

    fn use_target(&mut self, target: Target, ty: FuncType, list: &mut Vec<(usize, u32)>) -> Result<()> {
        match target {
            Target::Own(instance, own) => {
                if self.functions.insert((instance, own), 0).is_none() {
                    list.push((instance, own));
                }
            }
            Target::Made(answer) => {
                let ty = self.intern(ty);
                for name in answer.needs() {
                    let needed = self.intern(answers::host_type(name));
                    self.use_host(name, needed);
                }
                if let Answer::Host(name) = &answer {
                    let name = name.clone();
                    self.use_host(&name, ty);
                } else if !self.answer_index.contains_key(&(answer.clone(), ty)) {
                    if let Some(realloc) = answer.realloc() {
                        let target = self.core(ExternalKind::Func, realloc)?;
                        self.use_target(target, answers::realloc_type(), list)?;
                    }
                    if let Answer::Missing(name) = &answer {
                        self.passive.add(name);
                    }
                    self.answer_index.insert((answer.clone(), ty), 0);
                    self.answers.push((answer, ty));
                }
            }
        }
        Ok(())
    }

    fn use_host(&mut self, name: &str, ty: u32) {
        if !self.import_index.contains_key(name) {
            self.import_index.insert(name.to_string(), self.imports.len() as u32);
            self.imports.push((name.to_string(), ty));
        }
    }

    /// Follows calls and references from the exports and tables.
    fn reach(&mut self) -> Result<()> {
        let mut list = Vec::new();
        for (core, _) in &self.linked.exports {
            let target = self.core(ExternalKind::Func, *core)?;
            let Target::Own(instance, own) = target else { return Err(wrong("an export is no function of a module")) };
            let parsed = self.instance(instance)?;
            let ty = parsed.types[parsed.function_types[own as usize] as usize].clone();
            self.use_target(target, ty, &mut list)?;
        }
        let realloc = self.core(ExternalKind::Func, self.linked.realloc)?;
        self.use_target(realloc, answers::realloc_type(), &mut list)?;
        for instance in 0..self.parsed.len() {
            let Some(parsed) = &self.parsed[instance] else { continue };
            let mut functions = Vec::new();
            for element in &parsed.elements {
                match &element.items {
                    ElementItems::Functions(items) => {
                        for function in items.clone() {
                            functions.push(function.map_err(wrong)?);
                        }
                    }
                    ElementItems::Expressions(_, items) => {
                        for item in items.clone() {
                            references(item.map_err(wrong)?.get_operators_reader(), &mut functions)?;
                        }
                    }
                }
            }
            for global in &parsed.own_globals {
                references(global.init_expr.get_operators_reader(), &mut functions)?;
            }
            for function in functions {
                self.use_function(instance, function, &mut list)?;
            }
        }
        while let Some((instance, own)) = list.pop() {
            let (mut functions, mut globals) = (Vec::new(), Vec::new());
            let body = self.instance(instance)?.bodies[own as usize].clone();
            let mut reader = body.get_operators_reader().map_err(wrong)?;
            while !reader.eof() {
                match reader.read().map_err(wrong)? {
                    Operator::Call { function_index }
                    | Operator::ReturnCall { function_index }
                    | Operator::RefFunc { function_index } => functions.push(function_index),
                    Operator::GlobalSet { global_index } => globals.push(global_index),
                    _ => (),
                }
            }
            functions.sort_unstable();
            functions.dedup();
            for function in functions {
                self.use_function(instance, function, &mut list)?;
            }
            for global in globals {
                let global = self.own(instance, ExternalKind::Global, global)?;
                self.set.insert(global);
            }
        }
        Ok(())
    }

    // ---- numbering --------------------------------------------------------------------------------------------------

    fn number(&mut self) {
        let mut next = self.imports.len() as u32;
        for (answer, ty) in &self.answers {
            self.answer_index.insert((answer.clone(), *ty), next);
            next += 1;
        }
        self.order = self.functions.keys().copied().collect();
        self.order.sort_unstable();
        for key in &self.order {
            self.functions.insert(*key, next);
            next += 1;
        }
        for (instance, parsed) in self.parsed.iter().enumerate() {
            let Some(parsed) = parsed else { continue };
            let number = |map: &mut HashMap<(usize, u32), u32>, count: usize| {
                for own in 0..count as u32 {
                    let index = map.len() as u32;
                    map.insert((instance, own), index);
                }
            };
            number(&mut self.tables, parsed.own_tables.len());
            number(&mut self.memories, parsed.own_memories.len());
            number(&mut self.globals, parsed.own_globals.len());
            number(&mut self.elements, parsed.elements.len());
            number(&mut self.data, parsed.data.len());
        }
    }

    fn index(&self, target: Target, ty: impl FnOnce() -> Result<FuncType>) -> Result<u32> {
        match target {
            Target::Own(instance, own) => {
                self.functions.get(&(instance, own)).copied().ok_or_else(|| wrong("a function was left out"))
            }
            Target::Made(Answer::Host(name)) => Ok(self.import_index[&name]),
            Target::Made(answer) => {
                let ty = self.type_index[&ty()?];
                self.answer_index.get(&(answer, ty)).copied().ok_or_else(|| wrong("an answer was left out"))
            }
        }
    }

    /// The constant that a global is, if nothing sets it and it begins as one.
    fn constant(&self, global: (usize, u32)) -> Option<Instruction<'static>> {
        if self.set.contains(&global) {
            return None;
        }
        let init = &self.parsed[global.0].as_ref()?.own_globals[global.1 as usize].init_expr;
        let mut reader = init.get_operators_reader();
        let first = reader.read().ok()?;
        if !matches!(reader.read().ok()?, Operator::End) {
            return None;
        }
        match first {
            Operator::I32Const { value } => Some(Instruction::I32Const(value)),
            Operator::I64Const { value } => Some(Instruction::I64Const(value)),
            Operator::GlobalGet { global_index } => {
                self.constant(self.own(global.0, ExternalKind::Global, global_index).ok()?)
            }
            _ => None,
        }
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    fn write(&self) -> Result<Vec<u8>> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        for ty in &self.types {
            let encoded = reencode::RoundtripReencoder.func_type(ty.clone()).map_err(wrong)?;
            types.ty().func_type(&encoded);
        }
        module.section(&types);
        let mut imports = ImportSection::new();
        for (name, ty) in &self.imports {
            imports.import(HOST, name, wasm_encoder::EntityType::Function(*ty));
        }
        module.section(&imports);
        let mut functions = FunctionSection::new();
        for (_, ty) in &self.answers {
            functions.function(*ty);
        }
        for (instance, own) in &self.order {
            let parsed = self.instance(*instance)?;
            functions.function(self.type_index[&parsed.types[parsed.function_types[*own as usize] as usize]]);
        }
        module.section(&functions);
        self.write_items(&mut module)?;
        let mut code = CodeSection::new();
        for (answer, ty) in &self.answers {
            code.function(&self.write_answer(answer, *ty)?);
        }
        for (instance, own) in &self.order {
            let body = self.instance(*instance)?.bodies[*own as usize].clone();
            View { merge: self, instance: *instance }.parse_function_body(&mut code, body).map_err(wrong)?;
        }
        let data = self.write_data()?;
        module.section(&DataCountSection { count: data.len() });
        module.section(&code);
        module.section(&data);
        Ok(module.finish())
    }

    /// Tables, memories, globals, exports and elements.
    fn write_items(&self, module: &mut Module) -> Result<()> {
        let (mut tables, mut memories, mut globals) = (TableSection::new(), MemorySection::new(), GlobalSection::new());
        let mut elements = ElementSection::new();
        for (instance, parsed) in self.parsed.iter().enumerate() {
            let Some(parsed) = parsed else { continue };
            let mut view = View { merge: self, instance };
            for ty in &parsed.own_tables {
                tables.table(view.table_type(*ty).map_err(wrong)?);
            }
            for ty in &parsed.own_memories {
                memories.memory(view.memory_type(*ty).map_err(wrong)?);
            }
            for global in &parsed.own_globals {
                view.parse_global(&mut globals, global.clone()).map_err(wrong)?;
            }
            for element in &parsed.elements {
                self.write_element(&mut view, &mut elements, element)?;
            }
        }
        let mut exports = ExportSection::new();
        for (core, name) in &self.linked.exports {
            let target = self.core(ExternalKind::Func, *core)?;
            exports.export(name, ExportKind::Func, self.index(target, || Err(wrong("an export")))?);
        }
        let realloc = self.core(ExternalKind::Func, self.linked.realloc)?;
        exports.export("cabi_realloc", ExportKind::Func, self.index(realloc, || Err(wrong("realloc")))?);
        exports.export("memory", ExportKind::Memory, self.memory()?);
        module.section(&tables).section(&memories).section(&globals).section(&exports).section(&elements);
        Ok(())
    }

    /// An active segment of plain functions is written in the form that the engine can lay out when it compiles.
    fn write_element(&self, view: &mut View, to: &mut ElementSection, element: &Element<'a>) -> Result<()> {
        let ElementKind::Active { table_index, offset_expr } = &element.kind else {
            return view.parse_element(to, element.clone()).map_err(wrong);
        };
        let table = self.tables[&self.own(view.instance, ExternalKind::Table, table_index.unwrap_or(0))?];
        let offset = view.const_expr(offset_expr.clone()).map_err(wrong)?;
        match view.element_items(element.items.clone()).map_err(wrong)? {
            Elements::Functions(functions) => {
                to.active((table != 0).then_some(table), &offset, Elements::Functions(functions))
            }
            expressions => to.active(Some(table), &offset, expressions),
        };
        Ok(())
    }

    /// The data segments of all, and last the words of what is missing.
    fn write_data(&self) -> Result<DataSection> {
        let mut section = DataSection::new();
        let mut image = self.image()?;
        immortal::make_immortal(&mut image);
        let image: HashMap<usize, Vec<u8>> = image.into_iter().collect();
        for (instance, parsed) in self.parsed.iter().enumerate() {
            let Some(parsed) = parsed else { continue };
            let mut view = View { merge: self, instance };
            for data in &parsed.data {
                if let DataKind::Active { memory_index, offset_expr } = &data.kind {
                    let memory = self.memories[&self.own(instance, ExternalKind::Memory, *memory_index)?];
                    let offset: ConstExpr = view.const_expr(offset_expr.clone()).map_err(wrong)?;
                    let changed = constant_offset(offset_expr).and_then(|at| image.get(&at));
                    section.active(memory, &offset, changed.map_or(data.data, Vec::as_slice).iter().copied());
                } else {
                    section.passive(data.data.iter().copied());
                }
            }
        }
        section.passive(self.passive.bytes().iter().copied());
        Ok(section)
    }

    /// The memory as it begins, where one instance alone fills it at constant places that do not overlap: what a tool
    /// leaves that has taken a snapshot.
    fn image(&self) -> Result<Vec<immortal::Segment>> {
        let mut image: Vec<immortal::Segment> = Vec::new();
        let mut from = None;
        for (instance, parsed) in self.parsed.iter().enumerate() {
            for data in parsed.iter().flat_map(|parsed| &parsed.data) {
                let DataKind::Active { offset_expr, .. } = &data.kind else { continue };
                let Some(at) = constant_offset(offset_expr) else { return Ok(Vec::new()) };
                if *from.get_or_insert(instance) != instance {
                    return Ok(Vec::new());
                }
                image.push((at, data.data.to_vec()));
            }
        }
        image.sort_by_key(|(at, _)| *at);
        let apart = image.windows(2).all(|pair| pair[0].0 + pair[0].1.len() <= pair[1].0);
        Ok(if apart && self.memories.len() == 1 { image } else { Vec::new() })
    }

    fn memory(&self) -> Result<u32> {
        match self.core(ExternalKind::Memory, self.linked.memory)? {
            Target::Own(instance, own) => Ok(self.memories[&(instance, own)]),
            Target::Made(_) => Err(wrong("the memory is none")),
        }
    }

    fn write_answer(&self, answer: &Answer, ty: u32) -> Result<wasm_encoder::Function> {
        let allocator = answer.realloc().unwrap_or(self.linked.realloc);
        let realloc = self.index(self.core(ExternalKind::Func, allocator)?, || Err(wrong("realloc")))?;
        answers::write(
            answer,
            &self.types[ty as usize],
            &answers::Place {
                host: &|name| self.import_index[name],
                realloc,
                memory: self.memory()?,
                words: self.data.len() as u32,
                word: &|name| self.passive.find(name),
            },
        )
    }
}

fn constant_offset(expression: &wasmparser::ConstExpr) -> Option<usize> {
    let mut reader = expression.get_operators_reader();
    match (reader.read().ok()?, reader.read().ok()?) {
        (Operator::I32Const { value }, Operator::End) => Some(value as u32 as usize),
        _ => None,
    }
}

/// The functions that a constant expression refers to.
fn references(mut reader: wasmparser::OperatorsReader, to: &mut Vec<u32>) -> Result<()> {
    while !reader.is_end_then_eof() {
        if let Operator::RefFunc { function_index } = reader.read().map_err(wrong)? {
            to.push(function_index);
        }
    }
    Ok(())
}

/// Translates the indices of one instance.
struct View<'m, 'a> {
    merge: &'m Merge<'a>,
    instance: usize,
}

type Re<T> = std::result::Result<T, reencode::Error<String>>;

fn lift<T>(result: Result<T>) -> Re<T> {
    result.map_err(reencode::Error::UserError)
}

impl View<'_, '_> {
    fn own(&self, kind: ExternalKind, index: u32, map: &HashMap<(usize, u32), u32>) -> Re<u32> {
        lift(self.merge.own(self.instance, kind, index).map(|key| map[&key]))
    }
}

impl Reencode for View<'_, '_> {
    type Error = String;

    fn function_index(&mut self, index: u32) -> Re<u32> {
        let target = lift(self.merge.item(self.instance, ExternalKind::Func, index))?;
        lift(self.merge.index(target, || self.merge.type_of(self.instance, index)))
    }
    fn type_index(&mut self, ty: u32) -> Re<u32> {
        let parsed = lift(self.merge.instance(self.instance))?;
        Ok(self.merge.type_index[&parsed.types[ty as usize]])
    }
    fn table_index(&mut self, index: u32) -> Re<u32> {
        self.own(ExternalKind::Table, index, &self.merge.tables)
    }
    fn memory_index(&mut self, index: u32) -> Re<u32> {
        self.own(ExternalKind::Memory, index, &self.merge.memories)
    }
    fn global_index(&mut self, index: u32) -> Re<u32> {
        self.own(ExternalKind::Global, index, &self.merge.globals)
    }
    fn element_index(&mut self, index: u32) -> Re<u32> {
        Ok(self.merge.elements[&(self.instance, index)])
    }
    fn data_index(&mut self, index: u32) -> Re<u32> {
        Ok(self.merge.data[&(self.instance, index)])
    }
    fn instruction<'b>(&mut self, operator: Operator<'b>) -> Re<Instruction<'b>> {
        if let Operator::GlobalGet { global_index } = operator {
            let global = lift(self.merge.own(self.instance, ExternalKind::Global, global_index))?;
            if let Some(constant) = self.merge.constant(global) {
                return Ok(constant);
            }
        }
        reencode::utils::instruction(self, operator)
    }
}

/// Makes one core module, for the encoder, of a component that exports theater:actor/actor.
pub fn merge(component: &[u8]) -> Result<Vec<u8>> {
    let linked = Linked::new(component)?;
    let mut parsed = Vec::new();
    for instance in &linked.instances {
        parsed.push(match instance {
            Core::Module { binary, .. } => Some(Parsed::new(binary)?),
            Core::Exports(_) => None,
        });
    }
    let mut merge = Merge {
        linked: &linked,
        parsed,
        types: Vec::new(),
        type_index: HashMap::new(),
        imports: Vec::new(),
        import_index: HashMap::new(),
        answers: Vec::new(),
        answer_index: HashMap::new(),
        functions: HashMap::new(),
        order: Vec::new(),
        tables: HashMap::new(),
        memories: HashMap::new(),
        globals: HashMap::new(),
        elements: HashMap::new(),
        data: HashMap::new(),
        set: HashSet::new(),
        passive: answers::Words::default(),
    };
    for instance in 0..merge.parsed.len() {
        let types = merge.parsed[instance].as_ref().map(|parsed| parsed.types.clone()).unwrap_or_default();
        for ty in types {
            merge.intern(ty);
        }
    }
    merge.reach()?;
    merge.number();
    merge.write()
}
