//! Both adapters behind the same functions.

use proofkey_core::{
    AccessToken, CallbackError, Client, ClientBuf, IdTokenError, Prompt, PushRequest, PushedUrlBuf, RefreshTokenBuf,
    ResponseBuf, ResponseError, TokenRequest, TokensBuf,
};
use proofkey_ureq::{
    DiscoverError, ExchangeError, LoginError, Settings, SignedIn, SigningKey, TransportError, TransportKind,
};
use std::io;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::runtime::Builder;

/// An adapter: a call of an API, an exchange, in a hurry or not, and a login whose browser is `open`, with the time that the
/// user has and a flag that gives it up.
#[derive(Clone, Copy)]
pub(crate) struct Adapter {
    pub(crate) name: &'static str,
    pub(crate) call: fn(&str) -> Result<ResponseBuf, Failure>,
    /// A login of a device, what it does with the prompt, and a flag that gives it up.
    pub(crate) device: fn(Client<'_>, Show<'_>, &AtomicBool) -> Outcome,
    pub(crate) discover: fn(&str) -> Result<ClientBuf, Failure>,
    pub(crate) exchange: fn(TokenRequest<'_>, bool) -> (Kept, Outcome),
    pub(crate) login: fn(Client<'_>, Open<'_>, Duration, &AtomicBool) -> Outcome,
    pub(crate) sign_in: fn(TokenRequest<'_>) -> Result<SignedIn, Failure>,
    pub(crate) push: fn(PushRequest<'_>) -> Result<PushedUrlBuf, Failure>,
}

pub(crate) type Show<'s> = &'s dyn Fn(&Prompt<'_>) -> io::Result<()>;
pub(crate) type Open<'o> = &'o dyn Fn(&str);
/// The new refresh token of an answer, whatever else is wrong with it.
pub(crate) type Kept = Option<RefreshTokenBuf>;
pub(crate) type Outcome = Result<TokensBuf, Failure>;

/// What either adapter can fail with.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    Callback(CallbackError),
    IdToken(IdTokenError),
    /// No address has metadata; what each of them answered, in words.
    NoMetadata(String),
    Response(ResponseError),
    /// Anything else, by the name of its variant.
    Other(String),
}

impl Failure {
    /// A short name, which stays the same.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Callback(CallbackError::Server(words)) => format!("Server({})", words.code()),
            Self::Callback(CallbackError::Issuer { .. }) => "Issuer".into(),
            Self::Callback(CallbackError::Target { .. }) => "Target".into(),
            Self::Callback(error) => format!("{error:?}").replace('"', ""),
            Self::IdToken(error) => format!("{error:?}").split(" {").next().unwrap_or_default().replace('"', ""),
            Self::NoMetadata(_) => "NoMetadata".into(),
            Self::Response(ResponseError::ContentType(_)) => "ContentType".into(),
            Self::Response(ResponseError::Issuer { .. }) => "Issuer".into(),
            Self::Response(ResponseError::Json(_)) => "Json".into(),
            Self::Response(ResponseError::NoS256(_)) => "NoS256".into(),
            Self::Response(ResponseError::Server { error, .. }) => format!("Server({})", error.code()),
            Self::Response(ResponseError::Status { status, .. }) => format!("Status({status})"),
            Self::Response(ResponseError::TokenType(_)) => "TokenType".into(),
            Self::Response(error) => format!("{error:?}").replace('"', ""),
            Self::Other(name) => name.clone(),
        }
    }
}

pub(crate) const BLOCKING: Adapter = Adapter {
    sign_in: |request| Ok(UREQ.sign_in(request)?),
    name: "blocking",
    call: |url| Ok(UREQ.call(get(url), token())?),
    device: |client, show, cancel| {
        let login = proofkey_ureq::DeviceLogin::new(client, &["a"]).with_cancel(cancel);
        Ok(UREQ.login_device(login, show)?.tokens)
    },
    discover: |issuer| Ok(UREQ.discover_device(issuer, "client")?),
    exchange: |request, hurried| {
        let http = if hurried { &UREQ_IN_A_HURRY } else { &UREQ };
        let (kept, tokens) = http.exchange_keeping(request);
        (kept, tokens.map_err(Failure::from))
    },
    login: |client, open, timeout, cancel| {
        let login = proofkey_ureq::Login::new(client, &[]).with_timeout(timeout).with_cancel(cancel);
        Ok(UREQ.login(login, |url| opened(open, url))?.tokens)
    },
    push: |request| Ok(UREQ.push(request)?),
};

pub(crate) const ASYNCHRONOUS: Adapter = Adapter {
    sign_in: |request| Ok(wait(REQWEST.sign_in(request))?),
    name: "asynchronous",
    call: |url| Ok(wait(REQWEST.call(get(url), token()))?),
    device: |client, show, cancel| {
        let login = proofkey_reqwest::DeviceLogin::new(client, &["a"]).with_cancel(cancel);
        Ok(wait(REQWEST.login_device(login, show))?.tokens)
    },
    discover: |issuer| Ok(wait(REQWEST.discover_device(issuer, "client"))?),
    exchange: |request, hurried| {
        let http = if hurried { &REQWEST_IN_A_HURRY } else { &REQWEST };
        let (kept, tokens) = wait(http.exchange_keeping(request));
        (kept, tokens.map_err(Failure::from))
    },
    login: |client, open, timeout, cancel| {
        let login = proofkey_reqwest::Login::new(client, &[]).with_timeout(timeout).with_cancel(cancel);
        Ok(wait(REQWEST.login(login, |url| opened(open, url)))?.tokens)
    },
    push: |request| Ok(wait(REQWEST.push(request))?),
};

/// What bound clients sign with.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(proofkey_tests::bound::key);
static UREQ: LazyLock<proofkey_ureq::Http> =
    LazyLock::new(|| proofkey_ureq::Http::new().with_signer(SigningKey::clone(&KEY)));
static REQWEST: LazyLock<proofkey_reqwest::Http> = LazyLock::new(|| {
    let http = proofkey_reqwest::Http::new().expect("the system has certificate authorities");
    http.with_signer(SigningKey::clone(&KEY))
});
/// For servers that say nothing.
static UREQ_IN_A_HURRY: LazyLock<proofkey_ureq::Http> =
    LazyLock::new(|| proofkey_ureq::Http::with_settings(Settings::new().with_deadline(HURRY)));
static REQWEST_IN_A_HURRY: LazyLock<proofkey_reqwest::Http> = LazyLock::new(|| {
    proofkey_reqwest::Http::with_settings(Settings::new().with_deadline(HURRY)).expect("it was built before")
});
const HURRY: Duration = Duration::from_millis(500);

fn wait<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).expect("a request")
}

fn token() -> AccessToken<'static> {
    AccessToken::new("AT").expect("an access token")
}

fn opened(open: Open<'_>, url: &str) -> io::Result<()> {
    open(url);
    Ok(())
}

macro_rules! failures {
    ($adapter:ident) => {};
}

failures!(proofkey_reqwest);
failures!(proofkey_ureq);

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::IdToken(error) => Self::IdToken(error),
            ExchangeError::Response(error) => Self::Response(error),
            ExchangeError::Transport(error) => error.into(),
            error => Self::Other(format!("{error:?}")),
        }
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        Self::Other(match error.kind() {
            TransportKind::Closed => "Http".into(),
            kind => format!("{kind:?}"),
        })
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Callback(error) => Self::Callback(error),
            LoginError::Device(error) | LoginError::Exchange(error) => error.into(),
            error => Self::Other(format!("{error:?}")),
        }
    }
}

impl From<DiscoverError> for Failure {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::NoMetadata { issuer, tried } => Self::NoMetadata(tried.at(&issuer).to_string()),
            DiscoverError::Response(error) => Self::Response(error),
            DiscoverError::Transport(error) => error.into(),
            error => Self::Other(format!("{error:?}")),
        }
    }
}
