//! Output on a terminal.

use crate::desk::{Desk, Run, browse, interrupt};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{EndpointFault, Faults, Options};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};

/// The far end of a terminal, and a program that runs in it.
struct Terminal {
    screen: File,
    child: Child,
    shown: String,
    /// The start of a character whose end is still to come.
    cut: Vec<u8>,
}

impl Terminal {
    fn start(desk: &Desk, args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::of(desk.command(args), environment, false)
    }

    /// The same, if the results go to the terminal too.
    fn with_results(desk: &Desk, args: &[&str]) -> Self {
        Self::of(desk.command(args), &[], true)
    }

    fn of(mut command: Command, environment: &[(&str, &str)], with_results: bool) -> Self {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let path = ptsname(&screen, Vec::new()).unwrap();
        let near = OpenOptions::new().read(true).write(true).open(path.to_str().unwrap()).unwrap();
        if with_results {
            command.stdout(near.try_clone().unwrap());
        }
        command.env("TERM", "xterm").envs(environment.iter().copied());
        command.stdin(near.try_clone().unwrap()).stderr(near);
        Self { screen: screen.into(), child: command.spawn().unwrap(), shown: String::new(), cut: Vec::new() }
    }

    /// Reads on until `text` is shown.
    fn wait_for(&mut self, text: &str) {
        while !self.shown.contains(text) {
            assert!(self.read(), "ended before `{text}`: {:?}", self.shown);
        }
    }

    /// Waits for the end: the exit code, and all that was shown.
    fn end(mut self) -> (Option<i32>, String) {
        while self.read() {}
        (self.child.wait().unwrap().code(), self.shown)
    }

    /// Reads what there is, as far as it is whole characters; false at the end.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let length = self.screen.read(&mut chunk).unwrap_or_default();
        self.cut.extend_from_slice(&chunk[..length]);
        let whole = str::from_utf8(&self.cut).map_or_else(|error| error.valid_up_to(), str::len);
        let rest = self.cut.split_off(whole);
        self.shown += str::from_utf8(&self.cut).unwrap();
        self.cut = rest;
        length > 0
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
    assert!(!shown.contains("error page"), "too early: {shown:?}");
    let (_, after) = shown.rsplit_once("left (press Ctrl-C to cancel)").unwrap();
    assert!(after.starts_with("\r\x1b[2K\x1b[1mSigned in\x1b[0m at "), "{after:?}");
}

#[test]
fn a_hint_comes_once_and_the_countdown_goes_on() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk, &["login", "--no-browser", "--timeout", "60"], &[]);
    let hint = "\r\x1b[2KIf the browser shows an error page, check the client id (`demo-native`) and the redirect URI \
                (`http://127.0.0.1:";
    terminal.wait_for(hint);
    terminal.wait_for("/callback`).\r\n\r\x1b[2Kwaiting for the browser, 0:");
    terminal.wait_for("0:53 left");
    interrupt(&terminal.child);
    let (code, shown) = terminal.end();
    assert_eq!((code, shown.matches("error page").count()), (Some(130), 1), "{shown:?}");
}

#[test]
fn a_terminal_gets_a_clean_body_and_a_line_end() {
    let desk = Desk::signed_in();
    let body = "a\u{1b}[2J\u{9b}1m\tb\r\nc\u{202e}d";
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    let fault = EndpointFault::Respond { status: 200, headers, body: body.to_owned() };
    desk.server.set_faults(Faults { api: Some(fault), ..Faults::default() });
    let args = ["call", &desk.server.api("/api/me")];
    let (code, shown) = Terminal::with_results(&desk, &args).end();
    // A terminal that was not told otherwise shows a line end as these two, and a tab as it is.
    assert_eq!((code, shown.as_str()), (Some(0), "a\u{fffd}[2J\u{fffd}1m\tb\r\nc\u{fffd}d\r\n"));
    assert_eq!(desk.run(&args).stdout, body, "a pipe gets it as it is");
}

