//! Servers that are known by name, with what comes with the name.

use clap::ValueEnum;
use proofkey_core::Server;
use serde::{Deserialize, Serialize};

/// A server that is known by name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Provider {
    /// Discord
    Discord,
    /// Microsoft Entra, any tenant; for one tenant, use --issuer
    Entra,
    /// GitHub; in the browser it wants the app's secret, with --device it does not
    GitHub,
    /// gitlab.com; for a server of your own, use --issuer
    GitLab,
    /// Google; it wants the secret that comes with the client id
    Google,
    /// The iTwin platform (Bentley IMS)
    Itwin,
    /// Slack, as a user
    Slack,
    /// Spotify
    Spotify,
    /// Twitch, only on another device
    Twitch,
}

impl Provider {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Entra => "entra",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Google => "google",
            Self::Itwin => "itwin",
            Self::Slack => "slack",
            Self::Spotify => "spotify",
            Self::Twitch => "twitch",
        }
    }

    /// The server.
    pub const fn server(self) -> Server<'static> {
        match self {
            Self::Discord => Server::DISCORD,
            Self::Entra => Server::ENTRA,
            Self::GitHub => Server::GITHUB,
            Self::GitLab => Server::GITLAB,
            Self::Google => Server::GOOGLE,
            Self::Itwin => Server::ITWIN,
            Self::Slack => Server::SLACK,
            Self::Spotify => Server::SPOTIFY,
            Self::Twitch => Server::TWITCH,
        }
    }

    /// The scope that is requested if none is named.
    pub const fn scope(self) -> &'static [&'static str] {
        match self {
            Self::Itwin => &["itwin-platform", "offline_access"],
            _ => &[],
        }
    }

    /// The hosts of its API, which get the token without being named.
    pub const fn api_hosts(self) -> &'static [&'static str] {
        match self {
            Self::Discord => &["discord.com"],
            Self::Entra => &["graph.microsoft.com"],
            Self::GitHub => &["api.github.com"],
            Self::GitLab => &["gitlab.com"],
            Self::Google => &["www.googleapis.com"],
            Self::Itwin => &["api.bentley.com"],
            Self::Slack => &["slack.com"],
            Self::Spotify => &["api.spotify.com"],
            Self::Twitch => &["api.twitch.tv"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::ApiHost;
    use proofkey_core::Client;

    #[test]
    fn every_name_is_one_and_has_a_server() {
        for provider in Provider::value_variants() {
            let name = provider.to_possible_value().unwrap();
            assert_eq!(name.get_name(), provider.name());
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.name());
            assert!(Client::without_redirect("x", provider.server()).is_ok(), "{provider:?}");
            assert!(provider.api_hosts().iter().all(|host| host.parse::<ApiHost>().is_ok()), "{provider:?}");
        }
    }
}
