//! Logins and exchanges over loopback sockets, and prints tables.
//!
//! `cargo run --profile bench -p proofkey-benches-io`, with `-- --quick` for a fast and rougher run, fails if a ratio is below its
//! floor. Times depend on the machine and on what else it does: compare ratios only.

use proofkey_benches_io::measure::{Contender, Figures, measure};
use proofkey_benches_io::memory::Counting;
use proofkey_benches_io::own::Own;
use proofkey_benches_io::server::{self, SERVE, Server};
use proofkey_benches_io::{login, own, service};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, io};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<ExitCode> {
    let rounds = match env::args().nth(1).as_deref() {
        None => 31,
        Some("--quick") => 5,
        Some(SERVE) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            return runtime.block_on(server::serve()).map(|()| ExitCode::SUCCESS);
        }
        Some(_) => {
            eprintln!("usage: io [--quick]");
            return Ok(ExitCode::from(2));
        }
    };
    if cfg!(debug_assertions) {
        eprintln!("io: a debug build measures nothing; add `--profile bench`");
        return Ok(ExitCode::from(2));
    }
    rustls::crypto::ring::default_provider().install_default().map_err(|_| io::Error::other("there is a provider"))?;
    let server = Server::start(&env::current_exe()?)?;
    let origin = server.origin.as_str();

    println!("{HEAD}");
    let service = service::of_tokio(origin);
    for (at_a_time, each) in [(1, 200), (16, 25), (256, 4)] {
        table("a service's sign-in", &service, at_a_time, each, rounds);
    }
    table("a service's sign-in, blocking", &service::blocking(origin), 1, 200, rounds);
    let mut missed = Vec::new();
    let service = service::of_tokio_kept(origin);
    for (at_a_time, each) in [(1, 200), (16, 25), (256, 4)] {
        missed.extend(gated("a service's sign-in, kept", &service, at_a_time, each, rounds));
    }
    let service = service::blocking_kept(origin);
    for (at_a_time, each) in [(1, 200), (16, 25)] {
        missed.extend(gated("a service's sign-in, blocking, kept", &service, at_a_time, each, rounds));
    }
    let logins = [login::of_tokio(origin)];
    for (at_a_time, each) in [(1, 100), (16, 10), (256, 2)] {
        table("a whole login", &logins, at_a_time, each, rounds);
    }
    for (at_a_time, each) in [(1, 50), (16, 8)] {
        table("a whole login", &[login::blocking(origin)], at_a_time, each, rounds);
    }

    println!("\n{OWN}");
    [own::of_ureq(origin), own::of_reqwest(origin)].iter().for_each(row);
    missed.iter().for_each(|missed| eprintln!("io: {missed}"));
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a table, and returns what is wrong if the first is below the floor beside the second. It is then measured once more,
/// since the machine is shared.
fn gated(what: &str, contenders: &[Contender], at_a_time: usize, each: usize, rounds: usize) -> Option<String> {
    let measure = || measure(contenders, at_a_time, each, rounds.max(ROUNDS_OF_A_FLOOR));
    let ratio = |all: &[Figures]| ratio(&all[0], &all[1]);
    let mut all = measure();
    if ratio(&all) < FLOOR {
        all = measure();
    }
    print(what, contenders, at_a_time, &mut all);
    let ratio = ratio(&all);
    (ratio < FLOOR).then(|| format!("{what}, {at_a_time} at a time: {ratio:.2}, floor {FLOOR} {}", contenders[1].name))
}

fn table(what: &str, contenders: &[Contender], at_a_time: usize, each: usize, rounds: usize) {
    print(what, contenders, at_a_time, &mut measure(contenders, at_a_time, each, rounds));
}

fn print(what: &str, contenders: &[Contender], at_a_time: usize, all: &mut [Figures]) {
    let ratios: Vec<f64> = all.iter().map(|other| ratio(&all[0], other)).collect();
    for ((contender, figures), ratio) in contenders.iter().zip(all).zip(ratios) {
        let Figures { rates, times, count, held } = figures;
        let rate = median(rates);
        times.sort_unstable();
        let [half, most] = [50, 99].map(|percent| micros(times[times.len() * percent / 100]));
        println!(
            "| {what} | {at_a_time} | {} | {rate:.0} | {ratio:.2} | {half} | {most} | {} | {} | {} | {held} |",
            contender.name, count.allocations, count.bytes, count.peak,
        );
    }
}

/// How many times as many a second the first does, in the middle of all rounds.
fn ratio(first: &Figures, other: &Figures) -> f64 {
    median(&mut first.rates.iter().zip(&other.rates).map(|(first, other)| first / other).collect::<Vec<_>>())
}

fn median(numbers: &mut [f64]) -> f64 {
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

fn micros(time: Duration) -> u128 {
    time.as_nanos() / 1000
}

fn row(own: &Own) {
    let Own { name, with, without } = own;
    println!(
        "| {name} | {} / {} B | {} / {} B | {} / {} B |",
        with.allocations,
        with.bytes,
        without.allocations,
        without.bytes,
        own.allocations(),
        own.bytes()
    );
}

/// The least ratio to `oauth2` with the same client, if both keep their connections.
const FLOOR: f64 = 0.9;
const ROUNDS_OF_A_FLOOR: usize = 15;
const HEAD: &str = "\
Over loopback sockets, against one server that always gives the same answer. All take turns in each round; medians of the rounds.
A service's sign-in: the URL, the redirect, the exchange of the code. A whole login: the listener and a browser besides.
Kept: connections are kept for the next exchange; otherwise each has its own. Ratio: how many times as many a second the first of
each group does; on kept connections at least 0.9 times oauth2. Memory of one: allocations, bytes; the most bytes that all at a
time have; the bytes of the tokens that stay.

| what | at a time | who | a second | ratio | p50 µs | p99 µs | allocations | bytes | peak of all | held |
|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|";
const OWN: &str = "\
What the adapter itself allocates in one exchange: all, less what the same HTTP request takes without it.

| adapter | all | HTTP alone | its own |
|---|---:|---:|---:|";
