//! Times how long it takes to hand out a valid token, beside other crates that keep one, and prints tables.
//!
//! `cargo run --profile bench --manifest-path benches/session/Cargo.toml --bin session`, with `-- --quick` for a fast and rougher run, fails if a
//! ratio is above its limit. Times depend on the machine and on what else it does: compare ratios only.

use proofkey_benches_session::contender::{Contender, measure};
use proofkey_benches_session::{endpoint, ours, peers, yardsticks};
use std::process::ExitCode;
use std::{env, io};

fn main() -> io::Result<ExitCode> {
    let rounds = match env::args().nth(1).as_deref() {
        None => 101,
        Some("--quick") => 25,
        Some(_) => {
            eprintln!("usage: session [--quick]");
            return Ok(ExitCode::from(2));
        }
    };
    if cfg!(debug_assertions) {
        eprintln!("session: a debug build measures nothing; add `--profile bench`");
        return Ok(ExitCode::from(2));
    }
    rustls::crypto::ring::default_provider().install_default().map_err(|_| io::Error::other("there is a provider"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let endpoint = endpoint::start()?;
    println!("{HEAD}");
    let kept = [
        yardsticks::load_full(),
        ours::ureq(),
        ours::reqwest(),
        yardsticks::load_full_future(),
        yardsticks::rw_lock(),
        yardsticks::reuse_token_source(),
        peers::google_cloud_auth(&runtime, &endpoint),
        peers::azure_identity(&runtime),
        peers::yup_oauth2(&runtime, &endpoint),
        peers::rmcp(&runtime),
    ];
    let found = [
        yardsticks::map("std RwLock<HashMap>, 1", 1),
        ours::reqwest_of("proofkey-reqwest Sessions::of, 1", 1),
        yardsticks::map("std RwLock<HashMap>, 1,000", 1_000),
        ours::reqwest_of("proofkey-reqwest Sessions::of, 1,000", 1_000),
        yardsticks::map("std RwLock<HashMap>, 100,000", 100_000),
        ours::reqwest_of("proofkey-reqwest Sessions::of, 100,000", 100_000),
    ];
    let mut missed = Vec::new();
    for (threads, limits) in LIMITS {
        missed.extend(gated(&kept, threads, limits, rounds));
    }
    for (threads, _) in LIMITS {
        print(&found, threads, &measure(&found, threads, rounds));
    }
    missed.iter().for_each(|missed| eprintln!("session: {missed}"));
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a table, and returns what is wrong: a session that takes too long beside the first, or longer than another crate. It is
/// then measured once more, since the machine is shared.
fn gated(contenders: &[Contender], threads: usize, limits: [f64; 2], rounds: usize) -> Vec<String> {
    let mut times = measure(contenders, threads, rounds);
    if !missed(contenders, threads, limits, &times).is_empty() {
        times = measure(contenders, threads, rounds);
    }
    print(contenders, threads, &times);
    missed(contenders, threads, limits, &times)
}

fn missed(contenders: &[Contender], threads: usize, limits: [f64; 2], times: &[Vec<f64>]) -> Vec<String> {
    let mut missed = Vec::new();
    for ((own, contender), limit) in times.iter().zip(contenders).skip(1).zip(limits) {
        let name = contender.name;
        let beside_first = ratio(own, &times[0]);
        if beside_first > limit {
            missed.push(format!("{name}, {threads} threads: {beside_first:.2} times load_full, limit {limit}"));
        }
        for (peer, other) in times.iter().zip(contenders).skip(contenders.len() - PEERS) {
            if ratio(own, peer) > 1.0 {
                missed.push(format!("{name}, {threads} threads: slower than {}", other.name));
            }
        }
    }
    missed
}

fn print(contenders: &[Contender], threads: usize, times: &[Vec<f64>]) {
    for (contender, own) in contenders.iter().zip(times) {
        let [low, half, high] = quartiles(ratios(own, &times[0]));
        let [_, time, _] = quartiles(own.clone());
        println!("| {threads} | {} | {time:.1} | {half:.2} | {low:.2} to {high:.2} |", contender.name);
    }
}

/// In the middle of all rounds.
fn ratio(own: &[f64], other: &[f64]) -> f64 {
    quartiles(ratios(own, other))[1]
}

fn ratios(own: &[f64], other: &[f64]) -> Vec<f64> {
    own.iter().zip(other).map(|(own, other)| own / other).collect()
}

fn quartiles(mut numbers: Vec<f64>) -> [f64; 3] {
    numbers.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers[(numbers.len() - 1) * quarter / 4])
}

/// With so many threads, how many times as long as `load_full` each session may take; they come after it. With more threads than
/// processors that depends on who runs beside whom. What is reached is in `docs/speed.md`.
const LIMITS: [(usize, [f64; 2]); 3] = [(1, [1.3, 1.45]), (4, [1.8, 2.0]), (16, [1.6, 1.8])];
/// How many of the first table are other crates: the last ones.
const PEERS: usize = 4;
const HEAD: &str = "\
A valid token is handed out and dropped. All take turns in each round; medians of the rounds. The time of a call is that of the
whole program divided by the calls of all threads. Ratio: how many times as long as the first of the group.

| threads | who | ns | ratio | half of all rounds |
|---:|---|---:|---:|---:|";
