use super::*;
use crate::error::transport;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use ureq::Agent;

#[test]
fn an_address_is_gone_to_as_it_is_written() {
    for (url, expected) in [
        ("http://127.0.0.1/x", "127.0.0.1:80"),
        ("https://127.0.0.1/x", "127.0.0.1:443"),
        ("https://[::1]/x", "[::1]:443"),
        ("http://[::1]:8080/x", "[::1]:8080"),
        ("http://localhost/x", "127.0.0.1:80 [::1]:80"),
        ("https://LOCALHOST:1/x", "127.0.0.1:1 [::1]:1"),
    ] {
        let found =
            LoopbackResolver.resolve(&url.parse().unwrap(), &Config::default(), NextTimeout::default()).unwrap();
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.join(" "), expected, "{url}");
    }
}

#[test]
fn a_name_that_cannot_be_found_gets_no_request() {
    // Too long for a name server to be asked.
    let error = get(&format!("https://{}.example/", "a".repeat(64)), None, PATIENCE);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Connect, false), "{error}");
}

#[test]
fn tls_is_made_once_and_only_if_it_is_needed() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let connections = Connections::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        no_roots()
    });
    let call = |connections: Connections, scheme: &str| {
        let (address, _heard) = serve(|_| {});
        let agent = Agent::with_parts(Config::default(), connections, LoopbackResolver);
        agent.get(format!("{scheme}://{address}/")).call().unwrap_err();
    };
    call(connections.clone(), "http");
    assert_eq!(made.load(Ordering::Relaxed), 0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| call(connections.clone(), "https"));
        }
    });
    assert_eq!(made.load(Ordering::Relaxed), 1);
}

#[test]
fn a_proxy_that_makes_no_tunnel_gets_no_request() {
    for (answer, kind) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", TransportKind::Proxy),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", TransportKind::Connect),
        ("HTTP/1.1 502 Bad Gateway\r\nX: 407\r\n\r\n", TransportKind::Connect),
        ("HTTP/1.1 200 OK\r\n", TransportKind::Connect),
        ("SSH-2.0-OpenSSH\r\n\r\n", TransportKind::Connect),
        ("HTTP/1.1 2\u{fc}0\r\n\r\n", TransportKind::Connect),
        ("", TransportKind::Connect),
    ] {
        let (address, heard) = serve(move |stream| stream.write_all(answer.as_bytes()).unwrap());
        let error = get("https://as.example/token?code=SECRET", Some(&format!("http://me:%40@{address}")), PATIENCE);
        assert_eq!((error.kind(), error.was_sent()), (kind, false), "{answer}: {error}");
        let expected =
            "CONNECT as.example:443 HTTP/1.1\r\nHost: as.example:443\r\nProxy-Authorization: Basic bWU6QA==\r\n\r\n";
        assert_eq!(heard.recv().unwrap(), expected);
    }
}

#[test]
fn a_tunnel_is_for_the_server_with_its_port() {
    for (url, expected) in [
        ("https://as.example:8443/", "CONNECT as.example:8443 HTTP/1.1\r\nHost: as.example:8443\r\n\r\n"),
        ("https://[2001:db8::1]/", "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n"),
    ] {
        let (address, heard) = serve(|_| {});
        get(url, Some(&format!("http://{address}")), PATIENCE);
        assert_eq!(heard.recv().unwrap(), expected);
    }
}

#[test]
fn one_time_limit_covers_a_proxy_that_trickles() {
    let (address, _heard) = serve(|stream| while stream.write_all(b"H").is_ok() {});
    let error = get("https://as.example/", Some(&format!("http://{address}")), PATIENCE);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Connect, false), "too long: {error}");
    let (address, _heard) = serve(|stream| {
        while stream.write_all(b"H").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let error = get("https://as.example/", Some(&format!("http://{address}")), SOON);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Deadline, false), "{error}");
}

#[test]
fn a_server_without_a_handshake_got_no_request() {
    let (done, wait) = mpsc::channel::<()>();
    let (address, _heard) = serve(move |_| wait.recv().unwrap_or_default());
    let error = get(&format!("https://{address}/"), None, SOON);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Deadline, false), "{error}");
    drop(done);

    let (address, _heard) = serve(|_| {});
    let error = get(&format!("https://{address}/"), None, PATIENCE);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Connect, false), "{error}");

    let (address, _heard) = serve(|stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    let error = get(&format!("https://{address}/"), None, PATIENCE);
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Tls, false), "{error}");
}

#[test]
fn a_proxy_of_another_kind_is_an_error() {
    let (address, heard) = serve(|_| {});
    for scheme in ["socks4", "socks4a", "socks5", "socks5h", "socks"] {
        let proxy = Proxy::new(&format!("{scheme}://{address}")).unwrap();
        let error = transport(agent(Some(proxy), PATIENCE).get(format!("https://{address}/")).call().unwrap_err());
        assert_eq!((error.kind(), error.was_sent()), (TransportKind::Proxy, false), "{scheme}: {error}");
    }
    assert!(heard.try_recv().is_err(), "nobody connected");
}

/// A server that hears one head, or whatever a client says in TLS, answers it, and closes.
fn serve(answer: impl Fn(&mut TcpStream) + Send + 'static) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut heard = Vec::new();
        let mut chunk = [0; 4096];
        while !heard.ends_with(b"\r\n\r\n") && heard.first() != Some(&HANDSHAKE) {
            match stream.read(&mut chunk) {
                Ok(length @ 1..) => heard.extend_from_slice(&chunk[..length]),
                _ => break,
            }
        }
        sender.send(String::from_utf8_lossy(&heard).into_owned()).ok();
        answer(&mut stream);
    });
    (address, receiver)
}

fn get(url: &str, proxy: Option<&str>, deadline: Duration) -> TransportError {
    let proxy = proxy.map(|proxy| Proxy::new(proxy).unwrap());
    transport(agent(proxy, deadline).get(url).call().unwrap_err())
}

fn agent(proxy: Option<Proxy>, deadline: Duration) -> Agent {
    let config = Agent::config_builder().proxy(proxy).timeout_global(Some(deadline)).build();
    Agent::with_parts(config, Connections::new(no_roots), LoopbackResolver)
}

fn no_roots() -> Result<Arc<ClientConfig>, TransportError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Ok(Arc::new(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth()))
}

/// The first byte of a TLS record of a handshake.
const HANDSHAKE: u8 = 22;
const PATIENCE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_millis(300);
