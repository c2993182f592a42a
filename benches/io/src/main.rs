//! Logins and exchanges over loopback sockets, and prints tables.
//!
//! `cargo run --profile bench -p proofkey-benches-io`, with `-- --quick` for a fast and rougher one. Times depend on the machine
//! and on what else it does: compare ratios only.

use proofkey_benches_io::measure::{Contender, Figures, measure};
use proofkey_benches_io::memory::Counting;
use proofkey_benches_io::own::Own;
use proofkey_benches_io::server::{self, SERVE, Server};
use proofkey_benches_io::{login, own, service};
use std::time::Duration;
use std::{env, io, process};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> io::Result<()> {
    let rounds = match env::args().nth(1).as_deref() {
        None => 31,
        Some("--quick") => 5,
        Some(SERVE) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
            return runtime.block_on(server::serve());
        }
        Some(_) => {
            eprintln!("usage: io [--quick]");
            process::exit(2);
        }
    };
    if cfg!(debug_assertions) {
        eprintln!("io: a debug build measures nothing; add `--profile bench`");
        process::exit(2);
    }
    rustls::crypto::ring::default_provider().install_default().map_err(|_| io::Error::other("there is a provider"))?;
    let server = Server::start(&env::current_exe()?)?;
    let origin = server.origin.as_str();

    println!("{HEAD}");
    let service = service::of_tokio(origin);
    for (at_a_time, each) in [(1, 200), (16, 25), (256, 4)] {
        table("a service's sign-in", &service, at_a_time, each, rounds);
    }
    table("the same, blocking", &service::blocking(origin), 1, 200, rounds);
    let logins = [login::of_tokio(origin)];
    for (at_a_time, each) in [(1, 100), (16, 10), (256, 2)] {
        table("a whole login", &logins, at_a_time, each, rounds);
    }
    for (at_a_time, each) in [(1, 50), (16, 8)] {
        table("a whole login", &[login::blocking(origin)], at_a_time, each, rounds);
    }

    println!("\n{OWN}");
    [own::of_ureq(origin), own::of_reqwest(origin)].iter().for_each(row);
    Ok(())
}

fn table(what: &str, contenders: &[Contender], at_a_time: usize, each: usize, rounds: usize) {
    let mut all = measure(contenders, at_a_time, each, rounds);
    let ratios: Vec<f64> = all.iter().map(|other| ratio(&all[0], other)).collect();
    for ((contender, figures), ratio) in contenders.iter().zip(&mut all).zip(ratios) {
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

const HEAD: &str = "\
Over loopback sockets, against one server that gives everybody the same answer; every round all in turns, then the median.
A service's sign-in: the URL, the redirect, the exchange of the code, on one thread. A whole login: the listener and a browser besides.
Ratio: how many times as many a second the first of each group does. Memory of one: allocations, bytes; the most bytes that
all at a time have; the bytes of the tokens that stay. Connections are not kept, as the adapters have it, but where it says so.

| what | at a time | who | a second | ratio | p50 µs | p99 µs | allocations | bytes | peak of all | held |
|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|";
const OWN: &str = "\
What the adapter itself allocates in one exchange: all, less what the same HTTP request takes without it.

| adapter | all | HTTP alone | its own |
|---|---:|---:|---:|";
