//! How servers are reached.

use super::Command;
use clap::{Args, ValueHint};
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;

// The options of each subcommand that talks to a server. They may stand before the subcommand or after it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// The proxy: `http://HOST:PORT`, or `''` for none. Hosts in NO_PROXY are reached without it [env: HTTPS_PROXY,
    /// ALL_PROXY]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub proxy: Option<ProxyUrl>,
    /// A PEM file: trust only its certificate authorities [default: those of the system; on Linux, SSL_CERT_FILE replaces
    /// them]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,
}

/// The URL of a proxy. It may hold a password, so it is not printed, and it is read only after clap, whose errors would
/// repeat it.
#[derive(Clone, Deserialize, PartialEq, Eq)]
pub struct ProxyUrl(String);

impl ProxyUrl {
    /// The URL.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it has a user name or a password.
    pub fn has_user(&self) -> bool {
        self.0.contains('@')
    }
}

impl Network {
    /// Prefers the options after the subcommand to those before it.
    pub fn or(self, before: Self) -> Self {
        Self { proxy: self.proxy.or(before.proxy), cacert: self.cacert.or(before.cacert) }
    }
}

impl Command {
    /// Its options for the network, if it talks to a server.
    pub fn network(&mut self) -> Option<&mut Network> {
        match self {
            Self::Call(args) => Some(&mut args.network),
            Self::Login(args) => Some(&mut args.network),
            Self::Logout(args) => Some(&mut args.network),
            Self::Token(args) => Some(&mut args.network),
            Self::Completions(_) | Self::Demo(_) | Self::Man | Self::Status(_) => None,
        }
    }
}

impl From<String> for ProxyUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyUrl(..)")
    }
}
