//! Signals while a refresh token is on its way.

use crate::desk::{CLIENT, Desk, answer, interrupt, refresh, signal};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const NAMES: [&str; 3] = ["HUP", "INT", "TERM"];
const TOLD: &str = "interrupt again to end at once";

#[test]
fn a_signal_during_a_refresh_waits_until_the_new_token_is_kept() {
    for name in NAMES {
        let (desk, mut child, mut connection) = stalled_refresh(&[]);
        signal(&child, name);
        assert!(next_line(&mut child).contains(TOLD));
        answer(&mut connection, "200 OK", ROTATED);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(130), &b""[..]), "{name}");
        assert_eq!(desk.record().refresh_token.unwrap().expose(), "R2", "{name}");
        assert_eq!(desk.run(&["token"]).stdout, "A2\n", "{name}");
    }
}

#[test]
fn a_signal_that_is_ignored_stays_so_and_the_others_still_wait() {
    for ignored in NAMES {
        for name in NAMES.into_iter().filter(|name| *name != ignored) {
            let (desk, mut child, mut connection) = stalled_refresh(&[&format!("--ignore-signal={ignored}")]);
            signal(&child, ignored);
            signal(&child, name);
            assert!(next_line(&mut child).contains(TOLD), "the first signal does not count");
            answer(&mut connection, "200 OK", ROTATED);
            assert_eq!(child.wait().unwrap().code(), Some(130), "{ignored} {name}");
            assert_eq!(desk.record().refresh_token.unwrap().expose(), "R2", "{ignored} {name}");
        }
    }
}

#[test]
fn one_that_ignores_them_all_is_not_interrupted() {
    let (desk, child, mut connection) = stalled_refresh(&["--ignore-signal=HUP,INT,TERM"]);
    NAMES.iter().for_each(|name| signal(&child, name));
    answer(&mut connection, "200 OK", ROTATED);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"A2\n"[..]));
    assert_eq!(desk.record().refresh_token.unwrap().expose(), "R2");
}

#[test]
fn a_second_interrupt_during_a_refresh_ends_at_once() {
    let (desk, mut child, _connection) = stalled_refresh(&[]);
    let before = refresh(&desk.record());
    interrupt(&child);
    assert!(next_line(&mut child).contains(TOLD));
    let begun = Instant::now();
    interrupt(&child);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(refresh(&desk.record()), before);
}

#[test]
fn an_interrupt_after_consent_says_what_it_waits_for() {
    for again in [false, true] {
        let (desk, server) = (Desk::new(), TcpListener::bind("127.0.0.1:0").unwrap());
        desk.configure(&format!(
            "[profile.default]\nauthorization_endpoint = '{}'\ntoken_endpoint = 'http://{}/token'\n{CLIENT}",
            desk.server.authorization_endpoint(),
            server.local_addr().unwrap()
        ));
        let mut waiting = desk.begin_login(&[]);
        let url = waiting.url.clone();
        // The browser is answered when the exchange is done; it may never be.
        std::thread::spawn(move || UserAgent::new().run(&url, Decision::Allow));
        let (mut connection, _) = server.accept().unwrap();
        assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
        interrupt(&waiting.child);
        let told = next_line(&mut waiting.child);
        assert!(told.contains(TOLD), "{told}");
        if again {
            interrupt(&waiting.child);
        } else {
            answer(&mut connection, "200 OK", ROTATED);
        }
        let run = waiting.end();
        assert_eq!(run.code, Some(130), "{run:?}");
        assert_eq!(desk.run(&["status"]).code, Some(if again { 3 } else { 0 }), "the first alone costs no login");
    }
}

/// A refresh whose server does not answer yet, with options for `env`.
fn stalled_refresh(options: &[&str]) -> (Desk, Child, TcpStream) {
    let desk = Desk::signed_in();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/token", server.local_addr().unwrap());
    desk.set_token_endpoint(&endpoint);
    desk.expire();
    let plain = desk.command(&["token"]);
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=HUP,INT,TERM"]).args(options).args([env!("CARGO_BIN_EXE_proofkey"), "token"]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    let (mut connection, _) = server.accept().unwrap();
    assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
    (desk, child, connection)
}

fn next_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    line
}

const ROTATED: &str = r#"{"access_token":"A2","token_type":"Bearer","refresh_token":"R2","expires_in":3600}"#;
