//! Whole logins, with a browser that the test plays.

use crate::adapter::{ExchangeError, Login, LoginError, Wait, http};
use proofkey_core::{CallbackError, Client, ClientBuf, ConfigError, ResponseError, Server as Endpoints};
use proofkey_tests::recording::{Server, TOKENS, browse, json};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};
use std::{env, thread};

pub(crate) const SCOPE: &[&str] = &["profile"];
pub(crate) const CALLBACK: &str = "http://127.0.0.1/callback";

pub(crate) fn token_server() -> Server {
    Server::answering(|_| json(200, TOKENS))
}

pub(crate) fn client(server: &Server, redirect_uri: &str) -> ClientBuf {
    let (authorize, token) = (server.url("/authorize"), server.url("/token"));
    Client::new("app", redirect_uri, Endpoints::new(&authorize, &token)).unwrap().into()
}

/// What the authorization server reads from the URL.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) redirect_uri: String,
    /// One of those that the redirect URI stands for.
    pub(crate) address: SocketAddr,
    pub(crate) state: String,
}

impl Asked {
    pub(crate) fn read(url: &str) -> Self {
        let value = |name: &str| {
            let (_, rest) = url.split_once(&format!("{name}=")).unwrap();
            rest.split('&')
                .next()
                .unwrap()
                .replace("%3A", ":")
                .replace("%2F", "/")
                .replace("%5B", "[")
                .replace("%5D", "]")
        };
        let redirect_uri = value("redirect_uri");
        let authority = redirect_uri.split('/').nth(2).unwrap();
        let address = authority.replace("localhost", "127.0.0.1").parse().unwrap();
        Self { redirect_uri, address, state: value("state") }
    }

    pub(crate) fn callback(&self) -> String {
        format!("/callback?code=SplxlO&state={}", self.state)
    }
}

/// A browser in a thread of its own: `play` gets what was asked for.
pub(crate) fn browser<T: Send + 'static>(
    play: impl FnOnce(Asked) -> T + Send + 'static,
) -> (impl FnOnce(&str) -> io::Result<()> + Send, mpsc::Receiver<T>) {
    let (sender, receiver) = mpsc::channel();
    let open = move |url: &str| {
        let asked = Asked::read(url);
        thread::spawn(move || sender.send(play(asked)));
        Ok(())
    };
    (open, receiver)
}

pub(crate) fn is_closed(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

#[track_caller]
pub(crate) fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

#[test]
fn a_login_ends_with_tokens_and_a_page_and_a_closed_port() {
    for redirect_uri in [CALLBACK, "http://[::1]/callback"] {
        let server = token_server();
        let client = client(&server, redirect_uri);
        let (open, played) = browser(|asked| (browse(asked.address, &asked.callback()), asked));
        let login = Login::new(client.as_client(), SCOPE).with_extra(&[("prompt", "consent")]);
        let before = SystemTime::now();
        let signed_in = http().login(login, open).wait().unwrap();
        assert!((before..=SystemTime::now()).contains(&signed_in.requested_at));
        let tokens = signed_in.tokens;
        assert_eq!(tokens.access_token().expose(), "at-1");
        assert_eq!(tokens.refresh_token().unwrap().expose(), "rt-1");
        let (page, asked) = played.recv().unwrap();
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("<h1>Signed in</h1>"), "{page}");
        assert!(page.ends_with("</html>\n"), "{page}");
        assert!(is_closed(asked.address));
        assert_eq!(
            asked.redirect_uri,
            redirect_uri.replace("/callback", &format!(":{}/callback", asked.address.port()))
        );
        let request = server.requests().pop().unwrap();
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let encoded =
            asked.redirect_uri.replace(':', "%3A").replace('/', "%2F").replace('[', "%5B").replace(']', "%5D");
        assert!(body.starts_with("grant_type=authorization_code&client_id=app&code=SplxlO&code_verifier="), "{body}");
        assert!(body.ends_with(&format!("&redirect_uri={encoded}")), "{body}");
    }
}

