//! Maps the libraries' errors to failures, with an exit code and advice.

mod login;

use crate::failure::{Failure, Kind};
use crate::interrupt;
use crate::time::Span;
pub use login::{no_endpoint, not_discovered, not_sendable};
use proofkey_core::{Advice, AuthorizeError, CallbackError, ConfigError, ResponseError, ServerError};
use proofkey_ureq::{DiscoverError, ExchangeError, LoginError, ProxyError, TransportError, TransportKind};
use std::error::Error;
use std::fmt;
use std::io::ErrorKind;

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Kind::Configuration.because(error)
    }
}

impl<E: fmt::Display> From<AuthorizeError<E>> for Failure {
    fn from(error: AuthorizeError<E>) -> Self {
        match error {
            AuthorizeError::Config(error) => error.into(),
            error => Kind::Unexpected.because(error),
        }
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        match &error {
            CallbackError::Server(words) => refused(words, error.advice(), &error),
            CallbackError::Client | CallbackError::Mode | CallbackError::Target { .. } => {
                Kind::Configuration.because(error)
            }
            _ => Kind::Refused.because(error).advise_command("start again with", "login"),
        }
    }
}

impl From<ResponseError> for Failure {
    fn from(error: ResponseError) -> Self {
        match &error {
            ResponseError::Server { error: words, .. } => refused(words, error.advice(), &error),
            ResponseError::Endpoint(_)
            | ResponseError::Issuer { .. }
            | ResponseError::NoS256(_)
            | ResponseError::Redirect(_) => Kind::Configuration.because(error),
            ResponseError::Status { status: 400..=499, .. } if error.advice() == Advice::Fix => {
                Kind::Refused.because(error)
            }
            _ => match error.advice() {
                Advice::Retry { after } => later(&error, after),
                _ => Kind::Network.because(error),
            },
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        match error.kind() {
            TransportKind::Deadline => Kind::TimedOut.because(error).advise("try again later"),
            TransportKind::Insecure => Kind::Configuration.because(error),
            TransportKind::BodyTooBig => Kind::Network.because(error),
            TransportKind::Proxy => {
                let is_unusable = error.source().is_some_and(<dyn Error>::is::<ProxyError>);
                Kind::Configuration.because(error).advise(if is_unusable { OTHER_PROXY } else { PROXY_PASSWORD })
            }
            TransportKind::Tls => Kind::Network.because(error).advise(AUTHORITIES),
            _ => Kind::Network.because(error).advise("check the address and the network connection, then try again"),
        }
    }
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Config(error) => error.into(),
            ExchangeError::IdToken(_) => Kind::Refused.because(error).advise_command("sign in again with", "login"),
            ExchangeError::Response(error) => error.into(),
            ExchangeError::Transport(error) => error.into(),
            error => Kind::Configuration.because(error),
        }
    }
}

impl From<DiscoverError> for Failure {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::Config(error) => error.into(),
            DiscoverError::Transport(error) => error.into(),
            DiscoverError::Response(inner) => {
                let message = match inner {
                    // Their texts already mention the metadata.
                    ResponseError::Endpoint(_) | ResponseError::Issuer { .. } | ResponseError::NoS256(_) => {
                        inner.to_string()
                    }
                    _ => format!("the server's metadata: {inner}"),
                };
                Self { message, ..inner.into() }
            }
            error => Kind::Configuration.because(error).advise(NO_METADATA),
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Authorize(error) => error.into(),
            LoginError::Callback(error) => error.into(),
            LoginError::Cancelled => interrupt::failure(),
            LoginError::Config(error) => error.into(),
            LoginError::Exchange(error) => error.into(),
            LoginError::NotLoopback => {
                Kind::Configuration.because(error).advise("for any other redirect URI, add --paste")
            }
            LoginError::Device(error) | LoginError::Push(error) => error.into(),
            LoginError::Expired { .. } => {
                Kind::TimedOut.because(error).advise_command("start again with", "login --device")
            }
            LoginError::Listen(ref inner)
                if matches!(inner.source.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) =>
            {
                Kind::Configuration.because(error)
            }
            LoginError::PushExpired => Kind::Network.because(error).advise_command("start again with", "login"),
            LoginError::TimedOut => Kind::TimedOut.because(error).advise("to wait longer, use --timeout SECONDS"),
            error => Kind::Unexpected.because(error),
        }
    }
}

