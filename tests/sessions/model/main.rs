//! Every interleaving of a few parties over the real pass and the real rules of a store.
//!
//! With `MODEL_FULL=1` there are any two faults on each path; else one, or two that must do no harm.

mod actions;
mod config;
mod explore;
mod party;
mod plan;
mod server;
mod store;
mod verdict;
mod world;

use config::Config;
use explore::{Report, explore, replay};
use plan::{Plan, plans};
use std::collections::BTreeMap;
use std::{env, thread};
use world::{ROWS, Rows};

#[test]
fn no_login_is_lost_but_for_the_table() {
    check(plans(env::var_os("MODEL_FULL").is_some()));
}

#[test]
#[ignore = "takes minutes and a gigabyte"]
fn three_parties_lose_no_login_by_two_faults_of_a_family_but_for_the_table() {
    check(plan::largest());
}

#[test]
fn planted_faults_are_found() {
    for (mutant, config) in plan::planted() {
        let name = format!("{mutant:?}");
        let without = run(Config { name: "without it", mutant: None, ..config });
        let with = run(Config { name: "with it", mutant: Some(mutant), ..config });
        assert!(without.outside.is_empty(), "{name}: {:?}", without.outside);
        let found: BTreeMap<_, _> = with.outside.iter().map(|(rule, found)| (rule, found.count)).collect();
        let count: usize = found.values().sum();
        println!("{name}: {count} in {} states: {found:?}", with.states);
        assert!(count > 0, "{name} was not found");
    }
}

fn check(plans: Vec<Plan>) {
    let (mut states, mut ends, mut lost) = (0, 0, BTreeMap::<Rows, usize>::new());
    let mut faults = Vec::new();
    for plan in plans {
        let report = run(plan.config);
        states += report.states;
        ends += report.ends;
        for (rows, found) in &report.lost {
            *lost.entry(*rows).or_default() += found.count;
            if !(plan.allows)(rows) {
                replay(&plan.config, &found.trace);
                faults.push(format!("{}: {} lost after {rows:?}", plan.config.name, found.count));
            }
        }
        let outside = report.outside.iter();
        faults.extend(outside.map(|(rule, found)| format!("{}: {rule}, {} times", plan.config.name, found.count)));
    }
    println!("{states} states, {ends} ends; logins lost in {} of them:", lost.values().sum::<usize>());
    for (row, name) in ROWS.iter().enumerate() {
        let alone = |rows: &Rows| rows.iter().enumerate().all(|(other, count)| (*count > 0) == (other == row));
        let count: usize = lost.iter().filter(|(rows, _)| alone(rows)).map(|(_, count)| count).sum();
        println!("{count:9} {name}");
    }
    let several = |rows: &Rows| rows.iter().filter(|count| **count > 0).count() > 1;
    let count: usize = lost.iter().filter(|(rows, _)| several(rows)).map(|(_, count)| count).sum();
    println!("{count:9} more than one of these");
    println!("{:9} outside the table", faults.len());
    assert!(faults.is_empty(), "{faults:#?}");
}

fn run(config: Config) -> Report {
    let report =
        thread::Builder::new().stack_size(STACK).spawn(move || explore(&config, MOST)).expect("a thread").join();
    let report = report.expect("a report");
    let lost: usize = report.lost.values().map(|found| found.count).sum();
    println!("{}: {} states, {} ends, {lost} lost", config.name, report.states, report.ends);
    if config.mutant.is_none() {
        for (rule, found) in &report.outside {
            println!("outside the table: {rule}, {} times", found.count);
            replay(&config, &found.trace);
        }
    }
    assert!(!report.is_cut, "{}: too many states", config.name);
    report
}

const MOST: usize = 200_000_000;
const STACK: usize = 1 << 30;
