//! One session of the image without the core: the server refuses whatever it sends.

use crate::login::{authority, summary};
use crate::machine::Machine;
use crate::modem;
use proofkey_devserver::{DevServer, Options};
use std::path::Path;

pub(crate) fn run(image: &Path) {
    let server = DevServer::start(Options::default()).expect("a server starts");
    let mut machine = Machine::start(image, &modem::start(authority(&server)));
    machine.enter(&[server.authorization_endpoint(), server.token_endpoint(), server.issuer()].join(" "));
    assert!(machine.line().starts_with("visit "));
    machine.enter("token");
    let words = |line: String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    for expected in ["sent 400", "called 401", "sent 400", "called 401", "done"] {
        assert_eq!(words(machine.line()), expected);
    }
    let (token, api) = (("POST", "/connect/token", 400), ("GET", "/api/me", 401));
    assert_eq!(summary(&server.log()), [token, api, token, api]);
    machine.finish();
}
