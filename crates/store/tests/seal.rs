//! Encryption of rows and of cookies.

use proofkey_store::laws::Laws;
use proofkey_store::{
    Answer, ClaimId, Key, Keys, LoginId, Memory, Op, Row, Seal, SealError, Sealed, SealingKey, Store, StoreError,
    StoreFault, Version,
};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::{error, future};

#[test]
fn a_sealed_store_keeps_the_laws() {
    let store = Sealed::new(Memory::new(), keys(1));
    Laws::new().check(&store, |time| store.inner().advance(time)).unwrap();
    let advance = |time| {
        store.inner().advance(time);
        future::ready(())
    };
    let mut check = pin!(Laws::new().check_async(&store, advance));
    let polled = check.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(()))), "{polled:?}");
}

/// Made with Node's `hkdfSync` and `createCipheriv`.
#[test]
fn what_another_program_sealed_is_opened() {
    let keys = Keys::new(SealingKey::from_bytes(&std::array::from_fn(|place| place as u8)));
    let sealed = "016caa8a6ff463a3af808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f\
        8d25b08241ae7ea481d1f2edccd7fb69fc78b392128c28";
    let sealed: Vec<u8> =
        (0..sealed.len() / 2).map(|at| u8::from_str_radix(&sealed[2 * at..2 * at + 2], 16).unwrap()).collect();
    let store = Sealed::new(Memory::new(), keys.clone());
    put(store.inner(), &key("default"), FIRST, &sealed);
    assert_eq!(*row(store.run(&key("default"), Op::Load)).value, b"a token");

    let cookie = "AWyqim_0Y6OvgIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp-myMro_ISyxvU_Rn-PQPmEd8vsmrzHwGnShDXPDrvBc2RG";
    let seal = Seal::new(keys, "__Host-login");
    assert_eq!(*seal.open(cookie, 1_700_000_000).unwrap(), b"what waits");
    let format_2 =
        "Amyqim_0Y6OvgIGCg4SFhoeIiYqLjI2Oj5CRkpOUlZaXmJmam5ydnp-myMro_ISyxvU_Rn-PQPmEd8uWlkgHSt9waWrdbRN2fTrC";
    assert_eq!(seal.open(format_2, 1_700_000_000), Err(SealError::Invalid));
}

#[test]
fn no_byte_of_a_sealed_row_can_be_changed() {
    let store = Sealed::new(Memory::new(), keys(1));
    let key = key("default");
    let value: Vec<u8> = (0..=255).collect();
    put(&store, &key, FIRST, &value);
    let sealed = row(Store::run(store.inner(), &key, Op::Load)).value;
    assert_eq!(sealed.len(), value.len() + 57);
    let broken = Sealed::new(Memory::new(), keys(1));
    let load = |sealed: &[u8]| {
        let write = Op::Write { expect: Some((FIRST, CLAIM)), version: FIRST, value: Some(sealed) };
        assert_eq!(Store::run(broken.inner(), &key, write).unwrap(), Answer::Done);
        broken.run(&key, Op::Load)
    };
    put(broken.inner(), &key, FIRST, b"");
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut sealed = sealed.clone();
            sealed[at] ^= 1 << bit;
            assert_corrupt(load(&sealed));
        }
        assert_corrupt(load(&sealed[..at]));
        assert_corrupt(load(&sealed[at + 1..]));
    }
    assert_corrupt(load(&[&sealed[..], b"\0"].concat()));
    assert_eq!(*row(load(&sealed)).value, value);
}

