//! How a case is written, and how many are run.

use proofkey_tests::root;
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

/// What any case may take, and what each byte of it may add: far more than it takes without optimisation, far less than
/// work that grows faster than its input.
const AT_ONCE: Duration = Duration::from_millis(20);
const AN_OCTET: Duration = Duration::from_micros(10);

/// The cases of `tests/corpus/NAME`.
pub(crate) fn cases<C: DeserializeOwned>(name: &str) -> Vec<C> {
    #[derive(Deserialize)]
    struct File<C> {
        cases: Vec<C>,
    }
    let text = fs::read_to_string(root().join("tests/corpus").join(name)).expect(name);
    let file: File<C> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    file.cases
}

/// Bytes as they can be written in JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Input {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Part {
    Text(String),
    Hex { hex: String },
    Repeat { repeat: String, times: usize },
}

impl Input {
    /// The bytes, with what `fill` makes of each text.
    pub(crate) fn bytes(&self, fill: impl Fn(&str) -> String) -> Vec<u8> {
        let parts = match self {
            Self::Text(text) => return fill(text).into_bytes(),
            Self::Parts(parts) => parts,
        };
        let bytes = parts.iter().flat_map(|part| match part {
            Part::Text(text) => fill(text).into_bytes(),
            Part::Hex { hex } => {
                let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
                (0..hex.len()).step_by(2).map(byte).collect()
            }
            Part::Repeat { repeat, times } => fill(repeat).repeat(*times).into_bytes(),
        });
        bytes.collect()
    }
}

/// Runs all cases, some at a time, and fails with all that differs.
pub(crate) fn run<C: Sync>(cases: &[C], check: impl Fn(&C) -> Result<(), String> + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    failed.lock().expect("no case panics").extend(check(case).err());
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no case panics");
    assert!(failed.is_empty(), "{} of {} cases differ:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

/// What `work` makes of so many bytes, where it takes no more time of the processor than that may take.
pub(crate) fn bounded<T>(id: &str, bytes: usize, work: impl FnOnce() -> T) -> Result<T, String> {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time");
    let begun = now();
    let done = work();
    let (spent, most) = (now() - begun, AT_ONCE + AN_OCTET * u32::try_from(bytes).expect("a case"));
    same(id, &format!("{spent:?} for {bytes} bytes are at most {most:?}"), spent <= most, true)?;
    Ok(done)
}

/// Whether a case has what it should have.
pub(crate) fn same<T: Debug + PartialEq>(id: &str, what: &str, seen: T, expected: T) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{id}, {what}: {seen:?}, not {expected:?}")) }
}

/// Whether an error shows nothing but printable ASCII, on one short line, and no secret of the corpus.
pub(crate) fn clean(id: &str, error: &(impl std::error::Error + 'static)) -> Result<(), String> {
    let shown = error.to_string();
    let printable = shown.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let secret = format!("{shown} {error:?}").contains("CANARY");
    same(id, &shown, (printable, shown.len() <= 300, secret), (true, true, false))
}
