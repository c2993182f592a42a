//! The settings of a login: from the options, else the configuration file, else the last login.

use crate::args::{self, StoreKind};
use crate::config::{Config, Profile};
use crate::endpoints::Endpoints;
use crate::failure::{Failure, Kind};
use crate::hosts::ApiHost;
use crate::provider::Provider;
use proofkey_core::{Endpoint, Server};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The settings of a login. They hold no secret. A newer version may have stored further ones.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// The server.
    pub server: Choice,
    /// The client id.
    pub client_id: String,
    /// The file with the embedded secret, if it is not in the configuration file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded_secret_file: Option<PathBuf>,
    /// Whether the embedded secret is sent in the header `Authorization: Basic`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub embedded_secret_in_header: bool,
    /// The redirect URI as it is registered.
    pub redirect_uri: String,
    /// Whether the parameters of a login are pushed (RFC 9126).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub push: bool,
    /// Whether the tokens are bound to a key (RFC 9449).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop: bool,
    /// The scope to request; empty for the server's default.
    pub scope: Vec<String>,
    /// Extra parameters for the authorization URL.
    pub extra: Vec<(String, String)>,
    /// The hosts that `login --api-host` allowed, and the provider's own.
    pub api_hosts: Vec<ApiHost>,
    /// Where the tokens are kept.
    pub store: StoreKind,
    /// Whether a user with this name has signed in to this account before: then the name is not only a label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_named_after_user: bool,
}

/// How the server was named.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// By its endpoints.
    Endpoints(Endpoints),
    /// By its issuer, whose metadata names the endpoints.
    Issuer(String),
    /// By name. It is kept as the name alone.
    #[serde(untagged)]
    Provider(Provider),
}

impl Settings {
    /// Merges the three sources. The last login counts only as a whole, because its client id belongs to its server.
    ///
    /// # Errors
    /// [`Kind::Configuration`] if the server or the client id is not known.
    pub fn of_login(args: &args::Login, config: &Config, name: &str, before: Option<&Self>) -> Result<Self, Failure> {
        let profile = config.profile(name);
        let args::Server { provider, issuer, endpoints, .. } = &args.server;
        let server = Choice::of(*provider, issuer, endpoints)
            .or_else(|| Choice::of(profile.provider, &profile.issuer, &profile.endpoints));
        let Some(server) = server else {
            let before = before.ok_or_else(|| {
                Kind::Configuration.because(format_args!("no server is known for profile `{name}`")).advise(
                    format_args!(
                        "add --provider NAME, --issuer URL, or --authorization-endpoint and --token-endpoint; \
                         or write them to {}",
                        config.place()
                    ),
                )
            })?;
            return Ok(before.clone().with_options(args, &profile));
        };
        let client_id = args.server.client_id.clone().or_else(|| profile.client_id.clone()).ok_or_else(|| {
            Kind::Configuration
                .because(format_args!("no client id is known for profile `{name}`"))
                .advise(format_args!("add --client-id ID, or `client_id` to {}", config.place()))
        })?;
        let (scope, api_hosts) = server.preset();
        let is_named_after_user = before.is_some_and(|before| before.is_named_after_user && before.server == server);
        let fresh = Self {
            server,
            client_id,
            embedded_secret_file: None,
            embedded_secret_in_header: false,
            redirect_uri: REDIRECT_URI.to_owned(),
            push: false,
            dpop: false,
            scope,
            extra: Vec::new(),
            api_hosts,
            store: StoreKind::default(),
            is_named_after_user,
        };
        Ok(fresh.with_options(args, &profile))
    }

