//! The [`Name`] of a login.

use proofkey_native::Key;
use std::fmt;

/// The name of a login: its profile, and the account in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The profile.
    pub profile: String,
    /// The account.
    pub account: String,
}

impl Name {
    /// A name without an account means the default one.
    pub fn new(profile: &str, account: Option<String>) -> Self {
        Self { profile: profile.to_owned(), account: account.unwrap_or_else(|| DEFAULT.to_owned()) }
    }

    /// The account, unless it is the default one.
    pub fn own_account(&self) -> Option<&str> {
        Some(&*self.account).filter(|account| *account != DEFAULT)
    }

    /// A command line that names this login.
    pub fn command(&self, command: &str) -> String {
        let option =
            |option: &str, name: &str| if name == DEFAULT { String::new() } else { format!(" --{option} {name}") };
        format!("proofkey {command}{}{}", option("profile", &self.profile), option("account", &self.account))
    }

    /// The name of the note with its settings, which is also the account in the key of its record.
    pub fn note(&self) -> String {
        format!("{}/{}", self.profile, self.account)
    }

    /// The name in a record's key. No part of it holds a slash.
    pub fn of_key(key: &Key) -> Option<Self> {
        let (profile, account) = key.account.split_once('/')?;
        Some(Self { profile: profile.to_owned(), account: account.to_owned() })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.profile.as_str(), self.account.as_str()) {
            (profile, DEFAULT) => write!(f, "profile `{profile}`"),
            (profile, account) => write!(f, "profile `{profile}`, account `{account}`"),
        }
    }
}

const DEFAULT: &str = "default";
