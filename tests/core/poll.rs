//! Polling until the user has confirmed a device (RFC 8628 sections 3.4 and 3.5), on a clock of its own.

use crate::device::{START, begin, device, good};
use proofkey_core::{Advice, Flow, Poll, RefreshToken, Response, ResponseError, Step, Unanswered};

#[test]
fn the_poll_byte_for_byte() {
    let mut body = good().into_bytes();
    let (_, poll) = begin(&mut body);
    let expected =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=1406020730&device_code=GmRh%2B";
    assert_eq!(poll.request().body(), expected);
    assert_eq!(poll.request().url().to_string(), "https://as.example/token");
    let poll = poll.with(&[("resource", "r")]).expect("an extra parameter");
    assert_eq!(poll.request().body(), format!("{expected}&resource=r"));
}

#[test]
fn no_two_polls_are_closer_than_the_interval() {
    for (stated, interval) in [
        ("", 5),
        (r#","interval":null"#, 5),
        (r#","interval":"often""#, 5),
        (r#","interval":-3"#, 5),
        (r#","interval":0"#, 1),
        (r#","interval":0.5"#, 1),
        (r#","interval":1"#, 1),
        (r#","interval":"7""#, 7),
        (r#","interval":30"#, 30),
    ] {
        let mut body = prompt_with(stated);
        let (_, mut poll) = begin(&mut body);
        let mut clock = START;
        for round in 0..4 {
            let answered = clock;
            sent(&mut poll, &mut clock);
            assert_eq!(clock - answered, interval + 1, "{stated} in round {round}");
            // A slow answer: the wait counts from it.
            clock += 40;
            assert!(!hear(&mut poll, 400, &[], r#"{"error":"authorization_pending"}"#, clock));
        }
    }
}

#[test]
fn slow_down_is_for_good() {
    let mut body = prompt_with("");
    let (_, mut poll) = begin(&mut body);
    let mut clock = START;
    for (error, wait) in [
        ("authorization_pending", 6),
        ("slow_down", 6),
        ("authorization_pending", 11),
        ("slow_down", 11),
        ("slow_down", 16),
        ("authorization_pending", 21),
        ("authorization_pending", 21),
    ] {
        let answered = clock;
        sent(&mut poll, &mut clock);
        assert_eq!(clock - answered, wait, "before {error}");
        assert!(!hear(&mut poll, 400, &[], &format!(r#"{{"error":"{error}"}}"#), clock));
    }
}

#[test]
fn whatever_says_nothing_of_the_login_doubles_the_wait() {
    let page = [("content-type", "text/html")];
    let gzip = [("content-encoding", "gzip")];
    let json = r#"{"error":"server_error"}"#;
    let answers: [(u16, Headers<'_>, &str); 12] = [
        (429, &[], ""),
        (429, &[], r#"{"error":"rate_limited"}"#),
        (500, &[], json),
        (503, &[], ""),
        (599, &page, "<html>"),
        (200, &page, "<html>"),
        (200, &[], ""),
        (204, &[], ""),
        (200, &[], r#"{"access_token":"A"#),
        (200, &gzip, "\u{1f}\u{8b}"),
        (403, &page, "<html>"),
        (302, &[], ""),
    ];
    for (status, headers, body) in answers {
        goes_on(30, 61, |poll, now| assert!(!hear(poll, status, headers, body, now), "{status} {body}"));
    }
    for why in [Unanswered::Closed, Unanswered::Lost, Unanswered::Unsent] {
        goes_on(30, 61, |poll, now| assert!(poll.unanswered(why, now)));
    }
    // The head came and then nothing: that is one failure, not two.
    for cut in [r#"{"access_token":"A","#, r#"{"access_token":"A"}"#, r#"{"error":"authorization_pending"}"#] {
        goes_on(30, 61, |poll, now| {
            assert!(!poll.hear(&Response::new(200, &mut cut.as_bytes().to_vec()).cut_off(), now), "{cut}");
            assert!(poll.unanswered(Unanswered::Lost, now));
        });
    }
    // Never lower, and never over the edge.
    goes_on(3_000_000_000, u64::from(u32::MAX), |poll, now| assert!(poll.unanswered(Unanswered::Lost, now)));
    goes_on(u32::MAX, u64::from(u32::MAX), |poll, now| {
        assert!(!hear(poll, 400, &[], r#"{"error":"slow_down"}"#, now));
    });
}

#[test]
fn a_server_may_say_how_long_to_wait() {
    for (status, headers, body, wait) in [
        (429, ("retry-after", "100"), "", 100),
        (503, ("retry-after", "10"), "", 61),
        (429, ("retry-after", "soon"), "", 61),
        (429, ("retry-after", "90"), r#"{"error":"slow_down"}"#, 90),
        (429, ("retry-after", "9"), r#"{"error":"slow_down"}"#, 36),
        (400, ("retry-after", "90"), r#"{"error":"authorization_pending"}"#, 90),
    ] {
        goes_on(30, wait, |poll, now| assert!(!hear(poll, status, &[headers], body, now)));
    }
    let date = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:51:17 GMT")];
    goes_on(30, 100, |poll, now| assert!(!hear(poll, 503, &date, "", now)));
    // The pause is for once, what it doubled to is for good.
    let mut body = prompt_with(r#","interval":30"#);
    let (_, mut poll) = begin(&mut body);
    let mut clock = START;
    sent(&mut poll, &mut clock);
    assert!(!hear(&mut poll, 429, &[("retry-after", "100")], "", clock));
    sent(&mut poll, &mut clock);
    assert!(!hear(&mut poll, 400, &[], r#"{"error":"authorization_pending"}"#, clock));
    assert_eq!(poll.due(clock), Some(61));
}

#[test]
fn any_other_error_is_the_last_answer() {
    for code in [
        "access_denied",
        "authorization_declined",
        "expired_token",
        "invalid_grant",
        "device_not_found",
        "server_error",
        "Slow_down",
        "x",
    ] {
        for status in [200, 400, 401, 403] {
            let error = last(status, &format!(r#"{{"error":"{code}"}}"#)).expect_err(code);
            assert!(matches!(&error, ResponseError::Server { error, .. } if error.code() == code), "{status} {error}");
            if matches!(code, "access_denied" | "authorization_declined" | "expired_token" | "invalid_grant") {
                assert_eq!(error.advice(), Advice::Reauthorize, "{code}");
            }
        }
    }
    for (status, body) in [(400, "{}"), (404, r#"{"message":"gone"}"#), (200, "{}"), (200, r#"{"error":7}"#)] {
        assert!(last(status, body).is_err(), "{status} {body}");
    }
    // Those that go on do so whatever the status: GitHub's is 200, Auth0's 403 and 429.
    for status in [200, 400, 403, 429, 503] {
        for body in [r#"{"error":"authorization_pending"}"#, r#"{"error":"slow_d\u006fwn","interval":10}"#] {
            goes_on(30, if body.contains("pending") { 31 } else { 36 }, |poll, now| {
                assert!(!hear(poll, status, &[], body, now), "{status} {body}");
            });
        }
    }
}

#[test]
fn the_last_answer_has_the_tokens() {
    let granted = r#"{"access_token":"AT1","token_type":"bearer","expires_in":3600,"refresh_token":"RT1","scope":"a"}"#;
    for status in [200, 201] {
        assert_eq!(last(status, granted), Ok(("AT1".to_owned(), Some("RT1".to_owned()))), "{status}");
    }
    let mut first = good().into_bytes();
    let (_, poll) = begin(&mut first);
    let mut body = br#"{"access_token":7,"refresh_token":"RT2"}"#.to_vec();
    let (new, tokens) = poll.read_keeping(Response::new(200, &mut body));
    assert_eq!(new.map(RefreshToken::expose), Some("RT2"));
    assert_eq!(tokens.map(drop), Err(ResponseError::Type("access_token")));
}

#[test]
fn nothing_is_sent_once_the_code_has_expired() {
    // Of 10 seconds, with an interval of 5: one poll at the sixth, and none at the twelfth.
    let mut body = prompt_of(10, "");
    let (_, mut poll) = begin(&mut body);
    let mut clock = START;
    sent(&mut poll, &mut clock);
    assert!(!hear(&mut poll, 400, &[], r#"{"error":"authorization_pending"}"#, clock));
    assert!(matches!(poll.step(clock), Step::Over), "the next poll would come too late");
    assert_eq!(poll.due(clock), None);
    assert_eq!(poll.over().to_string(), "the code expired before the sign-in was confirmed");

    for (expires_in, polls) in [(0, 0), (6, 0), (7, 1), (12, 1), (13, 2), (600, 99)] {
        let mut body = prompt_of(expires_in, "");
        let (_, mut poll) = begin(&mut body);
        let (mut clock, mut count) = (START, 0);
        loop {
            match poll.step(clock) {
                Step::Send(_) => {
                    assert!(clock < START + u64::from(expires_in));
                    count += 1;
                    assert!(!hear(&mut poll, 400, &[], r#"{"error":"authorization_pending"}"#, clock));
                }
                Step::Wait(seconds) => clock += u64::from(seconds),
                _ => break,
            }
        }
        assert_eq!(count, polls, "{expires_in}");
    }

    // Asleep for longer than the code lives.
    let mut body = prompt_of(600, "");
    let (_, mut poll) = begin(&mut body);
    assert!(matches!(poll.step(START), Step::Wait(6)));
    assert!(matches!(poll.step(START + 600), Step::Over) && matches!(poll.step(u64::MAX), Step::Over));
}

#[test]
fn the_end_says_what_the_server_last_did() {
    let over = |told: &dyn Fn(&mut Poll<'_, '_>, u64)| {
        let mut body = prompt_of(13, "");
        let (_, mut poll) = begin(&mut body);
        let mut clock = START;
        sent(&mut poll, &mut clock);
        told(&mut poll, clock);
        assert!(matches!(poll.step(clock + 20), Step::Over));
        poll.over().to_string()
    };
    let down = over(&|poll, now| assert!(!hear(poll, 503, &[], "", now)));
    assert!(down.ends_with("; the server last answered with status 503"), "{down}");
    let gone = over(&|poll, now| assert!(poll.unanswered(Unanswered::Lost, now)));
    assert!(gone.ends_with("; the server last gave no answer"), "{gone}");
    let better = over(&|poll, now| {
        assert!(poll.unanswered(Unanswered::Lost, now));
        assert!(!hear(poll, 400, &[], r#"{"error":"authorization_pending"}"#, now + 11));
    });
    assert!(better.ends_with("was confirmed"), "{better}");
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let mut body = prompt_of(600, "");
    let (_, mut poll) = begin(&mut body);
    assert!(matches!(poll.step(START), Step::Wait(6)));
    // An hour back while it waited: the wait begins again, and the code lives as long from there.
    let mut clock = START - 3600;
    assert_eq!(poll.due(clock), Some(6));
    let mut short = prompt_of(5, "");
    assert_eq!(begin(&mut short).1.due(clock), None, "no code comes to life again");
    sent(&mut poll, &mut clock);
    assert_eq!(clock, START - 3600 + 6);
    assert!(!hear(&mut poll, 400, &[], r#"{"error":"authorization_pending"}"#, clock));
    assert!(matches!(poll.step(START - 3600 + 600), Step::Over));
    // Between a request and its answer.
    let (mut body, mut clock) = (prompt_of(600, ""), START);
    let (_, mut poll) = begin(&mut body);
    sent(&mut poll, &mut clock);
    assert!(!hear(&mut poll, 400, &[], r#"{"error":"authorization_pending"}"#, 5));
    assert!(matches!(poll.step(5), Step::Wait(6)) && matches!(poll.step(11), Step::Send(_)));
    assert!(matches!(poll.step(605), Step::Over));
    // The end of time.
    let mut body = prompt_of(600, "");
    let (_, mut poll) = device().read(Response::new(200, &mut body), u64::MAX).expect("a prompt");
    assert!(matches!(poll.step(u64::MAX), Step::Over) && poll.unanswered(Unanswered::Lost, u64::MAX));
}

#[test]
fn a_poll_can_leave_the_buffer_of_the_first_answer() {
    let mut body = good().into_bytes();
    let mut room = [0; 5];
    let (prompt, poll) = begin(&mut body);
    assert_eq!(prompt.user_code(), "WDJB-MJHT");
    let whole = poll.request().body();
    let poll = poll.kept_in(&mut room).expect("the code has five characters");
    body.fill(0);
    assert_eq!(poll.request().body(), whole);
    let mut body = good().into_bytes();
    let short = begin(&mut body).1.kept_in(&mut [0; 4]).map(drop).expect_err("four are too few");
    assert_eq!((short.needed(), short.to_string().as_str()), (5, "5 bytes are needed, and there is room for 4"));
    assert!(size_of::<Poll<'_, '_>>() <= 144, "{}", size_of::<Poll<'_, '_>>());
}

type Headers<'h> = &'h [(&'h str, &'h str)];

fn prompt_with(more: &str) -> Vec<u8> {
    prompt_of(u32::MAX, more)
}

fn prompt_of(expires_in: u32, more: &str) -> Vec<u8> {
    format!(r#"{{"device_code":"D","user_code":"U","verification_uri":"https://a/d","expires_in":{expires_in}{more}}}"#)
        .into_bytes()
}

/// Waits until the next poll is sent.
#[track_caller]
fn sent(poll: &mut Poll<'_, '_>, clock: &mut u64) {
    loop {
        match poll.step(*clock) {
            Step::Send(_) => return,
            Step::Wait(seconds) => {
                assert_eq!(poll.due(*clock), Some(seconds));
                assert!(!matches!(poll.step(*clock + u64::from(seconds) - 1), Step::Send(_)), "a second early");
                *clock += u64::from(seconds);
            }
            step => panic!("no poll but {step:?}"),
        }
    }
}

fn hear(poll: &mut Poll<'_, '_>, status: u16, headers: Headers<'_>, body: &str, now: u64) -> bool {
    let mut bytes = body.as_bytes().to_vec();
    let response = Response::new(status, &mut bytes);
    let last =
        poll.hear(&headers.iter().fold(response, |response, (name, value)| response.with_header(name, value)), now);
    assert_eq!(bytes, body.as_bytes(), "the body stays as it is");
    last
}

/// After what `told` says, the next poll waits this long.
#[track_caller]
fn goes_on(interval: u32, wait: u64, told: impl FnOnce(&mut Poll<'_, '_>, u64)) {
    let mut body = prompt_with(&format!(r#","interval":{interval}"#));
    let (_, mut poll) = device().read(Response::new(200, &mut body), START).expect("a prompt");
    let now = START + u64::from(interval) + 1;
    told(&mut poll, now);
    match poll.due(now) {
        Some(due) => assert_eq!(u64::from(due), wait),
        None => assert!(now + wait >= START + u64::from(u32::MAX), "it is over too early"),
    }
}

/// Hears and reads a last answer.
#[track_caller]
fn last(status: u16, body: &str) -> Result<(String, Option<String>), ResponseError> {
    let mut first = good().into_bytes();
    let (_, mut poll) = begin(&mut first);
    let mut bytes = body.as_bytes().to_vec();
    let response = Response::new(status, &mut bytes);
    assert!(poll.hear(&response, START + 6), "{status} {body}");
    let tokens = poll.read(response)?;
    let refresh_token = tokens.refresh_token().map(|token| token.expose().to_owned());
    Ok((tokens.access_token().expose().to_owned(), refresh_token))
}