/// The server refused, in its own words.
fn refused(words: &ServerError, advice: Advice, error: &dyn fmt::Display) -> Failure {
    if let Advice::Retry { after } = advice {
        return later(error, after);
    }
    let failure = Kind::Refused.because(error);
    if is_about(words, SECRET) {
        return failure.advise(
            "this server wants a client secret: register the app as a public (native) client; or, if the server gives a secret to \
             every copy of an app, put it in a file and add --embedded-secret-file FILE (and --embedded-secret-in-header if \
             that is how the client is registered)",
        );
    }
    if is_about(words, NONCE) {
        return failure.advise_command("the server wants a nonce: run", "login --extra nonce=TEXT");
    }
    if is_about(words, PUSH) {
        return failure.advise_command("the server takes only pushed logins from this client: run", "login --push");
    }
    match words.code() {
        "access_denied" | "authorization_declined" => {
            failure.advise_command("you or the server's policy denied access; to try again, run", "login")
        }
        "consent_required" | "interaction_required" | "login_required" => {
            failure.advise("the server wants the user to interact: sign in without `prompt=none`")
        }
        "invalid_client" | "unauthorized_client" => failure.advise(
            "check the client id; the client must be registered as a public client for code and refresh_token, or its embedded \
             secret for the way in which it is sent (--embedded-secret-in-header)",
        ),
        "invalid_dpop_proof" | "use_dpop_nonce" => {
            failure.advise_command("the server wants tokens that are bound to a key (DPoP): run", "login --dpop")
        }
        "invalid_grant" => Kind::LoginRequired.because(error).advise_command("sign in again with", "login"),
        "invalid_scope" => failure.advise("check --scope: the client may not be allowed to request all of it"),
        _ => failure.advise("check that the client id, the redirect URI and the scope are registered at the server"),
    }
}

/// Whether the server's description is advice enough.
pub fn is_explained(words: &ServerError) -> bool {
    [SECRET, NONCE, PUSH].into_iter().any(|subject| is_about(words, subject))
}

fn is_about(words: &ServerError, subject: &[&str]) -> bool {
    let description = words.description().unwrap_or_default().to_ascii_lowercase();
    // DPoP has a nonce of its own.
    !words.code().contains("dpop") && subject.iter().any(|word| description.contains(word))
}

/// The server is busy or down.
fn later(error: &dyn fmt::Display, after: Option<u32>) -> Failure {
    let failure = Kind::Network.because(error);
    match after {
        Some(seconds) => failure.advise(format_args!("try again in {}", Span(seconds.into()))),
        None => failure.advise("try again later"),
    }
}

const AUTHORITIES: &str = "check the address; if your company has certificates of its own, trust its authority with \
    --cacert FILE or SSL_CERT_FILE";
const NONCE: &[&str] = &["nonce"];
const PUSH: &[&str] = &["pushed authorization request"];
const NO_METADATA: &str = "give the issuer exactly as the server writes it, or the endpoints: \
    --authorization-endpoint URL --token-endpoint URL";
const OTHER_PROXY: &str = "use another proxy with --proxy URL, or none with --proxy ''";
const PROXY_PASSWORD: &str = "if the proxy wants a password, write http://USER:PASSWORD@HOST:PORT in HTTPS_PROXY, or as \
    `proxy` in the configuration file";
const SECRET: &[&str] = &["client secret", "client_secret"];

#[cfg(test)]
mod tests {
    use super::*;
    use proofkey_core::{Client, Discovery, RefreshToken, Response, Server, UriFault};
    use proofkey_ureq::{ListenError, Proxies};
    use std::io;

    #[test]
    fn the_servers_words_say_what_to_do() {
        for (status, words, kind, advice) in [
            (
                400,
                "access_denied",
                Kind::Refused,
                "you or the server's policy denied access; to try again, run `proofkey login`",
            ),
            (400, "consent_required", Kind::Refused, "without `prompt=none`"),
            (400, "interaction_required", Kind::Refused, "without `prompt=none`"),
            (400, "invalid_client", Kind::Refused, "check the client id; "),
            (400, "invalid_grant", Kind::LoginRequired, "sign in again with `proofkey login`"),
            (400, "invalid_scope", Kind::Refused, "check --scope"),
            (400, "login_required", Kind::Refused, "without `prompt=none`"),
            (400, "temporarily_unavailable", Kind::Network, "try again later"),
            (400, "unauthorized_client", Kind::Refused, "check the client id; "),
            (400, "x", Kind::Refused, "check that the client id, the redirect URI and the scope"),
            (503, "x", Kind::Network, "try again in 7 seconds"),
        ] {
            assert_failure(server(status, words, (status == 503).then_some("7")), kind, advice);
        }
    }

