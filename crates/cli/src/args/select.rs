//! The selection of a login.

use super::name;
use crate::failure::{Failure, Kind};
use clap::{Args, ValueHint};
use std::path::PathBuf;

// The options that select a login. They may stand before the subcommand or after it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which login")]
pub struct Which {
    /// The profile: a name for one client at one server [env: PROOFKEY_PROFILE] [default: default]
    #[arg(long, value_name = "NAME", value_parser = name, value_hint = ValueHint::Other)]
    profile: Option<String>,
    /// The account, if you sign in to a profile as several users [default: the profile's, or `default`]
    #[arg(long, value_name = "NAME", value_parser = name, value_hint = ValueHint::Other)]
    account: Option<String>,
    /// The configuration file [env: PROOFKEY_CONFIG] [default: proofkey/config.toml in the configuration directory]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,
}

/// The login that was selected.
#[derive(Debug)]
pub struct Select {
    /// The profile.
    pub profile: String,
    /// The account, if one was named.
    pub account: Option<String>,
    /// The configuration file, if one was named.
    pub config: Option<PathBuf>,
}

impl Select {
    /// Prefers the options after the subcommand to those before it, and those to the environment.
    ///
    /// # Errors
    /// If the profile in the environment is not a name.
    pub fn of(before: Which, after: Which) -> Result<Self, Failure> {
        let profile = match after.profile.or(before.profile).map_or_else(of_environment, |name| Ok(Some(name)))? {
            Some(profile) => profile,
            None => "default".to_owned(),
        };
        let config = after.config.or(before.config).or_else(config_of_environment);
        Ok(Self { profile, account: after.account.or(before.account), config })
    }
}

/// The configuration file that the environment names.
pub fn config_of_environment() -> Option<PathBuf> {
    std::env::var_os("PROOFKEY_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn of_environment() -> Result<Option<String>, Failure> {
    let Some(profile) = std::env::var_os("PROOFKEY_PROFILE").filter(|profile| !profile.is_empty()) else {
        return Ok(None);
    };
    let profile = profile.to_string_lossy();
    name(&profile).map(Some).map_err(|fault| Kind::Configuration.because(format_args!("PROOFKEY_PROFILE: {fault}")))
}
