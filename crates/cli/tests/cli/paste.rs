//! `proofkey login --paste`.

use crate::desk::{Desk, Waiting, browse, interrupt};
use proofkey_devserver::user_agent::Decision;
use std::time::{Duration, Instant};

const PAGE: &str = "https://app.example/paste";

fn begin(desk: &Desk, args: &[&str]) -> Waiting {
    desk.begin(&[&["login", "--paste", "--json", "--redirect-uri", PAGE], args].concat())
}

#[test]
fn a_redirect_can_be_carried_by_hand() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &[]);
    assert_eq!(waiting.redirect_uri, PAGE);
    let redirect = browse(&waiting.url, Decision::Allow);
    assert!(redirect.starts_with(PAGE), "{redirect}");
    waiting.type_line(&format!("  {redirect}\t"));
    assert_eq!(waiting.event()["event"], "signed_in");
    assert_eq!(waiting.end().code, Some(0));
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn a_wrong_text_is_explained_and_another_try_given() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &[]);
    let redirect = browse(&waiting.url, Decision::Allow);
    let (_, query) = redirect.split_once('?').unwrap();
    let state = query.split('&').find(|field| field.starts_with("state=")).unwrap();
    for (text, words, left) in [
        ("", "nothing was pasted", 4),
        (query, "must begin with https://app.example/paste; copy all", 3),
        (&format!("{PAGE}?x={}", "x".repeat(5_000)), "has no answer from the server, or is cut off", 2),
        (&redirect.replace(state, "state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), "another login", 1),
    ] {
        waiting.type_line(text);
        let event = waiting.event();
        assert_eq!((&event["event"], &event["tries_left"]), (&"try_again".into(), &left.into()), "{event}");
        assert!(event["message"].as_str().unwrap().contains(words), "{event}");
    }
    waiting.type_line(&redirect);
    assert_eq!(waiting.event()["event"], "signed_in");
    assert_eq!(waiting.end().code, Some(0));
}

#[test]
fn five_tries_are_enough() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &[]);
    for left in (0..5).rev() {
        waiting.type_line("https://app.example/pasted?code=SECRET&state=SECRET");
        let event = waiting.event();
        let said = "must begin with https://app.example/paste, but begins with https://app.example/pasted;";
        assert!(event["tries_left"] == left && event["message"].as_str().unwrap().contains(said), "{event}");
    }
    let run = waiting.end();
    run.fails(4, &["none of the 5 pasted texts", "`proofkey login --paste`"]);
    assert!(!format!("{run:?}").contains("SECRET"), "{run:?}");
    assert!(desk.requests(crate::desk::TOKEN).is_empty());
}

#[test]
fn too_late_is_6_and_the_end_of_the_input_is_4() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &["--timeout", "1"]);
    let (input, begun) = (waiting.child.stdin.take(), Instant::now());
    waiting.end().fails(6, &["in time", "error page, check the client id (`demo-native`)", PAGE, "--timeout"]);
    assert!(begun.elapsed() > Duration::from_millis(500), "{:?}", begun.elapsed());
    drop(input);
    begin(&desk, &["--profile", "default"]).end().fails(4, &["input ended", "`proofkey login --paste`"]);
}

#[test]
fn a_refusal_is_4() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &[]);
    let redirect = browse(&waiting.url, Decision::Deny);
    waiting.type_line(&redirect);
    waiting.end().fails(4, &["access_denied"]);
}

#[test]
fn a_refusal_says_what_to_check() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &[]);
    let redirect = browse(&waiting.url, Decision::Deny);
    waiting.type_line(&redirect.replace("access_denied", "unauthorized_client"));
    waiting.end().fails(4, &["unauthorized_client", "check the client id"]);
}

#[test]
fn an_interrupt_is_130() {
    let desk = Desk::new();
    let mut waiting = begin(&desk, &[]);
    let input = waiting.child.stdin.take();
    interrupt(&waiting.child);
    let run = waiting.end();
    assert_eq!((run.code, run.error()["error"].as_str()), (Some(130), Some("interrupted")));
    drop(input);
}

#[test]
fn people_are_told_what_to_do() {
    let desk = Desk::new();
    let run = desk.run_with_input(&["login", "--paste", "--redirect-uri", PAGE], "code=abc\n");
    run.fails(
        4,
        &["any browser", "/connect/authorize?", "paste it here:", "error page", PAGE, "4 tries left", "input ended"],
    );
    assert_eq!(run.stdout, "");
}

#[test]
fn a_redirect_page_cannot_be_listened_at() {
    let desk = Desk::new();
    desk.run(&["login", "--redirect-uri", PAGE]).fails(2, &["127.0.0.1", "--paste"]);
}

#[test]
fn advice_names_the_profile() {
    let desk = Desk::new();
    let issuer = desk.server.issuer();
    let args = ["--profile", "work", "--issuer", &issuer, "--client-id", "demo-native"];
    begin(&desk, &args).end().fails(4, &["start again with `proofkey login --paste --profile work`"]);
    let mut waiting = begin(&desk, &args);
    let redirect = browse(&waiting.url, Decision::Deny);
    waiting.type_line(&redirect);
    waiting.end().fails(4, &["`proofkey login --profile work`"]);
}
