//! Where the loopback receiver listens, and which request it takes as the redirect (RFC 8252). Every request is read byte by
//! byte and at once, with the same result.

use proofkey_core::loopback::{Loopback, Reply};
use proofkey_core::{Client, ConfigError, Redirect};
use proofkey_core_tests::heard::{BAD, get, good, heard, heard_by, strangers};
use proofkey_core_tests::{Counter, begin, client, good_query, server};
use std::net::{IpAddr, Ipv6Addr};

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
