//! The users of a service, and their logins.

use proofkey_core::session::{LoginId, Version};
use proofkey_core::{Client, ClientBuf, Server};
use proofkey_store::{Key, Record, Secret};
use std::time::{Duration, SystemTime};

/// The client of the server there.
///
/// # Panics
/// If `origin` is not an origin.
#[must_use]
pub fn client(origin: &str) -> ClientBuf {
    let (authorize, token) = (format!("{origin}/authorize"), format!("{origin}/token"));
    let server = Server::new(&authorize, &token);
    Client::new("my-client-id", "http://127.0.0.1/callback", server).expect("a client").into()
}

/// The name of a user.
#[must_use]
pub fn name(user: usize) -> String {
    format!("user-{user:07}")
}

/// The login of a user, who has signed in now, for an hour.
#[must_use]
pub fn record(client: Client<'_>, user: usize) -> Record {
    let mut record = Record::new(Key::of(client, name(user)), Secret::new("a".repeat(256)));
    record.refresh_token = Some(Secret::new("r".repeat(86)));
    record.requested_at = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    record.expires_in = Some(3599);
    record
}

/// The version of a user's login.
#[must_use]
pub const fn version(user: usize) -> Version {
    Version::first(LoginId::new(1_700_000_000, None, user as u64))
}

/// A user, in an order in which each of so many comes once before any comes again.
#[must_use]
pub const fn any(call: usize, users: usize) -> usize {
    call.wrapping_mul(STEP) % users
}

/// A prime that does not divide a number of users.
const STEP: usize = 7_368_787;

/// How long an idle connection is kept: longer than any round.
pub const KEPT: Duration = Duration::from_secs(60);
