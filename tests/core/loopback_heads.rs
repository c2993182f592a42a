//! Which requests the loopback receiver reads and which it refuses (RFC 8252, RFC 9112). Every request is read byte by byte
//! and at once, with the same result.

use proofkey_core::loopback::{HEAD_MAX, Reply};
use proofkey_core_tests::heard::{BAD, MORE, get, good, heard, heard_by};
use proofkey_core_tests::{begin, client, good_query};
use std::time::{Duration, Instant};

#[test]
fn exactly_one_host_header_is_required() {
    let hosts = "Accept: */*|Host:|Host: \t |X-Forwarded-Host: 127.0.0.1:49152|Host: 127.0.0.1:49152\r\nHost:|\
        Host: 127.0.0.1:49152\r\nHost: 127.0.0.1:49152|Host: 127.0.0.1:49152\r\nhOST: evil.example";
    assert_eq!(heard(format!("GET {} HTTP/1.1\r\n\r\n", good())), BAD);
    for host in hosts.split('|') {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            assert_eq!(heard(format!("GET {} {version}\r\n{host}\r\n\r\n", good())), BAD, "{version} {host}");
        }
    }
    for host in ["Host:127.0.0.1:49152", "hOST: \t127.0.0.1:49152 \t"] {
        assert_eq!(heard(format!("GET {} HTTP/1.0\r\n{host}\r\n\r\n", good())), Ok(Some(good())), "{host}");
    }
}

#[test]
fn a_target_in_absolute_form_is_read() {
    let absolute = |authority: &str| format!("http://{authority}{}", good());
    let right = absolute("127.0.0.1:49152");
    assert_eq!(heard(get(&right)), Ok(Some(good())), "the authority has had its check");
    let query = good_query(&begin(client()));
    for (path, heard_as) in
        [("/other", Err(Reply::NotFound)), ("", Err(Reply::NotFound)), ("//cb", Err(Reply::NotFound))]
    {
        assert_eq!(heard(get(&format!("http://127.0.0.1:49152{path}?{query}"))), heard_as, "{path}");
    }
    let bare = client().with_redirect_uri("http://127.0.0.1:49152").expect("a client");
    let pending = begin(bare);
    for path in ["", "/"] {
        let target = format!("http://127.0.0.1:49152{path}?{}", good_query(&pending));
        assert!(matches!(heard_by(bare, &pending, get(&target)), Ok(Some(_))), "{target}");
    }
    for wrong in ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost:49152", "127.0.0.1:49152@evil.example"] {
        assert_eq!(heard(get(&absolute(wrong))), Err(Reply::Misdirected), "{wrong}");
    }
    assert_eq!(heard(format!("GET {right} HTTP/1.1\r\nHost: evil.example\r\n\r\n")), Err(Reply::Misdirected));
}

#[test]
fn a_malformed_target_is_refused() {
    let query = good_query(&begin(client()));
    let targets = "*|127.0.0.1:49152||cb?Q|?Q|http://|http:///cb?Q|http://?Q|https://127.0.0.1:49152/cb?Q|\
        http:\\\\127.0.0.1:49152\\cb?Q|http://１２７.0.0.1:49152/cb?Q|/cb?Q#|/cb#Q|/cb?Q x|\x20/cb?Q|/cb?Q |/cb?Q\0|\
        /cb?Q\t|/cb?Q\rx|/cb?Q\u{7f}|/cb?Q&x=é";
    for target in targets.split('|') {
        assert_eq!(heard(get(&target.replace('Q', &query))), BAD, "{target:?}");
    }
    for byte in [0x80, 0xC0, 0xFF] {
        let head = [b"GET ", good().as_bytes(), &[byte], get("").as_bytes().split_at(4).1].concat();
        assert_eq!(heard(head), BAD, "{byte}");
        let foreign = [get(&good()).trim_end().as_bytes(), b"\r\nCookie: ", &[byte], b"\r\n\r\n"].concat();
        assert_eq!(heard(foreign), Ok(Some(good())), "a cookie of another app at this address");
    }
}

