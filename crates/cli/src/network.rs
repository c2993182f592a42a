//! How servers are reached: through which proxy, and whose certificates are trusted.

use crate::args;
use crate::config::{Config, Profile};
use crate::failure::{Failure, Kind};
use proofkey_ureq::{Http, Proxies, ProxyError, Settings};
use std::path::Path;
use std::time::Duration;
use std::{fmt, fs};

/// The settings of every connection to a server. By default those of the environment and of the operating system.
#[derive(Debug, Default)]
pub struct Network(Settings);

impl Network {
    /// From the options, else the configuration file.
    ///
    /// # Errors
    /// [`Kind::Configuration`] if the proxy or the file with certificates cannot be used.
    pub fn of(options: &args::Network, config: &Config, profile: &str) -> Result<Self, Failure> {
        let Profile { proxy, cacert, .. } = config.profile(profile);
        let mut settings = Settings::new();
        if let Some(url) = options.proxy.as_ref().or(proxy.as_ref()) {
            let proxies =
                proxies(url).map_err(|error| Kind::Configuration.because(format_args!("--proxy: {error}")))?;
            settings = settings.with_proxies(proxies);
        }
        match (&options.cacert, &cacert) {
            (Some(file), _) => trust_only(settings, file, &"--cacert"),
            (None, Some(file)) => {
                trust_only(settings, file, &format_args!("{}: profile `{profile}`: cacert", config.place()))
            }
            (None, None) => Ok(settings),
        }
        .map(Self)
    }

    /// An HTTP client.
    pub fn http(&self) -> Http {
        Http::with_settings(self.0.clone())
    }

    /// The same with a deadline.
    pub fn http_within(&self, deadline: Duration) -> Http {
        Http::with_settings(self.0.clone().with_deadline(deadline))
    }
}

/// This proxy, except for the hosts in the environment's `NO_PROXY`; an empty URL is no proxy, as in curl.
pub fn proxies(url: &args::ProxyUrl) -> Result<Proxies, ProxyError> {
    if url.expose().is_empty() {
        return Ok(Proxies::none());
    }
    Ok(Proxies::new(url.expose())?.with_exceptions_from_env())
}

fn trust_only(settings: Settings, file: &Path, place: &dyn fmt::Display) -> Result<Settings, Failure> {
    let failure = |fault: &dyn fmt::Display| {
        Kind::Configuration
            .because(format_args!("{place} {}: {fault}", file.display()))
            .advise("name a PEM file with the certificates of the authorities to trust (-----BEGIN CERTIFICATE-----)")
    };
    let pem = fs::read(file).map_err(|error| failure(&error))?;
    settings.with_only_root_certificates(&pem).map_err(|_| failure(&"it has no certificate, or a broken one"))
}
