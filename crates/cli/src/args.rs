//! The command line: what can be asked for, and how it is explained.

mod examples;

use crate::hosts::ApiHost;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use examples::{
    CALL_EXAMPLES, COMPLETIONS_EXAMPLES, DEMO_EXAMPLES, LOGIN_EXAMPLES, LOGOUT_EXAMPLES, MAN_EXAMPLES, NOTES,
    STATUS_EXAMPLES, TOKEN_EXAMPLES,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Get an OAuth 2.0 access token on the command line: Authorization Code with PKCE
#[derive(Debug, Parser)]
#[command(
    name = "proofkey",
    version,
    propagate_version = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "Exit codes and the configuration file are described in `proofkey --help`.",
    after_long_help = NOTES
)]
pub struct Cli {
    /// Which login is meant.
    #[command(flatten)]
    pub select: Select,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Which login is meant.
#[derive(Args, Debug)]
pub struct Select {
    /// The profile: a name for a client at a server
    #[arg(long, global = true, value_name = "NAME", env = "PROOFKEY_PROFILE", default_value = "default")]
    #[arg(value_parser = name, help_heading = "Which login")]
    pub profile: String,
    /// The account, where you sign in to one profile as several users [default: the profile's, or `default`]
    #[arg(long, global = true, value_name = "NAME", value_parser = name, help_heading = "Which login")]
    pub account: Option<String>,
    /// The configuration file [default: proofkey/config.toml in the configuration directory]
    #[arg(long, global = true, value_name = "FILE", env = "PROOFKEY_CONFIG", value_hint = ValueHint::FilePath)]
    #[arg(help_heading = "Which login")]
    pub config: Option<PathBuf>,
}

/// What to do. Only the subcommand that is asked for is put together, and a doc comment on the type of its options would
/// then replace the one here.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Show the whole flow, step by step, against a server on this machine
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Sign in with the browser, and keep the tokens
    #[command(after_help = LOGIN_EXAMPLES)]
    Login(Box<Login>),
    /// Print an access token that is valid now
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(Token),
    /// Call an API with the access token
    #[command(after_help = CALL_EXAMPLES)]
    Call(Call),
    /// Tell who is signed in, where, and for how long
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Status),
    /// Sign out: revoke the tokens at the server, and forget them
    #[command(after_help = LOGOUT_EXAMPLES)]
    Logout(Logout),
    /// Print the completion script of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print the manual page
    #[command(after_help = MAN_EXAMPLES)]
    Man,
}

impl Command {
    /// Whether results and errors are to be JSON.
    pub fn is_json(&self) -> bool {
        match self {
            Self::Call(args) => args.json,
            Self::Demo(args) => args.json,
            Self::Login(args) => args.json,
            Self::Logout(args) => args.json,
            Self::Status(args) => args.json,
            Self::Token(args) => args.json,
            Self::Completions(_) | Self::Man => false,
        }
    }
}

// `proofkey demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Let a built-in user agent press the sign-in and consent pages
    #[arg(long)]
    pub auto: bool,
    /// Only print the URL; the browser has to be on this machine
    #[arg(long, conflicts_with = "auto")]
    pub no_browser: bool,
    /// Serve a single-page app that signs in, until Ctrl-C, instead of telling the flow
    #[arg(long, conflicts_with = "auto")]
    pub spa: bool,
    /// How long to wait for the browser
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
    /// Print the steps as JSON, one per line
    #[arg(long)]
    pub json: bool,
}

// `proofkey login`.
#[derive(Args, Debug)]
pub struct Login {
    /// Where the browser comes back to. Without a port, a free one is taken
    #[arg(long, value_name = "URI", value_hint = ValueHint::Url)]
    pub redirect_uri: Option<String>,
    /// What the token shall be good for; may be given several times, or with spaces
    #[arg(long, value_name = "SCOPE", action = ArgAction::Append)]
    pub scope: Vec<String>,
    /// A parameter more for the authorization URL, such as `prompt=consent`; may be given several times
    #[arg(long, value_name = "NAME=VALUE", action = ArgAction::Append, value_parser = pair)]
    pub extra: Vec<(String, String)>,
    /// A host that `proofkey call` may send the token to; may be given several times
    #[arg(long, value_name = "HOST[:PORT]", action = ArgAction::Append)]
    pub api_host: Vec<ApiHost>,
    /// Where the tokens are kept [default: file]
    #[arg(long, value_enum)]
    pub store: Option<StoreKind>,
    /// Paste the redirect's URL by hand: for an https redirect page, or a browser on another machine
    #[arg(long, conflicts_with = "no_browser")]
    pub paste: bool,
    /// Only print the URL; the browser has to be on this machine
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for the browser
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
    /// Print events as JSON, one per line
    #[arg(long)]
    pub json: bool,
    /// Which server and client.
    #[command(flatten)]
    pub server: Server,
}

