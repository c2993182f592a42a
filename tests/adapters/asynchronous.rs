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

    pub(crate) fn http() -> Http {
        Http::new().expect("the system has certificate authorities")
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

use adapter::{ExchangeError, Http, Login, LoginError, Settings, TransportKind, http};
use both::flood::Flood;
use both::login::{Asked, CALLBACK, SCOPE, assert_status, client, is_closed, token_server};
use proofkey_core::{Advice, ClientBuf, Redirect};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

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
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
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
    }
    fn assert_shared<T: Clone + Send + Sync + 'static>() {}
    assert_shared::<Http>();
    let _: fn(&Http, &ClientBuf, &proofkey_core::TokensBuf, proofkey_core::Pending) = check;
}
