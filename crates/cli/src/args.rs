//! The command line: the subcommands and their options.

mod examples;
mod login;
mod network;
mod select;

use crate::hosts::ApiHost;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use examples::{
    CALL_EXAMPLES, COMPLETIONS_EXAMPLES, DEMO_EXAMPLES, LOGIN_EXAMPLES, LOGOUT_EXAMPLES, MAN_EXAMPLES, NOTES,
    STATUS_EXAMPLES, TOKEN_EXAMPLES,
};
pub use login::{Login, Server, StoreKind};
pub use network::{Network, ProxyUrl};
pub use select::{Select, Which, config_of_environment};
use std::path::PathBuf;

/// Get an OAuth 2.0 access token on the command line: Authorization Code with PKCE
#[derive(Debug, Parser)]
#[command(
    name = "proofkey",
    version,
    propagate_version = true,
    subcommand_required = true,
    max_term_width = 100,
    after_help = "`proofkey --help` describes the exit codes and the configuration file.",
    after_long_help = NOTES
)]
pub struct Cli {
    /// Print results and errors as JSON
    #[arg(long)]
    pub json: bool,
    /// Which login is meant.
    #[command(flatten)]
    pub which: Which,
    /// How servers are reached.
    #[command(flatten)]
    pub network: Network,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do. Only the subcommand that is asked for is put together, and a doc comment on the type of its options would
/// then replace the one here. For the same reason no option is `global`: each subcommand has only those that it uses.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Show the whole flow, step by step, against a server on this machine
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(Demo),
    /// Sign in with the browser, or on another device, and keep the tokens
    #[command(after_help = LOGIN_EXAMPLES)]
    Login(Box<Login>),
    /// Print a valid access token
    #[command(after_help = TOKEN_EXAMPLES)]
    Token(Token),
    /// Call an API with the access token
    #[command(after_help = CALL_EXAMPLES)]
    Call(Call),
    /// Show sign-ins: profile, server and expiry
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Status),
    /// Sign out: revoke the tokens at the server and forget them
    #[command(after_help = LOGOUT_EXAMPLES)]
    Logout(Logout),
    /// Print a shell completion script
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print the manual page
    #[command(after_help = MAN_EXAMPLES)]
    Man,
}

impl Command {
    /// Its option `--json`, if it has one.
    pub fn json(&mut self) -> Option<&mut bool> {
        match self {
            Self::Call(args) => Some(&mut args.json),
            Self::Demo(args) => Some(&mut args.json),
            Self::Login(args) => Some(&mut args.json),
            Self::Logout(args) => Some(&mut args.json),
            Self::Status(args) => Some(&mut args.json),
            Self::Token(args) => Some(&mut args.json),
            Self::Completions(_) | Self::Man => None,
        }
    }
}

// `proofkey demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Let a built-in user agent press the buttons of the sign-in and consent pages
    #[arg(long)]
    pub auto: bool,
    /// Only print the URL; open it in a browser on this machine
    #[arg(long, conflicts_with = "auto")]
    pub no_browser: bool,
    /// Serve a single-page app that signs in, until Ctrl-C, instead of showing the flow
    #[arg(long, conflicts_with = "auto")]
    pub spa: bool,
    /// How long to wait for the browser
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_hint = ValueHint::Other)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
    /// Print the steps as JSON, one per line
    #[arg(long)]
    pub json: bool,
}

// `proofkey token`.
#[derive(Args, Debug)]
pub struct Token {
    /// Print a token that is valid for at least this long; exit code 2 if the server's tokens are shorter. If the server does
    /// not say how long they are valid, there is a warning
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_hint = ValueHint::Other)]
    pub min_valid: u32,
    /// Get a new token even if the present one is still valid
    #[arg(long)]
    pub refresh: bool,
    /// Print the token with its type, expiry and scope as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which login.
    #[command(flatten)]
    pub which: Which,
    /// How servers are reached.
    #[command(flatten)]
    pub network: Network,
}

// `proofkey call`.
#[derive(Args, Debug)]
pub struct Call {
    /// The URL to call: https, or http on this machine
    #[arg(value_hint = ValueHint::Url)]
    pub url: String,
    /// The HTTP method [default: GET, or POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD", value_hint = ValueHint::Other)]
    pub method: Option<String>,
    /// The body: the text itself, `@FILE`, or `@-` for standard input. It is sent as JSON unless a header says otherwise
    #[arg(short, long, value_name = "TEXT", value_hint = ValueHint::Other)]
    pub data: Option<String>,
    /// A header, such as `Accept: application/json`; may be given several times
    #[arg(short = 'H', long, value_name = "NAME: VALUE", action = ArgAction::Append, value_hint = ValueHint::Other)]
    pub header: Vec<String>,
    /// Also print the status and the headers
    #[arg(short, long)]
    pub include: bool,
    /// Write the body to a file
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
    /// Print status, headers and body as one JSON object. A JSON body is part of it as it is, another text is a string, and
    /// anything else is in `body_base64`
    #[arg(long)]
    pub json: bool,
    /// Send the token to this host too, for this call only; may be given several times
    #[arg(long, value_name = "HOST[:PORT]", action = ArgAction::Append, value_hint = ValueHint::Hostname)]
    pub api_host: Vec<ApiHost>,
    /// How long the call may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_hint = ValueHint::Other)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
    /// Which login.
    #[command(flatten)]
    pub which: Which,
    /// How servers are reached.
    #[command(flatten)]
    pub network: Network,
}

// `proofkey status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Show every profile and account
    #[arg(long)]
    pub all: bool,
    /// Print a JSON object, or an array of objects with --all
    #[arg(long)]
    pub json: bool,
    /// Which login.
    #[command(flatten)]
    pub which: Which,
}

// `proofkey logout`.
#[derive(Args, Debug)]
pub struct Logout {
    /// Also forget the server, client and scope that `proofkey login` would use again
    #[arg(long)]
    pub forget_settings: bool,
    /// Forget the tokens even if the server did not revoke them, or a newer version of proofkey wrote them; they stay valid
    /// until they expire
    #[arg(long)]
    pub forget_anyway: bool,
    /// Also sign out of the server itself: open its page for that in the browser, so that the next login asks who you are
    #[arg(long)]
    pub browser: bool,
    /// Print the outcome as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which login.
    #[command(flatten)]
    pub which: Which,
    /// How servers are reached.
    #[command(flatten)]
    pub network: Network,
}

// `proofkey completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Script,
}

/// What `proofkey completions` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Script {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
    /// The names of the known profiles: the scripts ask for them.
    #[value(hide = true)]
    Profiles,
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
