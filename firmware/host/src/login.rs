//! Whole sessions with the development server, honest ones and hostile ones.

use crate::machine::Machine;
use crate::modem;
use crate::refused::{callbacks, responses};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Entry, Faults, Options};
use std::collections::HashSet;
use std::path::Path;

pub(crate) fn run(image: &Path) {
    let server = DevServer::start(Options::default()).expect("a server starts");
    let machine = Machine::start(image, &modem::start(authority(&server)));
    let mut stage = Stage { server, machine, seen: HashSet::new() };

    let earlier = stage.honest("a session");
    stage.renewing("a session whose tokens are due at once");
    stage.discovering("a session that begins with the issuer alone");
    stage.signing_out("a session that is ended");
    callbacks(&mut stage, &earlier);
    responses(&mut stage);
    stage.honest("a session after all that");

    stage.machine.finish();
}

pub(crate) struct Stage {
    server: DevServer,
    machine: Machine,
    /// Each `state` and `code_challenge` so far.
    seen: HashSet<String>,
}

impl Stage {
    fn honest(&mut self, name: &str) -> String {
        let (_, callback) = self.authorize(Faults::default(), Decision::Allow);
        self.machine.enter(&callback);
        self.machine.expect(&["signed in", "called 200", "done"]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [TOKEN, API]);
        self.check_exchange(&log[0], &callback);
        self.check_call(&log[1]);
        println!("{name}: signed in and called the API");
        callback
    }

    fn renewing(&mut self, name: &str) {
        let (_, callback) = self.authorize(Faults { expires_in: Some(0), ..Faults::default() }, Decision::Allow);
        self.machine.enter(&callback);
        self.machine.expect(&["signed in", "called 200", "renewed", "called 200", "done"]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [TOKEN, API, TOKEN, API]);
        self.check_exchange(&log[0], &callback);
        self.check_refresh(&log[2]);
        self.check_call(&log[1]);
        self.check_call(&log[3]);
        assert_ne!(header(&log[1], "authorization"), header(&log[3], "authorization"), "it called with the old token");
        println!("{name}: signed in, called the API, renewed, called it again");
    }

    fn discovering(&mut self, name: &str) {
        let line = self.server.issuer();
        let (_, callback) = self.authorize_at(&line, Faults::default(), Decision::Allow);
        self.machine.enter(&callback);
        self.machine.expect(&["signed in", "called 200", "signed out", "done"]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [METADATA, TOKEN, API, REVOCATION]);
        self.check_exchange(&log[1], &callback);
        println!("{name}: found the endpoints, signed in, called the API, signed out");
    }

    fn signing_out(&mut self, name: &str) {
        let line = self.named() + " " + &self.server.revocation_endpoint();
        let (_, callback) = self.authorize_at(&line, Faults::default(), Decision::Allow);
        self.machine.enter(&callback);
        self.machine.expect(&["signed in", "called 200", "signed out", "done"]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [TOKEN, API, REVOCATION]);
        self.check_form(&log[2]);
        assert_eq!(field(&log[2].body, "token_type_hint"), "refresh_token");
        assert!(!self.machine.said().contains(field(&log[2].body, "token")), "it shows the refresh token");
        println!("{name}: signed in, called the API, signed out");
    }

    /// A session whose redirect, changed by `tamper`, must be refused for `reason`, and nothing be sent.
    pub(crate) fn refuse_callback(
        &mut self,
        name: &str,
        faults: Faults,
        decision: Decision,
        tamper: impl Fn(String) -> String,
        reason: &str,
    ) {
        let (_, callback) = self.authorize(faults, decision);
        self.machine.enter(&tamper(callback));
        self.machine.expect(&[&format!("refused: {reason}")]);
        assert!(requests(&self.server).is_empty(), "it sent {:?}", summary(&requests(&self.server)));
        println!("{name}: refused ({reason}), nothing was sent");
    }

    /// A session whose token response must be refused for `reason`, and nothing more be sent.
    pub(crate) fn refuse_response(&mut self, name: &str, faults: Faults, status: u16, reason: &str) {
        let (_, callback) = self.authorize(faults, Decision::Allow);
        self.machine.enter(&callback);
        self.machine.expect(&[&format!("refused: {reason}")]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [("POST", "/connect/token", status)]);
        self.check_exchange(&log[0], &callback);
        println!("{name}: refused ({reason}), no token was used");
    }

    fn authorize(&mut self, faults: Faults, decision: Decision) -> (String, String) {
        self.authorize_at(&self.named(), faults, decision)
    }

    /// The endpoints that a login needs, as a session begins.
    fn named(&self) -> String {
        [self.server.authorization_endpoint(), self.server.token_endpoint(), self.server.issuer()].join(" ")
    }

