//! Logins whose redirect URI is at `localhost`, which is two addresses.

use super::login::{Asked, SCOPE, assert_status, browser, client, is_closed, token_server};
use crate::adapter::{Login, LoginError, Wait, http};
use proofkey_tests::recording::browse;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn a_browser_may_come_by_either_address() {
    for ip in ADDRESSES {
        let server = token_server();
        let client = client(&server, "http://localhost/callback");
        let (open, played) = browser(move |asked| {
            let address = SocketAddr::new(ip, asked.address.port());
            assert_status(&visit(address, &asked.callback(), "evil.localhost"), 421);
            let host = format!("localhost:{}", address.port());
            (visit(address, &asked.callback(), &host), asked)
        });
        let tokens = http().login(Login::new(client.as_client(), SCOPE), open).wait();
        assert!(tokens.is_ok(), "{tokens:?}");
        let (page, asked) = played.recv().unwrap();
        assert_status(&page, 200);
        let port = asked.address.port();
        assert_eq!(asked.redirect_uri, format!("http://localhost:{port}/callback"));
        assert!(ADDRESSES.map(|ip| is_closed(SocketAddr::new(ip, port))) == [true; 2]);
        let sent = format!("&redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcallback");
        assert!(server.requests().pop().unwrap().ends_with(&sent));
    }
}

#[test]
fn a_port_taken_at_either_address_ends_the_login() {
    let server = token_server();
    for ip in ADDRESSES {
        let port = free_at_both();
        let taken = TcpListener::bind((ip, port)).unwrap();
        let client = client(&server, &format!("http://localhost:{port}/callback"));
        let login = Login::new(client.as_client(), SCOPE);
        let error = http().login(login, |_| panic!("opened")).wait().unwrap_err();
        assert!(matches!(&error, LoginError::Listen(error) if error.source.kind() == ErrorKind::AddrInUse), "{error}");
        let start = format!("cannot listen at {}: ", SocketAddr::new(ip, port));
        assert!(error.to_string().starts_with(&start), "{error}");
        drop(taken);
        let (open, played) = browser(|asked| (browse(asked.address, &asked.callback()), asked.address.port()));
        assert!(http().login(login, open).wait().is_ok());
        assert_eq!(played.recv().unwrap().1, port);
    }
}

#[test]
fn a_crowd_at_one_address_delays_nobody_at_the_other() {
    for ip in ADDRESSES {
        let server = token_server();
        let client = client(&server, "http://localhost/callback");
        let (mut crowd, mut user) = (Vec::new(), None);
        let open = |url: &str| {
            // Nobody is let in before this returns: they all wait.
            let asked = Asked::read(url);
            let [crowded, other] = if ip.is_ipv4() { ADDRESSES } else { [ADDRESSES[1], ADDRESSES[0]] }
                .map(|ip| SocketAddr::new(ip, asked.address.port()));
            for _ in 0..64 {
                let mut stream = TcpStream::connect(crowded)?;
                stream.write_all(b"POST / HTTP/1.1\r\n\r\n")?;
                crowd.push(stream);
            }
            let mut stream = TcpStream::connect(other)?;
            write!(stream, "GET {} HTTP/1.1\r\nHost: {other}\r\n\r\n", asked.callback())?;
            stream.shutdown(Shutdown::Write)?;
            user = Some(stream);
            Ok(())
        };
        let login = Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(20));
        let tokens = http().login(login, open).wait();
        assert!(tokens.is_ok(), "{tokens:?}");
        let mut page = String::new();
        user.unwrap().read_to_string(&mut page).unwrap();
        assert_status(&page, 200);
        let before = crowd.iter_mut().filter_map(|stream| {
            let mut answer = String::new();
            // Once the port is closed, whoever was not let in is cut off.
            drop(stream.read_to_string(&mut answer));
            answer.starts_with("HTTP/1.1 405 ").then_some(())
        });
        assert!(before.count() <= 2, "the other address had its turn late");
    }
}

fn visit(address: SocketAddr, target: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A port that nobody has at either address.
fn free_at_both() -> u16 {
    loop {
        let [first, second] = ADDRESSES;
        let socket = TcpListener::bind((first, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        if TcpListener::bind((second, port)).is_ok() {
            return port;
        }
    }
}

const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
