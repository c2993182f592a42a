//! Processes that are killed at any moment.

use crate::fleet::{Fleet, Member, Said, Store, number};
use proofkey_devserver::{EndpointFault, Options, When};
use std::time::{Duration, Instant};

#[test]
fn without_a_grace_only_what_was_in_the_window_is_lost_and_it_is_named() {
    let (losses, kills, mut fleet) = run(0);
    println!("{kills} kills, no grace: {losses} logins lost, each an answer that was lost");
    // The server was about to answer in half of the time, so that some are.
    assert!(losses > 0 && losses <= kills);
    assert_eq!(fleet.counts()[2], u64::from(losses));
    drop(fleet.listen(Duration::ZERO));
    // What was never seen: what was in the window, and perhaps what a process had no time to print.
    let unseen = fleet.counts()[0] - fleet.tokens.len() as u64;
    assert!((u64::from(losses)..=u64::from(kills)).contains(&unseen), "{unseen} unseen, {losses} lost");
}

#[test]
fn with_a_grace_none_is_lost() {
    let (losses, kills, fleet) = run(60);
    let [refreshes, replays, reuses] = fleet.counts();
    println!("{kills} kills, a grace: {refreshes} refreshes, {replays} replays, {losses} logins lost");
    assert_eq!((losses, reuses), (0, 0));
    assert!(replays > 0, "none was killed in the window");
}

/// How many logins were lost, and how many processes were killed.
fn run(grace: u32) -> (u32, u32, Fleet) {
    let kills = number("FLEET_KILLS", 12);
    let mut fleet =
        Fleet::new(Store::files(), Options { access_token_ttl: 2, refresh_grace: grace, ..Options::default() });
    // The server has done its work, and its answer is on its way for a while.
    fleet.fail(When::Every(1), EndpointFault::Delay { millis: 700 });
    let (mut losses, mut killed, mut at) = (0, 0, 0);
    let mut members: Vec<Member> = (0..4).map(|_| fleet.member(u32::MAX)).collect();
    let mut next = Instant::now() + Duration::from_secs(2);
    while killed < kills {
        let said = fleet.listen(Duration::from_millis(20));
        let ends = said.iter().filter_map(|said| match said {
            Said::Ended(end) => Some(end),
            Said::Error(error) => panic!("{error}"),
            _ => None,
        });
        let ends: Vec<_> = ends.cloned().collect();
        if !ends.is_empty() {
            assert!(ends.iter().all(|end| end.starts_with("AnswerLost")), "{ends:?}");
            // All see the same end.
            fleet.listen_to_end(std::mem::take(&mut members)).iter().for_each(|said| match said {
                Said::Ended(end) => assert!(end.starts_with("AnswerLost"), "{end}"),
                Said::Error(error) => panic!("{error}"),
                _ => {}
            });
            losses += 1;
            fleet.sign_in();
            members = (0..4).map(|_| fleet.member(u32::MAX)).collect();
        }
        if Instant::now() >= next {
            // Each at another moment.
            next = Instant::now() + Duration::from_millis(u64::from(random() % 900 + 100));
            members.swap_remove(at % members.len()).kill();
            members.push(fleet.member(u32::MAX));
            (killed, at) = (killed + 1, at + 1);
        }
    }
    // Those that are left go on.
    let before = fleet.tokens.len();
    let until = Instant::now() + Duration::from_secs(40);
    while fleet.tokens.len() == before && Instant::now() < until {
        if fleet.listen(Duration::from_millis(100)).iter().any(|said| matches!(said, Said::Ended(_))) {
            losses += 1;
            break;
        }
    }
    assert!(fleet.tokens.len() > before || grace == 0, "the login does not go on");
    members.into_iter().for_each(Member::kill);
    (losses, killed, fleet)
}

fn random() -> u16 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0) & 0xFFFF) as u16
}
