//! A failed command: the reason, the advice, and the exit code for scripts.

use crate::name::Name;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    /// The kind, which decides the exit code.
    pub kind: Kind,
    /// The reason, with its place.
    pub message: String,
    /// Advice, if there is any.
    pub advice: Option<Advice>,
}

/// Advice for the user.
#[derive(Debug)]
pub enum Advice {
    /// A command to run, after words such as "sign in again with". Its profile is not known yet.
    Command {
        /// The words.
        words: String,
        /// The subcommand and its options.
        command: String,
    },
    /// Anything else.
    Text(String),
}

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The API answered with a status of 400 or more.
    ApiRefused,
    /// Wrong usage or configuration.
    Configuration,
    /// The user interrupted it.
    Interrupted,
    /// Nobody is signed in, or the sign-in has expired.
    LoginRequired,
    /// The server cannot be reached, or does not work.
    Network,
    /// A newer version wrote the stored sign-in.
    Outdated,
    /// The user or the authorization server refused.
    Refused,
    /// It took too long.
    TimedOut,
    /// Something unexpected.
    Unexpected,
}

impl Kind {
    /// The process's exit code.
    pub fn exit(self) -> u8 {
        match self {
            Self::Unexpected => 1,
            Self::Configuration | Self::Outdated => 2,
            Self::LoginRequired => 3,
            Self::Refused => 4,
            Self::Network => 5,
            Self::TimedOut => 6,
            Self::ApiRefused => 7,
            Self::Interrupted => 130,
        }
    }

    /// A failure of this kind.
    pub fn because(self, message: impl fmt::Display) -> Failure {
        Failure { kind: self, message: message.to_string(), advice: None }
    }
}

impl Failure {
    /// Adds advice.
    pub fn advise(self, advice: impl fmt::Display) -> Self {
        Self { advice: Some(Advice::Text(advice.to_string())), ..self }
    }

    /// Adds a command as advice, such as `login`, after `words`.
    pub fn advise_command(self, words: &str, command: impl Into<String>) -> Self {
        Self { advice: Some(Advice::Command { words: words.to_owned(), command: command.into() }), ..self }
    }

    /// Adds the options for the login of this name to a command in the advice.
    pub fn for_login(self, name: &Name) -> Self {
        match self.advice {
            Some(Advice::Command { words, command }) => {
                let command = name.command(&command);
                Self { advice: Some(Advice::Text(format!("{words} `{command}`"))), ..self }
            }
            advice => Self { advice, ..self },
        }
    }

    /// Removes a command from the advice, for commands that are not about a login.
    pub fn without_command(self) -> Self {
        let advice = self.advice.filter(|advice| !matches!(advice, Advice::Command { .. }));
        Self { advice, ..self }
    }

    /// Adds the address to a failure of the network.
    pub fn at(mut self, url: &str) -> Self {
        if matches!(self.kind, Kind::Network | Kind::TimedOut) {
            self.message = format!("{url}: {}", self.message);
        }
        self
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { words, command } => write!(f, "{words} `proofkey {command}`"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        failure.kind.exit().into()
    }
}
