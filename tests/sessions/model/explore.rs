//! Visits every state once.

use super::actions::Action;
use super::config::Config;
use super::verdict::Verdict;
use super::world::{Rows, START, World};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// What an exploration found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) ends: usize,
    /// Logins lost, by how often each row of the table has happened before.
    pub(crate) lost: BTreeMap<Rows, Found>,
    /// Lost logins and broken rules outside the table.
    pub(crate) outside: BTreeMap<&'static str, Found>,
    pub(crate) is_cut: bool,
}

/// How often something was found, and the shortest way to it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) count: usize,
    pub(crate) trace: Vec<Action>,
}

/// Explores, but for no more than so many states.
pub(crate) fn explore(config: &Config, most: usize) -> Report {
    let mut explorer = Explorer {
        config,
        most,
        seen: HashSet::default(),
        path: Vec::new(),
        spare: Vec::new(),
        report: Report::default(),
    };
    explorer.visit(&World::new(config));
    explorer.report.states = explorer.seen.len();
    explorer.report
}

struct Explorer<'c> {
    config: &'c Config,
    most: usize,
    seen: HashSet<u64, BuildHasherDefault<Same>>,
    path: Vec<Action>,
    spare: Vec<Vec<Action>>,
    report: Report,
}

impl Explorer<'_> {
    fn visit(&mut self, world: &World) {
        if self.seen.len() >= self.most {
            self.report.is_cut = true;
            return;
        }
        if !self.seen.insert(fingerprint(world)) {
            return;
        }
        if let Some(rule) = world.broken {
            return self.outside(rule);
        }
        let mut actions = self.spare.pop().unwrap_or_default();
        world.actions(self.config, &mut actions);
        if actions.is_empty() {
            self.end(world);
        }
        for action in &actions {
            let mut next = world.clone();
            next.apply(self.config, *action);
            self.path.push(*action);
            self.visit(&next);
            self.path.pop();
        }
        self.spare.push(actions);
    }

    fn end(&mut self, world: &World) {
        self.report.ends += 1;
        match world.verdict(self.config) {
            Verdict::Fine => {}
            Verdict::Lost => {
                if world.rows == Rows::default() {
                    return self.outside("a login was lost");
                }
                self.report.lost.entry(world.rows).or_default().add(&self.path);
            }
            Verdict::Broken(rule) => self.outside(rule),
        }
    }

    fn outside(&mut self, rule: &'static str) {
        self.report.outside.entry(rule).or_default().add(&self.path);
    }
}

impl Found {
    fn add(&mut self, path: &[Action]) {
        self.count += 1;
        if self.count == 1 || path.len() < self.trace.len() {
            self.trace = path.to_vec();
        }
    }
}

/// Prints what happens on a path, and which outcomes it comes to.
pub(crate) fn replay(config: &Config, path: &[Action]) {
    let mut world = World::new(config);
    for action in path {
        world.apply(config, *action);
        let parties = world.parties.iter().map(|party| (party.next, party.outcome));
        println!("  {:>6} s {action:?}: {:?}", (world.now - START) / 1000, parties.collect::<Vec<_>>());
    }
    println!("  {:?}", world.ends(config));
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = Mixer(0x9E37_79B9_7F4A_7C15);
    world.hash(&mut hasher);
    hasher.finish()
}

/// Mixes what it is given into 64 bits.
struct Mixer(u64);

impl Mixer {
    const fn mix(&mut self, word: u64) {
        let product = (self.0 ^ word ^ 0x8BB8_4B93_962E_ACC9) as u128 * 0x2D35_8DCC_AA6C_78A5;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        let mut last = Self(self.0);
        last.mix(0x9E37_79B9_7F4A_7C15);
        last.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.mix(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.mix(word.into());
    }

    fn write_u16(&mut self, word: u16) {
        self.mix(word.into());
    }

    fn write_u32(&mut self, word: u32) {
        self.mix(word.into());
    }

    fn write_u64(&mut self, word: u64) {
        self.mix(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.mix(word as u64);
    }
}

/// A fingerprint is its own hash.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}
