//! A [`Record`] of one login: the value that is stored under its [`Key`].

use crate::format;
use crate::key::Key;
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{
    AccessToken, Claims, Client, ConfigError, Endpoint, Feature, IdToken, Quirk, Scope, Server, Thumbprint, Tokens,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::{error, fmt};
use zeroize::{Zeroize, Zeroizing};

/// One sign-in: its tokens, and the data to refresh and revoke them.
///
/// ```
/// use proofkey_store::{Key, Record, Secret};
///
/// let key = Key::new("https://as.example", "my-app", "alice");
/// let mut record = Record::new(key, Secret::new("AT1".to_owned()));
/// record.refresh_token = Some(Secret::new("RT1".to_owned()));
/// let bytes = record.to_bytes().expect("it is short");
/// assert_eq!(Record::from_bytes(&bytes)?.access_token.expose(), "AT1");
/// # Ok::<(), proofkey_store::RecordError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// Identifies the record.
    pub key: Key,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// The time of the token request, in seconds since 1970.
    pub requested_at: u64,
    /// The access token's lifetime from then on in seconds, if the server gave it.
    pub expires_in: Option<u32>,
    /// The scope that was requested.
    pub requested_scope: Vec<String>,
    /// The granted scope, if the server named it; `None` means the requested scope.
    pub granted_scope: Option<String>,
    /// The redirect URI of the client; empty if it has none.
    pub redirect_uri: String,
    /// The embedded secret of the client, if it has one (RFC 8252 section 8.5).
    pub embedded_secret: Option<Secret>,
    /// The server's issuer, if it is known.
    pub issuer: Option<String>,
    /// The server's endpoints by [`Endpoint::name`]. The refresh token is sent to the token endpoint only.
    pub endpoints: BTreeMap<String, String>,
    /// The server's features by [`Feature::name`].
    pub features: BTreeSet<String>,
    /// What the server does otherwise than the specifications say, by [`Quirk::name`].
    pub quirks: BTreeSet<String>,
    /// Further texts of the application. They must not be secret.
    pub notes: BTreeMap<String, String>,
    /// Why the server no longer accepts the refresh token, if that is so. The access token may still be valid.
    pub ended: Option<Ended>,
    /// The end of the refresh token in seconds since 1970, if the server gives it (`refresh_token_expires_in`).
    pub refresh_ends_at: Option<u64>,
    /// Whether a refresh brings a new refresh token, if that is known.
    pub rotates: Option<bool>,
    /// Access tokens for a resource (RFC 8707), by its identifier. [`access_token`](Self::access_token) is that of the whole login.
    pub resources: BTreeMap<String, ResourceToken>,
    /// The thumbprint of the key that the tokens are bound to, if they are bound (RFC 9449).
    pub bound_to: Option<Thumbprint>,
    /// That key itself, if it is kept [here](Self::set_signing_key).
    pub(crate) signing_key: Option<Secret>,
    /// Who signed in, if the server said so and it was checked.
    pub user: Option<User>,
    pub(crate) others: Others,
}

/// Who signed in ([`Record::user`]).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The user, as the server names them: nobody else is ever named so there.
    pub sub: String,
    /// A name to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ID token of the login or of its last refresh, to sign out at the server with.
    #[serde(default, with = "format::secret_option", skip_serializing_if = "Option::is_none")]
    pub id_token: Option<Secret>,
}

impl User {
    /// A user by these claims. The name to show is the full name, the short one, or the address.
    #[must_use]
    pub fn of(claims: Claims<'_>, id_token: Option<IdToken<'_>>) -> Self {
        let names = [claims.name(), claims.preferred_username(), claims.email()];
        Self {
            sub: claims.sub().to_owned(),
            name: names.into_iter().flatten().next().map(str::to_owned),
            id_token: id_token.map(|token| Secret::new(token.expose().to_owned())),
        }
    }
}

/// Why a login has ended ([`Record::ended`]).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Ended {
    /// The refusal of the server.
    pub why: String,
    /// When the refresh token was sent before without an answer, in seconds since 1970: then the answer had the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at: Option<u64>,
}

