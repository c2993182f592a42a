//! A program that runs until it is dropped.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// A server's process.
pub(super) struct Process {
    id: Pid,
    end: Signal,
    running: Option<JoinHandle<()>>,
}

impl Process {
    /// Runs `command`, which `setpriv` starts, until its log says that it is ready. The signal `end` ends it, also if this process
    /// is killed.
    pub(super) fn start(mut command: Command, end: Signal) -> Self {
        let (tell, told) = mpsc::channel();
        // The thread that starts it lives for as long as it does: the system sends the signal at the end of the thread.
        let running = thread::spawn(move || {
            let (log, stderr) = std::io::pipe().expect("a pipe");
            command.stdin(Stdio::null()).stdout(stderr.try_clone().expect("a pipe")).stderr(stderr);
            let mut child = command.spawn().expect("a program that is installed");
            drop(command);
            let mut log = BufReader::new(log);
            let mut said = String::new();
            while !said.contains("eady to accept") {
                if log.read_line(&mut said).expect("a log") == 0 {
                    panic!("it ended before it was ready: {said}");
                }
            }
            let id = Pid::from_child(&child);
            tell.send(id).expect("one who waits");
            drop(log.read_to_end(&mut Vec::new()));
            child.wait().expect("its end");
        });
        let id = told.recv().expect("a server that is ready");
        Self { id, end, running: Some(running) }
    }

    /// Ends it, and waits for that.
    pub(super) fn end(&mut self) {
        if let Some(running) = self.running.take() {
            if !running.is_finished() {
                kill_process(self.id, self.end).expect("a process");
            }
            drop(running.join());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
