//! The blocking adapter against misbehaving servers and browsers; `both/` holds what both adapters must stand.

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
    pub(crate) use proofkey_ureq::{
        DeviceLogin, DiscoverError, ExchangeError, Http, ListenError, Login, LoginError, Settings, SignedIn, StepUp,
        SysRng, TransportError, TransportKind,
    };

    pub(crate) fn http() -> Http {
        Http::new()
    }

    pub(crate) fn http_with(settings: Settings) -> Http {
        Http::with_settings(settings)
    }

    /// A streaming call: its status and a header field, after each piece was heard.
    pub(crate) fn pieces(
        http: &Http,
        request: http::Request<Vec<u8>>,
        token: proofkey_core::AccessToken<'_>,
        mut hear: impl FnMut(&[u8]),
    ) -> Result<(u16, Option<String>), TransportError> {
        let mut response = http.call_streaming(request, token)?;
        let mut chunk = [0; 1024];
        loop {
            match std::io::Read::read(response.body_mut(), &mut chunk) {
                Ok(0) => break,
                Ok(length) => hear(&chunk[..length]),
                Err(error) => return Err(error.downcast().expect("a failure of the transport")),
            }
        }
        let own = response.headers().get("x-mine").map(|value| value.to_str().unwrap().to_owned());
        Ok((response.status().as_u16(), own))
    }

    pub(crate) fn trusting(pem: &str) -> Result<Http, TransportError> {
        Settings::new().with_root_certificates(pem.as_bytes()).map(Http::with_settings)
    }

    /// What the twin waits for is here at once.
    pub(crate) trait Wait: Sized {
        fn wait(self) -> Self {
            self
        }
    }

    impl<T, E> Wait for Result<T, E> {}
}

use adapter::{Http, Login, LoginError, http};
use both::login::{Asked, CALLBACK, SCOPE, assert_status, client, is_closed, token_server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn each_head_has_its_time() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let mut silent = None;
    let open = |url: &str| {
        let asked = Asked::read(url);
        let mut stream = TcpStream::connect(asked.address)?;
        stream.write_all(b"GET /callback?code=")?;
        silent = Some((stream, asked.address));
        Ok(())
    };
    let login = Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(11));
    let error = http().login(login, open).unwrap_err();
    assert!(matches!(error, LoginError::TimedOut), "{error}");
    let (mut stream, address) = silent.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_status(&answer, 408);
    assert!(is_closed(address));
}

#[test]
fn the_user_has_his_time() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let begun = Instant::now();
    let login = Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_millis(300));
    let error = http().login(login, |_| Ok(())).unwrap_err();
    assert!(matches!(error, LoginError::TimedOut), "{error}");
    let elapsed = begun.elapsed();
    assert!(elapsed >= Duration::from_millis(300) && elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[test]
fn who_has_to_leave_is_told_that_others_wait() {
    static CANCEL: AtomicBool = AtomicBool::new(false);
    let server = token_server();
    let client = client(&server, CALLBACK);
    let mut first = None;
    let open = |url: &str| {
        let address = Asked::read(url).address;
        first = Some(thread::spawn(move || {
            let mut first = TcpStream::connect(address).unwrap();
            let others: Vec<_> = (0..128).map(|_| TcpStream::connect(address).unwrap()).collect();
            first.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut answer = String::new();
            let read = first.read_to_string(&mut answer);
            CANCEL.store(true, Ordering::Relaxed);
            drop(others);
            read.map(|_| answer)
        }));
        Ok(())
    };
    let error = http().login(Login::new(client.as_client(), SCOPE).with_cancel(&CANCEL), open).unwrap_err();
    assert!(matches!(error, LoginError::Cancelled), "{error}");
    assert_status(&first.unwrap().join().unwrap().unwrap(), 503);
}

#[test]
fn a_client_is_shared_between_threads() {
    fn assert_shared<T: Clone + Send + Sync + 'static>() {}
    assert_shared::<Http>();
}
