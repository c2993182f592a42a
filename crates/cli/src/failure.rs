//! What went wrong, what to do now, and the exit code that says so to a script.

use serde::Serialize;
use std::fmt;
use std::process::ExitCode;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// Whose fault it is, and with it the exit code.
    pub kind: Kind,
    /// What happened, and where.
    pub message: String,
    /// What to do now, where there is anything to add.
    pub advice: Option<String>,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The API answered with a status of 400 or more.
    ApiRefused,
    /// Wrong usage or configuration.
    Configuration,
    /// The user interrupted it.
    Interrupted,
    /// Nobody is signed in, or not any longer.
    LoginRequired,
    /// The server cannot be reached, or is out of order.
    Network,
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
            Self::Configuration => 2,
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
    /// Adds what to do now.
    pub fn advise(self, advice: impl fmt::Display) -> Self {
        Self { advice: Some(advice.to_string()), ..self }
    }

    /// Adds the address that did not answer, where that is what happened.
    pub fn at(mut self, url: &str) -> Self {
        if matches!(self.kind, Kind::Network | Kind::TimedOut) {
            self.message = format!("{url}: {}", self.message);
        }
        self
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        failure.kind.exit().into()
    }
}
