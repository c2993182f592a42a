//! `proofkey demo`.

use crate::desk::{Desk, Run, browse, interrupt};
use proofkey_devserver::user_agent::Decision;
use std::fs;
use std::io::{BufRead, BufReader};

#[test]
fn the_whole_flow_is_told_step_by_step() {
    let run = Desk::new().run(&["demo", "--auto"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.starts_with("The iTwin sign-in (Authorization Code with PKCE)"), "{}", run.stdout);
    for (step, seen) in [
        ("  1  Start", "issuer  http://127.0.0.1:"),
        ("  3  Make a one-time code_verifier", "code_challenge  "),
        ("  9  The user gives consent", "code, state and iss"),
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
    let steps: Vec<_> = lines.iter().filter(|line| line["step"].is_u64()).collect();
    assert!(steps.iter().map(|step| &step["step"]).eq(&Vec::from_iter(1..=17)), "{}", run.stdout);
    let names: Vec<_> = steps.iter().filter_map(|step| step["name"].as_str()).collect();
    assert_eq!(
        names.join(" "),
        "server metadata pkce listen authorize sign-in-page signed-in consent-page consented exchange tokens call call \
         refresh call revoke call"
    );
    assert!(steps[6]["seen"]["user"].as_str().is_some_and(|user| !user.is_empty()), "{}", run.stdout);
    assert_eq!(lines.iter().find(|line| line["event"] == "authorization_url").unwrap()["opened"], false);
    assert_eq!(lines.last().unwrap()["event"], "done");
}

#[test]
fn a_person_signs_in_or_denies() {
    for (decision, code, step) in
        [(Decision::Allow, 0, "consented"), (Decision::Deny, 4, "denied"), (Decision::Cancel, 4, "cancelled")]
    {
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
        for name in ["consented", "denied", "cancelled"] {
            assert_eq!(steps.contains(&format!("\"name\":\"{name}\"")), name == step, "{steps}");
        }
    }
}

#[test]
fn a_browser_is_opened_where_there_is_one_and_it_may_be() {
    const WAITING: &str = "(waiting for the browser, at most 1 minute 40 seconds; press Ctrl-C to cancel)";
    let desk = Desk::new();
    let run: Run = desk.with_browser(&["demo", "--auto"]).output().unwrap().into();
    assert!(run.code == Some(0) && run.stderr.is_empty(), "{run:?}");

    let mut child = desk.with_browser(&["demo", "--no-browser", "--timeout", "100"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("Open this address in a browser")));
    let url = lines.find_map(|line| Some(line[line.find("http://")?..].to_owned())).unwrap();
    browse(&url, Decision::Allow);
    assert!(lines.last().unwrap().ends_with("YOUR-CLIENT-ID"));
    let run: Run = child.wait_with_output().unwrap().into();
    assert!(run.code == Some(0) && run.stderr.contains(WAITING), "{run:?}");
    assert!(!desk.home("opened").exists());

    let child = desk.with_browser(&["demo", "--timeout", "100"]).spawn().unwrap();
    let opened = desk.opened();
    browse(opened.lines().nth(1).unwrap(), Decision::Allow);
    let run: Run = child.wait_with_output().unwrap().into();
    assert!(run.code == Some(0) && run.stderr.contains(WAITING), "{run:?}");
    assert!(run.stdout.contains("Open your browser at the sign-in page"), "{run:?}");

    fs::remove_file(desk.home("opened")).unwrap();
    let mut child = desk.with_browser(&["demo", "--spa"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.next().unwrap().starts_with("A single-page app"));
    let issuer = lines.find_map(|line| Some(line[line.find("http://")?..].to_owned())).unwrap();
    assert!(lines.any(|line| line.contains("Open the app in your browser")));
    assert_eq!(lines.next().unwrap().trim(), desk.opened().lines().nth(1).unwrap());
    ureq::get(format!("{issuer}/.well-known/oauth-authorization-server")).call().unwrap();
    assert!(lines.any(|line| line.contains("GET /.well-known")));
    interrupt(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn nobody_at_the_browser_is_6() {
    let run = Desk::new().run(&["demo", "--no-browser", "--timeout", "1"]);
    run.fails(6, &["not finished in time"]);
}

#[test]
fn an_app_is_served_until_an_interrupt() {
    let desk = Desk::new();
    let mut child = desk.with_browser(&["demo", "--spa", "--no-browser", "--json"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap()).unwrap();
    let issuer = next()["seen"]["issuer"].as_str().unwrap().to_owned();
    let url = next()["url"].as_str().unwrap().to_owned();
    let get = |path: &str| ureq::get(format!("{url}{path}")).call().unwrap().body_mut().read_to_vec().unwrap();
    assert!(get("config.js").starts_with(format!("export const issuer = '{issuer}';").as_bytes()));
    assert_eq!(get("callback?code=x"), get(""));
    assert!(get("proofkey/wasm/proofkey_browser_bg.wasm").starts_with(b"\0asm"));
    ureq::get(format!("{issuer}/.well-known/oauth-authorization-server")).call().unwrap();
    assert_eq!(next()["name"], "app");
    assert_eq!(next()["text"], "GET /.well-known/oauth-authorization-server");
    // More requests than the server's log holds.
    let client = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    for batch in 0..11 {
        for _ in 0..1000 {
            client.get(format!("{issuer}/{batch}")).call().unwrap().body_mut().read_to_vec().unwrap();
        }
        assert!((0..1000).all(|_| next()["text"] == format!("GET /{batch}")), "batch {batch}");
    }
    interrupt(&child);
    assert_eq!(next()["event"], "done");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!desk.home("opened").exists());
}
