//! Every interleaving of a few parties over the real pass and the real rules of a store.

mod actions;
mod config;
mod explore;
mod party;
mod server;
mod store;
mod verdict;
mod world;

use config::{Config, Fault, Rotation, Successor};
use explore::{Report, explore};
use proofkey_core::session::{Need, Policy};
use std::thread;

#[test]
fn try_it() {
    let config = Config {
        name: "no grace",
        rotation: Rotation::Grace(0, Successor::Same),
        policy: Policy::new(),
        left: 0,
        need: Need::Valid,
        parties: 3,
        passes: 1,
        faults: std::env::var("F").map_or(0, |f| f.parse().unwrap()),
        kinds: if std::env::var_os("B").is_some() { Fault::BENIGN } else { Fault::ALL },
        sign_outs: 0,
        logins: 0,
        mutant: None,
    };
    let start = std::time::Instant::now();
    let report = on_a_deep_stack(move || explore(&config, 20_000_000));
    println!("{:?}", start.elapsed());
    print(&config, &report);
}

fn print(config: &Config, report: &Report) {
    println!("{}: {} states, {} ends, lost {:?}", config.name, report.states, report.ends, report.lost);
    for (rule, count) in &report.outside {
        println!("  OUTSIDE {rule}: {count}");
        println!("    {:?}", report.traces[rule]);
    }
}

fn on_a_deep_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new().stack_size(1 << 30).spawn(work).expect("a thread").join().expect("a report")
}
