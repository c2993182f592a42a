//! The output of the demo: numbered steps for people, lines of JSON for programs.

use crate::failure::Failure;
use crate::output::{self, STRONG};
use crate::parameter::parameter;
use anstyle::{AnsiColor, Style};
use proofkey_core::{Scope, TokensBuf};
use proofkey_devserver::{DevServer, Entry};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The steps shown so far.
#[derive(Debug)]
pub struct Story {
    as_json: bool,
    steps: AtomicUsize,
}

impl Story {
    /// A story without a step.
    pub const fn new(as_json: bool) -> Self {
        Self { as_json, steps: AtomicUsize::new(0) }
    }

    /// The heading.
    ///
    /// # Errors
    /// If standard output cannot be written. The same holds for the other methods.
    pub fn title(&self, text: &str) -> Result<(), Failure> {
        if self.as_json { Ok(()) } else { output::styled(format_args!("{STRONG}{text}{STRONG:#}")) }
    }

    /// A step, and its details.
    pub fn step(&self, name: &str, text: &str, seen: &[(&str, &str)]) -> Result<(), Failure> {
        let number = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        if self.as_json {
            let seen: Map<String, Value> = seen.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
            return output::json(&json!({"step": number, "name": name, "text": text, "seen": seen}));
        }
        output::styled(format_args!("\n{NUMBER}{number:>3}{NUMBER:#}  {STRONG}{text}{STRONG:#}"))?;
        let width = seen.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
        seen.iter().try_for_each(|(key, value)| match *key {
            "" => output::styled(format_args!("     {value}")),
            key => output::styled(format_args!("     {KEY}{key:<width$}{KEY:#}  {value}")),
        })
    }

    /// The URL to sign in at.
    pub fn url(&self, text: &str, url: &str, opened: bool) -> Result<(), Failure> {
        self.place("authorization_url", "authorize", text, url, opened)
    }

    /// The URL of the app.
    pub fn app(&self, text: &str, url: &str, opened: bool) -> Result<(), Failure> {
        self.place("app_url", "app", text, url, opened)
    }

    fn place(&self, event: &str, name: &str, text: &str, url: &str, opened: bool) -> Result<(), Failure> {
        if self.as_json {
            output::json(&json!({"event": event, "url": url, "opened": opened}))?;
        }
        self.step(name, text, &[("", url)])
    }

    /// Tokens, shortened: not even throw-away ones belong on a screen.
    pub fn tokens(&self, name: &str, text: &str, tokens: &TokensBuf) -> Result<(), Failure> {
        let expires_in = tokens.expires_in().map_or_else(|| "unknown".to_owned(), |seconds| format!("{seconds} s"));
        let refresh_token = tokens.refresh_token().map_or_else(|| "none".to_owned(), |token| short(token.expose()));
        let scope = match tokens.scope() {
            Scope::Granted(scope) => scope,
            Scope::Requested => "as requested",
            Scope::Unknown => "unknown",
        };
        self.step(
            name,
            text,
            &[
                ("access_token", &short(tokens.access_token().expose())),
                ("token_type", "Bearer"),
                ("expires_in", &expires_in),
                ("scope", scope),
                ("refresh_token", &refresh_token),
            ],
        )
    }

    /// The last line.
    pub fn end(&self, text: &str) -> Result<(), Failure> {
        if self.as_json { output::json(&json!({"event": "done"})) } else { output::styled(format_args!("\n{text}")) }
    }

    /// A request that the server got, if it belongs to the sign-in.
    fn entry(&self, entry: &Entry) -> Result<(), Failure> {
        let body = |name: &str| short(&parameter(&entry.body, name));
        match (entry.method.as_str(), entry.path.as_str(), entry.status) {
            ("GET", "/connect/authorize", 200) => self.step("sign-in-page", "The server shows its sign-in page", &[]),
            ("POST", "/connect/login", 303) if parameter(&entry.body, "action") == "sign-in" => {
                self.step("signed-in", "The user signs in", &[("user", &parameter(&entry.body, "username"))])
            }
            ("POST", "/connect/login", 303) => self.step("cancelled", "The user cancels", &[]),
            ("GET", "/connect/consent", 200) => self.step("consent-page", "The server asks for consent", &[]),
            ("POST", "/connect/consent", 303) if parameter(&entry.body, "action") == "allow" => self.step(
                "consented",
                "The user gives consent; the browser comes back with code, state and iss, and all three are checked",
                &[],
            ),
            ("POST", "/connect/consent", 303) => self.step("denied", "The user denies access", &[]),
            ("POST", "/connect/token", status) => self.step(
                "exchange",
                "Send the code and the verifier to the token endpoint; the server compares the hash of the verifier",
                &[
                    ("grant_type", &parameter(&entry.body, "grant_type")),
                    ("client_id", &parameter(&entry.body, "client_id")),
                    ("code", &body("code")),
                    ("code_verifier", &body("code_verifier")),
                    ("redirect_uri", &parameter(&entry.body, "redirect_uri")),
                    ("status", &status.to_string()),
                ],
            ),
            _ => Ok(()),
        }
    }
}

/// Shows the requests that the server gets during the sign-in.
#[derive(Debug, Default)]
pub struct Follower {
    ended: AtomicBool,
}

impl Follower {
    /// Follows the server's log until the end.
    ///
    /// # Errors
    /// As [`Story::step`].
    pub fn follow(&self, server: &DevServer, story: &Story) -> Result<(), Failure> {
        loop {
            let ended = self.ended.load(Ordering::SeqCst);
            server.take_log().iter().try_for_each(|entry| story.entry(entry))?;
            if ended {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Shows the remaining requests and ends.
    pub fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// The first characters of a secret, and its length.
pub fn short(secret: &str) -> String {
    let start: String = secret.chars().take(6).collect();
    format!("{start}… ({} characters)", secret.chars().count())
}

const KEY: Style = Style::new().dimmed();
const NUMBER: Style = AnsiColor::Green.on_default().bold();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_shortened() {
        assert_eq!(short("abcdefghij"), "abcdef… (10 characters)");
    }
}
