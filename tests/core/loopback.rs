//! OAuth for native apps (RFC 8252): the loopback receiver against strangers. Every request is heard byte by byte and
//! at once, and makes the same step.

use proofkey_core::loopback::{HEAD_MAX, Loopback, Reply};
use proofkey_core::{Client, ConfigError, Redirect};
use proofkey_core_tests::heard::{BAD, MORE, get, good, heard, heard_by, strangers};
use proofkey_core_tests::{Counter, begin, client, good_query, server};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

#[test]
fn the_redirect_uri_has_the_bound_address() {
    for (registered, addresses, port, bound, redirect_uri, target) in [
        ("http://127.0.0.1/cb", "127.0.0.1", None, "127.0.0.1:7", "http://127.0.0.1:7/cb", "/cb?"),
        ("http://127.0.0.1:7/a?b=%2F", "127.0.0.1", Some(7), "127.0.0.1:7", "http://127.0.0.1:7/a?b=%2F", "/a?b=%2F&"),
        ("http://127.0.0.1:0007/cb", "127.0.0.1", Some(7), "127.0.0.1:7", "http://127.0.0.1:7/cb", "/cb?"),
        ("http://127.0.0.1", "127.0.0.1", None, "127.0.0.1:7", "http://127.0.0.1:7", "/?"),
        ("http://127.0.0.1?c=/", "127.0.0.1", None, "127.0.0.1:7", "http://127.0.0.1:7?c=/", "/?c=/&"),
        ("http://[::1]/cb", "::1", None, "[::1]:7", "http://[::1]:7/cb", "/cb?"),
        ("http://[0:0::0:1]:7/cb", "::1", Some(7), "[::1]:7", "http://[::1]:7/cb", "/cb?"),
        ("http://127.0.0.1/cb", "127.0.0.1", None, "[::1]:7", "http://[::1]:7/cb", "/cb?"),
        ("http://127.0.0.1:80/cb", "127.0.0.1", Some(80), "127.0.0.1:80", "http://127.0.0.1:80/cb", "/cb?"),
        ("http://localhost/cb", "127.0.0.1 ::1", None, "127.0.0.1:7", "http://localhost:7/cb", "/cb?"),
        ("http://localhost:7/cb", "127.0.0.1 ::1", Some(7), "[::1]:7", "http://localhost:7/cb", "/cb?"),
        ("http://localhost?c=/", "127.0.0.1 ::1", None, "[::1]:7", "http://localhost:7?c=/", "/?c=/&"),
        ("http://localhost:80", "127.0.0.1 ::1", Some(80), "127.0.0.1:80", "http://localhost:80", "/?"),
    ] {
        let loopback = Loopback::of(registered).expect(registered);
        assert_eq!((bind(&loopback), loopback.port()), (addresses.to_owned(), port), "{registered}");
        assert_eq!(loopback.at(bound.parse().expect("an address")).to_string(), redirect_uri, "{registered}");
        let client = client().with_redirect_uri(redirect_uri).expect("a client");
        let pending = begin(client);
        let target = format!("{target}{}", good_query(&pending));
        let heard_at = |host| heard_by(client, &pending, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(heard_at(bound), Ok(Some(target.clone())), "{redirect_uri}");
        let (address, port) = bound.rsplit_once(':').expect("a port");
        assert_eq!(heard_at(address).is_ok(), port == "80", "browsers leave out port 80, and no other");
        assert_eq!(heard_at(&format!("{bound}1")), Err(Reply::Misdirected), "{redirect_uri}");
    }
}

#[test]
fn only_127_0_0_1_at_any_port_has_a_stand_in() {
    let stand_in = |uri: &str| Loopback::of(uri).expect(uri).stand_in();
    assert_eq!(stand_in("http://127.0.0.1/cb"), Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
    for other in ["http://127.0.0.1:7/cb", "http://127.0.0.2/cb", "http://[::1]/cb", "http://localhost/cb"] {
        assert_eq!(stand_in(other), None, "{other}");
    }
}

#[test]
fn only_loopback_addresses_are_listened_at() {
    for (host, addresses) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("127.255.255.254", "127.255.255.254"),
        ("[::1]", "::1"),
        ("localhost", "127.0.0.1 ::1"),
    ] {
        let redirect_uri = format!("http://{host}:7/cb");
        assert_eq!(Loopback::of(&redirect_uri).map(|loopback| bind(&loopback)).as_deref(), Some(addresses));
        assert!(Client::new("client", &redirect_uri, server()).is_ok(), "{redirect_uri}");
    }
    let others = "localhost. LOCALHOST Localhost app.localhost localhost.localdomain localhost.evil.example xlocalhost \
        localhos user@localhost 0.0.0.0 [::] 0 126.255.255.255 128.0.0.1 192.168.0.1 [fe80::1] [::2] [::ffff:127.0.0.1] \
        [127.0.0.1] [localhost] ::1 127.1 0x7f000001 2130706433 127.0.0.01 127.0.0.1.evil.example user@127.0.0.1 \
        evil.example ";
    for host in others.split(' ') {
        for redirect_uri in [format!("http://{host}:7/cb"), format!("http://{host}/cb")] {
            assert!(Loopback::of(&redirect_uri).is_none(), "{redirect_uri}");
            let refused = Client::new("client", &redirect_uri, server());
            assert!(matches!(refused, Err(ConfigError::RedirectUri(_))), "{redirect_uri}");
        }
    }
    for other in ["https://127.0.0.1/cb", "https://localhost/cb", "com.example.app:/cb", "http:/127.0.0.1/cb"] {
        assert!(Loopback::of(other).is_none(), "{other}");
    }
    for other in ["http:localhost/cb", "//127.0.0.1/cb", "//localhost/cb", "localhost/cb", "localhost:7/cb", "/cb", ""]
    {
        assert!(Loopback::of(other).is_none(), "{other}");
    }
}

/// The addresses to bind.
fn bind(loopback: &Loopback<'_>) -> String {
    loopback.addresses().map(|ip| ip.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn only_the_exact_path_is_the_redirect() {
    assert_eq!(heard(get(&good())), Ok(Some(good())));
    for path in
        "/ /CB /cb/ //cb /./cb /x/../cb /%63b /cb;x /cb%00 /callback /c /cb& /favicon.ico /robots.txt".split(' ')
    {
        for target in [path.to_owned(), good().replacen("/cb", path, 1)] {
            assert_eq!(heard(get(&target)), Err(Reply::NotFound), "{target}");
        }
    }
}

#[test]
fn the_listener_wants_the_query_of_the_redirect_uri() {
    let client = client().with_redirect_uri("http://127.0.0.1:49152/cb?tenant=1").expect("a client");
    let pending = begin(client);
    let query = good_query(&pending);
    let verdict = |tenant: &str| heard_by(client, &pending, get(&format!("/cb?{tenant}{query}")));
    assert_eq!(verdict("tenant=1&"), Ok(Some(format!("/cb?tenant=1&{query}"))));
    for tenant in ["", "tenant=2&", "tenant=1&tenant=1&", "tenant=1&tenant=2&", "tenant=1&t%65nant=2&", "tenants=1&"] {
        assert_eq!(verdict(tenant), Err(Reply::NotFound), "{tenant}");
    }
}

#[test]
fn a_foreign_host_is_refused() {
    let hosts = "localhost:49152 evil.example:49152 evil.example 127.0.0.1 127.0.0.1: 127.0.0.1:1 127.0.0.1:49153 \
        127.0.0.1:491520 127.0.0.1:049152 127.0.0.2:49152 127.1:49152 0x7f000001:49152 2130706433:49152 [::1]:49152 \
        [::ffff:127.0.0.1]:49152 127.0.0.1.evil.example:49152 user@127.0.0.1:49152 127.0.0.1:49152,evil.example \
        http://127.0.0.1:49152";
    for host in hosts.split(' ') {
        let head = format!("GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", good());
        assert_eq!(heard(head), Err(Reply::Misdirected), "{host}");
    }
}

#[test]
fn at_localhost_its_two_addresses_are_accepted_as_host() {
    let client = client().with_redirect_uri("http://localhost:49152/cb").expect("a client");
    let pending = begin(client);
    let target = format!("/cb?{}", good_query(&pending));
    let heard_at =
        |target: &str, host: &str| heard_by(client, &pending, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let own = ["localhost:49152", "127.0.0.1:49152", "[::1]:49152"];
    for host in own {
        assert_eq!(heard_at(&target, host), Ok(Some(target.clone())), "{host}");
        for authority in own {
            let absolute = format!("http://{authority}{target}");
            assert_eq!(heard_at(&absolute, host), Ok(Some(target.clone())), "{authority} {host}");
        }
    }
    let strangers = "evil.localhost:49152 localhost LOCALHOST:49152 Localhost:49152 localhost.:49152 localhost: \
        localhost:49153 localhost:491520 localhost:049152 localhost:80 localhost49152 127.0.0.1 127.0.0.1: \
        127.0.0.1:49153 127.0.0.2:49152 127.1:49152 [::1] [::1]:49153 ::1:49152 [0:0:0:0:0:0:0:1]:49152 \
        [::ffff:127.0.0.1]:49152 user@localhost:49152 localhost.evil.example:49152 127.0.0.1.evil.example:49152 \
        localhost:49152,evil.example localhost127.0.0.1:49152 127.0.0.1localhost:49152 127.0.0.1[::1]:49152 evil.example";
    for host in strangers.split_whitespace() {
        assert_eq!(heard_at(&target, host), Err(Reply::Misdirected), "{host}");
        let absolute = format!("http://{host}{target}");
        assert_eq!(heard_at(&absolute, own[0]), Err(Reply::Misdirected), "{absolute}");
    }
}

#[test]
fn a_name_that_only_begins_with_localhost_is_another_host() {
    for redirect_uri in ["https://localhost:49152/cb", "https://localhost.example/cb", "https://app.localhost/cb"] {
        let client = client().with_redirect_uri(redirect_uri).expect("a client");
        let pending = begin(client);
        let target = format!("/cb?{}", good_query(&pending));
        for host in ["127.0.0.1:49152", "127.0.0.1", "127.0.0.1.example", "[::1]:49152", "[::1].example", "[::1]"] {
            let heard = heard_by(client, &pending, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
            assert_eq!(heard, Err(Reply::Misdirected), "{redirect_uri} {host}");
        }
    }
}

#[test]
fn a_pasted_localhost_url_is_compared_as_it_is_written() {
    for (registered, shown, ours) in [
        ("http://localhost:7/cb", "http://localhost:7/cb", true),
        ("http://localhost:80/cb", "http://localhost/cb", true),
        ("http://localhost/cb", "http://localhost:80/cb", false),
        ("http://localhost:7/cb", "http://127.0.0.1:7/cb", false),
        ("http://localhost:7/cb", "http://[::1]:7/cb", false),
        ("http://localhost:7/cb", "http://app.localhost:7/cb", false),
        ("http://127.0.0.1:7/cb", "http://localhost:7/cb", false),
    ] {
        let client = client().with_redirect_uri(registered).expect("a client");
        let pending = begin(client);
        let url = format!("{shown}?{}", good_query(&pending));
        assert_eq!(pending.matches(client, Redirect::Url(&url)), ours, "{registered} {shown}");
        assert_eq!(pending.accept(client, Redirect::Url(&url)).is_ok(), ours, "{registered} {shown}");
    }
}

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

#[test]
fn the_state_of_another_login_is_refused() {
    let mut rng = Counter::default();
    let [over, other, pending] = [(); 3].map(|()| client().authorize(&[], &mut rng).expect("a login begins").1);
    let [replayed, foreign, own] = [&over, &other, &pending].map(|login| get(&format!("/cb?{}", good_query(login))));
    assert!(matches!(heard_by(client(), &over, &replayed), Ok(Some(_))));
    let query = good_query(&over);
    assert!(over.accept(client(), Redirect::Query(&query)).is_ok());
    for stranger in [replayed, foreign] {
        assert_eq!(heard_by(client(), &pending, stranger), BAD);
    }
    assert!(matches!(heard_by(client(), &pending, own), Ok(Some(_))));
}

#[test]
fn only_its_own_state_ends_a_login() {
    let pending = begin(client());
    let state = pending.state().expose();
    let wrong = " code=C code=C&state= error=access_denied error=access_denied&state=X code=C&State=$ code=C;state=$ \
        code=C&state=$A code=C&state=$%00 code=C&state=$%0A code=C&state=%20$ code=C&state=$&state=X \
        code=C&state=X&state=$ code=C&state=&state=$ code=C&state=$&st%61te=$ code=C&state=! code=C&state=^";
    let wrong = wrong.replace('!', &state.to_lowercase()).replace('^', &state[1..]);
    for query in wrong.replace('$', state).split(' ') {
        assert_eq!(heard_by(client(), &pending, get(&format!("/cb?{query}"))), BAD, "{query}");
    }
    let refusal = format!("/cb?error=access_denied&state={state}&iss=https://as.example");
    assert_eq!(heard_by(client(), &pending, get(&refusal)), Ok(Some(refusal)), "the server's own refusal is heard");
    for head in strangers() {
        assert!(heard_by(client(), &pending, head).is_err());
    }
    assert_eq!(heard_by(client(), &pending, get(&good())), Ok(Some(good())));
    assert!(pending.accept(client(), Redirect::Target(&good())).is_ok());
}
