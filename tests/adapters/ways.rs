//! Each way to make a client, with a server that sends it elsewhere: nothing goes there, and every request arrives once.

use proofkey_core::{AccessToken, Advice, Client, ClientBuf, RefreshToken, Server as Endpoints, TokenRequest};
use proofkey_http::{
    Answer, ExchangeError, Received, Settings, TransportError, TransportKind, drive, drive_async, read_tokens,
};
use proofkey_tests::authority::Authority;
use proofkey_tests::proxy::Proxy;
use proofkey_tests::recording::{Server, read_request};
use reqwest::{redirect, retry};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use tokio::runtime::Runtime;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// A way to send: a POST that spends a refresh token, and a GET with an access token. Each gives the status of the answer.
struct Way {
    name: &'static str,
    exchange: Box<dyn Fn(&str) -> String>,
    call: Box<dyn Fn(&str) -> String>,
}

#[test]
fn no_client_goes_where_a_server_sends_it() {
    let authority = Authority::new("Redirects");
    let tls = authority.server(&["127.0.0.1"]);
    let ways = ways(&authority);
    for way in &ways {
        for status in [301, 302, 303, 307, 308] {
            let elsewhere = serve(&tls, |_| String::new());
            let (target, other) = (format!("https://{}/there", elsewhere.address), Arc::clone(&tls));
            let server = serve(&other, move |_| {
                format!("HTTP/1.1 {status} X\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n")
            });
            let origin = format!("https://{}", server.address);
            for (sent, send) in [(1, &way.exchange), (2, &way.call)] {
                let said = send(&origin);
                assert!(said.contains(&status.to_string()), "{} {status}: {said}", way.name);
                assert_eq!((server.requests().len(), elsewhere.connections()), (sent, 0), "{} {status}", way.name);
            }
        }
    }
    assert_eq!(ways.len(), 8);
}

#[test]
fn no_client_goes_there_and_back() {
    let authority = Authority::new("There and back");
    let tls = authority.server(&["127.0.0.1"]);
    for way in ways(&authority) {
        for status in [302, 307] {
            let server = serve(&tls, move |request| {
                let here = if request.contains(" /there ") { "/token" } else { "/there" };
                format!("HTTP/1.1 {status} X\r\nLocation: {here}\r\nContent-Length: 0\r\n\r\n")
            });
            let origin = format!("https://{}", server.address);
            let said = [(way.exchange)(&origin), (way.call)(&origin)];
            assert!(said.iter().all(|said| said.contains(&status.to_string())), "{} {said:?}", way.name);
            assert_eq!(server.requests().len(), 2, "{}", way.name);
        }
    }
}

#[test]
fn no_client_sends_again_what_got_no_answer() {
    let authority = Authority::new("No answer");
    let tls = authority.server(&["127.0.0.1"]);
    for way in ways(&authority) {
        for answer in [
            "",
            "HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 421 X\r\nContent-Length: 0\r\n\r\n",
        ] {
            let server = serve(&tls, |_| answer.to_owned());
            let said = (way.exchange)(&format!("https://{}", server.address));
            assert_eq!(server.requests().len(), 1, "{}: {said}", way.name);
        }
    }
}

#[test]
fn an_agent_of_the_callers_that_gets_no_connection_says_why() {
    let authority = Authority::new("Nobody trusts it");
    let server = serve(&authority.server(&["127.0.0.1"]), |_| String::new());
    let origin = format!("https://{}", server.address);
    let no_root = TlsConfig::builder().root_certs(RootCerts::from(Vec::new())).build();
    let proxy = Proxy::start(TcpListener::bind("127.0.0.1:0").unwrap(), server.address, None, Some("Basic secret"));
    let behind = ureq::Proxy::new(&format!("http://{}", proxy.address())).unwrap();
    let config = ureq::Agent::config_builder;
    for (agent, kind, was_sent) in [
        (config().tls_config(no_root).proxy(None).build(), TransportKind::Tls, true),
        (config().proxy(Some(behind)).build(), TransportKind::Proxy, false),
    ] {
        let http = proofkey_ureq::Http::with_agent(agent.into(), Settings::new()).unwrap();
        // Names that are not this machine's go through the agent's proxy.
        let origin = if kind == TransportKind::Proxy { "https://as.example" } else { &origin };
        let ExchangeError::Transport(error) = http.exchange(refresh(&client(origin))).unwrap_err() else {
            panic!("{kind:?}: another error");
        };
        assert_eq!((error.kind(), error.was_sent()), (kind, was_sent), "{error}");
        assert_eq!(error.advice(), Some(Advice::Fix), "{error}");
    }
    assert_eq!((server.requests().len(), proxy.connections()), (0, 1));
}

