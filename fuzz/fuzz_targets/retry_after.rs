//! A wait is what the header says, at most a day: digits, or a date that `httpdate` reads and would write alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::answer::{digits, seconds, wait};

fuzz_target!(|text: &str| {
    let (value, date) = text.split_once('\n').unwrap_or((text, ""));
    let until = seconds(value).zip(seconds(date)).map(|(until, now)| until.saturating_sub(now));
    assert_eq!(wait(value, date).map(u64::from), digits(value).or(until).map(|wait| wait.min(86_400)));
});
