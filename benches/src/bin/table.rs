//! Measures each path in one run, all contenders in turn, and prints one table.
//!
//! `cargo run --profile bench -p proofkey-benches --bin table`, with `-- --quick` for a fast and rougher one. It fails where
//! a target is missed. Times depend on the machine and on what else it does: compare ratios only.

use proofkey_benches::counter::{Count, Counting};
use proofkey_benches::{Name, Path, Target, paths};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).as_deref() {
        None => 2001,
        Some("--quick") => 201,
        Some(_) => {
            eprintln!("usage: table [--quick]");
            return ExitCode::from(2);
        }
    };
    if cfg!(debug_assertions) {
        eprintln!("table: a debug build measures nothing; add `--profile bench`");
        return ExitCode::from(2);
    }
    let rows: Vec<Row> = paths::all().into_iter().map(|path| Row::measure(path, rounds)).collect();
    print!("{HEAD}");
    rows.iter().for_each(|row| println!("{}", row.markdown()));
    print!("{OTHERS}");
    rows.iter().flat_map(Row::others).for_each(|line| println!("{line}"));
    let missed: Vec<String> = rows.iter().flat_map(Row::missed).collect();
    missed.iter().for_each(|missed| eprintln!("table: {missed}"));
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a path has cost everybody.
struct Row {
    path: &'static str,
    note: &'static str,
    others: &'static [(Name, &'static str)],
    target: Target,
    results: Vec<(Name, f64, Count)>,
}

impl Row {
    fn measure(mut path: Path, rounds: usize) -> Self {
        let mut samples = vec![Vec::with_capacity(rounds); path.contenders.len()];
        for contender in &mut path.contenders {
            contender.time(path.batch);
        }
        for _ in 0..rounds {
            for (contender, samples) in path.contenders.iter_mut().zip(&mut samples) {
                samples.push(contender.time(path.batch));
            }
        }
        let results = path.contenders.iter_mut().zip(&mut samples).map(|(contender, samples)| {
            let (_, median, _) = samples.select_nth_unstable(rounds / 2);
            (contender.name, median.as_nanos() as f64 / path.batch as f64, contender.allocations())
        });
        let results = results.collect();
        Self { path: path.name, note: path.note, others: path.others, target: path.target, results }
    }

    fn of(&self, name: Name) -> Option<(f64, Count)> {
        self.results.iter().find(|(other, ..)| *other == name).map(|(_, time, count)| (*time, *count))
    }

    /// How many times as long as proofkey another takes.
    fn ratio(&self, name: Name) -> Option<f64> {
        Some(self.of(name)?.0 / self.of(Name::Proofkey)?.0)
    }

    /// How many times as long as the code written by hand proofkey takes.
    fn over_limit(&self) -> Option<f64> {
        self.ratio(Name::ByHand).map(f64::recip)
    }

    fn markdown(&self) -> String {
        let (time, count) = self.of(Name::Proofkey).unwrap_or_default();
        let mut line = format!("| {} | {time:.1} | {} | ", self.path, memory(count));
        for name in [Name::Oauth2, Name::IoOauth, Name::Openidconnect, Name::SerdeJson, Name::FormUrlencoded] {
            if let (Some(ratio), Some((_, count))) = (self.ratio(name), self.of(name)) {
                line += &format!("{ratio:.1}, {}", memory(count));
            }
            line += " | ";
        }
        if let Some(ratio) = self.over_limit() {
            line += &format!("{ratio:.2}");
        }
        let target = self.goals().map(|(_, goal)| goal).collect::<Vec<_>>().join(", ");
        line + &format!(" | {target} | {} |", self.note)
    }

    /// Who does something else on this path, and what.
    fn others(&self) -> impl Iterator<Item = String> {
        self.others.iter().map(|(name, what)| format!("| {} | {} | {what} |", self.path, name.as_str()))
    }

    /// Each target: what was reached, whether that is enough, and what was to be reached.
    fn goals(&self) -> impl Iterator<Item = ((f64, bool), String)> {
        let faster = |name: Name, target: Option<f64>| {
            let (target, ratio) = (target?, self.ratio(name)?);
            Some(((ratio, ratio >= target), format!("≥ {target} {}", name.as_str())))
        };
        let limit = self
            .target
            .by_hand
            .zip(self.over_limit())
            .map(|(target, ratio)| ((ratio, ratio <= target), format!("≤ {target} {}", Name::ByHand.as_str())));
        let goals = [faster(Name::Oauth2, self.target.oauth2), faster(Name::SerdeJson, self.target.serde_json), limit];
        goals.into_iter().flatten()
    }

    fn missed(&self) -> impl Iterator<Item = String> {
        let allocations = self.of(Name::Proofkey).map_or(0, |(_, count)| count.allocations);
        let memory = (allocations > 0).then(|| format!("{}: {allocations} allocations, target 0", self.path));
        let speed = self.goals().filter(|((_, reached), _)| !reached);
        let speed = speed.map(|((ratio, _), goal)| format!("{}: {ratio:.2}, target {goal}", self.path));
        memory.into_iter().chain(speed)
    }
}

fn memory(count: Count) -> String {
    format!("{} / {} B", count.allocations, count.bytes)
}

const HEAD: &str = "\
Times in ns per call, the median of many rounds in which all take turns. The crates: how many times as long as proofkey they
take, their allocations and bytes. By hand: how many times as long as it proofkey takes.

| path | proofkey | allocations | oauth2 5 | io-oauth 0.3 | openidconnect 4 | serde_json | form_urlencoded | by hand | target | what proofkey checks |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|
";
const OTHERS: &str = "
What the others do otherwise: less of that, or something besides.

| path | who | what |
|---|---|---|
";
