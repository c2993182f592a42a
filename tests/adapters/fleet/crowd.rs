//! Many processes at many expiries.

use crate::fleet::{Fleet, Said, Store, number};
use proofkey_devserver::Options;
use std::time::Instant;

#[test]
fn files() {
    run(Store::files());
}

#[test]
fn postgres() {
    run(Store::Postgres(proofkey_tests::servers::Postgres::start()));
}

#[test]
fn redis() {
    run(Store::Redis(proofkey_tests::servers::Redis::start()));
}

fn run(store: Store) {
    let (processes, expiries) = (number("FLEET_PROCESSES", 8), number("FLEET_EXPIRIES", 5));
    let mut fleet = Fleet::new(store, Options { access_token_ttl: 2, ..Options::default() });
    let begun = Instant::now();
    let members: Vec<_> = (0..processes).map(|_| fleet.member(expiries)).collect();
    let said = fleet.listen_to_end(members);
    let seconds = begun.elapsed().as_secs();
    let odd: Vec<_> = said.iter().filter(|said| !matches!(said, Said::Token(_) | Said::Over)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    assert_eq!(said.iter().filter(|said| **said == Said::Over).count(), usize::try_from(processes).unwrap());
    // Each token that was issued was used, no refresh token was sent twice, and no token was refreshed while it was valid: its
    // lifetime counts in whole seconds, so it is at least one.
    let [refreshes, replays, reuses] = fleet.counts();
    println!("{processes} processes, {expiries} expiries each: {refreshes} refreshes in {seconds} s, {reuses} reuses");
    assert_eq!((replays, reuses), (0, 0));
    assert_eq!(fleet.tokens.len() as u64, refreshes);
    assert!(refreshes >= u64::from(expiries) && refreshes <= seconds + 1, "{refreshes} in {seconds} s");
    assert_eq!(fleet.server.counts().token_requests, refreshes + 1);
}