#[test]
fn only_get_is_answered_even_to_a_preflight() {
    for method in "POST HEAD OPTIONS PUT DELETE TRACE CONNECT PATCH get Get GETS GE".split(' ') {
        let head = get(&good()).replacen("GET", method, 1);
        assert_eq!(heard(head), Err(Reply::MethodNotAllowed), "{method}");
        assert_eq!(heard(format!("{method} ")), Err(Reply::MethodNotAllowed), "{method} is certain by now");
    }
    let preflight = "OPTIONS /cb HTTP/1.1\r\nHost: 127.0.0.1:49152\r\nOrigin: https://evil.example\r\n\
        Access-Control-Request-Method: GET\r\nAccess-Control-Request-Private-Network: true\r\n\r\n";
    assert_eq!(heard(preflight), Err(Reply::MethodNotAllowed));
}

#[test]
fn other_protocols_are_refused_by_their_first_bytes() {
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice();
    let socks: [&[u8]; 2] = [b"\x04\x01\xc0\x00\x7f\x00\x00\x01\x00", b"\x05\x01\x00"];
    for sent in
        [tls, socks[0], socks[1], b"SSH-2.0-OpenSSH_9.9", b"\r\n", b" ", b"\x80\xff\xfe", &[b'A'; 32], b"GET\r\n"]
    {
        assert_eq!(heard(sent), BAD, "{sent:?}");
    }
    assert_eq!(heard("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Err(Reply::MethodNotAllowed), "HTTP/2");
    for version in ["", " ", " HTTP/0.9", " HTTP/2", " HTTP/2.0", " HTTP/1.2", " HTTP/11", " http/1.1", " HTTP/1.1 "] {
        let head = get(&good()).replacen(" HTTP/1.1", version, 1);
        assert_eq!(heard(head), BAD, "{version}");
    }
}

#[test]
fn one_wrong_byte_lets_no_other_redirect_in() {
    let pending = begin(client());
    let head = get(&good()).replacen("\r\n\r\n", "\r\nAccept: text/html\r\n\r\n", 1).into_bytes();
    let state = format!("state={}", pending.state().expose());
    let mut callbacks = 0;
    for at in 0..head.len() {
        for byte in *b"\0\t\n\r \"#%&+/:;<=?@A\\\x7f\x80\xff" {
            let wrong = [&head[..at], &[byte], &head[at + 1..]].concat();
            if let Ok(Some(_)) = heard_by(client(), &pending, &wrong) {
                let text = String::from_utf8_lossy(&wrong);
                assert!(text.starts_with("GET /cb?") && text.contains(&state), "{text}");
                assert!(text.contains("\r\nHost:") && text.contains("127.0.0.1:49152\r\n"), "{text}");
                callbacks += 1;
            }
        }
    }
    assert!(callbacks > 100, "a wrong byte of a code or of Accept is none of the receiver's business: {callbacks}");
}

#[test]
fn a_head_that_two_parsers_could_read_differently_is_refused() {
    let fields = "Accept: a\r\n b|Accept: a\r\n\tb|\x20Accept: a|Accept : a|Accept\t: a|Accept|: a|Acc ept: a|\
        (Accept): a|Accepté: a|Accept: a\nb|Accept: a\rb|Accept: a\rb\rc|Accept: a\0|Accept: a\u{7f}|Accept: a\u{b}|Content-Length: 5|\
        Content-Length: 5\r\nTransfer-Encoding: chunked|Content-Length: 0\r\nTransfer-Encoding: chunked|\
        Content-Length: 0\r\nContent-Length: 5|Content-Length: 0\r\nContent-Length: 0|Content-Length: 5\r\nContent-Length: 5|Content-Length: -1|\
        Content-Length: +0|Content-Length: 0, 0|Content-Length:|transfer-encoding: identity|Transfer-Encoding:";
    for fields in fields.split('|') {
        for head in [
            format!("GET {} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n{fields}\r\n\r\n", good()),
            format!("GET {} HTTP/1.1\r\n{fields}\r\nHost: 127.0.0.1:49152\r\n\r\n", good()),
        ] {
            assert_eq!(heard(&head), BAD, "{head:?}");
        }
    }
    let bare = get(&good()).replace('\r', "");
    assert_eq!(heard(&bare), BAD);
    assert_eq!(heard(&bare[..=bare.find('\n').expect("a line")]), BAD, "it waits for no deadline");
    assert_eq!(heard(get(&good()).replacen("\r\n\r\n", "\r\n\n", 1)), BAD);
    let fields = "content-length: 0\r\nX-!#$%&'*+-.^_`|~9: \u{e9}\t\"\r\nX:\r\n";
    let head = format!("GET {} HTTP/1.1\r\n{fields}Host: 127.0.0.1:49152\r\n\r\n", good());
    assert_eq!(heard(head), Ok(Some(good())));
}

#[test]
fn long_requests_are_read_up_to_a_limit() {
    let long = |length: usize| good() + &"x".repeat(length - good().len());
    for length in [8 * 1024, 32 * 1024, 48 * 1024] {
        assert_eq!(heard(get(&long(length))), Ok(Some(long(length))), "{length}");
    }
    for length in [48 * 1024 + 1, 60 * 1024, HEAD_MAX, 2 * HEAD_MAX] {
        assert_eq!(heard(get(&long(length))), Err(Reply::UriTooLong), "{length}");
    }
    let with = |fields: &str| get(&good()).replacen("\r\n\r\n", &format!("\r\n{fields}\r\n"), 1);
    assert_eq!(heard(with(&"A: b\r\n".repeat(99))), Ok(Some(good())), "with Host they are 100");
    assert_eq!(heard(with(&"A: b\r\n".repeat(100))), Err(Reply::HeadTooLarge));
    let padded = |length: usize| with(&format!("A: {}\r\n", "b".repeat(length - with("A: \r\n").len())));
    assert_eq!(heard(padded(HEAD_MAX)), Ok(Some(good())));
    for length in [HEAD_MAX + 1, HEAD_MAX + 2, HEAD_MAX + 3, HEAD_MAX + 4, 2 * HEAD_MAX] {
        assert_eq!(heard(padded(length)), Err(Reply::HeadTooLarge), "{length}");
    }
}

#[test]
fn an_endless_head_is_refused_at_the_limit() {
    let long = good() + &"x".repeat(48 * 1024 - good().len());
    for (start, filler, reply) in [
        ("GET /cb?", "a", Reply::UriTooLong),
        ("GET /cb HTTP/1.1\r\nA: ", "a", Reply::HeadTooLarge),
        (&get(&long).replacen("\r\n\r\n", "\r\nA: ", 1), "a", Reply::HeadTooLarge),
        ("GET /cb HTTP/1.1\r\n", "A: b\r\n", Reply::HeadTooLarge),
        ("GET /cb HTTP/1.1\r\n", "\r", Reply::HeadTooLarge),
    ] {
        let endless = start.to_owned() + &filler.repeat(HEAD_MAX);
        assert_eq!(heard(&endless[..HEAD_MAX]), MORE, "{reply:?} {filler:?}");
        assert_eq!(heard(&endless[..=HEAD_MAX]), Err(reply), "{reply:?} {filler:?}");
        assert_eq!(heard(&endless), Err(reply), "{reply:?} {filler:?}");
    }
}

#[test]
fn reading_a_head_takes_linear_time() {
    let client = client().with_redirect_uri("http://127.0.0.1:49152/cb?a=1&b=2&c=3").expect("a client");
    let pending = begin(client);
    let target = format!("/cb?a=1&b=2&c=3&{}", good_query(&pending));
    for filler in ["&d", "&%64", "&", "&d=%zz"] {
        let target = target.clone() + &filler.repeat((48 * 1024 - target.len()) / filler.len());
        let head = get(&target);
        let begun = Instant::now();
        assert_eq!(heard_by(client, &pending, &head), Ok(Some(target)), "{filler}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{filler}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_request_is_waited_for_until_it_is_complete() {
    let head = get(&good());
    for length in 0..head.len() {
        assert_eq!(heard(&head[..length]), MORE, "{length}");
    }
    for after in ["", "x", "GET /cb HTTP/1.1\r\n\r\n", &"x".repeat(HEAD_MAX)] {
        assert_eq!(heard(head.clone() + after), Ok(Some(good())), "nothing behind the head counts");
    }
    assert_eq!([Reply::Busy, Reply::Gone, Reply::Timeout].map(Reply::status), [503, 410, 408]);
}
