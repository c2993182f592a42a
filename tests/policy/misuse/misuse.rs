//! What must not compile: each file of `cases/` says why, and beside it stands what the compiler says.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Each compiler words its errors anew: on another one, all that counts is that nothing compiles.
const WORDED_BY: &str = "rustc 1.95.";

#[test]
fn misuse_does_not_compile() {
    if compiler().starts_with(WORDED_BY) {
        return trybuild::TestCases::new().compile_fail("cases/*.rs");
    }
    let mut copies = Command::new(env::current_exe().expect("this program"));
    let copies = copies.args(["copies_do_not_compile", "--exact", "--ignored"]).env("TRYBUILD", "overwrite");
    assert!(copies.status().expect("a run").success());
}

#[test]
#[ignore = "the test above, whatever the compiler says"]
fn copies_do_not_compile() {
    let cases = trybuild::TestCases::new();
    for case in fs::read_dir("cases").expect("the cases").map(|entry| entry.expect("a case").path()) {
        if case.extension().is_some_and(|extension| extension == "rs") {
            let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(case.file_name().expect("a name"));
            fs::copy(&case, &copy).expect("a copy");
            cases.compile_fail(copy);
        }
    }
}

fn compiler() -> String {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output().expect("a compiler");
    String::from_utf8(output.stdout).expect("text")
}
