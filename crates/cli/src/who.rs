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

    /// Warns if the account is named after somebody else: `--account bob` is signed in as alice. Its name means a user if it is an
    /// email address, or if that user has signed in under it before. Any other name is a label, such as `work`.
    pub fn warn_if_not(&self, name: &Name, is_named_after_user: bool) {
        let means_user = is_named_after_user || is_email(&name.account);
        if means_user && name.own_account().is_some() && !self.is_called(name) {
            output::warn(format_args!("account `{}` is signed in as {self}", name.account));
        }
    }

    /// Whether the account is named after this user: after any part of what the server calls them.
    fn is_called(&self, name: &Name) -> bool {
        let account = name.account.to_lowercase();
        let names = [self.sub, self.name.unwrap_or_default()].into_iter().chain(self.others.lines());
        names.into_iter().any(|name| name.to_lowercase().contains(&account))
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

/// Whether the account is named after the user whom the server has just named.
pub fn is_named_after(name: &Name, user: &ClaimsBuf) -> bool {
    let claims = user.as_claims();
    let others = names(user).join("\n");
    name.own_account().is_some() && Who { sub: claims.sub(), name: claims.name(), others: &others }.is_called(name)
}

fn names(user: &ClaimsBuf) -> Vec<&str> {
    let claims = user.as_claims();
    [claims.preferred_username(), claims.email()].into_iter().flatten().collect()
}

fn is_email(account: &str) -> bool {
    account.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
}

/// Notes the names in a record that the record itself has no place for.
pub fn note(record: &mut Record, user: &ClaimsBuf) {
    let names = names(user);
    if !names.is_empty() {
        record.notes.insert(NOTE.to_owned(), names.join("\n"));
    }
}

const NOTE: &str = "user_names";