// Which server and client.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server and client")]
pub struct Server {
    /// A server that is known by name
    #[arg(long, value_enum, conflicts_with_all = ["issuer", "authorization_endpoint", "token_endpoint"])]
    pub provider: Option<Provider>,
    /// The server's issuer URL, exactly as the server writes it; its endpoints are read from its metadata
    #[arg(long, value_name = "URL", conflicts_with_all = ["authorization_endpoint", "token_endpoint"])]
    #[arg(value_hint = ValueHint::Url)]
    pub issuer: Option<String>,
    /// The server's authorization endpoint
    #[arg(long, value_name = "URL", requires = "token_endpoint", value_hint = ValueHint::Url)]
    pub authorization_endpoint: Option<String>,
    /// The server's token endpoint
    #[arg(long, value_name = "URL", requires = "authorization_endpoint", value_hint = ValueHint::Url)]
    pub token_endpoint: Option<String>,
    /// The server's revocation endpoint
    #[arg(long, value_name = "URL", requires = "token_endpoint", value_hint = ValueHint::Url)]
    pub revocation_endpoint: Option<String>,
    /// The client id that the server gave you
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
}

/// A server that is known by name.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The iTwin platform (Bentley IMS)
    Itwin,
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

// `proofkey token`.
#[derive(Args, Debug)]
pub struct Token {
    /// Require a token that is valid for at least this long; exit code 2 if the server's tokens are shorter. If the server
    /// does not say how long they are valid, there is a warning
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub min_valid: u32,
    /// Get a new token even if the present one is still valid
    #[arg(long)]
    pub refresh: bool,
    /// Print the token with its type, end and scope as one JSON object
    #[arg(long)]
    pub json: bool,
}

// `proofkey call`.
#[derive(Args, Debug)]
pub struct Call {
    /// What to call: https, or http on this machine
    #[arg(value_hint = ValueHint::Url)]
    pub url: String,
    /// The HTTP method [default: GET, or POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub method: Option<String>,
    /// The body: the text itself, `@FILE`, or `@-` for the standard input. JSON, unless a header says otherwise
    #[arg(short, long, value_name = "TEXT")]
    pub data: Option<String>,
    /// A header, such as `Accept: application/json`; may be given several times
    #[arg(short = 'H', long, value_name = "NAME: VALUE", action = ArgAction::Append)]
    pub header: Vec<String>,
    /// Also print the status and the headers
    #[arg(short, long, conflicts_with = "json")]
    pub include: bool,
    /// Write the body to a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "json")]
    pub output: Option<PathBuf>,
    /// Print status, headers and body as one JSON object; a body that is not UTF-8 as `body_base64`
    #[arg(long)]
    pub json: bool,
    /// Send the token to this host too, this once; may be given several times
    #[arg(long, value_name = "HOST[:PORT]", action = ArgAction::Append)]
    pub api_host: Vec<ApiHost>,
    /// How long the call may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
}

// `proofkey status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Every profile and account that is signed in
    #[arg(long)]
    pub all: bool,
    /// Print JSON: an object, or an array of them with --all
    #[arg(long)]
    pub json: bool,
}

// `proofkey logout`.
#[derive(Args, Debug)]
pub struct Logout {
    /// Also forget the server, client and scope that `proofkey login` would use again
    #[arg(long)]
    pub forget_settings: bool,
    /// Forget the tokens even where the server did not revoke them, so that they stay valid until they end
    #[arg(long)]
    pub forget_anyway: bool,
    /// Print the outcome as one JSON object
    #[arg(long)]
    pub json: bool,
}

// `proofkey completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// A profile's or an account's name.
pub fn name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'+');
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("a name is 1 to 64 letters, digits, or - _ . @ +".to_owned())
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("proofkey {}", command.get_name())), "{}", command.get_name());
        }
    }

    #[test]
    fn a_subcommand_is_explained_as_it_is_listed() {
        let mut whole = Cli::command();
        whole.build();
        for listed in Cli::command().get_subcommands() {
            let about = listed.get_about().expect("an explanation").to_string();
            let explained = whole.find_subcommand(listed.get_name()).and_then(clap::Command::get_about);
            assert_eq!(explained.map(ToString::to_string), Some(about), "{}", listed.get_name());
        }
    }

    #[test]
    fn a_name_is_one_word() {
        for good in ["default", "a@example.com", "x.y-z_1+2"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in ["", "a/b", "a\\b", "a b", "é", "a\n", &"a".repeat(65)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
