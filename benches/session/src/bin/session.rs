//! Times how long it takes to hand out a valid token, beside other crates that keep one, and prints tables.
//!
//! `cargo run --profile bench --manifest-path benches/session/Cargo.toml`, with `-- --quick` for a fast and rougher run, fails if a
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
    let kept = [
        yardsticks::load_full(),
        ours::ureq(),
        ours::reqwest(),
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
    println!("{HEAD}");
    for threads in [1, 4, 16] {
        table(&kept, threads, rounds);
    }
    for threads in [1, 4, 16] {
        table(&found, threads, rounds);
    }
    Ok(ExitCode::SUCCESS)
}

fn table(contenders: &[Contender], threads: usize, rounds: usize) {
    let times = measure(contenders, threads, rounds);
    for (contender, own) in contenders.iter().zip(&times) {
        let mut ratios: Vec<f64> = own.iter().zip(&times[0]).map(|(own, first)| own / first).collect();
        let [low, half, high] = quartiles(&mut ratios);
        let [_, time, _] = quartiles(&mut own.clone());
        println!("| {threads} | {} | {time:.1} | {half:.2} | {low:.2} to {high:.2} |", contender.name);
    }
}

fn quartiles(numbers: &mut [f64]) -> [f64; 3] {
    numbers.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers[(numbers.len() - 1) * quarter / 4])
}

const HEAD: &str = "\
A valid token is handed out and dropped. All take turns in each round; medians of the rounds. The time of a call is that of the
whole program divided by the calls of all threads. Ratio: how many times as long as the first of the group.

| threads | who | ns | ratio | half of all rounds |
|---:|---|---:|---:|---:|";