#[test]
fn a_row_belongs_to_its_key_and_its_version() {
    let store = Sealed::new(Memory::new(), keys(1));
    put(&store, &key("alice"), FIRST, b"the token of alice");
    let sealed = row(Store::run(store.inner(), &key("alice"), Op::Load)).value;
    put(store.inner(), &key("mallory"), FIRST, &sealed);
    assert_corrupt(store.run(&key("mallory"), Op::Load));
    let other_client = Key::new("https://issuer.example", "another-app", "alice");
    put(store.inner(), &other_client, FIRST, &sealed);
    assert_corrupt(store.run(&other_client, Op::Load));
    for version in [SECOND, FIRST.next(CLAIM), FIRST.next(ClaimId([2; 16]))] {
        let store = Sealed::new(Memory::new(), keys(1));
        put(store.inner(), &key("alice"), version, &sealed);
        assert_corrupt(store.run(&key("alice"), Op::Load));
        // Each answer that has a row: Changed, Claimed, Lapsed.
        let claim = |version, id| Op::Claim { version, id: ClaimId([id; 16]), seconds: 0, over: None };
        for claim in [claim(EARLIER, 3), claim(version, 3), claim(version, 4)] {
            assert_corrupt(store.run(&key("alice"), claim));
        }
        let inner = Store::run(store.inner(), &key("alice"), claim(version, 4)).unwrap();
        assert!(matches!(inner, Answer::Lapsed { .. }), "{inner:?}");
    }
}

#[test]
fn a_login_over_a_row_that_cannot_be_opened_is_written() {
    let store = Sealed::new(Memory::new(), keys(1));
    put(store.inner(), &key("default"), FIRST, b"written without sealing");
    assert_corrupt(store.run(&key("default"), Op::Load));
    put(&store, &key("default"), SECOND, b"a token");
    assert_eq!(*row(store.run(&key("default"), Op::Load)).value, b"a token");
    put(store.inner(), &key("other"), FIRST, b"");
    let sign_out = Op::Write { expect: None, version: SECOND, value: None };
    assert_eq!(store.run(&key("other"), sign_out).unwrap(), Answer::Done);
    assert_eq!(store.run(&key("other"), Op::Load).unwrap(), Answer::SignedOut { version: SECOND });
}

#[test]
fn old_keys_open_and_the_current_key_seals() {
    let key = key("default");
    let old = Sealed::new(Memory::new(), keys(1));
    put(&old, &key, FIRST, b"sealed by the first");
    let first = row(Store::run(old.inner(), &key, Op::Load)).value;

    let both = Sealed::new(Memory::new(), keys(2).with_old(sealing_key(3)).with_old(sealing_key(1)));
    put(both.inner(), &key, FIRST, &first);
    assert_eq!(*row(both.run(&key, Op::Load)).value, b"sealed by the first");
    let refreshed = FIRST.next(CLAIM);
    let write = Op::Write { expect: Some((FIRST, CLAIM)), version: refreshed, value: Some(b"sealed by the second") };
    assert_eq!(both.run(&key, write).unwrap(), Answer::Done);
    let second = row(Store::run(both.inner(), &key, Op::Load)).value;

    let new = Sealed::new(Memory::new(), keys(2));
    put(new.inner(), &key, refreshed, &second);
    assert_eq!(*row(new.run(&key, Op::Load)).value, b"sealed by the second");
    put(old.inner(), &key, refreshed, &second);
    assert_corrupt(old.run(&key, Op::Load));
}

#[test]
fn the_store_sees_no_plaintext_and_no_value_twice() {
    let store = Sealed::new(Memory::new(), keys(1));
    let mut salts = BTreeSet::new();
    for since in 1..100 {
        let version = Version::first(LoginId::new(since, None, 0));
        put(&store, &key("default"), version, CANARY);
        let sealed = row(Store::run(store.inner(), &key("default"), Op::Load)).value;
        for part in [CANARY, b"default", b"my-app", &[1; 32]] {
            assert!(!sealed.windows(part.len().min(6)).any(|window| part.starts_with(window)), "{sealed:02x?}");
        }
        assert!(salts.insert(sealed[9..41].to_vec()), "the same salt");
    }
}

