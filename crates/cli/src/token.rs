//! `proofkey token`: prints the access token.

use crate::args::{self, Select};
use crate::config::Config;
use crate::failure::Failure;
use crate::logins::Login;
use crate::network::Network;
use crate::output;
use crate::session::InUse;
use serde::Serialize;

/// Prints a valid access token.
///
/// # Errors
/// As [`InUse::token`].
pub fn run(args: &args::Token, select: &Select, config: &Config) -> Result<(), Failure> {
    let network = &Network::of(&args.network, config, &select.profile)?;
    let mut login = InUse::new(Login::load(&config.name(select), config)?, network)?;
    let token = if args.refresh { login.refreshed(args.min_valid)? } else { login.token(args.min_valid)? };
    if !args.json {
        if login.login.record.bound_to.is_some() {
            output::warn("this token is bound to a key that only proofkey has: use `proofkey call`");
        }
        return output::line(token.expose());
    }
    output::json(&Token {
        access_token: token.expose(),
        token_type: login.login.token_type(),
        expires_at: login.login.lifetime().expires_at(),
        scope: login.login.scope(),
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