#[test]
fn a_stranger_is_answered_and_ends_nothing() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| {
        let wrong = asked.callback().replace("state=", "state=x");
        assert_status(&browse(asked.address, &wrong), 400);
        assert_status(&browse(asked.address, "/callback?error=access_denied"), 400);
        assert_status(&browse(asked.address, "/favicon.ico"), 404);
        for (sent, status) in [("\u{16}\u{3}\u{1}", 400), ("POST /callback HTTP/1.1\r\n", 405), ("GET", 0), ("", 0)] {
            let mut stream = TcpStream::connect(asked.address).unwrap();
            stream.write_all(sent.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(if status == 0 { answer.is_empty() } else { answer.contains(&format!(" {status} ")) }, "{answer}");
        }
        let mut long = TcpStream::connect(asked.address).unwrap();
        long.write_all("GET /callback HTTP/1.1\r\n".as_bytes()).unwrap();
        long.write_all(&[b'a'; 300_000]).unwrap();
        let mut answer = String::new();
        long.read_to_string(&mut answer).unwrap();
        assert_status(&answer, 431);
        let rebound = format!("GET {} HTTP/1.1\r\nHost: evil.example\r\n\r\n", asked.callback());
        let mut stream = TcpStream::connect(asked.address).unwrap();
        stream.write_all(rebound.as_bytes()).unwrap();
        answer.clear();
        stream.read_to_string(&mut answer).unwrap();
        assert_status(&answer, 421);
        browse(asked.address, &asked.callback())
    });
    let login = Login::new(client.as_client(), SCOPE);
    assert!(http().login(login, open).wait().is_ok());
    assert_status(&played.recv().unwrap(), 200);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_denial_ends_the_login() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| {
        browse(
            asked.address,
            &format!("/callback?error=access_denied&error_description=no+thanks&state={}", asked.state),
        )
    });
    let error = http().login(Login::new(client.as_client(), SCOPE), open).wait().unwrap_err();
    assert!(matches!(&error, LoginError::Callback(CallbackError::Server(words)) if words.code() == "access_denied"));
    assert_eq!(error.to_string(), "the authorization server refused: access_denied: no thanks");
    let page = played.recv().unwrap();
    assert!(page.contains("<h1>Not signed in</h1>") && !page.contains("thanks"), "{page}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_page_tells_that_the_exchange_failed() {
    let server = Server::answering(|_| json(400, r#"{"error":"invalid_grant"}"#));
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| browse(asked.address, &asked.callback()));
    let error = http().login(Login::new(client.as_client(), SCOPE), open).wait().unwrap_err();
    assert!(matches!(&error, LoginError::Exchange(ExchangeError::Response(ResponseError::Server { .. }))), "{error}");
    assert!(played.recv().unwrap().contains("<h1>Not signed in</h1>"));
}

#[test]
fn during_the_exchange_other_visitors_get_gone_and_no_timeout_applies() {
    let (release, released) = mpsc::channel();
    let released = std::sync::Mutex::new(released);
    let server = Server::answering(move |_| {
        released.lock().unwrap().recv().unwrap();
        json(200, TOKENS)
    });
    let client = client(&server, CALLBACK);
    let asked_at = server.address;
    let (open, played) = browser(move |asked| {
        let mut first = TcpStream::connect(asked.address).unwrap();
        write!(first, "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", asked.callback(), asked.address).unwrap();
        let second = loop {
            let second = browse(asked.address, &asked.callback());
            if second.starts_with("HTTP/1.1 410 ") {
                break second;
            }
        };
        // The user's time is over by now, the exchange is not.
        thread::sleep(Duration::from_millis(2_100));
        release.send(asked_at).unwrap();
        let mut page = String::new();
        first.read_to_string(&mut page).unwrap();
        (page, second)
    });
    let login = Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(2));
    assert!(http().login(login, open).wait().is_ok());
    let (page, second) = played.recv().unwrap();
    assert_status(&page, 200);
    assert_status(&second, 410);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_port_that_is_taken_is_told_before_the_browser_opens() {
    let server = token_server();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let client = client(&server, &format!("http://{address}/callback"));
    let login = Login::new(client.as_client(), SCOPE);
    let error = http().login(login, |_| panic!("opened")).wait().unwrap_err();
    assert!(matches!(&error, LoginError::Listen(error) if error.address == address), "{error}");
    assert!(error.to_string().starts_with(&format!("cannot listen at {address}: ")), "{error}");
    assert!(error.to_string().ends_with("is another login running, or does another program use this port?"), "{error}");
    drop(taken);
    let (open, played) = browser(|asked| (browse(asked.address, &asked.callback()), asked.address));
    assert!(http().login(login, open).wait().is_ok());
    assert_eq!(played.recv().unwrap().1, address);
}

#[test]
fn what_cannot_begin_does_not() {
    let server = token_server();
    let http = http();
    for redirect_uri in ["https://app.example/callback", "com.example.app:/callback"] {
        let client = client(&server, redirect_uri);
        let error = http.login(Login::new(client.as_client(), SCOPE), |_| panic!("opened")).wait().unwrap_err();
        assert!(matches!(error, LoginError::NotLoopback), "{error}");
    }
    let client = client(&server, CALLBACK);
    let login = Login::new(client.as_client(), SCOPE);
    let error = http.login(login.with_extra(&[("state", "x")]), |_| panic!("opened")).wait().unwrap_err();
    assert!(matches!(error, LoginError::Config(ConfigError::ExtraParameter { index: 0, .. })), "{error}");
    let error = http.login(Login::new(client.as_client(), &["a b"]), |_| panic!("opened")).wait().unwrap_err();
    assert!(matches!(error, LoginError::Authorize(_)), "{error}");
    let error = http.login(login, |_| Err(io::ErrorKind::NotFound.into())).wait().unwrap_err();
    assert!(matches!(&error, LoginError::Open(error) if error.kind() == io::ErrorKind::NotFound), "{error}");
}

/// Another process that listens at the same port of the other family, as on a machine where `localhost` is both, and that
/// tries ours and the one of all addresses.
#[test]
fn a_listener_at_the_other_address_family_gets_nothing() {
    if let Ok(port) = env::var("PROOFKEY_TEST_PORT") {
        let bind = |ip: &str| TcpListener::bind((ip, port.parse().unwrap()));
        let other = bind("::1").unwrap();
        for ip in ["127.0.0.1", "0.0.0.0", "::"] {
            assert_eq!(bind(ip).unwrap_err().kind(), io::ErrorKind::AddrInUse, "{ip}");
        }
        println!("\nlistening");
        // Until the login is over.
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        other.set_nonblocking(true).unwrap();
        println!("{}", if other.accept().is_err() { "nobody came" } else { "somebody came" });
        return;
    }
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| {
        let test = concat!(module_path!(), "::a_listener_at_the_other_address_family_gets_nothing");
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "--nocapture", test.split_once("::").unwrap().1]);
        child.env("PROOFKEY_TEST_PORT", asked.address.port().to_string());
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(said.any(|line| line == "listening"));
        let page = browse(asked.address, &asked.callback());
        drop(child.stdin.take());
        let nobody = said.any(|line| line == "nobody came");
        (page, nobody && child.wait().unwrap().success())
    });
    assert!(
        http().login(Login::new(client.as_client(), SCOPE).with_timeout(Duration::from_secs(20)), open).wait().is_ok()
    );
    let (page, nobody) = played.recv().unwrap();
    assert_status(&page, 200);
    assert!(nobody);
}

