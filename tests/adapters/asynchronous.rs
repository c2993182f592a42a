//! The async adapter against misbehaving servers and browsers; `both/` holds what both adapters must stand.

mod both {
    mod cancel;
    mod connections;
    mod device;
    mod dpop;
    mod errors;
    pub(crate) mod flood;
    mod hostile;
    mod identity;
    mod localhost;
    pub(crate) mod login;
    mod push;
    mod tls;
    mod transport;
}

mod adapter {
    pub(crate) use proofkey_reqwest::{
        DeviceLogin, DiscoverError, ExchangeError, Http, ListenError, Login, LoginError, Settings, SignedIn, StepUp,
        SysRng, TransportError, TransportKind,
    };
    use tokio::runtime::{Builder, Runtime};

    #[cfg(not(windows))]
    pub(crate) fn http() -> Http {
        Http::new().expect("the system has certificate authorities")
    }

    /// Wine cannot check a chain of certificates.
    #[cfg(windows)]
    pub(crate) fn http() -> Http {
        let authority = proofkey_tests::authority::Authority::new("an authority");
        http_with(Settings::new().with_only_root_certificates(authority.pem.as_bytes()).unwrap())
    }

    pub(crate) fn http_with(settings: Settings) -> Http {
        Http::with_settings(settings).expect("the system has certificate authorities")
    }

    /// A streaming call: its status and a header field, after each piece was heard.
    pub(crate) fn pieces(
        http: &Http,
        request: http::Request<Vec<u8>>,
        token: proofkey_core::AccessToken<'_>,
        mut hear: impl FnMut(&[u8]),
    ) -> Result<(u16, Option<String>), TransportError> {
        async {
            let mut response = http.call_streaming(request, token).await?;
            while let Some(piece) = response.body_mut().chunk().await? {
                hear(&piece);
            }
            let own = response.headers().get("x-mine").map(|value| value.to_str().unwrap().to_owned());
            Ok((response.status().as_u16(), own))
        }
        .wait()
    }

    pub(crate) fn trusting(pem: &str) -> Result<Http, TransportError> {
        Settings::new().with_root_certificates(pem.as_bytes()).and_then(Http::with_settings)
    }

    thread_local! {
        /// One for each test: a kept connection belongs to its runtime.
        static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    }

    pub(crate) trait Wait: Future + Sized {
        fn wait(self) -> Self::Output {
            RUNTIME.with(|runtime| runtime.block_on(self))
        }
    }

    impl<F: Future> Wait for F {}
}

use adapter::{DeviceLogin, ExchangeError, Http, Login, LoginError, Settings, SysRng, TransportKind, http};
use both::flood::Flood;
use both::login::{Asked, CALLBACK, SCOPE, assert_status, client, is_closed, token_server};
use proofkey_core::{Advice, Client, ClientBuf, Endpoint, Redirect, Server as Endpoints};
use proofkey_tests::recording::{Server, header, json, read_request};
use proofkey_ureq::Signer;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

#[tokio::test(start_paused = true)]
async fn the_user_and_each_head_have_their_time() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let mut silent = None;
    let begun = tokio::time::Instant::now();
    let open = |url: &str| {
        let asked = Asked::read(url);
        let mut stream = TcpStream::connect(asked.address)?;
        stream.write_all(b"GET /callback?code=")?;
        silent = Some((stream, asked.address));
        Ok(())
    };
    let error = http().login(Login::new(client.as_client(), SCOPE), open).await.unwrap_err();
    assert!(matches!(error, LoginError::TimedOut), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 300);
    let (mut stream, address) = silent.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_status(&answer, 408);
    assert!(is_closed(address));
}

#[tokio::test]
async fn dropping_the_future_closes_the_port() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let http = http();
    let mut address = None;
    let mut login = Box::pin(http.login(Login::new(client.as_client(), SCOPE), |url| {
        address = Some(Asked::read(url).address);
        Ok(())
    }));
    assert!(tokio::time::timeout(Duration::ZERO, &mut login).await.is_err());
    drop(login);
    assert!(is_closed(address.unwrap()));
}

