//! What a terminal shows.

use crate::desk::{Desk, Run, browse, interrupt};
use proofkey_devserver::user_agent::Decision;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Child;

/// The far end of a terminal, and a program that runs in it.
struct Terminal {
    screen: File,
    child: Child,
    shown: String,
}

impl Terminal {
    fn start(desk: &Desk, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let path = ptsname(&screen, Vec::new()).unwrap();
        let near = OpenOptions::new().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        let mut command = desk.command(args);
        command.env("TERM", "xterm").envs(environment.iter().copied());
        command.stdin(near.try_clone().unwrap()).stderr(near);
        Self { screen: screen.into(), child: command.spawn().unwrap(), shown: String::new() }
    }

    /// Reads on until `text` is shown.
    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            let mut chunk = [0; 4096];
            let length = self.screen.read(&mut chunk).unwrap_or_default();
            assert_ne!(length, 0, "ended before `{text}`: {:?}", self.shown);
            self.shown += &String::from_utf8_lossy(&chunk[..length]);
        }
    }

    /// Waits for the end: the exit code, and all that was shown.
    fn end(mut self) -> (Option<i32>, String) {
        let mut chunk = [0; 4096];
        while let Ok(length @ 1..) = self.screen.read(&mut chunk) {
            self.shown += &String::from_utf8_lossy(&chunk[..length]);
        }
        (self.child.wait().unwrap().code(), self.shown)
    }
}

#[test]
fn one_line_counts_down_and_is_gone_at_the_end() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk, &["login", "--no-browser", "--timeout", "60"], &[]);
    terminal.wait_for("\r\x1b[2Kwaiting for the browser, 1:00 left");
    terminal.wait_for("\r\x1b[2Kwaiting for the browser, 0:59 left");
    let url = terminal.shown.lines().find(|line| line.starts_with("http://")).unwrap().trim().to_owned();
    browse(&url, Decision::Allow);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(0), "{shown:?}");
    let (_, after) = shown.rsplit_once("left (Ctrl-C ends it)").unwrap();
    assert!(after.starts_with("\r\x1b[2K\x1b[1mSigned in\x1b[0m at "), "{after:?}");
}

#[test]
fn an_interrupt_leaves_a_clean_line() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk, &["login", "--no-browser"], &[]);
    terminal.wait_for("left (Ctrl-C ends it)");
    interrupt(&terminal.child);
    let (code, shown) = terminal.end();
    assert_eq!(code, Some(130), "{shown:?}");
    assert!(shown.contains("\r\x1b[2K\x1b[1m\x1b[31merror:\x1b[0m interrupted"), "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_line_that_the_terminal_cut_off_is_explained() {
    let desk = Desk::new();
    let args = ["login", "--paste", "--redirect-uri", "https://app.example/paste"];
    let mut terminal = Terminal::start(&desk, &args, &[]);
    terminal.wait_for("paste it here:");
    for (length, words) in [(5_000, "the terminal cut the address off"), (4_000, "carries no answer or is cut off")] {
        writeln!(terminal.screen, "https://app.example/paste?code={}", "x".repeat(length)).unwrap();
        terminal.wait_for(words);
    }
    interrupt(&terminal.child);
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn colour_is_for_terminals_that_want_it() {
    let desk = Desk::new();
    let (code, shown) = Terminal::start(&desk, &["token"], &[]).end();
    assert!(code == Some(3) && shown.contains("\x1b[31merror:"), "{shown:?}");
    let (code, shown) = Terminal::start(&desk, &["token"], &[("NO_COLOR", "1")]).end();
    assert!(code == Some(3) && shown.contains("error:") && !shown.contains('\x1b'), "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure() {
    let desk = Desk::signed_in();
    let api = desk.server.api("/api/me");
    for args in [&["token"][..], &["token", "--json"], &["status"], &["call", &api]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run: Run = desk.command(args).stdout(full).output().unwrap().into();
        run.fails(1, &["standard output: No space left"]);
    }
}
