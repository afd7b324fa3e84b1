//! Turns the text of the adapter (sdk/wasi-stub/stub.wat) into the binary that src/lib.rs holds.

use std::{env, fs, path::PathBuf};

fn main() {
    let text = "../sdk/wasi-stub/stub.wat";
    println!("cargo:rerun-if-changed={text}");
    let binary = wat::parse_file(text).expect("sdk/wasi-stub/stub.wat");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap()).join("stub.wasm"), binary).expect("stub.wasm");
}
