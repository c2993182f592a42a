//! Refreshes through stores, and services with up to a million users, and prints tables.
//!
//! `cargo run --profile bench --manifest-path benches/session/Cargo.toml --bin stores -- refresh`, with `--quick` for a fast and
//! rougher run, and `-- scale`, with `--idle` to wait until the users are idle, or with numbers of users. Times depend on the
//! machine and on what else it does: compare ratios only.

use proofkey_benches_session::endpoint::{self, Endpoint, SERVE};
use proofkey_benches_session::measure::{Contender, measure};
use proofkey_benches_session::scale::{self, SERVICE};
use proofkey_benches_session::servers::{Postgres, Redis};
use proofkey_benches_session::{refresh, service};
use std::path::Path;
use std::process::ExitCode;
use std::{env, io};

fn main() -> io::Result<ExitCode> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if cfg!(debug_assertions) {
        eprintln!("stores: a debug build measures nothing; add `--profile bench`");
        return Ok(ExitCode::from(2));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let origin = || Endpoint::start(&env::current_exe()?);
    match args.as_slice() {
        [SERVE] => endpoint::run()?,
        [SERVICE, kind, socket, users, origin, idle] => {
            let users = users.parse().map_err(io::Error::other)?;
            runtime.block_on(service::run(kind, Path::new(socket), users, origin, *idle == "true"))?;
        }
        ["refresh"] => refreshes(31, &origin()?.origin)?,
        ["refresh", "--quick"] => refreshes(7, &origin()?.origin)?,
        ["scale", numbers @ ..] => {
            let (idle, numbers): (Vec<&str>, Vec<&str>) = numbers.iter().partition(|number| **number == "--idle");
            let numbers: Result<Vec<usize>, _> = numbers.iter().map(|number| number.parse()).collect();
            let mut numbers = numbers.map_err(io::Error::other)?;
            if numbers.is_empty() {
                numbers = vec![1_000, 10_000, 100_000, 1_000_000];
            }
            let server = origin()?;
            println!("{SCALE}");
            runtime.block_on(scale::run(&numbers, !idle.is_empty(), &server.origin))?;
        }
        _ => {
            eprintln!("usage: stores refresh [--quick] | scale [--idle] [USERS...]");
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn refreshes(rounds: usize, origin: &str) -> io::Result<()> {
    let redis = Redis::with(&["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]);
    let postgres = Postgres::with(&["-c", "fsync=on"]);
    let (own, others) = (tempfile::tempdir()?, tempfile::tempdir()?);
    println!("{REFRESH}");
    let tables = [
        ("a refresh, async", refresh::of_tokio(origin, &redis, &postgres, own.path())),
        ("a refresh, blocking", refresh::blocking(origin, others.path())),
        ("the store alone", refresh::operations(origin, &redis, &postgres, own.path())),
    ];
    for (at_a_time, each) in [(1, 50), (16, 8)] {
        for (what, contenders) in &tables {
            table(what, contenders, at_a_time, each, rounds);
        }
    }
    Ok(())
}

fn table(what: &str, contenders: &[Contender], at_a_time: usize, each: usize, rounds: usize) {
    let mut all = measure(contenders, at_a_time, each, rounds);
    let ratios: Vec<f64> = all
        .iter()
        .map(|other| median(other.rates.iter().zip(&all[0].rates).map(|(other, first)| other / first).collect()))
        .collect();
    for ((contender, figures), ratio) in contenders.iter().zip(&mut all).zip(ratios) {
        figures.times.sort_unstable();
        let [half, most] = [50, 99].map(|percent| figures.times[figures.times.len() * percent / 100].as_micros());
        let rate = median(figures.rates.clone());
        println!("| {what} | {at_a_time} | {} | {rate:.0} | {ratio:.3} | {half} | {most} |", contender.name);
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    let middle = numbers.len() / 2;
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

const REFRESH: &str = "\
A refresh over kept connections, against one server that gives a new refresh token each time, on this machine as the stores are.
Redis writes to its log once a second, PostgreSQL and files before they answer. Each at a time has a login of its own. All take
turns in each round; medians of the rounds. Ratio: how many times as many a second as the first of each group.

| what | at a time | who | a second | ratio | p50 µs | p99 µs |
|---|---:|---|---:|---:|---:|---:|";
const SCALE: &str = "\
A service over a store with so many users, 64 at a time: each comes once, but at most 200,000 (they are loaded from the store), then
the last thousand come again and again, then others are refreshed. Redis keeps all in memory only, PostgreSQL waits for the disk. Memory: MiB that are
resident of the service, and how many accounts it has.

| store | users | first tokens a second | tokens again a second | refreshes a second | MiB before | MiB / accounts then | when all were idle |
|---|---:|---:|---:|---:|---:|---:|---:|";
