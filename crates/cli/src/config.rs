//! The configuration file: TOML, written by the user. `login --save` adds profiles to it.

mod save;

use crate::args::{self, Provider, ProxyUrl, Select, StoreKind};
use crate::failure::{Failure, Kind};
use crate::hosts::ApiHost;
use crate::name::Name;
use crate::network;
use proofkey_core::{Client, ConfigError, Endpoint, Server};
pub use save::Save;
use serde::de::{Deserialize, Deserializer, Error};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The configuration file.
#[derive(Debug, Default)]
pub struct Config {
    /// Path of the configuration file, if one can be determined.
    pub path: Option<PathBuf>,
    profiles: BTreeMap<String, Profile>,
}

/// One profile of the file. Each value was checked on its own.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// The server, by name.
    pub provider: Option<Provider>,
    /// The server, by its issuer.
    #[serde(deserialize_with = "issuer")]
    pub issuer: Option<String>,
    /// The server, by its endpoints.
    #[serde(deserialize_with = "authorization_endpoint")]
    pub authorization_endpoint: Option<String>,
    /// See `authorization_endpoint`.
    #[serde(deserialize_with = "token_endpoint")]
    pub token_endpoint: Option<String>,
    /// See `authorization_endpoint`.
    #[serde(deserialize_with = "revocation_endpoint")]
    pub revocation_endpoint: Option<String>,
    /// The client id.
    #[serde(deserialize_with = "client_id")]
    pub client_id: Option<String>,
    /// The redirect URI.
    #[serde(deserialize_with = "redirect_uri")]
    pub redirect_uri: Option<String>,
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

impl Config {
    /// Reads the named file, or the default one if it exists.
    ///
    /// # Errors
    /// [`Kind::Configuration`], with file and line.
    pub fn load(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = named.map(Path::to_owned).or_else(usual_path) else { return Ok(Self::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
                return Ok(Self { path: Some(path), ..Self::default() });
            }
            Err(error) => return Err(Kind::Configuration.because(format_args!("{}: {error}", path.display()))),
        };
        let mut profiles = parse(&text).map_err(|Fault { line, message }| {
            Kind::Configuration
                .because(format_args!("{}:{line}: {message}", path.display()))
                .advise("`proofkey --help` shows what the file may contain")
        })?;
        for file in profiles.values_mut().filter_map(|profile| profile.cacert.as_mut()) {
            *file = path.with_file_name(&file);
        }
        Ok(Self { path: Some(path), profiles })
    }

    /// The names of its profiles.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// The settings of a profile; empty if the file does not have it.
    pub fn profile(&self, name: &str) -> Profile {
        self.profiles.get(name).cloned().unwrap_or_default()
    }

    /// The login that the command line and the file name.
    pub fn name(&self, select: &Select) -> Name {
        Name::new(&select.profile, select.account.clone().or_else(|| self.profile(&select.profile).account))
    }

    /// Its path, for messages.
    pub fn place(&self) -> String {
        self.path.as_ref().map_or_else(|| "the configuration file".to_owned(), |path| path.display().to_string())
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: BTreeMap<String, Spanned<Profile>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    message: String,
}

fn parse(text: &str) -> Result<BTreeMap<String, Profile>, Fault> {
    let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let file: File = toml::from_str(text).map_err(|error| Fault {
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: error.message().trim_end().replace('\n', "; "),
    })?;
    let check = |(name, profile): (String, Spanned<Profile>)| {
        let line = line_of(profile.span().start);
        match args::name(&name).and_then(|name| profile.into_inner().consistent().map(|profile| (name, profile))) {
            Ok(entry) => Ok(entry),
            Err(message) => Err(Fault { line, message: format!("profile `{name}`: {message}") }),
        }
    };
    file.profile.into_iter().map(check).collect()
}

impl Profile {
    fn consistent(self) -> Result<Self, String> {
        let endpoints = [&self.authorization_endpoint, &self.token_endpoint].into_iter().flatten().count();
        let servers = [self.provider.is_some(), self.issuer.is_some(), endpoints > 0];
        if servers.into_iter().filter(|given| *given).count() > 1 {
            return Err("give only one of `provider`, `issuer`, and the two endpoints".to_owned());
        }
        if endpoints == 1 {
            return Err("`authorization_endpoint` and `token_endpoint` belong together".to_owned());
        }
        if self.revocation_endpoint.is_some() && endpoints == 0 {
            return Err("`revocation_endpoint` belongs to `authorization_endpoint` and `token_endpoint`".to_owned());
        }
        Ok(self)
    }
}

/// `$XDG_CONFIG_HOME/proofkey/config.toml`, or its like on Windows and macOS.
fn usual_path() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = variable("XDG_CONFIG_HOME").or_else(|| {
        if cfg!(windows) { variable("APPDATA") } else { variable("HOME").map(|home| home.join(".config")) }
    })?;
    Some(directory.join("proofkey").join("config.toml"))
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

fn authorization_endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let token_endpoint = Server::ITWIN.endpoint(Endpoint::Token).unwrap_or_default();
    checked(deserializer, |url| Client::new(ID, LOOPBACK, Server::new(url, token_endpoint)).map(drop))
}

