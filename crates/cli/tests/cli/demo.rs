//! `proofkey demo`.

use crate::desk::{Desk, browse};
use proofkey_devserver::user_agent::Decision;
use std::io::{BufRead, BufReader};

#[test]
fn the_whole_flow_is_told_step_by_step() {
    let run = Desk::new().run(&["demo", "--auto"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for (step, seen) in [
        ("  1  Start", "issuer  http://127.0.0.1:"),
        ("  3  Make a one-time code_verifier", "code_challenge  "),
        ("  9  The user allows", "code, state and iss"),
        (" 10  Send the code and the verifier", "grant_type     authorization_code"),
        (" 11  Read the answer", "expires_in     3600 s"),
        (" 13  Call the API", "answer  the token lacks a scope: admin"),
        (" 14  Refresh", "refresh_token"),
        (" 17  Call the API", "answer  the token is no longer valid"),
    ] {
        let (_, rest) = run.stdout.split_once(step).unwrap_or_else(|| panic!("no {step:?} in {}", run.stdout));
        assert!(rest.contains(seen), "{seen:?} is not behind {step:?}");
    }
    assert!(run.stdout.ends_with("--client-id YOUR-CLIENT-ID\n"), "{}", run.stdout);
}

#[test]
fn programs_get_a_line_of_json_for_each_step() {
    let run = Desk::new().run(&["demo", "--auto", "--json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let lines: Vec<serde_json::Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps = lines.iter().filter_map(|line| line["step"].as_u64());
    assert!(steps.eq(1..=17), "{}", run.stdout);
    assert_eq!(lines.iter().find(|line| line["event"] == "authorization_url").unwrap()["opened"], false);
    assert_eq!(lines.last().unwrap()["event"], "done");
}

#[test]
fn a_person_signs_in_or_denies() {
    for (decision, code) in [(Decision::Allow, 0), (Decision::Deny, 4), (Decision::Cancel, 4)] {
        let desk = Desk::new();
        let mut child = desk.command(&["demo", "--no-browser", "--json"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            if let Some(url) = line["url"].as_str() {
                break url.to_owned();
            }
        };
        browse(&url, decision);
        let steps = lines.map_while(Result::ok).collect::<String>();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{steps}");
        assert_eq!(steps.contains("\"name\":\"exchange\""), code == 0, "{steps}");
    }
}

#[test]
fn nobody_at_the_browser_is_6() {
    let run = Desk::new().run(&["demo", "--no-browser", "--timeout", "1"]);
    run.fails(6, &["not finished in time"]);
}
