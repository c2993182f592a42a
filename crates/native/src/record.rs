//! What is kept: a [`Record`] of one sign-in, under its [`Key`].

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// Whose tokens they are. Two servers, two clients or two accounts never share a record.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The issuer, or the authorization endpoint if the issuer is not known.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// A name that the user or the application gives the account.
    pub account: String,
}

/// One sign-in: its tokens, and what is needed to refresh and to revoke them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Whose tokens they are.
    pub key: Key,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// When the tokens were asked for, in seconds since 1970.
    pub requested_at: u64,
    /// The access token's lifetime from then on, in seconds, if the server told it.
    pub expires_in: Option<u32>,
    /// The scope that was requested.
    pub requested_scope: Vec<String>,
    /// The scope that the server said it granted; `None` means the requested one.
    pub granted_scope: Option<String>,
    /// The redirect URI of the client.
    pub redirect_uri: String,
    /// The authorization endpoint.
    pub authorization_endpoint: String,
    /// The token endpoint, the only place that the refresh token is sent to.
    pub token_endpoint: String,
    /// The revocation endpoint, if the server has one.
    pub revocation_endpoint: Option<String>,
    /// What else the application wants to keep. Nothing secret.
    pub notes: BTreeMap<String, String>,
}

impl Record {
    /// A record with an access token and nothing else.
    #[must_use]
    pub fn new(key: Key, access_token: Secret) -> Self {
        Self {
            key,
            access_token,
            refresh_token: None,
            requested_at: 0,
            expires_in: None,
            requested_scope: Vec::new(),
            granted_scope: None,
            redirect_uri: String::new(),
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            revocation_endpoint: None,
            notes: BTreeMap::new(),
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        // The room is made at once: a buffer that grows leaves copies of the secrets behind.
        let mut json = Zeroizing::new(Vec::with_capacity(JSON_ROOM));
        Stored::serialize(self, &mut serde_json::Serializer::new(&mut *json))?;
        Ok(json)
    }

    pub(crate) fn from_json(json: &[u8]) -> serde_json::Result<Self> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let record = Stored::deserialize(&mut reader)?;
        reader.end().map(|()| record)
    }
}

/// A text that is wiped from memory when it is dropped, and that cannot be printed or serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret in.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// How a record is written. It is private, so that only a store can write secrets down.
#[derive(Deserialize, Serialize)]
#[serde(remote = "Record", deny_unknown_fields)]
struct Stored {
    key: Key,
    #[serde(with = "secret")]
    access_token: Secret,
    #[serde(with = "secret_option")]
    refresh_token: Option<Secret>,
    requested_at: u64,
    expires_in: Option<u32>,
    requested_scope: Vec<String>,
    granted_scope: Option<String>,
    redirect_uri: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    notes: BTreeMap<String, String>,
}

mod secret {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

mod secret_option {
    use super::Secret;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
        Option::<String>::deserialize(deserializer).map(|text| text.map(Secret::new))
    }
}

const JSON_ROOM: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_of_secrets_does_not_grow() {
        let key = Key { issuer: "i".into(), client_id: "c".into(), account: "a".into() };
        let record = Record::new(key, Secret::new("x".repeat(60 * 1024)));
        assert_eq!(record.to_json().unwrap().capacity(), 64 * 1024);
    }
}
