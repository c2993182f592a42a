//! OAuth for native apps (RFC 8252): the loopback receiver against strangers. Every request is heard octet by octet and at
//! once, and makes the same step.

use Verdict::{Callback, More, Refuse};
use proofkey_core::loopback::{Exchange, HEAD_MAX, Loopback, Reply, Step};
use proofkey_core::{CallbackError, Client, ConfigError, Pending, Redirect, UriFault};
use proofkey_tests::{Counter, REDIRECT_URI, begin, client, good_query, server};
use std::net::IpAddr;
use std::time::{Duration, Instant};

#[test]
fn c052_section_7_3_the_redirect_uri_has_the_bound_address() {
    for (registered, ip, port, bound, redirect_uri, target) in [
        ("http://127.0.0.1/cb", "127.0.0.1", None, "127.0.0.1:7", "http://127.0.0.1:7/cb", "/cb?"),
        (
            "http://127.0.0.1:7/a/b?c=%2F",
            "127.0.0.1",
            Some(7),
            "127.0.0.1:7",
            "http://127.0.0.1:7/a/b?c=%2F",
            "/a/b?c=%2F&",
        ),
        ("http://127.0.0.1:0/cb", "127.0.0.1", Some(0), "127.0.0.1:7", "http://127.0.0.1:7/cb", "/cb?"),
        ("http://127.0.0.1:0007/cb", "127.0.0.1", Some(7), "127.0.0.1:7", "http://127.0.0.1:7/cb", "/cb?"),
        ("http://127.0.0.1", "127.0.0.1", None, "127.0.0.1:7", "http://127.0.0.1:7", "/?"),
        ("http://127.0.0.1?c=/", "127.0.0.1", None, "127.0.0.1:7", "http://127.0.0.1:7?c=/", "/?c=/&"),
        ("http://[::1]/cb", "::1", None, "[::1]:7", "http://[::1]:7/cb", "/cb?"),
        ("http://[0:0::0:1]:7/cb", "::1", Some(7), "[::1]:7", "http://[::1]:7/cb", "/cb?"),
        ("http://127.0.0.1/cb", "127.0.0.1", None, "[::1]:7", "http://[::1]:7/cb", "/cb?"),
    ] {
        let loopback = Loopback::of(registered).expect(registered);
        assert_eq!((loopback.ip(), loopback.port()), (ip.parse().expect("an address"), port), "{registered}");
        assert_eq!(loopback.at(bound.parse().expect("an address")).to_string(), redirect_uri, "{registered}");
        let client = client().with_redirect_uri(redirect_uri).expect("a client");
        let pending = begin(client);
        let target = format!("{target}{}", good_query(&pending));
        let heard_at = |host| heard_by(client, &pending, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(heard_at(bound), Callback(target.clone()), "{redirect_uri}");
        assert_eq!(heard_at(&bound.replace(":7", ":8")), Refuse(Reply::Misdirected), "{redirect_uri}");
    }
}

#[test]
fn c054_c056_section_8_3_only_addresses_of_this_machine_are_listened_at() {
    for ip in ["127.0.0.1", "127.0.0.2", "127.255.255.254", "[::1]"] {
        let loopback = Loopback::of(&format!("http://{ip}:7/cb")).map(|loopback| loopback.ip());
        assert!(loopback.as_ref().is_some_and(IpAddr::is_loopback), "{ip}");
    }
    for host in [
        "localhost",
        "localhost.",
        "LOCALHOST",
        "0.0.0.0",
        "[::]",
        "0",
        "126.255.255.255",
        "128.0.0.1",
        "192.168.0.1",
        "[fe80::1]",
        "[::2]",
        "[::ffff:127.0.0.1]",
        "[127.0.0.1]",
        "::1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "127.0.0.01",
        "127.0.0.1.evil.example",
        "user@127.0.0.1",
        "evil.example",
        "",
    ] {
        for redirect_uri in [format!("http://{host}:7/cb"), format!("http://{host}/cb")] {
            assert!(Loopback::of(&redirect_uri).is_none(), "{redirect_uri}");
            let refused = Client::new("client", &redirect_uri, server()).map(drop);
            assert!(matches!(refused, Err(ConfigError::RedirectUri(_))), "{redirect_uri}");
        }
    }
    for other in ["https://127.0.0.1/cb", "com.example.app:/cb", "http:/127.0.0.1/cb", "//127.0.0.1/cb", "/cb", ""] {
        assert!(Loopback::of(other).is_none(), "{other}");
    }
    let localhost = Client::new("client", "http://localhost:7/cb", server()).map(drop);
    assert_eq!(localhost, Err(ConfigError::RedirectUri(UriFault::Localhost)));
}

#[test]
fn a40_only_the_exact_path_is_the_redirect() {
    assert_eq!(heard(get(&good())), Callback(good()));
    for path in ["/", "/CB", "/cb/", "//cb", "/./cb", "/x/../cb", "/%63b", "/cb;x", "/cb%00", "/callback", "/c", "/cb&"]
    {
        let target = good().replacen("/cb", path, 1);
        assert_eq!(heard(get(&target)), Refuse(Reply::NotFound), "{path}");
    }
}

#[test]
fn a41_the_query_of_the_redirect_uri_comes_back() {
    let client = client().with_redirect_uri("http://127.0.0.1:49152/cb?tenant=1").expect("a client");
    let pending = begin(client);
    let query = good_query(&pending);
    let verdict = |tenant: &str| heard_by(client, &pending, get(&format!("/cb?{tenant}{query}")));
    assert_eq!(verdict("tenant=1&"), Callback(format!("/cb?tenant=1&{query}")));
    for tenant in ["", "tenant=2&", "tenant=1&tenant=1&", "tenant=1&tenant=2&", "tenant=1&t%65nant=2&", "tenants=1&"] {
        assert_eq!(verdict(tenant), Refuse(Reply::NotFound), "{tenant}");
    }
}

#[test]
fn a42_a44_a_foreign_host_is_refused() {
    for host in [
        "localhost:49152",
        "evil.example:49152",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:1",
        "127.0.0.1:49153",
        "127.0.0.1:491520",
        "127.0.0.1:049152",
        "127.0.0.2:49152",
        "127.1:49152",
        "0x7f000001:49152",
        "2130706433:49152",
        "[::1]:49152",
        "[::ffff:127.0.0.1]:49152",
        "127.0.0.1.evil.example:49152",
        "user@127.0.0.1:49152",
        "127.0.0.1:49152, evil.example",
        "http://127.0.0.1:49152",
    ] {
        let head = format!("GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", good());
        assert_eq!(heard(head), Refuse(Reply::Misdirected), "{host}");
    }
}

#[test]
fn a45_exactly_one_host_is_needed() {
    for fields in [
        "",
        "Accept: */*\r\n",
        "Host:\r\n",
        "Host: \t \r\n",
        "X-Forwarded-Host: 127.0.0.1:49152\r\n",
        "Host: 127.0.0.1:49152\r\nHost: 127.0.0.1:49152\r\n",
        "Host: 127.0.0.1:49152\r\nhOST: evil.example\r\n",
        "Host: 127.0.0.1:49152\r\nHost:\r\n",
    ] {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            assert_eq!(heard(format!("GET {} {version}\r\n{fields}\r\n", good())), BAD, "{version} {fields}");
        }
    }
    for host in ["Host:127.0.0.1:49152", "hOST: \t127.0.0.1:49152 \t"] {
        assert_eq!(heard(format!("GET {} HTTP/1.0\r\n{host}\r\n\r\n", good())), Callback(good()), "{host}");
    }
}

