//! A wait is what the header says, at most a day: digits, or a date that `httpdate` reads and would write alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_fuzz::answer::{seconds, wait};

fuzz_target!(|text: &str| {
    let (value, date) = text.split_once('\n').unwrap_or((text, ""));
    let digits = value.parse::<u128>().ok().filter(|_| value.bytes().all(|octet| octet.is_ascii_digit()));
    let until = seconds(value).zip(seconds(date)).map(|(until, now)| until.saturating_sub(now).into());
    assert_eq!(wait(value, date).map(u128::from), digits.or(until).map(|wait| wait.min(86_400)));
});
