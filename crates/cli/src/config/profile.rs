//! A profile of the configuration file.

use crate::args::{self, ProxyUrl, StoreKind};
use crate::endpoints::{self, Endpoints};
use crate::hosts::ApiHost;
use crate::provider::Provider;
use crate::{network, secret};
use proofkey_core::{Client, ConfigError, Endpoint, Server};
use proofkey_native::Secret;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// One profile of the file. Each value was checked on its own.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields, remote = "Self")]
pub struct Profile {
    /// The server, by name.
    pub provider: Option<Provider>,
    /// The server, by its issuer.
    #[serde(deserialize_with = "issuer")]
    pub issuer: Option<String>,
    /// The server, by its endpoints: each has a key of its own in the profile.
    #[serde(skip)]
    pub endpoints: Endpoints,
    /// The client id.
    #[serde(deserialize_with = "client_id")]
    pub client_id: Option<String>,
    /// The embedded secret of the client.
    #[serde(deserialize_with = "embedded_secret")]
    pub embedded_secret: Option<Secret>,
    /// The file that holds the embedded secret. A relative path starts at the configuration file.
    pub embedded_secret_file: Option<PathBuf>,
    /// Whether the embedded secret is sent in the header `Authorization: Basic`.
    pub embedded_secret_in_header: bool,
    /// The redirect URI.
    #[serde(deserialize_with = "redirect_uri")]
    pub redirect_uri: Option<String>,
    /// Whether the parameters of a login are pushed.
    pub push: bool,
    /// Whether the tokens are bound to a key.
    pub dpop: bool,
    /// The scope.
    pub scope: Option<Vec<String>>,
    /// The account to use if none is named.
    #[serde(deserialize_with = "name")]
    pub account: Option<String>,
    /// Where to keep the tokens.
    pub store: Option<StoreKind>,
    /// The hosts that the token may be sent to.
    pub api_hosts: Vec<ApiHost>,
    /// Extra parameters for the authorization URL.
    pub extra: BTreeMap<String, String>,
    /// The proxy; empty for none.
    #[serde(deserialize_with = "proxy")]
    pub proxy: Option<ProxyUrl>,
    /// The file with the only certificate authorities to trust. A relative path starts at the configuration file.
    pub cacert: Option<PathBuf>,
}

impl Profile {
    /// Checks the values that depend on each other.
    pub(super) fn consistent(self) -> Result<Self, String> {
        let endpoint = self.endpoints.iter().next().map(|(endpoint, _)| endpoint.name());
        let servers = [self.provider.is_some(), self.issuer.is_some(), endpoint.is_some()];
        if servers.into_iter().filter(|given| *given).count() > 1 {
            let endpoint = endpoint.unwrap_or(Endpoint::Token.name());
            return Err(format!("give only one of `provider`, `issuer`, and endpoints (`{endpoint}`)"));
        }
        if !self.endpoints.is_empty() && !self.endpoints.are_enough() {
            return Err("`token_endpoint` and `authorization_endpoint` (or `device_authorization_endpoint`) belong \
                        together, and the other endpoints to them"
                .to_owned());
        }
        if self.embedded_secret.is_some() && self.embedded_secret_file.is_some() {
            return Err("give only one of `embedded_secret` and `embedded_secret_file`".to_owned());
        }
        Ok(self)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Profile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a profile")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Profile, A::Error> {
        let mut endpoints = Endpoints::default();
        let others = Others { map, endpoints: &mut endpoints };
        let profile = Profile::deserialize(MapAccessDeserializer::new(others))?;
        Ok(Profile { endpoints, ..profile })
    }
}

/// The entries of a profile without the endpoints, which it collects.
struct Others<'e, A> {
    map: A,
    endpoints: &'e mut Endpoints,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Others<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, mut seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.map.next_key_seed(Key(seed))? {
                Some(Either::Endpoint(endpoint, unused)) => {
                    let url = self.map.next_value_seed(Url(endpoint))?;
                    self.endpoints.set(endpoint, url);
                    seed = unused;
                }
                Some(Either::Other(key)) => return Ok(Some(key)),
                None => return Ok(None),
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A key. It is read inside of the map, which adds the line to an error.
struct Key<K>(K);

enum Either<K, V> {
    Endpoint(Endpoint, K),
    Other(V),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<K> {
    type Value = Either<K, K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let name = String::deserialize(deserializer)?;
        match endpoints::named(&name) {
            Some(endpoint) => Ok(Either::Endpoint(endpoint, self.0)),
            None => self.0.deserialize(name.into_deserializer()).map(Either::Other),
        }
    }
}

struct Url(Endpoint);

impl<'de> DeserializeSeed<'de> for Url {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let url = String::deserialize(deserializer)?;
        endpoints::check(self.0, &url).map_err(D::Error::custom)?;
        Ok(url)
    }
}

/// A text that passes `check`.
fn checked<'de, D: Deserializer<'de>>(
    deserializer: D,
    check: impl FnOnce(&str) -> Result<(), ConfigError>,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    check(&text).map_err(D::Error::custom)?;
    Ok(Some(text))
}

fn issuer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |issuer| Client::new(ID, LOOPBACK, Server::ITWIN.with_issuer(issuer)).map(drop))
}

fn client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |id| Client::new(id, LOOPBACK, Server::ITWIN).map(drop))
}

fn embedded_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(checked(deserializer, secret::check)?.map(Secret::new))
}

fn redirect_uri<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |uri| Client::new(ID, uri, Server::ITWIN).map(drop))
}

fn proxy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProxyUrl>, D::Error> {
    let url = ProxyUrl::deserialize(deserializer)?;
    network::proxies(&url).map_err(D::Error::custom)?;
    Ok(Some(url))
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    args::name(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

const ID: &str = "client";
const LOOPBACK: &str = "http://127.0.0.1/callback";
