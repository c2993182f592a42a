//! Times each path beside the other crates and prints one table.
//!
//! `cargo run --profile bench -p proofkey-benches --bin table` fails if a path is below its floor; with `-- response` it takes
//! only the paths with that in their names. Times depend on the machine and on what else it does, so only ratios count.

use proofkey_benches::counter::{Count, Counting};
use proofkey_benches::{Name, Path, paths};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("table: a debug build measures nothing; add `--profile bench`");
        return ExitCode::from(2);
    }
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let paths = paths::all().into_iter().filter(|path| path.name.contains(&wanted));
    let mut rows: Vec<Row> = paths.map(Row::new).collect();
    if rows.is_empty() {
        eprintln!("table: there is no path with {wanted} in its name");
        return ExitCode::from(2);
    }
    // Each series goes through all paths, so that whatever else takes the machine for a second does not hit all series of one.
    for _ in 0..SERIES {
        rows.iter_mut().for_each(Row::measure);
    }
    // More series cannot help a path that has become slow.
    for _ in 0..SERIES_AGAIN {
        rows.iter_mut().filter(|row| row.missed().next().is_some()).for_each(Row::measure);
    }
    print!("{HEAD}");
    rows.iter().for_each(|row| println!("{}", row.markdown()));
    print!("{OTHERS}");
    rows.iter().flat_map(Row::others).for_each(|line| println!("{line}"));
    let missed: Vec<String> = rows.iter().flat_map(Row::missed).collect();
    missed.iter().for_each(|missed| eprintln!("table: {missed}"));
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A path, and for each contender the time in ns of its best series.
struct Row {
    path: Path,
    results: Vec<(Name, f64, Count)>,
}

impl Row {
    fn new(mut path: Path) -> Self {
        let contenders = path.contenders.iter_mut();
        let results = contenders.map(|contender| (contender.name, f64::INFINITY, contender.allocations())).collect();
        Self { path, results }
    }

    /// One series: all contenders in turn, then the median of each, which counts if it is the best so far.
    fn measure(&mut self) {
        let Path { contenders, batch, .. } = &mut self.path;
        let mut samples = vec![Vec::with_capacity(ROUNDS); contenders.len()];
        for contender in contenders.iter_mut() {
            contender.time(*batch);
        }
        for _ in 0..ROUNDS {
            for (contender, samples) in contenders.iter_mut().zip(&mut samples) {
                samples.push(contender.time(*batch));
            }
        }
        for ((_, best, _), samples) in self.results.iter_mut().zip(&mut samples) {
            let (_, median, _) = samples.select_nth_unstable(ROUNDS / 2);
            *best = best.min(median.as_nanos() as f64 / *batch as f64);
        }
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
        let mut line = format!("| {} | {time:.1} | {} | ", self.path.name, memory(count));
        for name in [Name::Oauth2, Name::IoOauth, Name::Openidconnect, Name::SerdeJson, Name::FormUrlencoded] {
            if let (Some(ratio), Some((_, count))) = (self.ratio(name), self.of(name)) {
                line += &format!("{ratio:.1}, {}", memory(count));
            }
            line += " | ";
        }
        if let Some(ratio) = self.over_limit() {
            line += &format!("{ratio:.2}");
        }
        let floors = self.floors().map(|(_, floor)| floor).collect::<Vec<_>>().join(", ");
        line + &format!(" | {floors} | {} |", self.path.note)
    }

    /// Who does something else on this path, and what.
    fn others(&self) -> impl Iterator<Item = String> {
        let Path { name: path, others, .. } = self.path;
        others.iter().map(move |(name, what)| format!("| {path} | {} | {what} |", name.as_str()))
    }

    /// Each floor: the ratio, whether it is good enough, and the floor itself.
    fn floors(&self) -> impl Iterator<Item = ((f64, bool), String)> {
        let target = self.path.target;
        let least = target.oauth2.zip(self.ratio(Name::Oauth2));
        let least =
            least.map(|(floor, ratio)| ((ratio, ratio >= floor), format!("≥ {floor} {}", Name::Oauth2.as_str())));
        let most = target.by_hand.zip(self.over_limit());
        let most = most.map(|(floor, ratio)| ((ratio, ratio <= floor), format!("≤ {floor} {}", Name::ByHand.as_str())));
        least.into_iter().chain(most)
    }

    fn missed(&self) -> impl Iterator<Item = String> {
        let (path, expected) = (self.path.name, self.path.target.allocations);
        let (_, Count { allocations, .. }) = self.of(Name::Proofkey).unwrap_or_default();
        let memory = (allocations != expected).then(|| format!("{path}: {allocations} allocations, not {expected}"));
        let speed = self.floors().filter(|((_, reached), _)| !reached);
        let speed = speed.map(move |((ratio, _), floor)| format!("{path}: {ratio:.2}, floor {floor}"));
        memory.into_iter().chain(speed)
    }
}

fn memory(count: Count) -> String {
    format!("{} / {} B", count.allocations, count.bytes)
}

const SERIES: usize = 5;
const SERIES_AGAIN: usize = 10;
/// Calls of a batch in one series; the median of them counts.
const ROUNDS: usize = 401;

const HEAD: &str = "\
Times in ns per call: the median of a series of rounds in which all take turns, and of a few series the best. The other crates:
how many times as long as proofkey they take, their allocations and bytes. By hand: how many times as long as that proofkey takes.

| path | proofkey | allocations | oauth2 5 | io-oauth 0.3 | openidconnect 4 | serde_json | form_urlencoded | by hand | floor | what proofkey checks |
|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|
";
const OTHERS: &str = "
What the others do differently: less of that, or something besides.

| path | who | what |
|---|---|---|
";
