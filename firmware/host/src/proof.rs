//! Logins whose tokens are bound to a key of the device (RFC 9449), which signs in software.

use crate::login::{API, METADATA, TOKEN, authority, field, header, query, requests, summary, visit};
use crate::machine::Machine;
use crate::modem;
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Entry, Faults, Options, ProofFault, ProofRules};
use std::collections::HashSet;
use std::path::Path;

pub(crate) fn run(image: &Path) {
    let dpop = ProofRules { required: true, token_nonce: true, api_nonce: true };
    let server = DevServer::start(Options { dpop, device_interval: 1, ..Options::default() }).expect("a server starts");
    let machine = Machine::start(image, &modem::start(authority(&server)));
    let mut stage = Stage { server, machine, proofs: HashSet::new() };

    stage.honest("a login with a key");
    stage.device("a login with a key and a code");
    for (name, fault, reason, sent) in [
        ("a token that is bound to no key", ProofFault::BearerAnswer, "token type", &[CHALLENGE, TOKEN] as &[_]),
        ("a nonce that never fits", ProofFault::AlwaysNonce, "server use_dpop_nonce", &[CHALLENGE, CHALLENGE]),
        ("a nonce that is not told", ProofFault::NoNonce, "server use_dpop_nonce", &[CHALLENGE]),
        ("two nonces", ProofFault::TwoNonces, "server use_dpop_nonce", &[CHALLENGE]),
    ] {
        stage.refuse(name, fault, reason, sent);
    }
    stage.honest("a login with a key after all that");

    stage.machine.finish();
}

struct Stage {
    server: DevServer,
    machine: Machine,
    /// Each proof so far.
    proofs: HashSet<String>,
}

impl Stage {
    fn honest(&mut self, name: &str) {
        self.login(Faults::default());
        self.machine.expect(&["signed in", "called 200", "done"]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [METADATA, CHALLENGE, TOKEN, UNPROVEN, API]);
        self.check(&log[1..]);
        println!("{name}: signed in and called the API, each with a proof");
    }

    fn device(&mut self, name: &str) {
        self.begin("device ", Faults::default());
        let prompt = self.machine.line();
        while !self.machine.line().starts_with("Do this only if you started this sign-in yourself.") {}
        let words: Vec<_> = prompt.split(' ').collect();
        let at = words.iter().position(|word| word.starts_with("http://")).expect("it says where");
        let code = words.last().expect("it says the code");
        UserAgent::new().confirm(words[at], code, Decision::Allow).expect("the pages work");
        // The user may be slower than the first poll.
        let mut said = self.machine.line();
        while said == "not yet" {
            said = self.machine.line();
        }
        assert_eq!(said, "signed in");
        self.machine.expect(&["called 200", "done"]);
        let log = requests(&self.server);
        let mut sent = summary(&log);
        sent.dedup_by(|one, other| *one == CHALLENGE && *other == CHALLENGE);
        assert_eq!(sent, [METADATA, DEVICE, CHALLENGE, TOKEN, UNPROVEN, API]);
        self.check(&log[1..]);
        println!("{name}: signed in and called the API, each with a proof");
    }

    fn refuse(&mut self, name: &str, fault: ProofFault, reason: &str, sent: &[(&str, &str, u16)]) {
        self.login(Faults { proof: Some(fault), ..Faults::default() });
        self.machine.expect(&[&format!("refused: {reason}")]);
        let log = requests(&self.server);
        assert_eq!(summary(&log), [&[METADATA], sent].concat());
        self.check(&log[1..]);
        println!("{name}: refused ({reason})");
    }

    /// Until the browser is back.
    fn login(&mut self, faults: Faults) {
        self.begin("", faults);
        let url = visit(&mut self.machine);
        assert_eq!(field(query(&url), "dpop_jkt").len(), 43);
        let visit = UserAgent::new().run(&url, Decision::Allow).expect("the pages work");
        self.machine.enter(&visit.callback.expect("the browser comes back"));
    }

    fn begin(&mut self, how: &str, faults: Faults) {
        self.server.set_faults(faults);
        self.server.clear_log();
        self.machine.enter(&format!("{how}{}", self.server.issuer()));
    }

    /// The server has checked what the proofs say. None may come twice, and a token is sent as one that needs a proof.
    fn check(&mut self, log: &[Entry]) {
        for entry in log {
            assert!(self.proofs.insert(header(entry, "dpop").to_owned()), "it repeats a proof");
            assert!(entry.method == "POST" || header(entry, "authorization").starts_with("DPoP "));
        }
    }
}

const CHALLENGE: (&str, &str, u16) = ("POST", "/connect/token", 400);
const DEVICE: (&str, &str, u16) = ("POST", "/connect/deviceauthorization", 200);
const UNPROVEN: (&str, &str, u16) = ("GET", "/api/me", 401);