fn token_endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let authorization_endpoint = Server::ITWIN.endpoint(Endpoint::Authorization).unwrap_or_default();
    checked(deserializer, |url| Client::new(ID, LOOPBACK, Server::new(authorization_endpoint, url)).map(drop))
}

fn revocation_endpoint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |url| Client::new(ID, LOOPBACK, Server::ITWIN.with(Endpoint::Revocation, url)).map(drop))
}

fn client_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |id| Client::new(id, LOOPBACK, Server::ITWIN).map(drop))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fault(text: &str) -> Fault {
        parse(text).expect_err(text)
    }

    #[test]
    fn a_whole_profile_is_read() {
        let profiles = parse(
            r#"
            [profile.work]
            issuer = "https://login.example.com/t1"
            client_id = "my app"
            redirect_uri = "https://app.example.com/cb"
            scope = ["a", "b"]
            account = "me@example.com"
            store = "keyring"
            api_hosts = ["api.example.com", "127.0.0.1:8080"]
            extra = { prompt = "consent" }

            [profile.itwin]
            provider = "itwin"

            [profile.own]
            authorization_endpoint = "https://a.example/a"
            token_endpoint = "https://a.example/t"
            revocation_endpoint = "https://a.example/r"
            "#,
        )
        .unwrap();
        let work = &profiles["work"];
        assert_eq!(work.issuer.as_deref(), Some("https://login.example.com/t1"));
        assert_eq!(work.client_id.as_deref(), Some("my app"));
        assert_eq!(work.redirect_uri.as_deref(), Some("https://app.example.com/cb"));
        assert_eq!(work.scope.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(work.account.as_deref(), Some("me@example.com"));
        assert_eq!(work.store, Some(StoreKind::Keyring));
        assert_eq!(
            work.api_hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["api.example.com", "127.0.0.1:8080"]
        );
        assert_eq!(work.extra["prompt"], "consent");
        assert_eq!(profiles["itwin"].provider, Some(Provider::Itwin));
        let own = &profiles["own"];
        assert_eq!(own.authorization_endpoint.as_deref(), Some("https://a.example/a"));
        assert_eq!(own.token_endpoint.as_deref(), Some("https://a.example/t"));
        assert_eq!(own.revocation_endpoint.as_deref(), Some("https://a.example/r"));
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        for (text, line, words) in [
            ("[profile.a]\nclientid = 'x'", 2, "unknown field `clientid`"),
            ("[profil.a]\nclient_id = 'x'", 1, "unknown field `profil`"),
            ("\n\n[profile.a]\nclient_id = ", 4, "value"),
            ("[profile.a]\n\nredirect_uri = 'http://app.example/cb'", 3, "redirect URI: it must start with https://"),
            ("[profile.a]\nredirect_uri = 'http://app.localhost/cb'", 2, "redirect URI: "),
            ("[profile.a]\nissuer = 'http://login.example.com'", 2, "issuer:"),
            (
                "[profile.a]\nauthorization_endpoint = 'x'\ntoken_endpoint = 'https://a.example/t'",
                2,
                "authorization endpoint:",
            ),
            ("[profile.a]\nauthorization_endpoint = 'https://a.example/a'\ntoken_endpoint = 'y'", 3, "token endpoint:"),
            ("[profile.a]\nrevocation_endpoint = 'z'", 2, "revocation endpoint:"),
            ("[profile.a]\nclient_id = ''", 2, "client id"),
            ("[profile.a]\nclient_id = 7", 2, "string"),
            ("[profile.a]\nstore = 'cloud'", 2, "`cloud`"),
            ("[profile.a]\nprovider = 'acme'", 2, "`acme`"),
            ("[profile.a]\napi_hosts = ['ok.example', 'https://x']", 2, "HOST"),
            ("[profile.a]\naccount = '../x'", 2, "a name is"),
            ("[profile.a]\nclient_id = 'x'\n[profile.'b/c']\nclient_id = 'x'", 3, "profile `b/c`"),
            ("[profile.a]\nprovider = 'itwin'\nissuer = 'https://a.example'", 1, "profile `a`: give only one of"),
            ("[profile.a]\ntoken_endpoint = 'https://a.example/t'", 1, "belong together"),
            ("[profile.a]\nprovider = 'itwin'\nrevocation_endpoint = 'https://a.example/r'", 1, "revocation_endpoint"),
        ] {
            let fault = fault(text);
            assert_eq!(fault.line, line, "{text}: {fault:?}");
            assert!(fault.message.contains(words), "{text}: {fault:?}");
        }
    }
}
