//! `proofkey token`: prints the access token.

use crate::args::{self, Select};
use crate::config::Config;
use crate::failure::Failure;
use crate::logins::Login;
use crate::network::Network;
use crate::{output, session};
use serde::Serialize;

/// Prints a valid access token.
///
/// # Errors
/// As [`session::ensure_valid`].
pub fn run(args: &args::Token, select: &Select, config: &Config) -> Result<(), Failure> {
    let network = &Network::of(&args.network, config, &select.profile)?;
    let mut login = Login::load(&config.name(select), config)?;
    if args.refresh {
        session::refresh_now(&mut login, network, args.min_valid)?;
    } else {
        session::ensure_valid(&mut login, network, args.min_valid)?;
    }
    let access_token = login.access_token()?.expose();
    if !args.json {
        return output::line(access_token);
    }
    output::json(&Token {
        access_token,
        token_type: "Bearer",
        expires_at: login.lifetime().expires_at(),
        scope: login.scope(),
    })
}

#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
    token_type: &'static str,
    /// Seconds since 1970, if the server gave the lifetime.
    expires_at: Option<u64>,
    scope: Vec<&'a str>,
}
