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
    let (mut losses, mut killed, mut answers) = (0, 0, 0);
    let mut members = four(&fleet);
    let mut next = Instant::now() + Duration::from_secs(2);
    let (mut seen, mut seen_at) = (0, Instant::now());
    while killed < kills {
        let said = fleet.listen(Duration::from_millis(20));
        if fleet.tokens.len() > seen {
            (seen, seen_at) = (fleet.tokens.len(), Instant::now());
        }
        assert!(seen_at.elapsed() < Duration::from_secs(150), "the login does not go on");
        if are_lost(&said) {
            // All see the same end.
            are_lost(&fleet.listen_to_end(std::mem::take(&mut members)));
            losses += 1;
            fleet.sign_in();
            members = four(&fleet);
            seen_at = Instant::now();
        }
        // Who is killed again and again while it answers the claim of another takes longer than any grace: then all rest.
        if seen_at.elapsed() > REST {
            continue;
        }
        // Each at another moment; and each third time all, while an answer is on its way.
        let all = killed % 3 == 2;
        let [refreshes, replays, _] = fleet.counts();
        if if all { refreshes + replays > answers } else { Instant::now() >= next } {
            next = Instant::now() + Duration::from_millis(u64::from(random() % 900 + 100));
            if all {
                members = four(&fleet);
            } else {
                members.remove(0).kill();
                members.push(fleet.member(u32::MAX));
            }
            killed += 1;
        }
        answers = refreshes + replays;
    }
    // Those that are left go on.
    let before = fleet.tokens.len();
    let until = Instant::now() + Duration::from_secs(40);
    while fleet.tokens.len() == before && Instant::now() < until {
        if are_lost(&fleet.listen(Duration::from_millis(100))) {
            losses += 1;
            break;
        }
    }
    assert!(fleet.tokens.len() > before || grace == 0, "the login does not go on");
    members.into_iter().for_each(Member::kill);
    (losses, killed, fleet)
}

fn four(fleet: &Fleet) -> Vec<Member> {
    (0..4).map(|_| fleet.member(u32::MAX)).collect()
}

/// Whether the login is lost. Then it must be for the one reason.
fn are_lost(said: &[Said]) -> bool {
    let odd = said.iter().find(|said| match said {
        Said::Ended(end) => !end.starts_with("AnswerLost"),
        said => matches!(said, Said::Error(_)),
    });
    assert_eq!(odd, None);
    said.iter().any(|said| matches!(said, Said::Ended(_)))
}

fn random() -> u16 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(0) & 0xFFFF) as u16
}

/// How long no new token may come before nobody is killed until one does; a third of the grace.
const REST: Duration = Duration::from_secs(20);