#[test]
fn a_code_for_another_device_is_a_picture_too() {
    let desk = Desk::with(Options { device_interval: 0, ..Options::default() });
    let mut terminal = Terminal::start(&desk, &["login", "--device"], &[]);
    terminal.wait_for("\r\x1b[2Kwaiting for you to confirm on the other device, 10:00 left");
    terminal.wait_for("\r\x1b[2Kwaiting for you to confirm on the other device, 9:5");
    let page = terminal.shown.lines().map(str::trim).find(|line| line.starts_with("http://")).unwrap().to_owned();
    let code = terminal.shown.split("\x1b[1m").nth(1).unwrap().split("\x1b[0m").next().unwrap().to_owned();
    assert_eq!(picture(&terminal.shown), format!("{page}?user_code={code}"));
    UserAgent::new().confirm(&page, &code, Decision::Allow).unwrap();
    let (exit, shown) = terminal.end();
    let (_, after) = shown.rsplit_once("left (press Ctrl-C to cancel)").unwrap();
    assert!(exit == Some(0) && after.starts_with("\r\x1b[2K\x1b[1mSigned in\x1b[0m"), "{after:?}");

    // Without colours the light modules are still those that are drawn.
    let mut terminal = Terminal::start(&desk, &["login", "--device"], &[("NO_COLOR", "1")]);
    terminal.wait_for("left (press Ctrl-C to cancel)");
    assert!(picture(&terminal.shown).starts_with(&page));
    interrupt(&terminal.child);
    let (exit, shown) = terminal.end();
    assert!(exit == Some(130) && shown.contains("\r\x1b[2Kerror: interrupted"), "{shown:?}");
    let mut terminal = Terminal::start(&desk, &["login", "--device"], &[("TERM", "dumb")]);
    terminal.wait_for("at most 10:00");
    assert!(!terminal.shown.contains('█'), "{:?}", terminal.shown);
    interrupt(&terminal.child);
    assert_eq!(terminal.end().0, Some(130));
}

/// What a phone reads from the screen.
fn picture(shown: &str) -> String {
    let is_module = |c: &char| matches!(c, '█' | '▀' | '▄' | ' ');
    let plain = |line: &str| {
        line.split('\x1b').map(|part| part.split_once('m').map_or(part, |(_, text)| text)).collect::<String>()
    };
    let lines = shown.lines().map(|line| plain(line).trim_end_matches('\r').chars().collect::<Vec<_>>());
    let lines: Vec<Vec<char>> = lines.filter(|line| line.len() > 20 && line.iter().all(is_module)).collect();
    let is_light = |x: usize, y: usize| {
        let module = lines[y / 2].get(x).copied().unwrap_or('█');
        module == '█' || module == if y.is_multiple_of(2) { '▀' } else { '▄' }
    };
    let (width, height) = (lines[0].len() * 4, lines.len() * 8);
    let seen = |x: usize, y: usize| if is_light(x / 4, y / 4) { 255 } else { 0 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, seen);
    image.detect_grids()[0].decode().unwrap().1
}

#[test]
fn an_interrupt_leaves_a_clean_line() {
    let desk = Desk::new();
    let mut terminal = Terminal::start(&desk, &["login", "--no-browser"], &[]);
    terminal.wait_for("left (press Ctrl-C to cancel)");
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
    for (length, words) in
        [(5_000, "the terminal cut the address off"), (4_000, "has no answer from the server, or is cut off")]
    {
        writeln!(terminal.screen, "https://app.example/paste?code={}", "x".repeat(length)).unwrap();
        terminal.wait_for(words);
    }
    interrupt(&terminal.child);
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn another_process_that_is_waited_for_is_said() {
    let desk = Desk::signed_in();
    desk.expire();
    let claim = desk.claim();
    let mut terminal = Terminal::start(&desk, &["token"], &[]);
    terminal.wait_for("waiting for another process, which refreshes this sign-in");
    desk.release(claim);
    assert_eq!(terminal.end().0, Some(0));
    desk.expire();
    drop(desk.claim());
    let (code, shown) = Terminal::start(&desk, &["token"], &[]).end();
    assert_eq!(
        (code, shown.matches("waiting for another process, which did not finish").count()),
        (Some(0), 1),
        "{shown:?}"
    );
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
        run.fails(1, &["cannot write to standard output: No space left"]);
    }
}
