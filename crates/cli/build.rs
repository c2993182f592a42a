//! On Linux the unwinder stands in the program itself: the shared one, `libgcc_s`, would be a tenth of the time that the tool
//! takes to start. The GCC that links the program brings both.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if [var("CARGO_CFG_TARGET_OS").as_deref(), var("CARGO_CFG_TARGET_ENV").as_deref()] == [Ok("linux"), Ok("gnu")] {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
