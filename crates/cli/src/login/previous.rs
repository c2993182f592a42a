//! The sign-in that a new one of the same name replaces: its refresh token stays alive at the server.

use crate::args;
use crate::failure::Failure;
use crate::name::Name;
use crate::output;
use proofkey_core::{Client, Endpoint, RefreshToken, Revocable};
use proofkey_native::{Record, Secret};
use proofkey_ureq::Http;
use serde::Serialize;

/// The fate of the previous sign-in's refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Previous {
    /// It was not revoked, and may still be valid.
    Alive,
    /// It was revoked.
    Revoked,
}

/// Revokes it if that was asked for. RFC 7009 section 2.1 lets a server end the whole grant then, and with it the new
/// sign-in, so it is never done unasked. None if there was none, or the new sign-in has the same one.
pub fn end(args: &args::Login, http: &Http, client: Client<'_>, before: &Record, now: &Record) -> Option<Previous> {
    let [old, new] = [before, now].map(|record| record.refresh_token.as_ref().map(Secret::expose));
    let old = old.filter(|old| new != Some(old))?;
    if !args.revoke_previous {
        return Some(Previous::Alive);
    }
    let revoke = || -> Result<(), Failure> {
        let token = Revocable::Refresh(RefreshToken::new(old)?);
        let endpoint = client.server().endpoint(Endpoint::Revocation).unwrap_or_default();
        http.revoke(client, token).map_err(|error| Failure::from(error).at(endpoint))
    };
    Some(match revoke() {
        Ok(()) => Previous::Revoked,
        Err(failure) => {
            output::warn(format_args!("the previous refresh token could not be revoked: {}", failure.message));
            Previous::Alive
        }
    })
}

impl Previous {
    /// Tells the user.
    pub fn note(self, name: &Name) {
        match self {
            Self::Alive => output::note(format_args!(
                "The refresh token of the previous sign-in was not revoked and may still be valid at the server.\n\
                 (`{}` revokes it, but only use that if your server revokes single tokens.)",
                name.command("login --revoke-previous")
            )),
            Self::Revoked => output::note("The refresh token of the previous sign-in is revoked."),
        }
    }
}
