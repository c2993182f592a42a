//! One event for each outcome, for those who watch a service. None holds a secret.

use super::error::SessionError;
use proofkey_store::Key;

/// What became of a login.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "nobody is told"))]
pub(super) enum Told<'e> {
    /// Another party had refreshed it.
    Adopted,
    /// The user signed in.
    Began,
    /// There is no token.
    Failed(&'e SessionError),
    /// This process refreshed it.
    Refreshed,
    /// The user signed out.
    SignedOut,
    /// There is a token, and something is wrong.
    Trouble(&'e SessionError),
}

#[cfg(feature = "tracing")]
pub(super) fn tell(key: &Key, told: Told<'_>) {
    let Key { issuer, client_id, account } = key;
    match told {
        Told::Adopted => tracing::debug!(target: TARGET, issuer, client_id, account, "adopted"),
        Told::Began => tracing::info!(target: TARGET, issuer, client_id, account, "signed in"),
        Told::Failed(error) => {
            tracing::warn!(target: TARGET, issuer, client_id, account, %error, advice = ?error.advice(), "no token");
        }
        Told::Refreshed => tracing::info!(target: TARGET, issuer, client_id, account, "refreshed"),
        Told::SignedOut => tracing::info!(target: TARGET, issuer, client_id, account, "signed out"),
        Told::Trouble(error) => {
            tracing::warn!(target: TARGET, issuer, client_id, account, %error, "valid, with trouble");
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(super) fn tell(_: &Key, _: Told<'_>) {}

#[cfg(feature = "tracing")]
const TARGET: &str = "proofkey::session";
