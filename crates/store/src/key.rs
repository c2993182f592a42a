//! The [`Key`] of a login.

use proofkey_core::{Client, Endpoint};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names a stored login. Two servers, two clients or two accounts never share one.
///
/// ```
/// use proofkey_core::{Client, Server};
/// use proofkey_store::Key;
///
/// let client = Client::new("my-app", "http://127.0.0.1/callback", Server::ITWIN)?;
/// assert_eq!(Key::of(client, "alice"), Key::new("https://ims.bentley.com", "my-app", "alice"));
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The issuer, or the authorization endpoint if the issuer is not known.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// A name that the user or the application gives the account, such as `default` or the user's id in a service.
    pub account: String,
}

impl Key {
    /// A key of these parts.
    #[must_use]
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>, account: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), client_id: client_id.into(), account: account.into() }
    }

    /// The key of a client's login at its server: under the issuer, or under the authorization endpoint if the issuer is not
    /// known.
    #[must_use]
    pub fn of(client: Client<'_>, account: impl Into<String>) -> Self {
        let server = client.server();
        let issuer = server.issuer().or_else(|| server.endpoint(Endpoint::Authorization)).unwrap_or_default();
        Self::new(issuer, client.id(), account)
    }

    /// A name of 64 hexadecimal digits, unique to the key and without any of its text: for a file, a row or an entry.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.issuer, &self.client_id, &self.account] {
            hash.update(part.len().to_string());
            hash.update(":");
            hash.update(part);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