impl Ended {
    /// The server's refusal; `lost_at` is when an earlier answer was lost.
    #[must_use]
    pub const fn new(why: String, lost_at: Option<u64>) -> Self {
        Self { why, lost_at }
    }
}

/// An access token for one resource ([`Record::resources`]).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ResourceToken {
    /// The access token.
    #[serde(with = "format::secret")]
    pub access_token: Secret,
    /// The time of the token request, in seconds since 1970.
    pub requested_at: u64,
    /// The lifetime from then on in seconds, if the server gave it.
    pub expires_in: Option<u32>,
}

impl ResourceToken {
    /// An access token that was asked for at `requested_at`, in seconds since 1970.
    #[must_use]
    pub const fn new(access_token: Secret, requested_at: u64, expires_in: Option<u32>) -> Self {
        Self { access_token, requested_at, expires_in }
    }
}

/// Why bytes are not a record. It holds nothing of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RecordError {
    /// They are damaged, or were edited.
    Corrupt(
        /// The problem.
        &'static str,
    ),
    /// They have a newer format, with this number.
    Newer(u32),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(fault) => f.write_str(fault),
            Self::Newer(format) => {
                write!(f, "it has format {format}, and this version reads formats up to {}", format::FORMAT)
            }
        }
    }
}

impl error::Error for RecordError {}

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
            embedded_secret: None,
            issuer: None,
            endpoints: BTreeMap::new(),
            features: BTreeSet::new(),
            quirks: BTreeSet::new(),
            notes: BTreeMap::new(),
            ended: None,
            refresh_ends_at: None,
            rotates: None,
            resources: BTreeMap::new(),
            bound_to: None,
            signing_key: None,
            user: None,
            others: Others::default(),
        }
    }

    /// The record as bytes, to store it; none if they are more than half a mebibyte.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        format::encode(self)
    }

    /// The record in these bytes, also if an earlier version wrote them.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        Self::newer_format(bytes).map_or(Ok(()), |format| Err(RecordError::Newer(format)))?;
        format::decode(bytes).map_err(RecordError::Corrupt)
    }

    /// The number of the format of a record that a newer version wrote.
    #[must_use]
    pub fn newer_format(bytes: &[u8]) -> Option<u32> {
        format::newer(bytes)
    }

    /// A record of what a server granted, for the requested `scope`. `requested_at` is in seconds since 1970.
    #[must_use]
    pub fn of_login(key: Key, client: Client<'_>, scope: &[&str], tokens: Tokens<'_>, requested_at: u64) -> Self {
        let mut record = Self::new(key, Secret::new(tokens.access_token().expose().to_owned()));
        record.refresh_token = tokens.refresh_token().map(|token| Secret::new(token.expose().to_owned()));
        record.requested_at = requested_at;
        record.expires_in = tokens.expires_in();
        record.refresh_ends_at = tokens.refresh_expires_in().map(|left| requested_at.saturating_add(left.into()));
        record.requested_scope = scope.iter().map(|word| (*word).to_owned()).collect();
        record.set_granted_scope(tokens.scope());
        record.bound_to = client.key().copied();
        client.redirect_uri().clone_into(&mut record.redirect_uri);
        record.embedded_secret = client.embedded_secret().map(|secret| Secret::new(secret.to_owned()));
        record.set_server(&client.server());
        record
    }

    /// Takes the scope that the server names, if it names one.
    pub fn set_granted_scope(&mut self, scope: Scope<'_>) {
        if let Scope::Granted(_) = scope {
            let requested: Vec<_> = self.requested_scope.iter().map(String::as_str).collect();
            self.granted_scope = Some(scope.words(&requested).collect::<Vec<_>>().join(" "));
        }
    }

    /// The client at the server that issued the tokens, bound to their key.
    ///
    /// # Errors
    /// [`ConfigError`] if the record was not made of a client.
    pub fn client(&self) -> Result<Client<'_>, ConfigError> {
        let (id, server) = (&self.key.client_id, self.server());
        let client = match self.redirect_uri.as_str() {
            "" => Client::without_redirect(id, server),
            redirect_uri => Client::new(id, redirect_uri, server),
        }?;
        let client = self.bound_to.as_ref().map_or(Ok(client), |key| client.bound_to_thumbprint(key))?;
        self.embedded_secret.as_ref().map_or(Ok(client), |secret| client.with_embedded_secret(secret.expose()))
    }

    /// The access token, to call an API with; bound to a key if the login is.
    ///
    /// # Errors
    /// [`ConfigError::AccessToken`] if it cannot be sent.
    pub fn access_token(&self) -> Result<AccessToken<'_>, ConfigError> {
        let token = AccessToken::new(self.access_token.expose())?;
        Ok(if self.bound_to.is_some() { token.bound() } else { token })
    }

    /// The private key that the tokens are bound to, as [`set_signing_key`](Self::set_signing_key) was given it.
    #[must_use]
    pub fn signing_key(&self) -> Option<Zeroizing<Vec<u8>>> {
        let text = self.signing_key.as_ref()?.expose();
        let mut key = Zeroizing::new(vec![0; text.len()]);
        let length = Base64UrlUnpadded::decode(text, &mut key).ok()?.len();
        key.truncate(length);
        Some(key)
    }

    /// Keeps the private key beside the tokens, such as `SigningKey::to_pkcs8` of the adapters, so that the login survives a
    /// restart. Whoever reads the record can then use the tokens: it is for a program that has no better place, and whose records
    /// are as safe as any file of its user. A service keeps its key with its configuration, so that a stolen table of records is
    /// worth nothing.
    pub fn set_signing_key(&mut self, key: &[u8]) {
        self.signing_key = Some(Secret::new(Base64UrlUnpadded::encode_string(key)));
    }

    /// The server that the tokens come from.
    #[must_use]
    pub fn server(&self) -> Server<'_> {
        let url = |endpoint: Endpoint| self.endpoints.get(endpoint.name()).map(String::as_str);
        let token = url(Endpoint::Token).unwrap_or_default();
        let mut server = match (url(Endpoint::Authorization), url(Endpoint::DeviceAuthorization)) {
            (None, Some(device)) => Server::device(device, token),
            (authorization, _) => Server::new(authorization.unwrap_or_default(), token),
        };
        for endpoint in Endpoint::ALL {
            server = url(*endpoint).map_or(server, |url| server.with(*endpoint, url));
        }
        for feature in Feature::ALL.iter().filter(|feature| self.features.contains(feature.name())) {
            server = server.with_feature(*feature);
        }
        for quirk in Quirk::ALL.iter().filter(|quirk| self.quirks.contains(quirk.name())) {
            server = server.with_quirk(*quirk);
        }
        self.issuer.as_deref().map_or(server, |issuer| server.with_issuer(issuer))
    }

    /// Replaces issuer, endpoints, features and quirks by those of `server`.
    pub fn set_server(&mut self, server: &Server<'_>) {
        let url = |endpoint: &Endpoint| Some((endpoint.name().to_owned(), server.endpoint(*endpoint)?.to_owned()));
        let features = Feature::ALL.iter().filter(|feature| server.has(**feature));
        self.issuer = server.issuer().map(str::to_owned);
        self.endpoints = Endpoint::ALL.iter().filter_map(url).collect();
        let quirks = Quirk::ALL.iter().filter(|quirk| server.has_quirk(**quirk));
        self.features = features.map(|feature| feature.name().to_owned()).collect();
        self.quirks = quirks.map(|quirk| quirk.name().to_owned()).collect();
    }
}

/// A text that is wiped from memory on drop, and cannot be printed or serialised.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
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

/// Members of a record that this version does not know. They may be secret, so they are wiped and not printed.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(crate) struct Others(BTreeMap<String, Value>);

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::String(text) => text.zeroize(),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_member_has_no_text_left() {
        let mut member = serde_json::json!(["secret", { "in": ["secret"] }]);
        wipe(&mut member);
        assert_eq!(member, serde_json::json!(["", { "in": [""] }]));
    }
}