#[test]
fn what_cannot_be_stored_or_reached_is_passed_on() {
    struct Down;
    impl Store for Down {
        fn run(&self, _: &Key, _: Op<'_>) -> Result<Answer, StoreError> {
            Err(StoreError::new(StoreFault::Unavailable))
        }
    }
    let error = Store::run(&Sealed::new(Down, keys(1)), &key("default"), Op::Load).unwrap_err();
    assert_eq!(error.fault(), StoreFault::Unavailable);
}

#[test]
fn a_sealing_key_is_32_bytes_in_base64() {
    let bytes: [u8; 32] = std::array::from_fn(|place| 0xE0 + place as u8);
    let sealed = Seal::new(Keys::new(SealingKey::from_bytes(&bytes)), "name").close(b"value", 0).unwrap();
    for text in [
        "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8=",
        " 4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8=\n",
        "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8",
    ] {
        let seal = Seal::new(Keys::new(SealingKey::from_base64(text).unwrap()), "name");
        assert_eq!(*seal.open(&sealed, 0).unwrap(), b"value", "{text}");
    }
    for text in [
        "",
        "AAAA",
        "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v8",
        "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/w==",
        "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v9/",
        "4OHi4+Tl5ufo6err7O3u7/Dx8vP09fb3+Pn6+/z9/v9=",
        &"é".repeat(22),
        &"A".repeat(100_000),
    ] {
        assert_eq!(SealingKey::from_base64(text).err(), Some(SealError::InvalidKey), "{text}");
    }
}

#[test]
fn a_cookie_value_is_opened_by_any_replica_and_by_nobody_else() {
    let value = cookie("__Host-login", 1).close(CANARY, NOW).unwrap();
    assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{value}");
    assert_eq!(*cookie("__Host-login", 1).open(&value, NOW).unwrap(), CANARY);
    assert_ne!(cookie("__Host-login", 1).close(CANARY, NOW).unwrap(), value);
    assert_eq!(cookie("__Host-other", 1).open(&value, NOW), Err(SealError::Invalid));
    assert_eq!(cookie("__Host-login", 2).open(&value, NOW), Err(SealError::Invalid));
    let rotated = Seal::new(keys(2).with_old(sealing_key(1)), "__Host-login");
    assert_eq!(*rotated.open(&value, NOW).unwrap(), CANARY);
    assert_eq!(cookie("__Host-login", 1).open(&rotated.close(b"", NOW).unwrap(), NOW), Err(SealError::Invalid));
    assert_eq!(*rotated.open(&rotated.close(b"", NOW).unwrap(), NOW).unwrap(), b"");
}

#[test]
fn no_letter_of_a_cookie_value_can_be_changed() {
    let seal = cookie("__Host-login", 1);
    let value = seal.close(b"what waits", NOW).unwrap();
    for at in 0..value.len() {
        for letter in ["A", "B", "_", "=", "\u{e9}", ""] {
            let changed = [&value[..at], letter, &value[at + 1..]].concat();
            if changed != value {
                assert_eq!(seal.open(&changed, NOW), Err(SealError::Invalid), "{changed}");
            }
        }
        assert_eq!(seal.open(&value[..at], NOW), Err(SealError::Invalid));
    }
    for strange in ["", "=", "\0", &"A".repeat(4_000), &"A".repeat(1_000_000)] {
        assert_eq!(seal.open(strange, NOW), Err(SealError::Invalid));
    }
}

#[test]
fn a_cookie_value_is_no_row_and_a_row_is_no_cookie_value() {
    // The name of the cookie is what the row is bound to.
    let context = [key("default").digest().into_bytes(), FIRST.to_bytes().map(|byte| byte & 0x7F).to_vec()].concat();
    let version = Version::from_bytes(&context[64..]).unwrap();
    let value = Seal::new(keys(1), String::from_utf8(context).unwrap()).close(b"value", NOW).unwrap();
    let store = Sealed::new(Memory::new(), keys(1));
    let sealed = base64_decode(&value);
    put(store.inner(), &key("default"), version, &sealed);
    assert_corrupt(store.run(&key("default"), Op::Load));
}

