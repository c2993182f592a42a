//! Whom the adapter trusts.

use crate::adapter::{DiscoverError, Http, Settings, TransportError, TransportKind, Wait, http, http_with, trusting};
use proofkey_core::{AccessToken, Quirk, ResponseError};
use proofkey_http::Proxies;
pub(crate) use proofkey_tests::authority::VALID;
use proofkey_tests::authority::{Authority, self_signed};
use proofkey_tests::proxy::Proxy;
use proofkey_tests::recording::{Server, json, read_request};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::env;
use std::io::Write;
use std::net::TcpListener;
use std::ops::Range;
use std::process::Command;
use std::sync::{Arc, mpsc};

/// An authority of its own, and a server with a certificate of it for `name` in `years`, which tells what it has read.
fn serve(name: &str, years: Range<i32>) -> (String, Server, mpsc::Receiver<Option<String>>) {
    serve_answer(name, years, json(200, "{}"))
}

/// The same, with an answer to every request.
pub(crate) fn serve_answer(
    name: &str,
    years: Range<i32>,
    answer: String,
) -> (String, Server, mpsc::Receiver<Option<String>>) {
    let authority = Authority::new(&format!("Authority of {name} in {years:?}"));
    let (server, receiver) = serve_with(authority.server_in(&[name], years), answer);
    (authority.pem, server, receiver)
}

fn serve_with(config: Arc<ServerConfig>, answer: String) -> (Server, mpsc::Receiver<Option<String>>) {
    let (sender, receiver) = mpsc::channel();
    let server = Server::start(move |stream, _| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
        let request = read_request(&mut stream);
        drop(stream.write_all(answer.as_bytes()));
        stream.conn.send_close_notify();
        drop(stream.flush());
        drop(sender.send(request));
    });
    (server, receiver)
}

#[test]
fn the_server_is_validated_before_anything_is_sent() {
    let (authority, server, read) = serve("127.0.0.1", VALID);
    let (other_authority, other_server, other_read) = serve("as.example", VALID);
    let (late_authority, late_server, late_read) = serve("127.0.0.1", 2000..2020);
    let (early_authority, early_server, early_read) = serve("127.0.0.1", 3000..4000);

    let all = [authority, other_authority.clone(), late_authority, early_authority].concat();
    let trusts_all = trusting(&all).unwrap();
    assert_eq!(call(&trusts_all, &server).unwrap(), 200);
    assert!(read.recv().unwrap().is_some_and(|request| request.contains("Bearer CANARY")));

    let error = call(&trusts_all, &other_server).unwrap_err();
    assert!(error.to_string().contains("not valid for name"), "{error}");
    assert_eq!((error.kind(), error.was_sent()), (TransportKind::Tls, false));
    assert_eq!(other_read.recv().unwrap(), None);

    let error = call(&trusts_all, &late_server).unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(late_read.recv().unwrap(), None);

    let error = call(&trusts_all, &early_server).unwrap_err();
    assert!(error.to_string().contains("not valid yet"), "{error}");
    assert_eq!(early_read.recv().unwrap(), None);

    for http in [http(), trusting(&other_authority).unwrap()] {
        let error = call(&http, &server).unwrap_err();
        assert!(error.to_string().contains("UnknownIssuer"), "{error}");
        assert_eq!(read.recv().unwrap(), None);
    }
}

#[test]
fn a_server_with_a_self_signed_certificate_is_refused() {
    let (server, read) = serve_with(self_signed(&["127.0.0.1"]), json(200, "{}"));
    assert!(call(&http(), &server).is_err());
    assert_eq!(read.recv().unwrap(), None);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let (authority, ..) = serve("127.0.0.1", VALID);
    let half = authority.get(..authority.len() / 2).unwrap();
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no PEM", half, empty] {
        assert!(trusting(pem).is_err(), "{pem}");
    }
}

/// Whom the system trusts a variable can say on Linux, so this test runs itself once more.
#[cfg(target_os = "linux")]
#[test]
fn whom_the_system_trusts_is_trusted_and_more_if_asked_for() {
    if let Ok(address) = env::var("PROOFKEY_TEST_ADDRESS") {
        let (authority, other, _read) = serve("127.0.0.1", VALID);
        let at = |address: &str| format!("https://{address}/");
        assert_eq!(call_at(&http(), &at(&address)).unwrap(), 200);
        let unknown = call_at(&http(), &at(&other.address.to_string())).unwrap_err();
        assert_eq!((unknown.kind(), unknown.was_sent()), (TransportKind::Tls, false), "{unknown}");
        let both = trusting(&authority).unwrap();
        assert_eq!(call_at(&both, &at(&address)).unwrap(), 200);
        assert_eq!(call_at(&both, &at(&other.address.to_string())).unwrap(), 200);
        let only = http_with(Settings::new().with_only_root_certificates(authority.as_bytes()).unwrap());
        assert_eq!(call_at(&only, &at(&other.address.to_string())).unwrap(), 200);
        assert_eq!(call_at(&only, &at(&address)).unwrap_err().kind(), TransportKind::Tls);
        println!("trusted");
        return;
    }
    let (authority, server, _read) = serve("127.0.0.1", VALID);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, authority).unwrap();
    let name = concat!(module_path!(), "::whom_the_system_trusts_is_trusted_and_more_if_asked_for");
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "--nocapture", name.split_once("::").unwrap().1]);
    child.env("PROOFKEY_TEST_ADDRESS", server.address.to_string()).env("SSL_CERT_FILE", file.path());
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("trusted"), "{said}{why}");
}

fn call(http: &Http, server: &Server) -> Result<u16, TransportError> {
    call_at(http, &format!("https://{}/", server.address))
}

fn call_at(http: &Http, url: &str) -> Result<u16, TransportError> {
    let request = http::Request::get(url).body(Vec::new()).unwrap();
    Ok(http.call(request, AccessToken::new("CANARY").unwrap()).wait()?.status)
}

#[test]
fn the_metadata_of_many_tenants_is_found_at_entras_address() {
    const METADATA: &str = r#"{"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0",
        "authorization_endpoint":"https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "token_endpoint":"https://login.microsoftonline.com/common/oauth2/v2.0/token"}"#;
    let authority = Authority::new("Authority of a company");
    let tls = authority.server(&["login.microsoftonline.com"]);
    let socket = || TcpListener::bind("127.0.0.1:0").unwrap();
    let entra = Server::secure(socket(), tls, |_| json(200, METADATA));
    // All names are those of that server: nothing leaves this machine.
    let proxy = Proxy::start(socket(), entra.address, None, None);
    let proxies = Proxies::new(&format!("http://{}", proxy.address())).unwrap();
    let settings = Settings::new().with_proxies(proxies).with_only_root_certificates(authority.pem.as_bytes()).unwrap();
    let http = http_with(settings);
    for (tenant, is_found) in [("common", true), ("organizations", true), ("contoso", false)] {
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        match http.discover(&issuer, "app", "http://localhost").wait() {
            Ok(client) => assert!(is_found && client.as_client().server().has_quirk(Quirk::TenantIssuer), "{issuer}"),
            Err(error) => {
                let is_other = matches!(error, DiscoverError::Response(ResponseError::Issuer { .. }));
                assert!(is_other && !is_found, "{issuer}: {error}");
            }
        }
    }
    assert_eq!(entra.requests().len(), 3);
}
