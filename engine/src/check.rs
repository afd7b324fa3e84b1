//! Checks a component against the world theater:actor/guest and names all that is wrong with it at once.
//!
//! The component is first read with every feature of WebAssembly allowed and without its function bodies, so that an
//! actor's author learns of a missing export and of a WASI import in one go, also where the component uses a feature
//! that is refused. Types are compared in their written form, without the names of parameters: a message then shows
//! what was expected and what is there.

use wasmparser::component_types::{ComponentDefinedType, ComponentEntityType, ComponentItem, ComponentValType};
use wasmparser::types::{Types, TypesRef};
use wasmparser::{Parser, Payload, ValidPayload, Validator, WasmFeatures};

pub const HOST: &str = "theater:actor/host@0.1.0";
pub const ACTOR: &str = "theater:actor/actor@0.1.0";

/// Stands before the list of what a component asks of WASI, whose end may be cut off.
const WASI: &str = "WASI gives files, clocks and sockets that a replay could not give again; `theater build` makes components without it";

/// Where the text of a type is cut. A component of a few bytes can hold a type whose text is endless; those of the world are shorter.
const MOST_TEXT: usize = 400;

const HOST_FUNCTIONS: [(&str, &str); 8] = [
    ("log", "func(enum { trace, debug, info, warn, error }, string)"),
    ("now", "func() -> u64"),
    ("random", "func(u32) -> list<u8>"),
    ("self-name", "func() -> string"),
    ("sequence", "func() -> u64"),
    (
        "source",
        "func() -> variant { genesis, client(option<string>), actor(string), \
         reply(record { request: u64, failed: bool }) }",
    ),
    ("send", "func(string, list<u8>)"),
    ("request", "func(string, list<u8>) -> u64"),
];

const ACTOR_FUNCTIONS: [(&str, &str); 3] = [
    ("init", "func(list<u8>) -> result<list<u8>, string>"),
    ("handle", "func(list<u8>, list<u8>) -> result<tuple<list<u8>, list<u8>>, string>"),
    ("verify-state", "func(list<u8>) -> bool"),
];

/// What is wrong with the shape of a component: its kind, imports and exports. Empty if nothing is.
pub fn shape(binary: &[u8]) -> Vec<String> {
    if Parser::is_core_wasm(binary) {
        return vec!["this is a core WebAssembly module, not a component; `theater build` makes one of it".into()];
    }
    if !Parser::is_component(binary) {
        return vec!["this is not a WebAssembly component: its first eight bytes are not a component's".into()];
    }
    let (types, imports) = match read(binary) {
        Ok(read) => read,
        Err(error) => return vec![format!("not a valid component: {error}")],
    };
    let mut findings = Vec::new();
    if imports.iter().any(|name| name.starts_with("wasi:")) {
        findings.push(WASI.into());
    }
    for name in &imports {
        check_import(types.as_ref(), name, &mut findings);
    }
    check_exports(types.as_ref(), &mut findings);
    findings
}

/// The refused features that a component uses: each is found by allowing those found before.
pub fn features(binary: &[u8], findings: &mut Vec<String>) {
    let refused = WasmFeatures::GC
        | WasmFeatures::GC_TYPES
        | WasmFeatures::EXCEPTIONS
        | WasmFeatures::THREADS
        | WasmFeatures::MEMORY64
        | WasmFeatures::RELAXED_SIMD;
    let mut allowed = (WasmFeatures::WASM3 | WasmFeatures::COMPONENT_MODEL) - refused;
    while let Err(error) = Validator::new_with_features(allowed).validate_all(binary) {
        let Some(missing) = error.missing_wasm_feature().filter(|missing| !allowed.contains(*missing)) else {
            findings.push(format!("not a valid component: {error}"));
            return;
        };
        allowed |= missing;
        let finding = format!("uses {}, which is refused", feature_name(missing));
        // A proposal may be several flags, of which the first says enough.
        if !findings.iter().any(|known| known.starts_with(&finding)) {
            findings.push(format!("{finding}: {error}"));
        }
    }
}

fn feature_name(feature: WasmFeatures) -> String {
    let names = [
        (WasmFeatures::GC | WasmFeatures::GC_TYPES, "garbage collection"),
        (WasmFeatures::EXCEPTIONS | WasmFeatures::LEGACY_EXCEPTIONS, "exceptions"),
        (WasmFeatures::THREADS, "threads or shared memory"),
        (WasmFeatures::MEMORY64, "64-bit memories or tables"),
        (WasmFeatures::RELAXED_SIMD, "relaxed SIMD"),
    ];
    match names.iter().find(|(flags, _)| flags.intersects(feature)) {
        Some((_, name)) => name.to_string(),
        None => feature.iter_names().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>().join(", "),
    }
}

/// Reads the types of a component, and the names of its imports in their order.
fn read(binary: &[u8]) -> Result<(Types, Vec<String>), wasmparser::Error> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut types, mut imports, mut depth) = (None, Vec::new(), 0);
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload?;
        match &payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section.clone() {
                    imports.push(import?.name.name.to_string());
                }
            }
            _ => {}
        }
        if let ValidPayload::End(end) = validator.payload(&payload)? {
            types = Some(end);
        }
    }
    // A component that parses to its end has ended with its types.
    Ok((types.expect("the validator gives the types at the end"), imports))
}

