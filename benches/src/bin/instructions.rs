//! Counts the instructions of each path of the core, once, and compares them with `benches/instructions.txt`.
//!
//! `cargo run --profile counted -p proofkey-benches --bin instructions`, with Valgrind installed. The counts advise: they say
//! which path a change made longer, not whether it is slower, so no growth fails. `BLESS=1` writes that file anew. Valgrind
//! plays a processor without instructions for SHA-256, and another compiler or C library counts differently: the file says which
//! compiler it is of.

use proofkey_benches::{Name, paths};
use std::hint::black_box;
use std::process::Command;
use std::{env, error::Error, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.txt");

fn main() -> Result<()> {
    if env::args().nth(1).as_deref() == Some("--walk") {
        walk();
        return Ok(());
    }
    let compiler = String::from_utf8(Command::new("rustc").arg("--version").output()?.stdout)?.trim().to_owned();
    let counts = counts()?;
    if env::var_os("BLESS").is_some_and(|bless| !bless.is_empty()) {
        let lines: String = counts.iter().map(|(path, count)| format!("{path}: {count}\n")).collect();
        fs::write(KEPT, format!("{compiler}\n{lines}"))?;
    }
    let kept = fs::read_to_string(KEPT)?;
    let (compiler_then, kept) = kept.split_once('\n').ok_or("instructions.txt has no first line")?;
    println!("{:<24} {:>8} {:>8} {:>8}", "instructions", "kept", "now", "growth");
    for (path, count) in &counts {
        let then = kept.lines().find_map(|line| line.strip_prefix(path)?.strip_prefix(": ")?.parse::<u64>().ok());
        let Some(then) = then else {
            println!("{path:<24} {:>8} {count:>8} {:>8}", "-", "new");
            continue;
        };
        let growth = (*count as f64 / then as f64 - 1.0) * 100.0;
        let note = if growth > 2.0 { " longer" } else { "" };
        println!("{path:<24} {then:>8} {count:>8} {growth:>7.1}%{note}");
    }
    if compiler != compiler_then {
        println!("instructions.txt is of {compiler_then}, this is {compiler}");
    }
    Ok(())
}

/// What Valgrind counts in each call of [`counted`], in the order of the paths.
fn counts() -> Result<Vec<(&'static str, u64)>> {
    let program = env::current_exe()?;
    let out = program.with_file_name("callgrind.out");
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--combine-dumps=yes", "--collect-atstart=no"])
        .args(["--toggle-collect=instructions::counted", "--dump-after=instructions::counted"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(&program)
        .arg("--walk")
        // Addresses depend on these, and on addresses how some bytes are copied.
        .current_dir("/")
        .env_clear()
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into());
    }
    let out = fs::read_to_string(out)?;
    let totals = out.lines().filter_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    let counts: Vec<u64> = totals.filter(|total| *total > 0).collect();
    let paths = paths::all();
    if counts.len() != paths.len() {
        return Err(format!("{} counts of {} paths", counts.len(), paths.len()).into());
    }
    Ok(paths.iter().map(|path| path.name).zip(counts).collect())
}

/// Each path twice, so that what is computed once only is there when it is counted.
fn walk() {
    for mut path in paths::all() {
        for contender in path.contenders.iter_mut().filter(|contender| contender.name == Name::Proofkey) {
            contender.once(&mut |steps| steps());
            contender.once(&mut |steps| assert!(counted(steps)));
        }
    }
}

/// It returns something, else it would jump to the steps, and Valgrind would see no end of it.
#[inline(never)]
fn counted(steps: &mut dyn FnMut()) -> bool {
    steps();
    black_box(true)
}
