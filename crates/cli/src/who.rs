//! Who signed in, by the ID token of the login, and whether the account is named after somebody else.

use crate::name::Name;
use crate::output;
use proofkey_core::ClaimsBuf;
use proofkey_native::Record;
use serde::Serialize;
use std::fmt;

/// The user of a login.
#[derive(Clone, Debug, Serialize)]
pub struct Who<'r> {
    sub: &'r str,
    /// None if the server named no name.
    name: Option<&'r str>,
    /// Further names, as the user types them to sign in.
    #[serde(skip)]
    others: &'r str,
}

impl<'r> Who<'r> {
    /// The user that a record names.
    pub fn of(record: &'r Record) -> Option<Self> {
        let user = record.user.as_ref()?;
        let others = record.notes.get(NOTE).map_or("", String::as_str);
        Some(Self { sub: &user.sub, name: user.name.as_deref(), others })
    }

    /// Warns if the account of this name is somebody else's: `--account bob` is signed in as alice. An account may be named after
    /// any part of what the server calls the user.
    pub fn warn_if_not(&self, name: &Name) {
        let Some(account) = name.own_account().map(str::to_lowercase) else { return };
        let names = [self.sub, self.name.unwrap_or_default()].into_iter().chain(self.others.lines());
        if !names.into_iter().any(|name| name.to_lowercase().contains(&account)) {
            output::warn(format_args!("account `{}` is signed in as {self}", name.account));
        }
    }
}

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.others.lines().next().unwrap_or(self.sub);
        match self.name {
            Some(name) if name != first => {
                write!(f, "{} ({})", output::one_line(name), output::one_line(first))
            }
            _ => f.write_str(&output::one_line(first)),
        }
    }
}

/// Notes the names in a record that the record itself has no place for.
pub fn note(record: &mut Record, user: &ClaimsBuf) {
    let claims = user.as_claims();
    let names: Vec<&str> = [claims.preferred_username(), claims.email()].into_iter().flatten().collect();
    if !names.is_empty() {
        record.notes.insert(NOTE.to_owned(), names.join("\n"));
    }
}

const NOTE: &str = "user_names";
