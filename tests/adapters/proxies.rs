//! Which proxy a request goes through, in the same environments, by the installed `curl` and by `Proxies`.

use proofkey_http::Proxies;
use proofkey_tests::recording::{Server, header, read_request};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::{env, slice};

type Variables = &'static [(&'static str, &'static str)];

const HOST: &str = "as.example";
const A: &str = "http://{A}";
const IPV6: &str = "curl before 8.18 compares IPv6 addresses as if they were names";
const STRICT: &str = "curl before 8.18 takes this for 10.0.0.0/8";
const LOOPBACK: &str = "a request to this machine never leaves it";

/// Environments in which both choose the same: variables, with `{A}` and `{B}` for two proxies, and the host of the server.
const SAME: &[(Variables, &str)] = &[
    // The order of the variables.
    (&[], HOST),
    (&[("https_proxy", A)], HOST),
    (&[("HTTPS_PROXY", A)], HOST),
    (&[("all_proxy", A)], HOST),
    (&[("ALL_PROXY", A)], HOST),
    (&[("HTTPS_PROXY", "{B}"), ("https_proxy", A)], HOST),
    (&[("ALL_PROXY", "{B}"), ("all_proxy", A)], HOST),
    (&[("HTTPS_PROXY", A), ("all_proxy", "{B}")], HOST),
    (&[("https_proxy", A), ("ALL_PROXY", "{B}")], HOST),
    (&[("https_proxy", ""), ("HTTPS_PROXY", A)], HOST),
    (&[("https_proxy", ""), ("HTTPS_PROXY", ""), ("all_proxy", A)], HOST),
    (&[("all_proxy", ""), ("ALL_PROXY", A)], HOST),
    (&[("https_proxy", ""), ("HTTPS_PROXY", ""), ("all_proxy", ""), ("ALL_PROXY", "")], HOST),
    (&[("http_proxy", A), ("HTTP_PROXY", A)], HOST),
    (&[("REQUEST_METHOD", "GET"), ("HTTPS_PROXY", A)], HOST),
    (&[("https_proxy", "socks5://{B}"), ("HTTPS_PROXY", A)], HOST),
    (&[("https_proxy", "no url"), ("HTTPS_PROXY", A)], HOST),
    (&[("https_proxy", A), ("no_proxy", HOST), ("NO_PROXY", "x.example")], HOST),
    (&[("https_proxy", A), ("no_proxy", "x.example"), ("NO_PROXY", HOST)], HOST),
    (&[("https_proxy", A), ("no_proxy", ""), ("NO_PROXY", HOST)], HOST),
    // The proxy of a kind that is not supported is an error only if it would be chosen.
    (&[("https_proxy", "socks5://{A}"), ("no_proxy", HOST)], HOST),
    (&[("https_proxy", A), ("all_proxy", "socks5://{B}")], HOST),
    // The exceptions.
    (&[("ALL_PROXY", A), ("NO_PROXY", "*")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "* ")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example,*")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "*.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "*")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", " ")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", " as.example ")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example,as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example , as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example\tas.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example\nas.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example;as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", ",,x.example,,as.example,,")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "AS.Example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example")], "AS.EXAMPLE"),
    (&[("ALL_PROXY", A), ("NO_PROXY", ".as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "..as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example.")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example..")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", ".as.example.")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example")], "as.example."),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example.")], "as.example."),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example")], "login.as.example"),
    (&[("ALL_PROXY", A), ("NO_PROXY", ".as.example")], "login.as.example"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "s.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "login.as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", ".")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "..")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example:443")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "as.example:{D}")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "https://as.example")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.4")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", ".10.1.2.3")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3.")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "2.3")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "010.1.2.3")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.66051")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3")], "10.66051"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3")], "0xa.01.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3")], "10.1.2.3."),
    (&[("ALL_PROXY", A), ("NO_PROXY", "x.example 10.0.0.0/8")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.9.9.9/8")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.128.0.0/9")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.0.0.0/15")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.0.0.0/16")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3/32")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.2/32")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.2/31")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3/33")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3/-1")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.1.2.3/0")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "0.0.0.0/0")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10/8")], "10.1.2.3"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.0.0.0/8")], HOST),
    (&[("ALL_PROXY", A), ("NO_PROXY", "2001:db8::1")], "[2001:db8::1]"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "2001:db8::1")], "[2001:0DB8:0::1]"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "2001:db8::2")], "[2001:db8::1]"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "[2001:db8::1]")], "[2001:db8::1]"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.0.0.0/8")], "[::ffff:10.1.2.3]"),
    (&[("ALL_PROXY", A), ("NO_PROXY", "::ffff:10.1.2.3")], "[::ffff:10.1.2.3]"),
    // The URL of the proxy.
    (&[("https_proxy", "{A}")], HOST),
    (&[("https_proxy", "HTTP://{A}")], HOST),
    (&[("https_proxy", "https://{A}")], HOST),
    (&[("https_proxy", "http:/{A}")], HOST),
    (&[("https_proxy", "http:///{A}")], HOST),
    (&[("https_proxy", "http:////{A}")], HOST),
    (&[("https_proxy", "http:{A}")], HOST),
    (&[("https_proxy", "//{A}")], HOST),
    (&[("https_proxy", "://{A}")], HOST),
    (&[("https_proxy", "http://{A}/path")], HOST),
    (&[("https_proxy", "http://{A}?query@{B}")], HOST),
    (&[("https_proxy", "http://{A}#fragment@{B}")], HOST),
    (&[("https_proxy", " http://{A}")], HOST),
    (&[("https_proxy", "http://{A} ")], HOST),
    (&[("https_proxy", "http://{A}/a b")], HOST),
    (&[("https_proxy", "http://{A}\r\n")], HOST),
    (&[("https_proxy", "http://{A}\\")], HOST),
    (&[("https_proxy", "http://{A}1234")], HOST),
    (&[("https_proxy", "http://")], HOST),
    (&[("https_proxy", "http://:80")], HOST),
    (&[("https_proxy", "127.0.0.1:")], HOST),
    (&[("https_proxy", "http://127.0.0.1:-1")], HOST),
    (&[("https_proxy", "http://127.0.0.1:00{a}")], HOST),
    (&[("https_proxy", "http://127.1:{a}")], HOST),
    (&[("https_proxy", "http://0177.0.1:{a}")], HOST),
    (&[("https_proxy", "http://0x7F000001:{a}")], HOST),
    (&[("https_proxy", "2130706433:{a}")], HOST),
    (&[("https_proxy", "http://127.0.0.256:{a}")], HOST),
    (&[("https_proxy", "http://+127.1:{a}")], HOST),
    (&[("https_proxy", "http://0x+7f.1:{a}")], HOST),
    (&[("https_proxy", "http://[::1")], HOST),
    (&[("https_proxy", "http://[::1]{a}")], HOST),
    (&[("https_proxy", "http://[::ffff:7f00:1]:{a}")], HOST),
    (&[("https_proxy", "socks://{A}")], HOST),
    (&[("https_proxy", "socks4://{A}")], HOST),
    (&[("https_proxy", "socks4a://{A}")], HOST),
    (&[("https_proxy", "socks5://{A}")], HOST),
    (&[("https_proxy", "SOCKS5H://{A}")], HOST),
    (&[("https_proxy", "ftp://{A}")], HOST),
    // Its default port: nobody listens there.
    (&[("https_proxy", "127.0.0.9")], HOST),
    (&[("https_proxy", "http://127.0.0.9")], HOST),
    (&[("https_proxy", "http://127.0.0.9:/")], HOST),
    (&[("https_proxy", "https://127.0.0.9")], HOST),
    // User name and password.
    (&[("https_proxy", "http://user:pass@{A}")], HOST),
    (&[("https_proxy", "user:pass@{A}")], HOST),
    (&[("https_proxy", "http://user@{A}")], HOST),
    (&[("https_proxy", "http://user:@{A}")], HOST),
    (&[("https_proxy", "http://:pass@{A}")], HOST),
    (&[("https_proxy", "http://u:p:q;r=%s+t@{A}")], HOST),
    (&[("https_proxy", "http://u%3Av:p%40q%2fr%25@{A}")], HOST),
    (&[("https_proxy", "http://u%:p%4@{A}")], HOST),
    (&[("https_proxy", "http://u<\"[]{}|^`>:\\@{A}")], HOST),
    (&[("https_proxy", "http://\u{e9}:%C3%A9@{A}")], HOST),
    (&[("https_proxy", "http://u:p@q@{A}")], HOST),
    (&[("https_proxy", "http://u:p/q@{A}")], HOST),
    (&[("https_proxy", "http://u:p q@{A}")], HOST),
];

