//! The embedded secret of a client (RFC 8252 section 8.5): it comes from a file or from the configuration, never from the command
//! line, which others on this machine can see.

use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use proofkey_core::{Client, ConfigError, Server};
use proofkey_native::Secret;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The embedded secret of a login, if its client has one.
///
/// # Errors
/// [`Kind::Configuration`] if a file cannot be read, every user can read it (on Unix), or the text in it is not a secret.
pub fn of(settings: &Settings, config: &Config, profile: &str) -> Result<Option<Secret>, Failure> {
    if let Some(path) = &settings.embedded_secret_file {
        return read(path).map(Some).map_err(|error| about(path, error));
    }
    let Some(secret) = config.profile(profile).embedded_secret else { return Ok(None) };
    if let Some(path) = &config.path {
        File::open(path).and_then(|file| check_private(&file)).map_err(|error| about(path, error))?;
    }
    Ok(Some(secret))
}

fn read(path: &Path) -> io::Result<Secret> {
    let mut file = File::open(path)?;
    check_private(&file)?;
    // Long enough that it does not grow, which would leave copies behind.
    let mut text = String::with_capacity(usize::from(LENGTH_MAX) + 1);
    let read = file.by_ref().take(u64::from(LENGTH_MAX) + 1).read_to_string(&mut text);
    let text = Secret::new(text);
    if read? > LENGTH_MAX.into() {
        return Err(io::Error::other(format!("it is longer than {LENGTH_MAX} bytes")));
    }
    check(text.expose().trim()).map_err(io::Error::other)?;
    Ok(Secret::new(text.expose().trim().to_owned()))
}

fn about(path: &Path, error: io::Error) -> Failure {
    let place = path.display();
    let failure = Kind::Configuration.because(format_args!("embedded secret in {place}: {error}"));
    let is_exposed = error.get_ref().is_some_and(|error| error.is::<Exposed>());
    if is_exposed { failure.advise(format_args!("make it private: chmod o= {place}")) } else { failure }
}

/// Checks the text of a secret.
///
/// # Errors
/// [`ConfigError::EmbeddedSecret`].
pub fn check(text: &str) -> Result<(), ConfigError> {
    Client::new("client", "http://127.0.0.1/callback", Server::ITWIN)?.with_embedded_secret(text).map(drop)
}

#[cfg(unix)]
fn check_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let is_exposed = file.metadata()?.permissions().mode() & 0o004 != 0;
    if is_exposed { Err(io::Error::other(Exposed)) } else { Ok(()) }
}

/// Access lists are not read: the user keeps the file where others cannot read it.
#[cfg(not(unix))]
fn check_private(_: &File) -> io::Result<()> {
    Ok(())
}

#[derive(Debug)]
struct Exposed;

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("every user of this machine can read this file")
    }
}

impl Error for Exposed {}

/// As long as any that a server gives out, and longer.
const LENGTH_MAX: u16 = 4096;