#[test]
fn a_thousand_idle_and_babbling_connections_delay_nobody() {
    let server = token_server();
    let client = client(&server, CALLBACK);
    let (open, played) = browser(|asked| {
        let starts = [&b""[..], b"G", b"GET /callback?code=", b"GET / HTTP/1.1\r\nHost: "];
        let garbage = [&b"\x16\x03\x01\x02\x00"[..], b"POST / HTTP/1.1\r\n", b"GET /\n", b"\0\0\0\0"];
        let mut idle: Vec<_> = (0..1000)
            .map(|number| {
                drop(TcpStream::connect(asked.address).and_then(|mut stream| stream.write_all(garbage[number % 4])));
                let mut stream = TcpStream::connect(asked.address).unwrap();
                stream.write_all(starts[number % 4]).unwrap();
                stream
            })
            .collect();
        assert_status(&browse(asked.address, "/"), 404);
        // No more than 128 stay.
        let shown_out = idle.iter_mut().take(1000 - 128).all(|stream| {
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            let over = stream.read_to_end(&mut Vec::new());
            !over.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        });
        let begun = Instant::now();
        (shown_out, browse(asked.address, &asked.callback()), begun.elapsed())
    });
    assert!(http().login(Login::new(client.as_client(), SCOPE), open).wait().is_ok());
    let (shown_out, page, waited) = played.recv().unwrap();
    assert!(shown_out);
    assert_status(&page, 200);
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}
