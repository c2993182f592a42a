//! Values of any bytes, keys of any text, versions of any numbers.

use super::{A, B, Bench, C, FIRST, Got, LONG, Place, laws, login, must};
use crate::key::Key;
use crate::op::Answer;
use proofkey_core::session::{ClaimId, LoginId, Version};

laws! { pub(super) LAWS:
    "values are any bytes" bytes,
    "a long value is kept whole" long_value,
    "keys of any text never meet" keys,
    "a version is kept to the last bit" versions,
    "the order of versions holds at the edges" order,
}

async fn bytes(bench: &Bench<'_>) -> Result<(), Got> {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    for value in [b"".as_slice(), b"\0", b"\r\n", b"'\"\\", b"\xff\xfe", &all] {
        let place = Place::new(bench)?;
        must!(place.write(None, FIRST, value), Answer::Done);
        must!(place.load(), Answer::Row(row) if *row.value == value);
        must!(place.claim(FIRST, A, LONG), Answer::Claimed(row) if *row.value == value);
        must!(place.write(Some((FIRST, A)), FIRST.next(A), &all), Answer::Done);
        must!(place.load(), Answer::Row(row) if *row.value == all);
        must!(place.write(Some((FIRST.next(A), B)), FIRST.next(A).next(B), value), Answer::Done);
        must!(place.write(None, login(u64::MAX), b""), Answer::Displaced(row) if *row.value == value);
    }
    Ok(())
}

async fn long_value(bench: &Bench<'_>) -> Result<(), Got> {
    let value: Vec<u8> = (0..LONGEST).map(|place| (place / 251 + place) as u8).collect();
    let place = Place::new(bench)?;
    must!(place.write(None, FIRST, &value), Answer::Done);
    // The bytes themselves are too many for a message.
    must!(place.load(), Answer::Row(row) if row.value.as_slice() == value.as_slice());
    must!(place.write(Some((FIRST, A)), FIRST.next(A), b"short"), Answer::Done);
    must!(place.load(), Answer::Row(row) if *row.value == b"short");
    must!(place.write(Some((FIRST.next(A), B)), FIRST.next(A).next(B), &value), Answer::Done);
    must!(place.load(), Answer::Row(row) if row.value.as_slice() == value.as_slice());
    Ok(())
}

async fn keys(bench: &Bench<'_>) -> Result<(), Got> {
    let run = Place::new(bench)?.key.account;
    let long = "k".repeat(10_000);
    let longer = format!("{long}k");
    let texts = [
        "",
        "a",
        "A",
        "a ",
        " a",
        "\0",
        "a\0",
        "a\0b",
        "'; drop table login; --",
        "\"",
        "\\",
        "*",
        "?",
        "[a]",
        "%",
        "_",
    ];
    let texts = texts
        .into_iter()
        .chain(["{a}", ":", "1:a", "a/b", "../a", "CON", "é", "e\u{301}", "ß", "ss", "\u{202e}", "🔑", &long, &longer]);
    let texts: Vec<&str> = texts.collect();
    let accounts = texts.iter().map(|text| Key::new("https://issuer.example", "laws", format!("{run}{text}")));
    let clients = texts.iter().map(|text| Key::new("https://issuer.example", format!("laws{text}"), &*run));
    let issuers = texts.iter().map(|text| Key::new(format!("https://issuer.example{text}"), "laws", &*run));
    // The same text, cut into parts at other places.
    let cuts = [("a", "b", "c"), ("ab", "", "c"), ("a", "bc", ""), ("", "ab", "c"), ("a:b", "c", ""), ("a", "b:c", "")];
    let cuts = cuts.iter().map(|(issuer, client, account)| Key::new(format!("{run}{issuer}"), *client, *account));
    let mut keys: Vec<Key> = accounts.chain(clients).chain(issuers).chain(cuts).collect();
    keys.sort();
    keys.dedup();
    let places: Vec<_> = keys.into_iter().map(|key| Place { bench, key }).collect();
    for (number, place) in (1..).zip(&places) {
        must!(place.write(None, login(number), &number.to_be_bytes()), Answer::Done);
    }
    for (number, place) in (1..).zip(&places) {
        must!(place.claim(login(number), A, LONG), Answer::Claimed(row) if *row.value == number.to_be_bytes());
    }
    for (number, place) in (1..).zip(&places) {
        must!(place.sign_out(login(number + 1)), Answer::Displaced(row) if *row.value == number.to_be_bytes());
    }
    Ok(())
}

