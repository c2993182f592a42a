//! Names of which one address is dead: what is sent there is lost, without any answer.
//!
//! Needs `unshare` and `ip`, which make a network, and `strace`, which makes system calls fail.

use proofkey_core::AccessToken;
use proofkey_http::{Settings, TransportKind};
use proofkey_tests::authority::Authority;
use proofkey_tests::network::network;
use proofkey_tests::recording::{Server, json};
use std::cell::OnceCell;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

#[test]
fn a_dead_address_delays_nobody_for_long() {
    for (name, dead, live, change) in [
        ("dead-ipv6.example", "2001:db8::2", LIVE_IPV4, ""),
        // Else the C library would sort IPv6 first.
        ("dead-ipv4.example", "192.0.2.2", LIVE_IPV6, PREFER_IPV4),
        ("dead-first.example", "192.0.2.2", LIVE_IPV4, ""),
    ] {
        for adapter in ADAPTERS {
            let folder = tempfile::tempdir().expect("a folder");
            let hosts = format!("127.0.0.1 localhost\n{live} live.example\n{dead} {name}\n{live} {name}\n");
            fs::write(folder.path().join("hosts"), hosts).expect("written");
            fs::write(folder.path().join("gai.conf"), "precedence ::ffff:0:0/96 100\n").expect("written");
            let mut machine = network(&format!("{NETWORK}{change}"));
            machine.env("FOLDER", folder.path()).env("SSL_CERT_FILE", folder.path().join("authority.pem"));
            machine.envs([("NAME", name), ("DEAD", dead), ("LIVE", live)]);
            let said = run(machine, adapter);
            let took = said.lines().find_map(|line| line.strip_prefix("took: ")).expect("a time");
            println!("{adapter}, {name}: {took}");
        }
    }
}

#[test]
fn without_a_thread_the_addresses_are_tried_in_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = format!("{LIVE_IPV6} nobody-listens.example\n{LIVE_IPV4} nobody-listens.example\n");
    fs::write(folder.path().join("hosts"), hosts).expect("written");
    let mut machine = network(NETWORK);
    machine.env("FOLDER", folder.path());
    machine.args(["strace", "--follow-forks", "--output=/dev/null", "--trace=clone3", "--inject=clone3:error=EAGAIN"]);
    let said = run(machine, "child_without_threads");
    assert!(said.contains("refused"), "{said}");
}

fn run(mut machine: Command, child: &str) -> String {
    // Without a thread, a test runs in that of its runner.
    machine.arg(env::current_exe().expect("this program"));
    machine.args([child, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = machine.output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{child}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said.into_owned()
}

/// Frames for the dead addresses arrive at nobody's hardware address, so that even that nobody is there is not told. The live
/// addresses are this machine's.
const NETWORK: &str = r#"
    ip link add lost type veth peer name hole
    ip address add 192.0.2.1/24 dev lost
    ip address add 2001:db8::1/64 dev lost nodad
    ip link set lost up
    ip link set hole up
    ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:01 dev lost nud permanent
    ip neighbour add 2001:db8::2 lladdr 02:00:00:00:00:01 dev lost nud permanent
    ip address add 198.51.100.1/32 dev lo
    ip address add fd00::1/128 dev lo
    ip route add local 203.0.113.1 dev lo src 198.51.100.1
    mount --bind "$FOLDER/hosts" /etc/hosts
"#;
const PREFER_IPV4: &str = r#"mount --bind "$FOLDER/gai.conf" /etc/gai.conf"#;

#[test]
#[ignore = "a child of the tests above"]
fn child_blocking() {
    let http = proofkey_ureq::Http::new();
    time(|url| {
        let request = http::Request::get(url).body(Vec::new()).expect("a request");
        http.call(request, token()).map(|answer| answer.status).map_err(|error| error.to_string())
    });
}

#[test]
#[ignore = "a child of the tests above"]
fn child_asynchronous() {
    // hyper-util races the families, but not the addresses of one: those share the time to connect.
    let settings = Settings::new().with_connect_timeout(Duration::from_secs(4));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let http = OnceCell::new();
    time(|url| {
        let made = || proofkey_reqwest::Http::with_settings(settings.clone()).expect("the authority is there");
        let http = http.get_or_init(made);
        let request = http::Request::get(url).body(Vec::new()).expect("a request");
        let answer = runtime.block_on(http.call(request, token()));
        answer.map(|answer| answer.status).map_err(|error| error.to_string())
    });
}

#[test]
#[ignore = "a child of the tests above"]
fn child_without_threads() {
    assert!(thread::Builder::new().spawn(|| ()).is_err());
    let request = http::Request::get("https://nobody-listens.example/").body(Vec::new()).expect("a request");
    let error = proofkey_ureq::Http::new().call(request, token()).unwrap_err();
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Connect, false));
    println!("\n{error}");
}

/// Calls a server with a live address alone, and with a dead one before it.
fn time(call: impl Fn(String) -> Result<u16, String>) {
    let [name, dead, live] = ["NAME", "DEAD", "LIVE"].map(|name| env::var(name).expect("set by the test"));
    let [dead, live]: [IpAddr; 2] = [dead, live].map(|ip| ip.parse().expect("an address"));
    let authority = Authority::new("Authority of the eyeballs");
    fs::write(env::var("SSL_CERT_FILE").expect("set by the test"), &authority.pem).expect("written");
    let socket = TcpListener::bind((live, 0)).expect("a port");
    let server = Server::secure(socket, authority.server(&["live.example", &name]), |_| json(200, "{}"));
    let port = server.address.port();

    let found: Vec<_> = (name.as_str(), port).to_socket_addrs().expect("found").collect();
    assert_eq!(found, [SocketAddr::new(dead, port), server.address]);
    let lost = TcpStream::connect_timeout(&SocketAddr::new(dead, port), Duration::from_secs(1)).unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::TimedOut);

    let [alone, both] = ["live.example", name.as_str()].map(|name| {
        let start = Instant::now();
        assert_eq!(call(format!("https://{name}:{port}/")), Ok(200));
        start.elapsed()
    });
    println!("\ntook: {both:.3?}, and {alone:.3?} with the live address alone");
    // The deadline is 30 s.
    assert!(both < alone + Duration::from_secs(5), "{both:?}");
}

fn token() -> AccessToken<'static> {
    AccessToken::new("at-1").expect("a token")
}

const ADAPTERS: [&str; 2] = ["child_blocking", "child_asynchronous"];
const LIVE_IPV4: &str = "203.0.113.1";
const LIVE_IPV6: &str = "fd00::1";
