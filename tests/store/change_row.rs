//! Changes the row of a login in the folder of the first argument, by the operations that follow, and says which are done. To be
//! killed on the way.

use proofkey_store::{Answer, ClaimId, Key, LoginId, Op, Store, Version};
use std::io::Write;
use std::process::ExitCode;

const A: ClaimId = ClaimId([0xA; 16]);
const FIRST: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
const LATER: Version = Version::first(LoginId::new(1_800_000_000, None, 7));

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, folder, operations @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let store = match proofkey_native::Store::files_in(folder.as_ref()) {
        Ok(store) => store,
        Err(error) => return fail(&error),
    };
    for name in operations {
        if let Some(number) = name.strip_prefix("add-") {
            add(&store, number.parse().expect("a number"));
            continue;
        }
        let op = match name.as_str() {
            "claim" => Op::Claim { version: FIRST, id: A, seconds: 25, over: None },
            "renew" => Op::Claim { version: FIRST, id: A, seconds: 50, over: None },
            "load" => Op::Load,
            "login" => Op::Write { expect: None, version: LATER, value: Some(b"login") },
            "release" => Op::Release { id: A, pause: 0 },
            "release-with-pause" => Op::Release { id: A, pause: 600 },
            "sign-out" => Op::Write { expect: None, version: LATER, value: None },
            "write" => Op::Write { expect: Some((FIRST, A)), version: FIRST.next(A), value: Some(b"next") },
            _ => return ExitCode::from(2),
        };
        match store.run(&key(), op) {
            Ok(Answer::Claimed(_) | Answer::Displaced(_) | Answer::Done | Answer::Row(_)) => {
                // It fails in tests of writes that fail.
                let _ = writeln!(std::io::stdout(), "{name} is done");
            }
            Ok(answer) => return fail(&format!("{answer:?}")),
            Err(error) => return fail(&error),
        }
    }
    ExitCode::SUCCESS
}

/// Adds one to the value, as often as it gets the claim.
fn add(store: &proofkey_native::Store, number: u8) {
    for time in 0..10 {
        let id = ClaimId([number, time, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        loop {
            let Ok(Answer::Row(row)) = store.run(&key(), Op::Load) else { panic!("a row") };
            let claim = Op::Claim { version: row.version, id, seconds: 600, over: None };
            let Ok(Answer::Claimed(row)) = store.run(&key(), claim) else { continue };
            let count: u32 = std::str::from_utf8(&row.value).expect("digits").parse().expect("a number");
            let (next, version) = ((count + 1).to_string(), row.version.next(id));
            let write = Op::Write { expect: Some((row.version, id)), version, value: Some(next.as_bytes()) };
            assert!(matches!(store.run(&key(), write), Ok(Answer::Done)));
            break;
        }
    }
}

fn fail(why: &impl std::fmt::Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}

fn key() -> Key {
    Key::new("https://as.example", "app", "default")
}
