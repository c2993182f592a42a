//! Logins that a machine with another clock has stored.

use crate::support::{Bench, Left, both, said, seconds_since_1970};

#[test]
fn a_login_of_a_machine_whose_clock_is_ahead_is_as_old_as_the_store_says() {
    both(|way| {
        for ahead in [30, 3_600, 365 * 86_400, u64::MAX / 4] {
            let bench = Bench::new(Left::All);
            let mut record = bench.record(Left::All);
            record.requested_at = seconds_since_1970().saturating_add(ahead);
            bench.open(way).begin_with(record).unwrap();
            // It is valid for an hour from when it was stored, and not a second longer.
            let login = bench.open(way);
            let token = login.access_token().unwrap();
            assert!((3_500..=3_600).contains(&token.remaining().unwrap()), "{ahead}: {:?}", token.remaining());
            assert_eq!(bench.counts(), [0, 0, 0], "{ahead}");
            bench.store.advance(1_800);
            let later = bench.open(way).access_token().unwrap();
            assert!((1_700..=1_800).contains(&later.remaining().unwrap()), "{ahead}: {:?}", later.remaining());
            bench.store.advance(1_800);
            assert_eq!(said(&bench.open(way).access_token()), "token");
            assert_eq!(bench.counts(), [1, 0, 0], "{ahead}");
        }
    });
}

#[test]
fn a_login_of_a_machine_whose_clock_is_behind_is_refreshed_once() {
    both(|way| {
        for behind in [3_600, 365 * 86_400, u64::MAX] {
            let bench = Bench::new(Left::All);
            let mut record = bench.record(Left::All);
            record.requested_at = seconds_since_1970().saturating_sub(behind);
            bench.open(way).begin_with(record).unwrap();
            for _ in 0..5 {
                let login = bench.open(way);
                assert_eq!(said(&login.access_token()), "token");
                assert!(login.access_token().unwrap().remaining().unwrap() > 3_500);
            }
            assert_eq!(bench.counts(), [1, 0, 0], "{behind}");
        }
    });
}

#[test]
fn a_new_login_is_newer_than_one_of_a_machine_whose_clock_is_ahead() {
    use proofkey_store::{LoginId, Op, Version};
    both(|way| {
        for since in [seconds_since_1970() + 365 * 86_400, u64::MAX] {
            let bench = Bench::new(Left::All);
            let login = bench.open(way);
            login.sign_out().unwrap();
            let value = bench.record(Left::All).to_bytes().unwrap();
            let version = Version::first(LoginId::new(since, None, 1));
            bench.store.answer(&bench.key(), Op::Write { expect: None, version, value: Some(&value) });
            let (other, signed_in) = (bench.open(way), bench.sign_in());
            let begun = other.begin(&signed_in);
            if since == u64::MAX {
                // Nothing is newer: it must not be claimed that it was stored.
                assert_eq!(
                    begun.is_ok(),
                    bench.stored().unwrap().access_token.expose() == signed_in.tokens.access_token().expose()
                );
                continue;
            }
            assert!(begun.unwrap().is_some());
            assert_eq!(other.access_token().unwrap().expose(), signed_in.tokens.access_token().expose());
            assert_eq!(bench.open(way).access_token().unwrap().expose(), signed_in.tokens.access_token().expose());
            assert!(other.sign_out().unwrap().record.is_some());
            assert_eq!(said(&bench.open(way).access_token()), "ended: SignedOut");
        }
    });
}