async fn versions(bench: &Bench<'_>) -> Result<(), Got> {
    for whole in
        [version(0, 0, 0, 0), version(u64::MAX, u64::MAX, u32::MAX, u8::MAX), version(1 << 63, 1 << 63, 1 << 31, 0x80)]
    {
        let place = Place::new(bench)?;
        must!(place.write(None, whole, b"value"), Answer::Done);
        must!(place.load(), Answer::Row(row) if row.version == whole);
        for bit in 0..Version::BYTES * 8 {
            let mut bytes = whole.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let other = Version::from_bytes(&bytes).ok_or_else(|| Got("36 bytes are a version".to_owned()))?;
            must!(place.claim(other, A, LONG), Answer::Changed(row) if row.version == whole);
            must!(place.write(Some((other, A)), FIRST, b"other"), Answer::Changed(row) if row.version == whole);
        }
        must!(place.claim(whole, A, LONG), Answer::Claimed(row) if row.version == whole);
    }
    let place = Place::new(bench)?;
    let last = version(u64::MAX, u64::MAX, u32::MAX, u8::MAX);
    must!(place.sign_out(last), Answer::Done);
    must!(place.load(), Answer::SignedOut { version } if version == last);
    Ok(())
}

async fn order(bench: &Bench<'_>) -> Result<(), Got> {
    let rising = [
        version(0, 0, 0, 0xFF),
        version(0, 0, 1, 0),
        version(0, 0, i32::MAX as u32, 0),
        version(0, 0, 1 << 31, 0),
        version(0, 0, u32::MAX, 0),
        version(0, 1, 0, 0),
        version(0, i64::MAX as u64, 0, 0),
        version(0, 1 << 63, 0, 0),
        version(0, u64::MAX, 0, 0),
        version(1, 0, 0, 0),
        version(0xFF, u64::MAX, 0, 0),
        version(0x100, 0, 0, 0),
        // Where a double no longer tells two numbers apart.
        version(1 << 53, 0, 0, 0),
        version((1 << 53) + 1, 0, 0, 0),
        version(i64::MAX as u64, 0, 0, 0),
        version(1 << 63, 0, 0, 0),
        version(u64::MAX - 1, 0, 0, 0),
        version(u64::MAX, 0, 0, 0),
        version(u64::MAX, u64::MAX, u32::MAX, 0),
    ];
    let logins = Place::new(bench)?;
    let sign_outs = Place::new(bench)?;
    must!(logins.write(None, rising[0], b"login"), Answer::Done);
    must!(sign_outs.sign_out(rising[0]), Answer::Done);
    for (old, new) in rising.into_iter().zip(rising.into_iter().skip(1)) {
        must!(logins.write(None, new, b"login"), Answer::Displaced(row) if row.version == old);
        must!(logins.write(None, old, b"login"), Answer::Changed(row) if row.version == new);
        must!(sign_outs.sign_out(new), Answer::Done);
        must!(sign_outs.write(None, old, b"login"), Answer::SignedOut { version } if version == new);
    }
    // Of two with the same count, none is newer.
    let place = Place::new(bench)?;
    must!(place.write(None, FIRST.next(B), b"login"), Answer::Done);
    for other in [A, C] {
        must!(place.write(None, FIRST.next(other), b"login"), Answer::Changed(row) if row.version == FIRST.next(B));
    }
    Ok(())
}

fn version(since: u64, random: u64, refresh: u32, claim: u8) -> Version {
    let login = Version::first(LoginId::new(since, None, random));
    let mut bytes = login.to_bytes();
    bytes[16..20].copy_from_slice(&refresh.to_be_bytes());
    bytes[20..].copy_from_slice(&ClaimId([claim; 16]).0);
    Version::from_bytes(&bytes).unwrap_or(login)
}

/// A record has up to half a mebibyte and a line; encryption adds some bytes.
const LONGEST: usize = 513 * 1024;