    #[test]
    fn each_error_has_its_exit_code() {
        let status = |status, retry_after| ResponseError::Status { status, retry_after, is_page: false };
        let config = || ConfigError::Issuer(UriFault::Query);
        let broken = || io::Error::other("broken");
        let socks = Proxies::new("socks5://proxy.example").unwrap_err();
        let no_metadata = || {
            let issuer = "https://as.example".to_owned();
            let tried = Discovery::new(&issuer).unwrap().tried();
            DiscoverError::NoMetadata { issuer, tried }
        };
        for (failure, kind, advice) in [
            (Failure::from(AuthorizeError::<io::Error>::Config(config())), Kind::Configuration, ""),
            (AuthorizeError::Random(broken()).into(), Kind::Unexpected, ""),
            (CallbackError::Client.into(), Kind::Configuration, ""),
            (CallbackError::Mode.into(), Kind::Configuration, ""),
            (CallbackError::Target { expected: "a".into(), found: "b".into() }.into(), Kind::Configuration, ""),
            (CallbackError::State.into(), Kind::Refused, "start again with `proofkey login`"),
            (ResponseError::Endpoint(config()).into(), Kind::Configuration, ""),
            (ResponseError::Issuer { expected: "a".into(), found: "b".into() }.into(), Kind::Configuration, ""),
            (ResponseError::NoS256("plain".into()).into(), Kind::Configuration, ""),
            (ResponseError::Redirect(307).into(), Kind::Configuration, ""),
            (ResponseError::Json(0).into(), Kind::Network, ""),
            (status(404, None).into(), Kind::Refused, ""),
            (status(399, None).into(), Kind::Network, ""),
            (status(429, None).into(), Kind::Network, "try again later"),
            (status(500, Some(90)).into(), Kind::Network, "try again in 1 minute 30 seconds"),
            (TransportError::new(TransportKind::BodyTooBig, true).into(), Kind::Network, ""),
            (TransportError::new(TransportKind::Insecure, false).into(), Kind::Configuration, ""),
            (TransportError::new(TransportKind::Proxy, false).into(), Kind::Configuration, "USER:PASSWORD@HOST"),
            (TransportError::from(socks).into(), Kind::Configuration, "--proxy ''"),
            (TransportError::new(TransportKind::Tls, false).into(), Kind::Network, "--cacert FILE or SSL_CERT_FILE"),
            (
                ExchangeError::Transport(TransportError::new(TransportKind::Deadline, true)).into(),
                Kind::TimedOut,
                "try again later",
            ),
            (ExchangeError::Config(config()).into(), Kind::Configuration, ""),
            (ExchangeError::Response(ResponseError::TokenType(Some("mac"))).into(), Kind::Network, ""),
            (DiscoverError::Config(config()).into(), Kind::Configuration, ""),
            (no_metadata().into(), Kind::Configuration, "give the issuer exactly"),
            (DiscoverError::Response(ResponseError::NoS256("plain".into())).into(), Kind::Configuration, ""),
            (
                DiscoverError::Transport(TransportError::new(TransportKind::Deadline, true)).into(),
                Kind::TimedOut,
                "try again later",
            ),
            (LoginError::Authorize(AuthorizeError::RandomRepeats).into(), Kind::Unexpected, ""),
            (LoginError::Callback(CallbackError::State).into(), Kind::Refused, "start again with `proofkey login`"),
            (DiscoverError::Response(status(503, Some(7))).into(), Kind::Network, "try again in 7 seconds"),
            (DiscoverError::Response(status(429, None)).into(), Kind::Network, "try again later"),
            (LoginError::Cancelled.into(), Kind::Interrupted, ""),
            (LoginError::Config(config()).into(), Kind::Configuration, ""),
            (LoginError::Exchange(ExchangeError::Config(config())).into(), Kind::Configuration, ""),
            (listen(ErrorKind::AddrInUse.into()).into(), Kind::Configuration, ""),
            (listen(ErrorKind::PermissionDenied.into()).into(), Kind::Configuration, ""),
            (listen(broken()).into(), Kind::Unexpected, ""),
            (LoginError::NotLoopback.into(), Kind::Configuration, "add --paste"),
            (LoginError::Open(broken()).into(), Kind::Unexpected, ""),
            (LoginError::TimedOut.into(), Kind::TimedOut, "to wait longer, use --timeout SECONDS"),
        ] {
            assert_failure(failure, kind, advice);
        }
        let failure = Failure::from(DiscoverError::Response(ResponseError::NoS256("plain".into())));
        assert!(failure.message.starts_with("the server does not offer PKCE with S256"), "{failure:?}");
        let failure = Failure::from(DiscoverError::Response(ResponseError::Missing("token_endpoint")));
        assert!(failure.message.starts_with("the server's metadata: the response has no"), "{failure:?}");
    }

    fn listen(source: io::Error) -> LoginError {
        LoginError::Listen(ListenError { address: ([127, 0, 0, 1], 3000).into(), source })
    }

    /// The failure for an error of the token endpoint.
    fn server(status: u16, words: &str, retry_after: Option<&str>) -> Failure {
        let server = Server::new("https://as.example/authorize", "https://as.example/token");
        let client = Client::new("client", "http://127.0.0.1/callback", server).unwrap();
        let request = client.refresh(RefreshToken::new("RT").unwrap());
        let mut body = format!(r#"{{"error":"{words}"}}"#).into_bytes();
        let response = Response::new(status, &mut body).with_header("retry-after", retry_after.unwrap_or_default());
        request.read(response).unwrap_err().into()
    }

    #[track_caller]
    fn assert_failure(failure: Failure, kind: Kind, advice: &str) {
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert_eq!(failure.advice.is_some(), !advice.is_empty(), "{failure:?}");
        assert!(failure.advice.as_ref().is_none_or(|given| given.to_string().contains(advice)), "{failure:?}");
    }
}
