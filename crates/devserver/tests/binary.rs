//! The program.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

#[test]
fn it_says_where_it_is_and_serves_its_metadata() {
    let mut child = program(&["--port", "0", "--access-token-ttl", "7"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let issuer = lines.filter_map(|line| line.strip_prefix("Issuer  ").map(str::to_owned)).next().unwrap();
    let metadata = ureq::get(format!("{issuer}/.well-known/oauth-authorization-server")).call();
    let metadata = metadata.unwrap().body_mut().read_to_string().unwrap();
    assert!(metadata.contains(&format!(r#""issuer":"{issuer}""#)), "{metadata}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_port_that_is_taken_is_told_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program(&["--port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("proofkey-devserver: port {port}: ")) && said.lines().count() == 1, "{said}");
}

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proofkey-devserver"));
    command.args(args);
    command
}