/// Environments in which they differ: variables, host, what curl 7.88 does, what we do, and why.
const DIFFERENT: &[(Variables, &str, &str, &str, &str)] = &[
    (&[("ALL_PROXY", A), ("NO_PROXY", "2001:db8::/32")], "[2001:db8::1]", "http://A", "direct", IPV6),
    (&[("ALL_PROXY", A), ("NO_PROXY", "2001:db8::/33")], "[2001:db8::1]", "http://A", "direct", IPV6),
    (&[("ALL_PROXY", A), ("NO_PROXY", "2001:db8:0::1")], "[2001:db8::1]", "http://A", "direct", IPV6),
    (&[("ALL_PROXY", A), ("NO_PROXY", ".2001:db8::1")], "[2001:db8::1]", "direct", "http://A", IPV6),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.0.0.0/8x")], "10.1.2.3", "direct", "http://A", STRICT),
    (&[("ALL_PROXY", A), ("NO_PROXY", "10.0.0.0/+8")], "10.1.2.3", "direct", "http://A", STRICT),
    (&[("ALL_PROXY", A)], "localhost", "http://A", "direct", LOOPBACK),
    (&[("ALL_PROXY", A)], "127.0.0.1", "http://A", "direct", LOOPBACK),
    (&[("ALL_PROXY", A)], "127.1", "http://A", "direct", LOOPBACK),
    (&[("ALL_PROXY", A)], "[::1]", "http://A", "direct", LOOPBACK),
    (&[("ALL_PROXY", "http://u%0a:p@{A}")], HOST, "direct", "error", "never a direct connection"),
    (
        &[("ALL_PROXY", "http://%31%327.0.0.1:{a}")],
        HOST,
        "http://A",
        "error",
        "the HTTP libraries do not decode a host",
    ),
    (&[("ALL_PROXY", "http://@{A}")], HOST, "http://A Basic Og==", "http://A", "it names no user"),
    (&[("ALL_PROXY", "ftp.x:1")], HOST, "error", "http://ftp.x:1", "curl takes the name of the host for its scheme"),
];

