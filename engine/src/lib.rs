//! Wasmtime behind the narrow C header `theater_engine.h`, which says what each function promises.
//!
//! One file, one idea: `config` sets the engine up so that execution is deterministic, `check` names all that is
//! wrong with a component, `component` compiles and keeps it, `host` is what a guest can call and what bounds it,
//! `turn` runs one turn and says why it ended, `small` and `spare` make the turns of small components cheap,
//! `large` those of others, with memories of the crate `theater_memory`; `ffi` is the border to C.

mod check;
mod component;
mod config;
mod ffi;
mod host;
mod large;
mod small;
mod spare;
mod turn;