#[test]
fn a_cookie_value_has_an_age() {
    let seal = cookie("__Host-login", 1);
    let value = seal.close(b"what waits", NOW).unwrap();
    assert_eq!((seal.max_age(), seal.name()), (600, "__Host-login"));
    for now in [NOW - 600, NOW - 1, NOW, NOW + 600] {
        assert!(seal.open(&value, now).is_ok(), "{now}");
    }
    for now in [0, NOW - 601, NOW + 601, u64::MAX] {
        assert_eq!(seal.open(&value, now), Err(SealError::Expired), "{now}");
    }
    let short = cookie("__Host-login", 1).with_max_age(5);
    assert_eq!((short.open(&value, NOW + 5).is_ok(), short.open(&value, NOW + 6)), (true, Err(SealError::Expired)));
    let last = seal.close(b"", u64::MAX).unwrap();
    assert_eq!(*seal.open(&last, u64::MAX).unwrap(), b"");
}

#[test]
fn a_cookie_fits_a_browser() {
    for name in ["n", "__Host-login", &"n".repeat(1_000)] {
        let seal = cookie(name, 1);
        let longest = (0..4_096).rev().find(|length| seal.close(&vec![7; *length], NOW).is_ok()).unwrap();
        let value = seal.close(&vec![7; longest], NOW).unwrap();
        let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=4294967295";
        let length = format!("{name}={value}{attributes}").len();
        assert!((4_000..=4_096).contains(&length), "{length}");
        assert_eq!(*seal.open(&value, NOW).unwrap(), vec![7; longest]);
        assert_eq!(seal.close(&vec![7; longest + 1], NOW), Err(SealError::TooLong));
    }
    assert_eq!(cookie(&"n".repeat(5_000), 1).close(b"", NOW), Err(SealError::TooLong));
}

#[test]
fn an_error_says_what_to_do_and_nothing_more() {
    let said = [SealError::Expired, SealError::Invalid, SealError::InvalidKey, SealError::Random, SealError::TooLong];
    assert_eq!(
        said.map(|error| (&error as &dyn error::Error).to_string()),
        [
            "it took too long; start again",
            "the sealed value is not valid; start again",
            "a sealing key is 32 bytes in base64",
            "the system gives no random bytes",
            "the value is too long for a cookie of 4,096 bytes",
        ]
    );
}

fn put(store: &impl Store, key: &Key, version: Version, value: &[u8]) {
    let answer = store.run(key, Op::Write { expect: None, version, value: Some(value) }).unwrap();
    assert!(matches!(answer, Answer::Done | Answer::Displaced(_)), "{answer:?}");
}

fn row(answer: Result<Answer, StoreError>) -> Row {
    match answer {
        Ok(Answer::Row(row)) => row,
        other => panic!("{other:?}"),
    }
}

fn assert_corrupt(answer: Result<Answer, StoreError>) {
    assert_eq!(answer.unwrap_err().fault(), StoreFault::Corrupt);
}

fn base64_decode(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = text.bytes().flat_map(|letter| {
        let number = LETTERS.iter().position(|known| *known == letter).unwrap();
        (0..6).rev().map(move |bit| number >> bit & 1)
    });
    let bits: Vec<usize> = bits.collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | *bit as u8)).collect()
}

fn cookie(name: &str, number: u8) -> Seal {
    Seal::new(keys(number), name)
}

fn keys(number: u8) -> Keys {
    Keys::new(sealing_key(number))
}

fn sealing_key(number: u8) -> SealingKey {
    SealingKey::from_bytes(&[number; 32])
}

fn key(account: &str) -> Key {
    Key::new("https://issuer.example", "my-app", account)
}

const CANARY: &[u8] = b"canary-canary-canary";
const CLAIM: ClaimId = ClaimId([1; 16]);
const EARLIER: Version = Version::first(LoginId::new(1_600_000_000, None, 7));
const FIRST: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
const SECOND: Version = Version::first(LoginId::new(1_700_000_001, None, 7));
const NOW: u64 = 1_700_000_000;