#[test]
fn the_proxy_is_the_one_that_curl_chooses() {
    if let Ok(host) = env::var("PROOFKEY_TEST_HOST") {
        let found = Proxies::from_env();
        let found = found.find(&host).map(|proxy| proxy.map_or("direct", |proxy| proxy.as_str()));
        println!("\nFOUND {}", found.unwrap_or("error"));
        return;
    }
    let servers = Servers { a: Server::start(record), b: Server::start(record), direct: Server::start(record) };
    for (variables, host) in SAME {
        let expected = servers.curl(variables, host);
        assert_eq!(servers.ours(variables, host), expected, "{variables:?} {host}");
    }
    for (variables, host, curl, ours, why) in DIFFERENT {
        let found = (servers.curl(variables, host), servers.ours(variables, host));
        assert_eq!(found, ((*curl).to_owned(), (*ours).to_owned()), "{variables:?} {host}: {why}");
        assert_ne!(curl, ours);
    }
    println!("{} environments as curl, {} otherwise for a reason", SAME.len(), DIFFERENT.len());
}

/// Whatever is written, what is found can be given to both libraries.
#[test]
fn what_is_found_is_taken_by_both_libraries() {
    const PARTS: [&str; 32] = [
        "http",
        "https",
        "://",
        ":/",
        "/",
        "@",
        ":",
        "[",
        "]",
        "%",
        "%4",
        "%3a",
        "%C3%A9",
        ".",
        "..",
        "0x",
        "1",
        "08",
        "256",
        "4294967295",
        "-",
        "_",
        "~",
        "+",
        "::",
        "\u{e9}",
        "a",
        "A",
        "|",
        "\"",
        "?",
        "#",
    ];
    let (mut state, mut taken) = (1_u64, 0);
    for _ in 0..300_000 {
        let parts = (0..7).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            PARTS[usize::try_from(state >> 59).unwrap()]
        });
        let url = parts.collect::<String>();
        let Ok(proxies) = Proxies::new(&url) else { continue };
        let found = proxies.find(HOST).unwrap().unwrap().as_str();
        taken += 1;
        // reqwest writes the URL anew and reads it once more. It connects directly if it cannot read it.
        let rewritten = reqwest::Url::parse(found).unwrap_or_else(|error| panic!("{url} {found}: {error}"));
        let uri = http::Uri::try_from(rewritten.as_str()).unwrap_or_else(|error| panic!("{url} {found}: {error}"));
        assert_eq!(uri.host(), http::Uri::try_from(found).unwrap().host(), "{url} {found}");
        assert!(ureq::Proxy::new(found).is_ok(), "{url} {found}");
    }
    assert!(taken > 10_000, "{taken}");
}

