//! A board with an image, in QEMU.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

pub(crate) struct Machine {
    qemu: Child,
    keyboard: ChildStdin,
    screen: Receiver<String>,
    said: String,
}

impl Machine {
    /// Starts the image, with its serial port connected to `authority` (`127.0.0.1:PORT`).
    pub(crate) fn start(image: &Path, authority: &str) -> Self {
        let mut qemu = Command::new("qemu-system-arm")
            .args(["-cpu", "cortex-m4", "-machine", "mps2-an386", "-display", "none", "-monitor", "none"])
            .args(["-semihosting-config", "enable=on,target=native", "-serial", &format!("tcp:{authority},nodelay=on")])
            .arg("-kernel")
            .arg(image)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("qemu-system-arm runs");
        let keyboard = qemu.stdin.take().expect("it has a standard input");
        let output = qemu.stdout.take().expect("it has a standard output");
        let (sender, screen) = channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { qemu, keyboard, screen, said: String::new() }
    }

    /// Types a line.
    pub(crate) fn enter(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("the image still runs");
    }

    /// The next line that the image says.
    pub(crate) fn line(&mut self) -> String {
        let line = self.screen.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no more came after:\n{}", self.said));
        self.said.push_str(&line);
        self.said.push('\n');
        line
    }

    /// The lines that the image says next, which must be these.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) {
        let said: Vec<String> = lines.iter().map(|_| self.line()).collect();
        assert_eq!(said, lines);
    }

    /// All that the image has said so far.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Ends the run. The image says how deep its stack was, and must end well.
    #[track_caller]
    pub(crate) fn finish(mut self) {
        self.enter("");
        println!("{}", self.line());
        assert!(self.ended_well());
    }

    /// Whether the image ended well. It must have no more to say.
    pub(crate) fn ended_well(mut self) -> bool {
        assert!(self.screen.recv_timeout(PATIENCE).is_err(), "it goes on after:\n{}", self.said);
        self.qemu.wait().expect("it is our process").success()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Either fails only where it has ended already.
        self.qemu.kill().ok();
        self.qemu.wait().ok();
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