#[test]
fn a46_the_absolute_form_is_read() {
    let absolute = |authority: &str| format!("http://{authority}{}", good());
    let right = absolute("127.0.0.1:49152");
    assert_eq!(heard(get(&right)), Callback(right.clone()));
    for wrong in ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:49152", "127.0.0.1:49152@evil.example"] {
        assert_eq!(heard(get(&absolute(wrong))), Refuse(Reply::Misdirected), "{wrong}");
    }
    let foreign_host = format!("GET {right} HTTP/1.1\r\nHost: evil.example\r\n\r\n");
    assert_eq!(heard(foreign_host), Refuse(Reply::Misdirected));
    assert_eq!(heard(get("http://127.0.0.1:49152/favicon.ico")), Refuse(Reply::NotFound));
}

#[test]
fn a43_a47_a_malformed_target_is_refused() {
    let query = good_query(&begin(client()));
    for target in [
        "*",
        "127.0.0.1:49152",
        "",
        "cb?Q",
        "?Q",
        "http://",
        "http:///cb?Q",
        "http://?Q",
        "https://127.0.0.1:49152/cb?Q",
        "http:\\\\127.0.0.1:49152\\cb?Q",
        "http://１２７.0.0.1:49152/cb?Q",
        "/cb?Q#",
        "/cb#Q",
        "/cb?Q x",
        " /cb?Q",
        "/cb?Q ",
        "/cb?Q\0",
        "/cb?Q\t",
        "/cb?Q\rx",
        "/cb?Q\u{7f}",
        "/cb?Q&x=é",
    ] {
        assert_eq!(heard(get(&target.replace('Q', &query))), BAD, "{target:?}");
    }
    for octet in [0x80, 0xC0, 0xFF] {
        let head = [b"GET ", good().as_bytes(), &[octet], get("").as_bytes().split_at(4).1].concat();
        assert_eq!(heard(head), BAD, "{octet}");
    }
}

