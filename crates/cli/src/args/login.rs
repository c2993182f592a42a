//! `proofkey login`.

use super::{Network, Which};
use crate::endpoints::Endpoints;
use crate::hosts::ApiHost;
use crate::provider::Provider;
use clap::{ArgAction, Args, ValueEnum, ValueHint};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

// `proofkey login`.
#[derive(Args, Debug, Default)]
pub struct Login {
    /// The redirect URI that is registered for the client. If it has no port, a free one is used
    #[arg(long, value_name = "URI", value_hint = ValueHint::Url)]
    pub redirect_uri: Option<String>,
    /// The scopes to request, separated by spaces; may be given several times
    #[arg(long, value_name = "SCOPE", action = ArgAction::Append, value_hint = ValueHint::Other)]
    pub scope: Vec<String>,
    /// An extra parameter for the authorization URL, such as `prompt=consent`; may be given several times
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, value_parser = pair)]
    #[arg(value_hint = ValueHint::Other)]
    pub extra: Vec<(String, String)>,
    /// A host that `proofkey call` may send the token to; may be given several times
    #[arg(long, value_name = "HOST[:PORT]", action = ArgAction::Append, value_hint = ValueHint::Hostname)]
    pub api_host: Vec<ApiHost>,
    /// Where the tokens are kept [default: file]
    #[arg(long, value_enum)]
    pub store: Option<StoreKind>,
    /// Paste the URL of the redirect by hand: for an https redirect page, or a browser on another machine
    #[arg(long, conflicts_with = "no_browser")]
    pub paste: bool,
    /// Only print the URL; open it in a browser on this machine
    #[arg(long)]
    pub no_browser: bool,
    /// Sign in on another device, such as your phone; this is automatic if no browser can be opened here
    #[arg(long, conflicts_with_all = ["no_browser", "paste", "push", "redirect_uri"])]
    pub device: bool,
    /// Send the parameters to the server before the browser goes there, so that its URL holds none of them (RFC 9126)
    #[arg(long)]
    pub push: bool,
    /// Get tokens that are bound to a key, which is stored with them; nobody can use them without it (RFC 9449)
    #[arg(long)]
    pub dpop: bool,
    /// Get tokens that are not bound to a key, even if the configuration file or the last login asks for it
    #[arg(long, conflicts_with = "dpop")]
    pub no_dpop: bool,
    /// How long to wait for you [default: 300; on another device, as long as the code is valid]
    #[arg(long, value_name = "SECONDS", value_hint = ValueHint::Other)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: Option<u32>,
    /// Also revoke the refresh token of the sign-in that this one replaces. Use it only if your server revokes single
    /// tokens: others, such as Auth0 and Keycloak, end the whole grant and with it the new sign-in
    #[arg(long)]
    pub revoke_previous: bool,
    /// Also write the settings of this login to the configuration file
    #[arg(long)]
    pub save: bool,
    /// Print events as JSON, one per line
    #[arg(long)]
    pub json: bool,
    /// Which server and client.
    #[command(flatten)]
    pub server: Server,
    /// Which login.
    #[command(flatten)]
    pub which: Which,
    /// How servers are reached.
    #[command(flatten)]
    pub network: Network,
}

// Which server and client.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Server and client")]
pub struct Server {
    /// A server that is known by name
    #[arg(long, value_enum, conflicts_with = "issuer")]
    pub provider: Option<Provider>,
    /// The server's issuer URL, exactly as the server writes it; the endpoints are read from its metadata
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub issuer: Option<String>,
    /// The server's endpoints.
    #[command(flatten)]
    pub endpoints: Endpoints,
    /// The client id that the server gave you
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other)]
    pub client_id: Option<String>,
    /// A file with the "secret" that came with the client id, for servers that want one although every copy of an app has it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub embedded_secret_file: Option<PathBuf>,
    /// Send that secret in the header `Authorization: Basic`: if the client is registered that way at a server that knows both ways
    #[arg(long)]
    pub embedded_secret_in_header: bool,
}

/// Where the tokens are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// A file that only you can read
    #[default]
    File,
    /// The operating system's keyring
    Keyring,
}

impl StoreKind {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Keyring => "keyring",
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}
