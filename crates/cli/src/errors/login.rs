//! Errors of a login with what only the tool knows: the issuer that was asked for, the names of the parameters.

use crate::failure::{Failure, Kind};
use crate::hosts::Target;
use crate::settings::Settings;
use proofkey_core::{ConfigError, Endpoint, ParameterFault, ResponseError, UriFault};
use proofkey_ureq::DiscoverError;

/// The server was not found from the issuer.
pub fn not_discovered(error: DiscoverError, issuer: &str) -> Failure {
    let advice = match &error {
        DiscoverError::Config(ConfigError::Endpoint(endpoint, UriFault::Absent)) => return no_endpoint(*endpoint),
        DiscoverError::Response(ResponseError::Issuer { found, .. }) => Some(other_issuer(issuer, found.as_str())),
        _ => None,
    };
    let failure = Failure::from(error).at(issuer);
    match advice {
        Some(OtherIssuer::Same(command)) => failure.advise_command("if that is your server, use", command),
        Some(OtherIssuer::Template(issuer)) => {
            failure.advise(format_args!("put your tenant in place of {{tenantid}}: --issuer {issuer}"))
        }
        Some(OtherIssuer::Stranger) => {
            failure.advise("check --issuer: this address has the metadata of another server, which is not trusted")
        }
        None => failure,
    }
}

enum OtherIssuer {
    /// One at the same scheme, host and port: the options to use it.
    Same(String),
    /// It is at another address, so that to name it in a command would invite trust in somebody else's server.
    Stranger,
    /// It has a place for a tenant.
    Template(String),
}

fn other_issuer(asked: &str, found: &str) -> OtherIssuer {
    let is_same = Target::of(&found.replace(['{', '}'], "")).is_some_and(|found| Some(found) == Target::of(asked));
    // A longer one may have been cut, and no shell may read more than a word.
    let is_word = found.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/%{}".contains(&byte));
    match found.contains("{tenantid}") {
        _ if !is_same || !is_word || found.len() >= EXCERPT_MAX => OtherIssuer::Stranger,
        true => OtherIssuer::Template(found.replace("{tenantid}", "YOUR-TENANT")),
        false if found.contains(['{', '}']) => OtherIssuer::Stranger,
        false => OtherIssuer::Same(format!("login --issuer {found}")),
    }
}

/// A setting that cannot be sent, by its name.
pub fn not_sendable(error: ConfigError, settings: &Settings) -> Failure {
    match error {
        ConfigError::ExtraParameter { index, fault } => {
            let name = settings.extra.get(index).map_or("", |(name, _)| name);
            let fault = match fault {
                ParameterFault::Empty => "has no name or no value",
                ParameterFault::InEndpoint => "is already in the query of the authorization endpoint",
                ParameterFault::Protocol(_) => "is set by the protocol itself",
                ParameterFault::Repeated => "is given twice",
                _ => "cannot be sent",
            };
            Kind::Configuration.because(format_args!("extra parameter `{}` {fault}", clean(name)))
        }
        ConfigError::Scope(index) => {
            let scope = settings.scope.get(index).map_or("", |scope| scope);
            Kind::Configuration.because(format_args!(
                "scope `{}`: a scope is printable ASCII without space, quote or backslash",
                clean(scope)
            ))
        }
        ConfigError::Endpoint(endpoint, UriFault::Absent) => no_endpoint(endpoint),
        error => error.into(),
    }
}

/// The server does not do what is asked for.
pub fn no_endpoint(endpoint: Endpoint) -> Failure {
    let failure = Kind::Configuration.because(format_args!("no {endpoint} is known for this server"));
    match endpoint {
        Endpoint::Authorization => {
            failure.advise("nobody can sign in with a browser there; for a device, use --device")
        }
        Endpoint::DeviceAuthorization => {
            failure.advise("leave out --device; with a browser on another machine, use --paste instead")
        }
        Endpoint::EndSession => failure.advise("leave out --browser"),
        Endpoint::PushedAuthorization => failure.advise("leave out --push, and `push` in the configuration file"),
        _ => failure,
    }
}

fn clean(text: &str) -> String {
    text.replace(char::is_control, "?")
}

/// As long as an excerpt of the core may be.
const EXCERPT_MAX: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_issuer_of_the_same_address_is_offered() {
        let long = format!("https://as.example/{}", "x".repeat(120));
        for (asked, found, expected) in [
            ("https://as.example/", "https://as.example", "login --issuer https://as.example"),
            ("https://as.example/.well-known/x", "https://AS.example:443/t", "login --issuer https://AS.example:443/t"),
            ("https://as.example", "https://as.example.evil.example", ""),
            ("https://as.example", "https://as.example:444", ""),
            ("https://as.example", "http://as.example", ""),
            ("https://as.example", "https://user@as.example", ""),
            ("https://as.example", "https://as.example/$(id)", ""),
            ("https://as.example", "https://as.example/;id", ""),
            ("https://as.example", "https://as.example/x y", ""),
            ("https://as.example", &long, ""),
            ("https://as.example", "", ""),
            (
                "https://as.example/common/v2.0",
                "https://as.example/{tenantid}/v2.0",
                "https://as.example/YOUR-TENANT/v2.0",
            ),
            ("https://as.example", "https://evil.example/{tenantid}/v2.0", ""),
            ("https://as.example", "https://as.example/{x}", ""),
        ] {
            let offered = match other_issuer(asked, found) {
                OtherIssuer::Same(text) | OtherIssuer::Template(text) => text,
                OtherIssuer::Stranger => String::new(),
            };
            assert_eq!(offered, expected, "{asked} {found}");
        }
    }
}
