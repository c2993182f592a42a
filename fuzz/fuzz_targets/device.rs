//! What a device shows is what the answer holds, and can be shown: a web address and a code without hidden characters. Whatever
//! the server answers then, no poll comes before its time or after the end, and the waits never become shorter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{Client, Flow, ResponseBuf, Server, Step, Unanswered};
use proofkey_fuzz::answer::{Members, parse};

// The first answer, then those to the polls, with a line of dashes between them. An empty one stands for none.
fuzz_target!(|answers: &str| {
    let mut answers = answers.split("\n---\n").map(parse);
    let mut first = answers.next().unwrap_or_default();
    let body = first.body.clone();
    let members = Members::read(&body);
    let server = Server::device("https://as.example/device", "https://as.example/token");
    let request = Client::without_redirect("client", server).and_then(|client| client.device(&[])).expect("a request");
    let status = first.status;
    let Ok((prompt, mut poll)) = request.read(first.as_response(), START) else { return };
    assert!(matches!(status, 200 | 201));
    let members = members.expect("a JSON object");
    assert!(members.text("error").is_none());
    assert_eq!(members.text("user_code").as_deref(), Some(prompt.user_code()));
    assert!(!prompt.user_code().is_empty() && !prompt.user_code().chars().any(char::is_control));
    let named = members.text("verification_uri").filter(|uri| !uri.is_empty());
    assert_eq!(named.or_else(|| members.text("verification_url")).as_deref(), Some(prompt.verification_uri()));
    for uri in [Some(prompt.verification_uri()), prompt.verification_uri_complete()].into_iter().flatten() {
        let lower = uri.to_ascii_lowercase();
        assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{uri}");
        assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
    }
    let shown = prompt.to_string();
    assert!(shown.contains(prompt.user_code()) && shown.contains(prompt.verification_uri()));
    let end = START + u64::from(prompt.expires_in());

    let (mut now, mut answered, mut least) = (START, START, 2);
    for mut answer in answers {
        loop {
            match poll.step(now) {
                Step::Send(_) => break,
                Step::Wait(seconds) => now += u64::from(seconds),
                _ => return assert!(poll.due(now).is_none() && !poll.over().to_string().is_empty()),
            }
        }
        assert!(now < end && now - answered >= least, "{now} {answered} {least} {end}");
        // Answers take their time.
        now += answer.body.len() as u64 % 40;
        answered = now;
        if answer.body.is_empty() && answer.headers.is_empty() {
            assert!(poll.unanswered(Unanswered::Lost, now));
        } else {
            let body = answer.body.clone();
            let is_last = poll.hear(&answer.as_response(), now);
            assert_eq!(answer.body, body, "the body stays as it is");
            if is_last {
                return read(poll, answer);
            }
        }
        let paused = answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        if let Some(wait) = poll.due(now) {
            assert!(u64::from(wait) >= least, "{wait} {least}");
            least = if paused { least } else { wait.into() };
        }
    }
});

fn read(poll: proofkey_core::Poll<'_, '_>, mut answer: ResponseBuf) {
    let body = answer.body.clone();
    let members = Members::read(&body);
    let status = answer.status;
    let Ok(tokens) = poll.read(answer.as_response()) else { return };
    assert!(matches!(status, 200 | 201));
    let members = members.expect("a JSON object");
    assert!(members.text("error").is_none());
    assert_eq!(members.text("access_token").as_deref(), Some(tokens.access_token().expose()));
}

const START: u64 = 1_700_000_000;
