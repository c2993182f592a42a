//! Logins that are pushed to the server (RFC 9126) and say who signed in (OpenID Connect), with servers that lie about it.

use crate::login::{API, METADATA, REVOCATION, TOKEN, authority, field, query, requests, summary, visit};
use crate::machine::Machine;
use crate::modem;
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, EndpointFault, Faults, IdTokenFault, Options};
use std::path::Path;

pub(crate) fn run(image: &Path) {
    let server = DevServer::start(Options { require_push: true, ..Options::default() }).expect("a server starts");
    let machine = Machine::start(image, &modem::start(authority(&server)));
    let mut stage = Stage { server, machine };

    stage.honest("a pushed login");
    stage.another("a sign-out with the state of another");
    for (name, answer, reason) in [
        ("a push that is refused", EndpointFault::error(400, "invalid_request"), "server invalid_request"),
        ("a push without a reference", json(r#"{"expires_in":60}"#), "missing request_uri"),
        ("two references", json(r#"{"request_uri":"a","request_uri":"b","expires_in":60}"#), "twice request_uri"),
        ("a reference that has expired", json(r#"{"request_uri":"a","expires_in":0}"#), "response"),
    ] {
        stage.refuse_push(name, answer, reason);
    }
    for (name, fault, reason) in [
        ("an ID token for another client", IdTokenFault::Audience, "audience"),
        ("an ID token that is encrypted", IdTokenFault::Encrypted, "encrypted"),
        ("an ID token that has expired", IdTokenFault::Expired, "expired"),
        ("an ID token of another server", IdTokenFault::Issuer, "issuer"),
        ("an ID token of another login", IdTokenFault::Nonce, "nonce"),
        ("an ID token without a nonce", IdTokenFault::NoNonce, "unreadable"),
        ("an ID token that was issued to another", IdTokenFault::Party, "party"),
    ] {
        let faults = Faults { id_token: Some(fault), ..Faults::default() };
        stage.refuse_user(name, faults, &[&format!("refused: user {reason}")], &[METADATA, PUSH, TOKEN]);
    }
    for (name, answer, reason) in [
        ("userinfo about another user", json(r#"{"sub":"mallory","name":"Alice"}"#), "user another"),
        ("userinfo about nobody", json(r#"{"name":"Alice"}"#), "missing sub"),
    ] {
        let faults = Faults { userinfo: Some(answer), ..Faults::default() };
        let said = ["signed in as alice", &format!("refused: {reason}")];
        stage.refuse_user(name, faults, &said, &[METADATA, PUSH, TOKEN, USERINFO]);
    }
    stage.honest("a pushed login after all that");

    stage.machine.finish();
}

struct Stage {
    server: DevServer,
    machine: Machine,
}

impl Stage {
    fn honest(&mut self, name: &str) {
        let mut browser = UserAgent::new();
        // The second time the browser must sign in again, since the first session ended at the server too.
        for _ in 0..2 {
            let url = self.signed_in(&mut browser);
            let log = requests(&self.server);
            assert_eq!(summary(&log), [METADATA, PUSH, TOKEN, USERINFO, API, REVOCATION]);
            for name in ["state", "code_challenge", "nonce"] {
                assert_eq!(field(&log[1].body, name).len(), 43, "{name}");
            }
            let callback = back(&mut browser, &url, "back to the application");
            self.machine.enter(&callback);
            self.machine.expect(&["signed out at the server", "done"]);
        }
        println!("{name}: signed in, asked who it was, signed out at the server");
    }

    fn another(&mut self, name: &str) {
        let mut browser = UserAgent::new();
        let url = self.signed_in(&mut browser);
        let state = field(query(&url), "state").to_owned();
        let callback = back(&mut browser, &url, "back to the application").replace(&state, &"A".repeat(43));
        self.machine.enter(&callback);
        self.machine.expect(&["refused: state"]);
        println!("{name}: refused (state)");
    }

    /// A login whose push must be refused for `reason`, and nobody be sent anywhere.
    fn refuse_push(&mut self, name: &str, answer: EndpointFault, reason: &str) {
        self.begin(Faults { push: Some(answer), ..Faults::default() });
        self.machine.expect(&[&format!("refused: {reason}")]);
        let log = requests(&self.server);
        assert_eq!(summary(&log).last().map(|(method, path, _)| (*method, *path)), Some(("POST", "/connect/par")));
        println!("{name}: refused ({reason}), nobody was sent anywhere");
    }

    /// A login after which the image must say this and no more, and have sent these requests.
    fn refuse_user(&mut self, name: &str, faults: Faults, said: &[&str], sent: &[(&str, &str, u16)]) {
        self.login(&mut UserAgent::new(), faults);
        self.machine.expect(said);
        assert_eq!(summary(&requests(&self.server)), sent);
        println!("{name}: {}, no token was used", said.last().unwrap_or(&""));
    }

    /// A whole session, until the user is to sign out: the URL to visit for it.
    fn signed_in(&mut self, browser: &mut UserAgent) -> String {
        self.login(browser, Faults::default());
        self.machine.expect(&["signed in as alice", "their name is Alice", "signed in", "called 200", "signed out"]);
        visit(&mut self.machine)
    }

    /// Until the browser is back from the sign-in page.
    fn login(&mut self, browser: &mut UserAgent, faults: Faults) {
        self.begin(faults);
        let url = visit(&mut self.machine);
        let names: Vec<_> = query(&url).split('&').filter_map(|pair| pair.split('=').next()).collect();
        assert_eq!(names, ["client_id", "request_uri"]);
        let callback = back(browser, &url, SIGN_IN);
        self.machine.enter(&callback);
    }

    fn begin(&mut self, faults: Faults) {
        self.server.set_faults(faults);
        self.server.clear_log();
        self.machine.enter(&self.server.issuer());
    }
}

/// What the browser comes back with; the first thing that its user does there is this.
fn back(browser: &mut UserAgent, url: &str, first: &str) -> String {
    let visit = browser.run(url, Decision::Allow).expect("the pages work");
    assert_eq!(visit.steps.first().map(String::as_str), Some(first));
    visit.callback.expect("the browser comes back")
}

fn json(body: &str) -> EndpointFault {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    EndpointFault::Respond { status: 200, headers, body: body.to_owned() }
}

const PUSH: (&str, &str, u16) = ("POST", "/connect/par", 201);
const USERINFO: (&str, &str, u16) = ("GET", "/connect/userinfo", 200);
const SIGN_IN: &str = "sign-in page: pressed “sign-in”";