/// A server that answers in TLS, and closes if the answer is empty.
fn serve(tls: &Arc<ServerConfig>, answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
    let tls = Arc::clone(tls);
    Server::start(move |stream, requests| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&tls)).unwrap(), stream);
        while let Some(request) = read_request(&mut stream) {
            let answer = answer(&request);
            requests.lock().unwrap().push(request);
            if answer.is_empty() || stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

/// Clients of all kinds, those of the user set to follow, retry and keep whatever they can.
fn ways(authority: &Authority) -> Vec<Way> {
    let settings = || Settings::new().with_only_root_certificates(authority.pem.as_bytes()).unwrap();
    let kept = std::time::Duration::from_secs(5);
    let tls = settings().tls().unwrap();
    let eager = move || {
        let again = retry::for_host("127.0.0.1").no_budget().max_retries_per_request(3);
        reqwest::Client::builder()
            .redirect(redirect::Policy::limited(10))
            .retry(again.classify_fn(|attempt| attempt.retryable()))
            .tls_backend_preconfigured(tls.clone())
    };
    let certificate = Certificate::from_pem(authority.pem.as_bytes()).unwrap();
    let trust = TlsConfig::builder().root_certs(RootCerts::from(vec![certificate])).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(10).tls_config(trust.clone()).build().into();
    let dutiful = eager().redirect(redirect::Policy::none()).retry(retry::never()).build().unwrap();
    vec![
        driven(trust),
        driven_async(dutiful),
        blocking("ureq", proofkey_ureq::Http::with_settings(settings())),
        blocking("with_agent", proofkey_ureq::Http::with_agent(agent.clone(), Settings::new()).unwrap()),
        blocking(
            "with_agent, kept",
            proofkey_ureq::Http::with_agent(agent, Settings::new().with_kept_connections(kept)).unwrap(),
        ),
        asynchronous("reqwest", proofkey_reqwest::Http::with_settings(settings()).unwrap()),
        asynchronous("from_builder", proofkey_reqwest::Http::from_builder(eager.clone(), Settings::new()).unwrap()),
        asynchronous(
            "from_builder, kept",
            proofkey_reqwest::Http::from_builder(eager, Settings::new().with_kept_connections(kept)).unwrap(),
        ),
    ]
}

fn blocking(name: &'static str, http: proofkey_ureq::Http) -> Way {
    let other = http.clone();
    Way {
        name,
        exchange: Box::new(move |origin| format!("{:?}", http.exchange(refresh(&client(origin))).map(drop))),
        call: Box::new(move |origin| format!("{:?}", other.call(get(origin), token()).map(|answer| answer.status))),
    }
}

fn asynchronous(name: &'static str, http: proofkey_reqwest::Http) -> Way {
    let runtime = Arc::new(Runtime::new().unwrap());
    let (other, same) = (http.clone(), Arc::clone(&runtime));
    Way {
        name,
        exchange: Box::new(move |origin| {
            format!("{:?}", runtime.block_on(http.exchange(refresh(&client(origin)))).map(drop))
        }),
        call: Box::new(move |origin| {
            format!("{:?}", same.block_on(other.call(get(origin), token())).map(|answer| answer.status))
        }),
    }
}

/// The generic driver, with a client that has been told its duties.
fn driven(tls: TlsConfig) -> Way {
    let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).tls_config(tls);
    let send = move |agent: &ureq::Agent, request: http::Request<zeroize::Zeroizing<Vec<u8>>>| {
        let lost = |error| TransportError::new(TransportKind::Closed, true).because(error);
        let (parts, body) = request.into_parts();
        let request = http::Request::from_parts(parts, body.as_slice());
        let (head, mut body) = agent.run(request).map_err(lost)?.into_parts();
        let mut answer = Answer::new(head.status.as_u16(), head.headers);
        let body = body.read_to_vec().map_err(lost)?;
        assert!(answer.push(&body, 1024 * 1024));
        Ok((answer, Ok(())))
    };
    let (agent, wait) = (ureq::Agent::from(config.build()), |_| panic!("nothing to wait for"));
    let other = agent.clone();
    Way {
        name: "drive",
        exchange: Box::new(move |origin| {
            let client = client(origin);
            let mut request = refresh(&client);
            let driven = drive(&mut request, |request| send(&agent, request), wait);
            format!("{:?}", read_tokens(request, driven).1.map(drop))
        }),
        call: Box::new(move |origin| {
            let url = format!("{origin}/api");
            let mut request = token().get(&url).unwrap();
            let driven = drive(&mut request, |request| send(&other, request), wait);
            format!("{:?}", driven.map(|(answer, _)| answer.status()))
        }),
    }
}

/// The same, asynchronous.
fn driven_async(client_of_tls: reqwest::Client) -> Way {
    async fn send(
        http: reqwest::Client,
        request: http::Request<zeroize::Zeroizing<Vec<u8>>>,
    ) -> Result<Received, TransportError> {
        let lost = |error| TransportError::new(TransportKind::Closed, true).because(error);
        let request = reqwest::Request::try_from(request.map(|body| body.to_vec())).map_err(lost)?;
        let response = http.execute(request).await.map_err(lost)?;
        let mut answer = Answer::new(response.status().as_u16(), response.headers().clone());
        assert!(answer.push(&response.bytes().await.map_err(lost)?, 1024 * 1024));
        Ok((answer, Ok(())))
    }
    let runtime = Arc::new(Runtime::new().unwrap());
    let (http, other, same) = (client_of_tls.clone(), client_of_tls, Arc::clone(&runtime));
    Way {
        name: "drive_async",
        exchange: Box::new(move |origin| {
            let client = client(origin);
            let mut request = refresh(&client);
            let driven = drive_async(&mut request, |request| send(http.clone(), request), tokio::time::sleep);
            let driven = runtime.block_on(driven);
            format!("{:?}", read_tokens(request, driven).1.map(drop))
        }),
        call: Box::new(move |origin| {
            let url = format!("{origin}/api");
            let mut request = token().get(&url).unwrap();
            let driven = drive_async(&mut request, |request| send(other.clone(), request), tokio::time::sleep);
            format!("{:?}", same.block_on(driven).map(|(answer, _)| answer.status()))
        }),
    }
}

fn client(origin: &str) -> ClientBuf {
    let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
    Client::new("app", "http://127.0.0.1/cb", Endpoints::new(&authorize, &token)).unwrap().into()
}

fn refresh(client: &ClientBuf) -> TokenRequest<'_> {
    client.as_client().refresh(RefreshToken::new("RT").unwrap())
}

fn get(origin: &str) -> http::Request<Vec<u8>> {
    http::Request::get(format!("{origin}/api")).body(Vec::new()).unwrap()
}

fn token() -> AccessToken<'static> {
    AccessToken::new("AT").unwrap()
}