    /// Begins a session, and plays its user: the authorization URL, and the URL that the browser ended at.
    fn authorize_at(&mut self, server: &str, faults: Faults, decision: Decision) -> (String, String) {
        self.server.set_faults(faults);
        self.server.clear_log();
        self.machine.enter(server);
        let url = visit(&mut self.machine);
        for name in ["state", "code_challenge"] {
            let value = field(query(&url), name);
            assert_eq!(value.len(), 43);
            assert!(self.seen.insert(value.to_owned()), "it repeats {name}");
        }
        assert!(
            requests(&self.server).iter().all(|entry| entry.method == "GET"),
            "it sent more than a look at the metadata"
        );
        let visit = UserAgent::new().run(&url, decision).expect("the pages work");
        (url, visit.callback.expect("the browser comes back"))
    }

    /// RFC 6749 section 4.1.3.
    fn check_exchange(&self, entry: &Entry, callback: &str) {
        self.check_form(entry);
        assert_eq!(field(&entry.body, "grant_type"), "authorization_code");
        assert_eq!(field(&entry.body, "code"), field(query(callback), "code"));
        assert_eq!(field(&entry.body, "code_verifier").len(), 43);
        assert_eq!(field(&entry.body, "redirect_uri"), "https%3A%2F%2Fapp.example%2Fpaste");
        assert!(!self.machine.said().contains(field(&entry.body, "code_verifier")), "it shows the verifier");
    }

    /// RFC 6749 section 6.
    fn check_refresh(&self, entry: &Entry) {
        self.check_form(entry);
        assert_eq!(field(&entry.body, "grant_type"), "refresh_token");
        assert!(!self.machine.said().contains(field(&entry.body, "refresh_token")), "it shows the refresh token");
    }

    fn check_form(&self, entry: &Entry) {
        assert_eq!(header(entry, "host"), authority(&self.server));
        assert_eq!(header(entry, "accept"), "application/json");
        assert_eq!(header(entry, "content-type"), "application/x-www-form-urlencoded");
        assert!(entry.headers.iter().all(|(name, _)| name != "authorization"));
        assert!(entry.query.is_empty());
        assert_eq!(field(&entry.body, "client_id"), "demo-native");
    }

    /// RFC 6750 section 2.1.
    fn check_call(&self, entry: &Entry) {
        assert_eq!(header(entry, "host"), authority(&self.server));
        let token = header(entry, "authorization").strip_prefix("Bearer ").expect("it is of type Bearer");
        assert!(!self.machine.said().contains(token), "it shows the access token");
        assert!(entry.query.is_empty() && entry.body.is_empty());
    }
}

pub(crate) fn authority(server: &DevServer) -> String {
    server.url().trim_start_matches("http://").to_owned()
}

/// What the image sent: the user's browser names itself, the image does not.
pub(crate) fn requests(server: &DevServer) -> Vec<Entry> {
    let mut log = server.log();
    log.retain(|entry| entry.headers.iter().all(|(name, _)| name != "user-agent"));
    log
}

pub(crate) fn summary(log: &[Entry]) -> Vec<(&str, &str, u16)> {
    log.iter().map(|entry| (entry.method.as_str(), entry.path.as_str(), entry.status)).collect()
}

/// The URL that the image shows.
pub(crate) fn visit(machine: &mut Machine) -> String {
    let line = machine.line();
    line.strip_prefix("visit ").unwrap_or_else(|| panic!("it said {line}")).to_owned()
}

pub(crate) fn query(url: &str) -> &str {
    url.split_once('?').expect("it has a query").1
}

/// The raw value of the one field of that name.
pub(crate) fn field<'f>(form: &'f str, name: &str) -> &'f str {
    only(name, form.split('&').filter_map(|pair| pair.split_once('=')))
}

/// The value of the one header field of that name.
pub(crate) fn header<'e>(entry: &'e Entry, name: &str) -> &'e str {
    only(name, entry.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn only<'a>(name: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> &'a str {
    let values: Vec<&str> = pairs.filter(|(other, _)| *other == name).map(|(_, value)| value).collect();
    assert_eq!(values.len(), 1, "{name} stands {} times", values.len());
    values[0]
}

pub(crate) const API: (&str, &str, u16) = ("GET", "/api/me", 200);
pub(crate) const METADATA: (&str, &str, u16) = ("GET", "/.well-known/oauth-authorization-server", 200);
pub(crate) const REVOCATION: (&str, &str, u16) = ("POST", "/connect/revocation", 200);
pub(crate) const TOKEN: (&str, &str, u16) = ("POST", "/connect/token", 200);
