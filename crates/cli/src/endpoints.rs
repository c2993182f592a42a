//! The endpoints of a server that is named by them: their flags, their keys in the configuration file, and how the settings of a
//! login keep them.

use clap::{Arg, ArgGroup, ArgMatches, Args, Command, FromArgMatches, ValueHint, error::Result};
use proofkey_core::{Client, ConfigError, Endpoint, Server};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// URLs of endpoints.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(from = "BTreeMap<String, Option<String>>", into = "BTreeMap<String, Option<String>>")]
pub struct Endpoints([Option<String>; Endpoint::ALL.len()]);

impl Endpoints {
    /// The URL of an endpoint.
    pub fn get(&self, endpoint: Endpoint) -> Option<&str> {
        self.iter().find_map(|(found, url)| (found == endpoint).then_some(url))
    }

    /// Adds an endpoint.
    pub fn set(&mut self, endpoint: Endpoint, url: String) {
        if let Some((_, place)) = Endpoint::ALL.iter().zip(&mut self.0).find(|(found, _)| **found == endpoint) {
            *place = Some(url);
        }
    }

    /// Those that are known.
    pub fn iter(&self) -> impl Iterator<Item = (Endpoint, &str)> {
        Endpoint::ALL.iter().zip(&self.0).filter_map(|(endpoint, url)| Some((*endpoint, url.as_deref()?)))
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether a user can sign in with them: as [`Args`] has it for the flags.
    pub fn are_enough(&self) -> bool {
        self.get(Endpoint::Token).is_some() && SIGN_IN.iter().any(|endpoint| self.get(*endpoint).is_some())
    }

    /// The server.
    pub fn server(&self) -> Server<'_> {
        let of = |endpoint| self.get(endpoint).unwrap_or_default();
        let server = match self.get(Endpoint::Authorization) {
            Some(url) => Server::new(url, of(Endpoint::Token)),
            None => Server::device(of(Endpoint::DeviceAuthorization), of(Endpoint::Token)),
        };
        self.iter().fold(server, |server, (endpoint, url)| server.with(endpoint, url))
    }
}

/// The endpoint with this name.
pub fn named(name: &str) -> Option<Endpoint> {
    Endpoint::ALL.iter().copied().find(|endpoint| endpoint.name() == name)
}

/// Checks a URL on its own.
///
/// # Errors
/// [`ConfigError::Endpoint`].
pub fn check(endpoint: Endpoint, url: &str) -> std::result::Result<(), ConfigError> {
    Client::new("client", "http://127.0.0.1/callback", Server::ITWIN.with(endpoint, url)).map(drop)
}

/// The flags: a loop over the table, so that a further endpoint has one too.
impl Args for Endpoints {
    fn augment_args(command: Command) -> Command {
        let flags = Endpoint::ALL.iter().map(|endpoint| {
            let flag = Arg::new(endpoint.name())
                .long(endpoint.name().replace('_', "-"))
                .value_name("URL")
                .value_hint(ValueHint::Url)
                .help(format!("The server's {endpoint}"))
                .conflicts_with_all(["provider", "issuer"]);
            flag.requires(if *endpoint == Endpoint::Token { GROUP } else { Endpoint::Token.name() })
        });
        let sign_in = ArgGroup::new(GROUP).args(SIGN_IN.map(Endpoint::name)).multiple(true);
        command.args(flags).group(sign_in)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Endpoints {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self> {
        let mut endpoints = Self::default();
        endpoints.update_from_arg_matches(matches)?;
        Ok(endpoints)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<()> {
        for endpoint in Endpoint::ALL {
            if let Some(url) = matches.get_one::<String>(endpoint.name()) {
                self.set(*endpoint, url.clone());
            }
        }
        Ok(())
    }
}

/// As the settings of a login are kept: by names without `_endpoint`. Those of a newer version are left out.
impl From<BTreeMap<String, Option<String>>> for Endpoints {
    fn from(kept: BTreeMap<String, Option<String>>) -> Self {
        let mut endpoints = Self::default();
        for (name, url) in kept {
            if let (Some(endpoint), Some(url)) = (named(&format!("{name}{SUFFIX}")), url) {
                endpoints.set(endpoint, url);
            }
        }
        endpoints
    }
}

impl From<Endpoints> for BTreeMap<String, Option<String>> {
    fn from(endpoints: Endpoints) -> Self {
        let short = |endpoint: Endpoint| endpoint.name().trim_end_matches(SUFFIX).to_owned();
        endpoints.iter().map(|(endpoint, url)| (short(endpoint), Some(url.to_owned()))).collect()
    }
}

const GROUP: &str = "sign_in";
/// One of them is needed, beside the token endpoint.
const SIGN_IN: [Endpoint; 2] = [Endpoint::Authorization, Endpoint::DeviceAuthorization];
const SUFFIX: &str = "_endpoint";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_a_flag_and_is_kept() {
        let urls = || Endpoint::ALL.iter().map(|endpoint| (*endpoint, format!("https://as.example/{endpoint:?}")));
        let flags = urls().flat_map(|(endpoint, url)| [format!("--{}", endpoint.name().replace('_', "-")), url]);
        let command = Endpoints::augment_args(Command::new("x").arg(Arg::new("provider")).arg(Arg::new("issuer")));
        let matches = command.try_get_matches_from(std::iter::once("x".to_owned()).chain(flags)).unwrap();
        let endpoints = Endpoints::from_arg_matches(&matches).unwrap();
        assert!(endpoints.iter().map(|(endpoint, url)| (endpoint, url.to_owned())).eq(urls()), "{endpoints:?}");
        assert!(urls().all(|(endpoint, url)| endpoints.server().endpoint(endpoint) == Some(&url)));
        let kept = serde_json::to_string(&endpoints).unwrap();
        assert_eq!(serde_json::from_str::<Endpoints>(&kept).unwrap(), endpoints, "{kept}");
    }

    #[test]
    fn what_an_earlier_or_a_newer_version_kept_is_read() {
        let kept =
            r#"{"authorization":"https://a.example/a","token":"https://a.example/t","revocation":null,"further":"x"}"#;
        let endpoints: Endpoints = serde_json::from_str(kept).unwrap();
        assert_eq!(
            endpoints.server(),
            Server::new("https://a.example/a", "https://a.example/t"),
            "an endpoint that is null is not there"
        );
    }
}