#[tokio::test]
async fn dropping_the_future_of_a_device_login_sends_nothing_more() {
    let server = Server::answering(|request| match request.starts_with("POST /device ") {
        true => json(200, PROMPT),
        false => json(200, r#"{"access_token":"AT","token_type":"Bearer"}"#),
    });
    let client = device(&server);
    let (http, login) = (http(), DeviceLogin::new(client.as_client(), SCOPE));
    let shown = AtomicBool::new(false);
    let mut dropped = Box::pin(http.login_device(login, |_| {
        shown.store(true, Ordering::Relaxed);
        Ok(())
    }));
    until(&mut dropped, || shown.load(Ordering::Relaxed)).await;
    drop(dropped);
    // Both would poll at the same second.
    assert!(http.login_device(login, |_| Ok(())).await.is_ok());
    let asked = server.requests();
    let asked: Vec<_> = asked.iter().filter_map(|request| request.split(' ').nth(1)).collect();
    assert_eq!(asked, ["/device", "/device", "/token"]);
}

#[tokio::test]
async fn dropping_the_future_of_a_device_login_ends_the_poll_that_is_under_way() {
    let (server, mut closed) = holding("/token", PROMPT);
    let client = device(&server);
    let http = http();
    let mut login = Box::pin(http.login_device(DeviceLogin::new(client.as_client(), SCOPE), |_| Ok(())));
    until(&mut login, || server.requests().len() == 2).await;
    drop(login);
    closed.recv().await.expect("the connection of the poll");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn dropping_the_future_of_a_pushed_login_opens_no_browser() {
    let (server, mut closed) = holding("/par", "{}");
    let (authorize, token, par) = (server.url("/authorize"), server.url("/token"), server.url("/par"));
    let endpoints = Endpoints::new(&authorize, &token).with(Endpoint::PushedAuthorization, &par);
    let key = proofkey_tests::bound::key();
    for is_bound in [false, true] {
        let client = Client::new("app", "http://127.0.0.1/cb", endpoints).unwrap();
        let client = if is_bound { client.bound_to(key.public_key()).unwrap() } else { client };
        let http = if is_bound { http().with_signer(key.clone()) } else { http() };
        let before = server.requests().len();
        let login = Login::new(client, SCOPE).with_push();
        let mut login = Box::pin(http.login(login, |_| panic!("a browser is opened")));
        until(&mut login, || server.requests().len() > before).await;
        drop(login);
        closed.recv().await.expect("the connection of the push");
        let asked = server.requests();
        assert_eq!(asked.len(), before + 1);
        assert_eq!(header(&asked[before], "dpop").is_some(), is_bound);
    }
}

/// Drives a future that must not end before this is so.
async fn until<F: Future<Output: std::fmt::Debug> + Unpin>(future: &mut F, is_so: impl Fn() -> bool) {
    let waited = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        ended = future => panic!("{ended:?}"),
        () = waited => {}
    }
}

/// A server that takes a request to this path and never answers it, and tells when its connection was closed. All others are
/// answered with this.
fn holding(path: &'static str, body: &'static str) -> (Server, mpsc::UnboundedReceiver<()>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let server = Server::start(move |mut stream, requests| {
        while let Some(request) = read_request(&mut stream) {
            let is_held = request.starts_with(&format!("POST {path} "));
            requests.lock().unwrap().push(request);
            if is_held {
                drop(stream.read_to_end(&mut Vec::new()));
                sender.send(()).ok();
                return;
            }
            drop(stream.write_all(json(200, body).as_bytes()));
        }
    });
    (server, receiver)
}

fn device(server: &Server) -> ClientBuf {
    let (device, token) = (server.url("/device"), server.url("/token"));
    Client::without_redirect("app", Endpoints::device(&device, &token)).unwrap().into()
}

const PROMPT: &str =
    r#"{"device_code":"D","user_code":"U","verification_uri":"https://as.example/go","expires_in":600,"interval":1}"#;

#[tokio::test]
async fn under_a_flood_other_tasks_have_their_turn() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let http = http();
    let mut flood = None;
    let open = |url: &str| {
        flood = Some(Flood::at(Asked::read(url).address));
        Ok(())
    };
    // Outside of tokio's budget the login has to leave off by itself.
    let login = tokio::task::unconstrained(http.login(Login::new(client.as_client(), SCOPE), open));
    let begun = Instant::now();
    assert!(tokio::time::timeout(Duration::from_millis(500), login).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn certificate_authorities_that_cannot_be_loaded_are_a_fault_of_the_configuration() {
    let error = || Settings::new().with_root_certificates(b"").unwrap_err();
    assert!(error().kind() == TransportKind::Tls);
    assert_eq!(ExchangeError::Transport(error()).advice(), Some(Advice::Fix));
}

#[test]
fn every_future_is_send() {
    fn assert_send<T: Send>(_: T) {}
    fn check(http: &Http, client: &ClientBuf, tokens: &proofkey_core::TokensBuf, pending: proofkey_core::Pending) {
        let client = client.as_client();
        let refresh_token = tokens.refresh_token().unwrap();
        let request = client.refresh(refresh_token);
        assert_send(http.send(&request.request()));
        assert_send(http.exchange(client.refresh(refresh_token)));
        assert_send(http.exchange(pending.accept(client, Redirect::Query("")).unwrap()));
        assert_send(http.discover("", "", ""));
        assert_send(http.revoke(client, proofkey_core::Revocable::Refresh(refresh_token)));
        assert_send(http.call(http::Request::new(Vec::new()), tokens.access_token()));
        assert_send(http.login(Login::new(client, SCOPE), |_| Ok(())));
        assert_send(http.login_device(DeviceLogin::new(client, SCOPE), |_| Ok(())));
        assert_send(http.discover_device("", ""));
        assert_send(http.push(client.push(SCOPE, &mut SysRng).unwrap().0));
        assert_send(http.sign_in(client.refresh(refresh_token)));
        assert_send(http.userinfo(client, tokens.access_token(), ""));
    }
    fn assert_shared<T: Clone + Send + Sync + 'static>() {}
    assert_shared::<Http>();
    let _: fn(&Http, &ClientBuf, &proofkey_core::TokensBuf, proofkey_core::Pending) = check;
}
