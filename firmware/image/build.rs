//! Gives the linker `memory.x`, and the script that begins with it.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names it"));
    let memory = include_str!("memory.x");
    // P-256 in software needs a deeper stack.
    let is_deep = env::var_os("CARGO_FEATURE_P256").is_some();
    fs::write(out.join("memory.x"), if is_deep { memory.replace("16K", "32K") } else { memory.to_owned() })
        .expect("the folder is there");
    // Not for packages that depend on this one: the peer has its own.
    println!("cargo:rustc-link-arg-bins=-L{}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
}