    fn with_options(mut self, args: &args::Login, profile: &Profile) -> Self {
        let replace = |slot: &mut String, value: Option<&String>| {
            if let Some(value) = value {
                slot.clone_from(value);
            }
        };
        replace(&mut self.client_id, args.server.client_id.as_ref().or(profile.client_id.as_ref()));
        replace(&mut self.redirect_uri, args.redirect_uri.as_ref().or(profile.redirect_uri.as_ref()));
        self.embedded_secret_in_header |= args.server.embedded_secret_in_header || profile.embedded_secret_in_header;
        self.push |= args.push || profile.push;
        self.dpop = !args.no_dpop && (self.dpop || args.dpop || profile.dpop);
        if let Some(file) = &args.server.embedded_secret_file {
            self.embedded_secret_file = Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()));
        } else if profile.embedded_secret.is_some() || profile.embedded_secret_file.is_some() {
            self.embedded_secret_file.clone_from(&profile.embedded_secret_file);
        }
        if !args.scope.is_empty() {
            self.scope = args.scope.iter().flat_map(|words| words.split_whitespace()).map(str::to_owned).collect();
        } else if let Some(scope) = &profile.scope {
            self.scope.clone_from(scope);
        }
        if !profile.extra.is_empty() {
            self.extra = profile.extra.clone().into_iter().collect();
        }
        if !args.extra.is_empty() {
            self.extra.retain(|(name, _)| args.extra.iter().all(|(other, _)| other != name));
            self.extra.extend(args.extra.iter().cloned());
        }
        for host in &args.api_host {
            if !self.api_hosts.contains(host) {
                self.api_hosts.push(host.clone());
            }
        }
        self.store = args.store.or(profile.store).unwrap_or(self.store);
        self
    }

    /// The scope to request.
    pub fn scope(&self) -> Vec<&str> {
        self.scope.iter().map(String::as_str).collect()
    }

    /// Extra parameters for the authorization URL.
    pub fn extra(&self) -> Vec<(&str, &str)> {
        self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

impl Choice {
    fn of(provider: Option<Provider>, issuer: &Option<String>, endpoints: &Endpoints) -> Option<Self> {
        match (provider, issuer) {
            (Some(provider), _) => Some(Self::Provider(provider)),
            (None, Some(issuer)) => Some(Self::Issuer(issuer.clone())),
            (None, None) => (!endpoints.is_empty()).then(|| Self::Endpoints(endpoints.clone())),
        }
    }

    /// The server, unless its endpoints must be discovered.
    pub fn server(&self) -> Option<Server<'_>> {
        match self {
            Self::Endpoints(endpoints) => Some(endpoints.server()),
            Self::Issuer(_) => None,
            Self::Provider(provider) => Some(provider.server()),
        }
    }

    /// The scope and the API hosts that come with the name.
    fn preset(&self) -> (Vec<String>, Vec<ApiHost>) {
        match self {
            Self::Provider(provider) => (
                provider.scope().iter().map(|word| (*word).to_owned()).collect(),
                provider.api_hosts().iter().filter_map(|host| host.parse().ok()).collect(),
            ),
            _ => (Vec::new(), Vec::new()),
        }
    }

    /// The issuer, if it is known.
    pub fn issuer(&self) -> Option<&str> {
        match self {
            Self::Endpoints(_) => None,
            Self::Issuer(issuer) => Some(issuer),
            Self::Provider(provider) => provider.server().issuer(),
        }
    }

    /// The server's name for the store and for the user: the issuer, or else the endpoint where the user signs in.
    pub fn name(&self) -> &str {
        match self {
            Self::Endpoints(endpoints) => {
                let device = || endpoints.get(Endpoint::DeviceAuthorization);
                endpoints.get(Endpoint::Authorization).or_else(device).unwrap_or_default()
            }
            Self::Issuer(issuer) => issuer,
            Self::Provider(provider) => {
                let server = provider.server();
                let pages = [Endpoint::Authorization, Endpoint::DeviceAuthorization];
                let page = || pages.into_iter().find_map(|endpoint| server.endpoint(endpoint));
                server.issuer().or_else(page).unwrap_or_default()
            }
        }
    }
}

const REDIRECT_URI: &str = "http://127.0.0.1/callback";
