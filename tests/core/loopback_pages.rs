//! The pages of the loopback receiver (RFC 8252): they hold nothing of the request and lead nowhere.

use proofkey_core::loopback::{Connection, Reply, Verdict};
use proofkey_core_tests::heard::{heard, strangers};
use proofkey_core_tests::{begin, client};

#[test]
fn pages_hold_nothing_foreign_and_send_no_referrer() {
    for reply in REPLIES {
        let text = reply.to_string();
        let (head, page) = text.split_once("\r\n\r\n").expect("a head");
        assert!(text.len() == reply.len() && head.starts_with(&format!("HTTP/1.1 {} ", reply.status())), "{head}");
        let hash = head.split('\'').find(|word| word.starts_with("sha256-")).expect("the hash of the style");
        let fields = format!(
            "Content-Length: {}|Content-Type: text/html; charset=utf-8|Content-Security-Policy: default-src 'none'; \
             style-src '{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'|Cache-Control: no-store|\
             Referrer-Policy: no-referrer|X-Content-Type-Options: nosniff|Connection: close{}",
            page.len(),
            if reply == Reply::MethodNotAllowed { "|Allow: GET" } else { "" }
        );
        assert!(head.split("\r\n").skip(1).eq(fields.split('|')), "{head}");
        assert_eq!(page.matches(['\u{2713}', '\u{2715}']).collect::<String>(), mark(reply));
        for foreign in "<script <link <img <iframe <form <base src= href url( @import //".split(' ') {
            assert!(!page.contains(foreign), "{foreign} in {page}");
        }
    }
}

#[test]
fn pages_are_the_same_and_lead_nowhere_whatever_the_request() {
    let mut replies = Vec::new();
    for head in strangers() {
        let Err(reply) = heard(&head) else { panic!("{head} is a stranger's") };
        let text = reply.to_string();
        assert!(!text.contains("CANARY") && !text.contains("evil"), "{text}");
        assert!(replies.iter().all(|(other, page)| (*other == reply) == (*page == text)), "{reply:?} has one page");
        replies.push((reply, text));
    }
    for reply in REPLIES {
        let text = reply.to_string().to_ascii_lowercase();
        assert!(reply.status() / 100 != 3 && !text.contains("location") && !text.contains("refresh"), "{text}");
        let listeners_own = matches!(reply.status(), 200 | 408 | 410 | 503);
        assert!(listeners_own || replies.iter().filter(|(other, _)| *other == reply).count() > 1, "{reply:?}");
    }
}

#[test]
fn the_listener_redirects_nowhere() {
    let pending = begin(client());
    for target in ["/?next=//evil.example", "//evil.example/", "/cb?url=https://evil.example", "http://evil.example/"] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n\r\n");
        let Verdict::Refuse(reply) = Connection::new().read(request.as_bytes(), client(), &pending) else {
            panic!("{target} is a stranger's")
        };
        let reply = reply.to_string();
        assert!(!reply.starts_with("HTTP/1.1 3") && !reply.contains("ocation:") && !reply.contains("evil"), "{reply}");
    }
}

fn mark(reply: Reply) -> &'static str {
    if reply == Reply::SignedIn { "\u{2713}" } else { "\u{2715}" }
}

const REPLIES: [Reply; 11] = [
    Reply::BadRequest,
    Reply::Busy,
    Reply::Gone,
    Reply::HeadTooLarge,
    Reply::MethodNotAllowed,
    Reply::Misdirected,
    Reply::NotFound,
    Reply::Refused,
    Reply::SignedIn,
    Reply::Timeout,
    Reply::UriTooLong,
];
