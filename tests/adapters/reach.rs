//! Who can reach the loopback listeners: only programs on this machine, at the addresses that were bound.

use proofkey_core::{Client, ClientBuf, Server};
use proofkey_tests::values;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Mutex;
use std::time::Duration;

#[test]
fn nobody_comes_in_by_another_address_of_this_machine() {
    for redirect_uri in ["http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost/cb"] {
        let client = client(redirect_uri);
        let (blocking, asynchronous) = (Mutex::new(0), Mutex::new(0));
        let login = proofkey_ureq::Login::new(client.as_client(), &[]).with_timeout(Duration::ZERO);
        let ended = proofkey_ureq::Http::new().login(login, |url| {
            *blocking.lock().expect("no panic") = refused_elsewhere(url);
            Ok(())
        });
        assert!(matches!(ended, Err(proofkey_ureq::LoginError::TimedOut)), "{ended:?}");
        let login = proofkey_reqwest::Login::new(client.as_client(), &[]).with_timeout(Duration::ZERO);
        let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let ended = runtime.block_on(http.login(login, |url| {
            *asynchronous.lock().expect("no panic") = refused_elsewhere(url);
            Ok(())
        }));
        assert!(matches!(ended, Err(proofkey_reqwest::LoginError::TimedOut)), "{ended:?}");
        for tried in [blocking, asynchronous] {
            assert!(tried.into_inner().expect("no panic") > 0, "{redirect_uri}: no address to try");
        }
    }
}

/// At how many other addresses of this machine nobody listens, while somebody does at the one of the redirect URI.
fn refused_elsewhere(url: &str) -> usize {
    let redirect_uri = values(url, "redirect_uri")[0].replace("%3A", ":").replace("%2F", "/");
    let redirect_uri = redirect_uri.replace("%5B", "[").replace("%5D", "]");
    let authority = redirect_uri.split('/').nth(2).expect("an authority").replace("localhost", "127.0.0.1");
    let bound: SocketAddr = authority.parse().expect("an address");
    assert!(bound.ip() == Ipv4Addr::LOCALHOST || bound.ip() == Ipv6Addr::LOCALHOST, "{bound}");
    TcpStream::connect(bound).expect("the listener");
    let others = others();
    for other in &others {
        let connected = TcpStream::connect((*other, bound.port()));
        assert!(connected.is_err(), "{bound} can be reached at {other}");
    }
    others.len()
}

/// Another loopback address where there are more than one, and the addresses by which other machines reach this one. Nothing is
/// sent to find them: they are those that datagrams to the outside would come from.
fn others() -> Vec<IpAddr> {
    let towards = |any: IpAddr, outside: IpAddr| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect((outside, 9)).ok()?;
        socket.local_addr().ok().map(|own| own.ip()).filter(|own| !own.is_unspecified())
    };
    let outside_v6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    let found = [
        cfg!(target_os = "linux").then_some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))),
        towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(198, 51, 100, 1).into()),
        towards(Ipv6Addr::UNSPECIFIED.into(), outside_v6.into()),
    ];
    found.into_iter().flatten().collect()
}

fn client(redirect_uri: &str) -> ClientBuf {
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    Client::new("client", redirect_uri, server).expect("a client").into()
}