fn check_import(types: TypesRef, name: &str, findings: &mut Vec<String>) {
    let functions = functions(types, types.component_item_for_import(name));
    if name != HOST {
        let names: Vec<_> = functions.iter().map(|(name, _)| name.as_str()).collect();
        let list = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        findings.push(format!("imports {name}{list}: an actor may import only {HOST}"));
        return;
    }
    for (function, found) in functions {
        match HOST_FUNCTIONS.iter().find(|(known, _)| *known == function) {
            Some((_, expected)) if *expected == found => {}
            Some((_, expected)) => findings.push(mistyped("imports", &function, HOST, expected, &found)),
            None => findings.push(format!("imports the function {function} of {HOST}, which has none of that name")),
        }
    }
}

fn check_exports(types: TypesRef, findings: &mut Vec<String>) {
    let functions = functions(types, types.component_item_for_export(ACTOR));
    for (name, expected) in ACTOR_FUNCTIONS {
        match functions.iter().find(|(found, _)| found == name) {
            Some((_, found)) if found == expected => {}
            Some((_, found)) => findings.push(mistyped("exports", name, ACTOR, expected, found)),
            None => findings.push(format!("does not export the function {name} of {ACTOR}: {expected}")),
        }
    }
}

fn mistyped(verb: &str, function: &str, interface: &str, expected: &str, found: &str) -> String {
    format!("{verb} the function {function} of {interface} with the wrong type: expected {expected}, found {found}")
}

/// Names and written types of what an imported or exported instance holds beside types.
fn functions(types: TypesRef, item: Option<&ComponentItem>) -> Vec<(String, String)> {
    let Some(ComponentEntityType::Instance(id)) = item.map(|item| item.ty) else { return Vec::new() };
    let mut functions = Vec::new();
    for (name, item) in types[id].exports.iter() {
        let mut text = String::new();
        match item.ty {
            ComponentEntityType::Type { .. } => continue,
            ComponentEntityType::Func(id) => {
                text.push_str(if types[id].async_ { "async func(" } else { "func(" });
                comma_separated(&mut text, types[id].params.iter(), |text, (_, ty)| write_type(types, ty, text));
                text.push(')');
                if let Some(result) = &types[id].result {
                    text.push_str(" -> ");
                    write_type(types, result, &mut text);
                }
            }
            _ => text.push_str("something that is no function"),
        }
        functions.push((name.clone(), text));
    }
    functions
}

fn comma_separated<T>(text: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    for (place, item) in items.enumerate() {
        if text.len() > MOST_TEXT {
            return text.push_str(" ..");
        }
        if place > 0 {
            text.push_str(", ");
        }
        write(text, item);
    }
}

/// Writes a type as WIT does, with records, variants and enums in full instead of by their names.
fn write_type(types: TypesRef, ty: &ComponentValType, text: &mut String) {
    let id = match ty {
        ComponentValType::Primitive(primitive) => return text.push_str(&primitive.to_string()),
        ComponentValType::Type(id) => *id,
    };
    let angled = |text: &mut String, name: &str, parts: &[Option<ComponentValType>]| {
        text.push_str(name);
        text.push('<');
        comma_separated(text, parts.iter(), |text, ty| match ty {
            Some(ty) => write_type(types, ty, text),
            None => text.push('_'),
        });
        text.push('>');
    };
    match &types[id] {
        ComponentDefinedType::Primitive(primitive) => text.push_str(&primitive.to_string()),
        ComponentDefinedType::List { element, .. } => angled(text, "list", &[Some(*element)]),
        ComponentDefinedType::Tuple(tuple) => {
            angled(text, "tuple", &tuple.types.iter().map(|ty| Some(*ty)).collect::<Vec<_>>())
        }
        ComponentDefinedType::Option { ty, .. } => angled(text, "option", &[Some(*ty)]),
        ComponentDefinedType::Result { ok, err, .. } => angled(text, "result", &[*ok, *err]),
        ComponentDefinedType::Enum(cases) => {
            write_named(types, text, "enum", ["", ""], cases.iter().map(|name| (name.as_str(), None)))
        }
        ComponentDefinedType::Record(record) => {
            let fields = record.fields.iter().map(|(name, ty)| (name.as_str(), Some(ty)));
            write_named(types, text, "record", [": ", ""], fields)
        }
        ComponentDefinedType::Variant(variant) => {
            let cases = variant.cases.iter().map(|(name, case)| (name.as_str(), case.ty.as_ref()));
            write_named(types, text, "variant", ["(", ")"], cases)
        }
        // No function of the actor world has a type of another kind, so its kind is enough for a message.
        ComponentDefinedType::Own(_) | ComponentDefinedType::Borrow(_) => text.push_str("a resource"),
        _ => text.push_str("a type of another kind"),
    }
}

/// Writes what has named parts, each with its type between `marks`, if it has one.
fn write_named<'a>(
    types: TypesRef,
    text: &mut String,
    kind: &str,
    marks: [&str; 2],
    parts: impl Iterator<Item = (&'a str, Option<&'a ComponentValType>)>,
) {
    text.push_str(kind);
    text.push_str(" { ");
    comma_separated(text, parts, |text, (name, ty)| {
        text.push_str(name);
        if let Some(ty) = ty {
            text.push_str(marks[0]);
            write_type(types, ty, text);
            text.push_str(marks[1]);
        }
    });
    text.push_str(" }");
}
