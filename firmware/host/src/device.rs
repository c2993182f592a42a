//! Logins that are confirmed on another device, with a server that makes it hard: each answer is in a script.

use crate::login::field;
use crate::machine::Machine;
use crate::modem;
use crate::modem::request;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) fn run(image: &Path) {
    let mut stage = Stage::start(image);
    // What the server answers to each poll, what the image says to it, and how long it must wait before: the interval is a
    // second, an answer that does not come doubles it, and `slow_down` adds five.
    stage.login(
        "a login through trouble",
        &[
            (PENDING, "not yet", 1),
            (CUT, "no answer", 1),
            (PENDING, "not yet", 2),
            (SLOW_DOWN, "not yet", 2),
            (TOKENS, "signed in", 7),
        ],
        &["called 200", "renewed", "called 200", "done"],
        &[REFRESH],
    );
    stage.login("a user who says no", &[(DENIED, "refused: server access_denied", 1)], &[], &[]);
    stage.login("a code that is used up", &[(TWICE, "refused: twice access_token", 1)], &[], &[]);
    for (name, answer, reason) in [
        ("an address that is a program", SCRIPT, "malformed verification_uri"),
        ("a code that moves the cursor", CURSOR, "malformed user_code"),
        (
            "no code",
            (200, r#"{"device_code":"D","verification_uri":"https://as.example/go","expires_in":9}"#),
            "missing user_code",
        ),
        ("a client that may not", (400, r#"{"error":"unauthorized_client"}"#), "server unauthorized_client"),
    ] {
        stage.refused(name, answer, reason);
    }
    stage.expired("a code that nobody confirms");
    stage.machine.finish();
}

struct Stage {
    machine: Machine,
    server: TcpListener,
    authority: String,
}

impl Stage {
    fn start(image: &Path) -> Self {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let authority = server.local_addr().expect("it is bound").to_string();
        Self { machine: Machine::start(image, &modem::start(authority.clone())), server, authority }
    }

    /// A session with these polls: the server's answer, what the image says to it, and the seconds that it waits at least.
    fn login(&mut self, name: &str, polls: &[(Answer, &str, u64)], then: &[&str], refreshes: &[Answer]) {
        self.begin();
        let mut answered = self.answer("/device", CODE).1;
        self.prompted();
        for (answer, said, seconds) in polls {
            let (body, at) = self.answer("/token", *answer);
            assert!(at - answered >= Duration::from_secs(*seconds), "{name}: it waited only {:?}", at - answered);
            assert_eq!(field(&body, "grant_type"), "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code");
            assert_eq!(
                (field(&body, "client_id"), field(&body, "device_code")),
                ("demo-native", "GmRhmhcxhwAzkoEqiMEg")
            );
            self.machine.expect(&[said]);
            answered = at;
        }
        for (step, line) in then.iter().enumerate() {
            match *line {
                "called 200" => assert_eq!(self.answer("/api/me", (200, "{}")).0, ""),
                "renewed" => {
                    let (body, _) = self.answer("/token", refreshes[step / 2]);
                    assert_eq!(field(&body, "grant_type"), "refresh_token");
                }
                _ => {}
            }
            self.machine.expect(&[line]);
        }
        assert!(!self.machine.said().contains("GmRhmh"), "it shows the device code");
        println!("{name}: {}", polls.iter().map(|(_, said, _)| *said).collect::<Vec<_>>().join(", "));
    }

    /// A session whose first answer must be refused, and nothing of it be shown.
    fn refused(&mut self, name: &str, answer: Answer, reason: &str) {
        self.begin();
        self.answer("/device", answer);
        self.machine.expect(&[&format!("refused: {reason}")]);
        println!("{name}: refused ({reason}), nothing was shown");
    }

    fn expired(&mut self, name: &str) {
        self.begin();
        self.answer("/device", SHORT);
        self.prompted();
        self.answer("/token", PENDING);
        self.machine.expect(&["not yet", "refused: expired"]);
        println!("{name}: one poll, and it expired");
    }

    fn begin(&mut self) {
        let authority = &self.authority;
        self.machine.enter(&format!("device http://{authority}/device http://{authority}/token http://{authority}"));
    }

    fn prompted(&mut self) {
        self.machine.expect(&[
            "To sign in, open https://as.example/go on any device and enter the code WDJB-MJHT",
            "Do this only if you started this sign-in yourself. Never enter a code that somebody sent you.",
        ]);
    }

    /// Answers the next request, which must be for this path. Gives its body, and the time at which it came.
    fn answer(&mut self, path: &str, (status, body): Answer) -> (String, Instant) {
        let (mut connection, _) = self.server.accept().expect("the modem connects");
        let request = request(&mut BufReader::new(&connection)).expect("a request comes");
        let at = Instant::now();
        let request = String::from_utf8(request).expect("it is text");
        let (head, form) = request.split_once("\r\n\r\n").expect("it has a head");
        let line = head.lines().next().unwrap_or_default();
        assert!(line.ends_with(&format!(" {path} HTTP/1.0")), "it sent {line}");
        respond(&mut connection, status, body).expect("the modem listens");
        (form.to_owned(), at)
    }
}

/// Status 0 is a connection that breaks within the answer.
fn respond(connection: &mut TcpStream, status: u16, body: &str) -> io::Result<()> {
    let length = body.len();
    match status {
        0 => write!(
            connection,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{{"
        ),
        _ => write!(
            connection,
            "HTTP/1.1 {status} \r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ),
    }
}

/// Status and body.
type Answer = (u16, &'static str);

const CODE: Answer = (
    200,
    r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg","user_code":"WDJB-MJHT","verification_uri":"https://as.example/go","expires_in":600,"interval":1}"#,
);
const SHORT: Answer = (
    200,
    r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg","user_code":"WDJB-MJHT","verification_uri":"https://as.example/go","expires_in":4,"interval":1}"#,
);
const SCRIPT: Answer =
    (200, r#"{"device_code":"D","user_code":"WDJB","verification_uri":"javascript:alert(1)","expires_in":9}"#);
const CURSOR: Answer =
    (200, r#"{"device_code":"D","user_code":"\u001b[2J","verification_uri":"https://as.example/go","expires_in":9}"#);
const PENDING: Answer = (400, r#"{"error":"authorization_pending"}"#);
const SLOW_DOWN: Answer = (400, r#"{"error":"slow_down"}"#);
const DENIED: Answer = (403, r#"{"error":"access_denied"}"#);
const CUT: Answer = (0, r#"{"error":"authorization_pending"}"#);
const TWICE: Answer = (200, r#"{"access_token":"A","access_token":"B","token_type":"Bearer"}"#);
const TOKENS: Answer = (200, r#"{"access_token":"A","token_type":"Bearer","refresh_token":"R","expires_in":0}"#);
const REFRESH: Answer = (200, r#"{"access_token":"B","token_type":"Bearer","refresh_token":"S","expires_in":3600}"#);