struct Servers {
    a: Server,
    b: Server,
    direct: Server,
}

impl Servers {
    /// What curl does: which proxy it connects to, and as whom.
    fn curl(&self, variables: Variables, host: &str) -> String {
        let before = self.arrived().map(|arrived| arrived.len());
        let port = self.direct.address.port();
        let output = self.run(
            Command::new("curl")
                .args(["-q", "-sv", "--insecure", "--max-time", "20"])
                // A direct connection ends here too. This is read after the proxy is chosen.
                .args(["--connect-to", &format!("::127.0.0.1:{port}"), &format!("https://{host}:{port}/")]),
            variables,
        );
        assert!(!output.status.success());
        let mut arrived = self.arrived().into_iter().zip(before).zip(["A", "B", "direct"]);
        let found = arrived.find_map(|((arrived, before), server)| Some((arrived.into_iter().nth(before)?, server)));
        let said = String::from_utf8_lossy(&output.stderr);
        let tried = || said.lines().find_map(|line| line.strip_suffix("...")?.split_once("Trying ").map(|(_, at)| at));
        match found {
            Some((_, "direct")) => "direct".to_owned(),
            // We have no SOCKS.
            Some((how, _)) if how == "socks" => "error".to_owned(),
            Some((how, server)) if how == "tls" => format!("https://{server}"),
            Some((authorization, server)) => format!("http://{server} {authorization}").trim_end().to_owned(),
            None => tried().map_or_else(|| "error".to_owned(), |at| format!("to {at}")),
        }
    }

    /// What `Proxies` says, told in the same words.
    fn ours(&self, variables: Variables, host: &str) -> String {
        let mut child = Command::new(env::current_exe().unwrap());
        child
            .args(["--exact", "the_proxy_is_the_one_that_curl_chooses", "--nocapture"])
            .env("PROOFKEY_TEST_HOST", host);
        let output = String::from_utf8(self.run(&mut child, variables).stdout).unwrap();
        let found = output.lines().find_map(|line| line.strip_prefix("FOUND ")).unwrap();
        if ["direct", "error"].contains(&found) {
            return found.to_owned();
        }
        // Both libraries take it.
        reqwest::Proxy::all(found).unwrap();
        let proxy = ureq::Proxy::new(found).unwrap();
        let at = format!("{}:{}", proxy.host(), proxy.port());
        if at.starts_with("127.0.0.9") {
            return format!("to {at}");
        }
        let at = at.replace("[::ffff:127.0.0.1]", "127.0.0.1");
        let at = at.replace(&self.a.address.to_string(), "A").replace(&self.b.address.to_string(), "B");
        let user = proxy.username().map(|user| format!("{user}:{}", proxy.password().unwrap_or_default()));
        let user = user.map_or_else(String::new, |user| format!(" Basic {}", base64(user.as_bytes())));
        format!("{}://{at}{user}", proxy.protocol().to_string().to_lowercase())
    }

    fn run(&self, command: &mut Command, variables: Variables) -> Output {
        for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_lowercase());
        }
        for (name, value) in variables {
            let value = value.replace("{A}", &self.a.address.to_string()).replace("{B}", &self.b.address.to_string());
            let [a, direct] = [&self.a, &self.direct].map(|server| server.address.port().to_string());
            command.env(name, value.replace("{a}", &a).replace("{D}", &direct));
        }
        command.output().unwrap()
    }

    fn arrived(&self) -> [Vec<String>; 3] {
        [&self.a, &self.b, &self.direct].map(Server::requests)
    }
}

/// Records how a client begins; for a CONNECT, its authorization.
fn record(mut stream: TcpStream, records: &Mutex<Vec<String>>) {
    let mut first = 0;
    if stream.read_exact(slice::from_mut(&mut first)).is_err() {
        return;
    }
    let how = match first {
        b'C' => {
            let Some(request) = read_request(&mut stream) else { return };
            header(&request, "proxy-authorization").unwrap_or_default().to_owned()
        }
        4 | 5 => "socks".to_owned(),
        _ => "tls".to_owned(),
    };
    records.lock().unwrap().push(how);
    drop(stream.write_all(b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n"));
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).flat_map(|group| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(group.get(at).copied().unwrap_or_default()));
        (0..4).map(move |at| if at > group.len() { '=' } else { ALPHABET[bits >> (18 - 6 * at) & 63].into() })
    });
    groups.collect()
}