#[test]
fn a50_only_get_is_answered_and_no_other_origin_is_told() {
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "get", "Get", "GETS", "GE"]
    {
        let head = get(&good()).replacen("GET", method, 1);
        assert_eq!(heard(head), Refuse(Reply::MethodNotAllowed), "{method}");
        assert_eq!(heard(format!("{method} ")), Refuse(Reply::MethodNotAllowed), "{method} is certain by now");
    }
    let preflight = "OPTIONS /cb HTTP/1.1\r\nHost: 127.0.0.1:49152\r\nOrigin: https://evil.example\r\n\
        Access-Control-Request-Method: GET\r\nAccess-Control-Request-Private-Network: true\r\n\r\n";
    assert_eq!(heard(preflight), Refuse(Reply::MethodNotAllowed));
    for reply in REPLIES {
        let (head, _) = parts(reply);
        assert!(!head.contains("Access-Control"), "{head}");
        assert_eq!(head.contains("Allow: GET"), reply == Reply::MethodNotAllowed, "{head}");
    }
}

#[test]
fn a51_other_protocols_are_refused_by_their_first_octets() {
    for (name, sent) in [
        ("TLS 1.3", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice()),
        ("SOCKS 4", b"\x04\x01\xc0\x00\x7f\x00\x00\x01\x00"),
        ("SOCKS 5", b"\x05\x01\x00"),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("an empty line", b"\r\n"),
        ("octets", b"\x80\xff\xfe\x00"),
        ("letters", &[b'A'; 32]),
        ("the end of a method", b"GET\r\n"),
    ] {
        assert_eq!(heard(sent), BAD, "{name}");
    }
    assert_eq!(heard("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Refuse(Reply::MethodNotAllowed), "HTTP/2");
    for version in ["", " ", " HTTP/0.9", " HTTP/2", " HTTP/2.0", " HTTP/1.2", " HTTP/11", " http/1.1", " HTTP/1.1 "] {
        let head = get(&good()).replacen(" HTTP/1.1", version, 1);
        assert_eq!(heard(head), BAD, "{version}");
    }
}

#[test]
fn a51_one_wrong_octet_brings_in_no_other_redirect() {
    let pending = begin(client());
    let head = get(&good()).replacen("\r\n\r\n", "\r\nAccept: text/html\r\n\r\n", 1).into_bytes();
    let state = format!("state={}", pending.state().expose());
    let mut callbacks = 0;
    for at in 0..head.len() {
        for octet in *b"\0\t\n\r \"#%&+/:;<=?@A\\\x7f\x80\xff" {
            let mut wrong = head.clone();
            wrong[at] = octet;
            if let Callback(_) = heard_by(client(), &pending, &wrong) {
                let text = String::from_utf8_lossy(&wrong);
                assert!(text.starts_with("GET /cb?") && text.contains(&state), "{text}");
                assert!(text.contains("\r\nHost: 127.0.0.1:49152\r\n"), "{text}");
                callbacks += 1;
            }
        }
    }
    assert!(callbacks > 100, "a wrong octet of a code or of Accept is none of the receiver's business: {callbacks}");
}

#[test]
fn a52_what_two_readers_would_read_differently_is_refused() {
    for fields in [
        "Accept: a\r\n b\r\n",
        "Accept: a\r\n\tb\r\n",
        " Accept: a\r\n",
        "Accept : a\r\n",
        "Accept\t: a\r\n",
        "Accept\r\n",
        ": a\r\n",
        "Acc ept: a\r\n",
        "Accept\u{e9}: a\r\n",
        "(Accept): a\r\n",
        "Accept: a\nb: c\r\n",
        "Accept: a\rb: c\r\n",
        "Accept: a\0\r\n",
        "Accept: a\u{7f}\r\n",
        "Accept: a\u{b}\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: 0, 0\r\n",
        "Content-Length:\r\n",
        "transfer-encoding: identity\r\n",
        "Transfer-Encoding: \r\n",
    ] {
        for head in [
            format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n{fields}\r\n", good()),
            format!("GET {} HTTP/1.1\r\n{fields}Host: 127.0.0.1:49152\r\n\r\n", good()),
        ] {
            assert_eq!(heard(&head), BAD, "{head:?}");
        }
    }
    let fields = "content-length: 0\r\nX-!#$%&'*+-.^_`|~9: \u{e9}\t\"\r\nX:\r\n";
    let head = format!("GET {} HTTP/1.1\r\n{fields}Host: 127.0.0.1:49152\r\n\r\n", good());
    assert_eq!(heard(head), Callback(good()));
}

#[test]
fn a53_long_requests_are_heard_up_to_a_limit() {
    let long = |length: usize| {
        let target = good().replacen("code=C", &format!("code={}", "C".repeat(length - good().len() + 1)), 1);
        assert_eq!(target.len(), length);
        target
    };
    for length in [8 * 1024, 32 * 1024, 48 * 1024] {
        assert_eq!(heard(get(&long(length))), Callback(long(length)), "{length}");
    }
    for length in [48 * 1024 + 1, 60 * 1024, HEAD_MAX, 2 * HEAD_MAX] {
        assert_eq!(heard(get(&long(length))), Refuse(Reply::UriTooLong), "{length}");
    }
    let with = |fields: &str| get(&good()).replacen("\r\n\r\n", &format!("\r\n{fields}\r\n"), 1);
    assert_eq!(heard(with(&"A: b\r\n".repeat(99))), Callback(good()), "with Host they are 100");
    assert_eq!(heard(with(&"A: b\r\n".repeat(100))), Refuse(Reply::HeadTooLarge));
    let padded = |length: usize| with(&format!("A: {}\r\n", "b".repeat(length - with("A: \r\n").len())));
    assert_eq!(heard(padded(HEAD_MAX)), Callback(good()));
    for length in [HEAD_MAX + 5, 2 * HEAD_MAX] {
        assert_eq!(heard(padded(length)), Refuse(Reply::HeadTooLarge), "{length}");
    }
}

#[test]
fn a53_a55_a_head_without_end_is_refused_at_the_limit() {
    for (start, filler, reply) in [
        ("GET /cb?", "a", Reply::UriTooLong),
        ("GET /cb HTTP/1.1\r\nA: ", "a", Reply::HeadTooLarge),
        ("GET /cb HTTP/1.1\r\n", "A: b\r\n", Reply::HeadTooLarge),
        ("GET /cb HTTP/1.1\r\n", "\r", Reply::HeadTooLarge),
    ] {
        let endless = start.to_owned() + &filler.repeat(HEAD_MAX);
        assert_eq!(heard(&endless[..HEAD_MAX]), More, "{start:?} {filler:?}");
        assert_eq!(heard(&endless[..=HEAD_MAX]), Refuse(reply), "{start:?} {filler:?}");
        assert_eq!(heard(&endless), Refuse(reply), "{start:?} {filler:?}");
    }
}

#[test]
fn a54_the_work_is_linear() {
    let client = client().with_redirect_uri("http://127.0.0.1:49152/cb?a=1&b=2&c=3").expect("a client");
    let pending = begin(client);
    let target = format!("/cb?a=1&b=2&c=3&{}", good_query(&pending));
    for filler in ["&d", "&%64", "&", "&d=%zz"] {
        let target = target.clone() + &filler.repeat((48 * 1024 - target.len()) / filler.len());
        let head = get(&target);
        let begun = Instant::now();
        assert_eq!(heard_by(client, &pending, &head), Callback(target), "{filler}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{filler}: {:?}", begun.elapsed());
    }
}

#[test]
fn a55_a_request_is_waited_for_until_it_is_whole() {
    let head = get(&good());
    for length in 0..head.len() {
        assert_eq!(heard(&head[..length]), More, "{length}");
    }
    for after in ["", "x", "GET /cb HTTP/1.1\r\n\r\n", &"x".repeat(HEAD_MAX)] {
        assert_eq!(heard(head.clone() + after), Callback(good()), "nothing behind the head counts");
    }
    assert_eq!(Reply::Timeout.status(), 408);
}

#[test]
fn a56_what_browsers_ask_for_besides_finds_nothing() {
    for target in ["/favicon.ico", "/robots.txt", "/apple-touch-icon.png", "/.well-known/appspecific/x.json", "/"] {
        assert_eq!(heard(get(target)), Refuse(Reply::NotFound), "{target}");
    }
    assert_eq!(heard(""), More, "a connection ahead of time says nothing");
    let pending = begin(client());
    let twice = [(), ()].map(|()| heard_by(client(), &pending, get(&good())));
    assert_eq!(twice, [(), ()].map(|()| Callback(good())), "to be heard consumes nothing");
}

#[test]
fn a57_a59_c082_the_state_of_another_login_is_refused() {
    let mut rng = Counter::default();
    let [over, other, pending] = [(); 3].map(|()| client().authorize(&[], &mut rng).expect("a login begins").1);
    let [replayed, foreign, own] = [&over, &other, &pending].map(|login| get(&format!("/cb?{}", good_query(login))));
    assert!(matches!(heard_by(client(), &over, &replayed), Callback(_)));
    let query = good_query(&over);
    assert!(over.accept(client(), Redirect::Query(&query)).is_ok());
    for stranger in [replayed, foreign] {
        assert_eq!(heard_by(client(), &pending, stranger), BAD);
    }
    assert!(matches!(heard_by(client(), &pending, own), Callback(_)));
    assert_eq!(Reply::Gone.status(), 410);
}

#[test]
fn d1_only_the_own_state_ends_the_login() {
    let pending = begin(client());
    let state = pending.state().expose();
    let flipped = format!("{}{}", if state.starts_with('A') { 'B' } else { 'A' }, &state[1..]);
    for query in [
        String::new(),
        "code=C".into(),
        "code=C&state=".into(),
        "error=access_denied".into(),
        "error=access_denied&state=X".into(),
        format!("code=C&State={state}"),
        format!("code=C;state={state}"),
        format!("code=C&state={}", state.to_lowercase()),
        format!("code=C&state={}", &state[1..]),
        format!("code=C&state={state}A"),
        format!("code=C&state={state}%00"),
        format!("code=C&state={state}%0A"),
        format!("code=C&state=%20{state}"),
        format!("code=C&state={flipped}"),
        format!("code=C&state={state}&state=X"),
        format!("code=C&state=X&state={state}"),
        format!("code=C&state=&state={state}"),
        format!("code=C&state={state}&st%61te={state}"),
    ] {
        assert_eq!(heard_by(client(), &pending, get(&format!("/cb?{query}"))), BAD, "{query}");
    }
    let refusal = format!("/cb?error=access_denied&state={state}&iss=https://as.example");
    assert_eq!(
        heard_by(client(), &pending, get(&refusal)),
        Callback(refusal.clone()),
        "the server's own refusal is heard"
    );
    for head in strangers() {
        assert!(matches!(heard_by(client(), &pending, head), Refuse(_)));
    }
    let head = get(&good());
    let Step::Callback(redirect) = Exchange::new().read(head.as_bytes(), client(), &pending) else {
        panic!("the login waits no more")
    };
    assert!(pending.accept(client(), redirect).is_ok());
    let refused = begin(client()).accept(client(), Redirect::Target(&refusal)).map(drop);
    assert!(matches!(refused, Err(CallbackError::Server(error)) if error.code() == "access_denied"));
}

#[test]
fn c009_the_pages_hold_nothing_foreign() {
    for reply in REPLIES {
        let (head, page) = parts(reply);
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", reply.status())), "{head}");
        let mut fields: Vec<&str> = head.split("\r\n").skip(1).filter(|field| *field != "Allow: GET").collect();
        fields.sort_unstable();
        let [cache, connection, length, policy, kind, referrer, sniff] = fields[..] else { panic!("{fields:?}") };
        assert_eq!(cache, "Cache-Control: no-store");
        assert_eq!(connection, "Connection: close");
        assert_eq!(length, format!("Content-Length: {}", page.len()));
        assert!(policy.starts_with("Content-Security-Policy: default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.ends_with("; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(kind, "Content-Type: text/html; charset=utf-8");
        assert_eq!(referrer, "Referrer-Policy: no-referrer");
        assert_eq!(sniff, "X-Content-Type-Options: nosniff");
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
        for foreign in
            ["<script", "<link", "<img", "<iframe", "<form", "<base", "src=", "href", "url(", "@import", "//"]
        {
            assert!(!page.contains(foreign), "{foreign} in {page}");
        }
        assert!(!page.contains(" on") || !page.contains("onload"), "{page}");
    }
}

#[test]
fn c074_x05_no_answer_leads_elsewhere() {
    let mut seen = 0;
    for head in strangers() {
        let Refuse(reply) = heard(&head) else { panic!("{:?} is a stranger's", String::from_utf8_lossy(&head)) };
        assert!((400..500).contains(&reply.status()), "{reply:?}");
        seen += 1;
    }
    assert!(seen > 20);
    for reply in REPLIES {
        let text = reply.to_string().to_ascii_lowercase();
        assert!(reply.status() / 100 != 3 && !text.contains("location") && !text.contains("refresh"), "{text}");
    }
}

#[test]
fn x27_the_pages_are_equal_whatever_the_input() {
    let mut replies = Vec::new();
    for head in strangers() {
        let Refuse(reply) = heard(&head) else { panic!("{:?} is a stranger's", String::from_utf8_lossy(&head)) };
        let text = reply.to_string();
        assert!(!text.contains("CANARY") && !text.contains("evil"), "{text}");
        assert!(replies.iter().all(|(other, page)| (*other == reply) == (*page == text)), "{reply:?} has one page");
        replies.push((reply, text));
    }
    for reply in [Reply::BadRequest, Reply::HeadTooLarge, Reply::MethodNotAllowed, Reply::Misdirected, Reply::NotFound]
    {
        assert!(replies.iter().filter(|(other, _)| *other == reply).count() > 1, "{reply:?} was seen twice");
    }
}

/// What the receiver makes of a request.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// The redirect, as it stood in the request.
    Callback(String),
    More,
    Refuse(Reply),
}

impl From<Step<'_>> for Verdict {
    fn from(step: Step<'_>) -> Self {
        match step {
            Step::Callback(Redirect::Target(target)) if target.starts_with('/') => Callback(target.to_owned()),
            Step::Callback(Redirect::Url(url)) if url.starts_with("http://") => Callback(url.to_owned()),
            Step::Callback(redirect) => panic!("{redirect:?} is not what was sent"),
            Step::More => More,
            Step::Refuse(reply) => Refuse(reply),
        }
    }
}

/// Hears a request to the login that [`good`] belongs to.
#[track_caller]
fn heard(head: impl AsRef<[u8]>) -> Verdict {
    heard_by(client(), &begin(client()), head)
}

/// Hears a request at once and octet by octet.
#[track_caller]
fn heard_by(client: Client<'_>, pending: &Pending, head: impl AsRef<[u8]>) -> Verdict {
    let head = head.as_ref();
    let at_once = Verdict::from(Exchange::new().read(head, client, pending));
    let mut exchange = Exchange::new();
    let mut steps = (0..=head.len()).map(|length| Verdict::from(exchange.read(&head[..length], client, pending)));
    let in_pieces = steps.find(|step| *step != More).unwrap_or(More);
    assert_eq!(in_pieces, at_once, "octet by octet and at once: {:?}", String::from_utf8_lossy(head));
    at_once
}

/// The request target of a good redirect.
fn good() -> String {
    format!("/cb?{}", good_query(&begin(client())))
}

/// A request for `target` at the redirect URI's host.
fn get(target: &str) -> String {
    let host = REDIRECT_URI.trim_start_matches("http://").trim_end_matches("/cb");
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
}

/// Requests that would like to see themselves, or another site, in the answer.
fn strangers() -> Vec<Vec<u8>> {
    let mut heads = Vec::new();
    for text in ["CANARY", "<script>CANARY</script>", "\"'><img%20src=x%20onerror=CANARY>", "//evil.example/CANARY"] {
        for target in
            ["/", "//", "/?next=", "/cb/", "/cb?state=", "/cb?error_description=", "/cb?url=https:", "http://"]
        {
            heads.push(get(&format!("{target}{text}")).into_bytes());
        }
        for head in [
            format!("GET {} HTTP/1.1\r\nHost: {text}\r\n\r\n", good()),
            format!("GET {} {text}\r\nHost: 127.0.0.1:49152\r\n\r\n", good()),
            format!("{text} {} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n\r\n", good()),
            format!("POST {text} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n\r\n"),
            format!("GET / HTTP/1.1\r\n{text}\r\nHost: 127.0.0.1:49152\r\n\r\n"),
            format!("GET /{text}%0D%0ALocation:%20https://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n\r\n"),
            format!("GET / HTTP/1.1\r\nOrigin: {}\r\n\r\n", text.repeat(HEAD_MAX / text.len())),
            format!("GET /{} HTTP/1.1\r\n\r\n", text.repeat(HEAD_MAX / text.len())),
        ] {
            heads.push(head.into_bytes());
        }
    }
    heads
}

/// Head and page.
fn parts(reply: Reply) -> (String, String) {
    let text = reply.to_string();
    assert_eq!(text.len(), reply.len());
    let (head, page) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), page.to_owned())
}

const BAD: Verdict = Refuse(Reply::BadRequest);

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
