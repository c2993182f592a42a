//! Both adapters behind one pair of functions.

use proofkey_core::{CallbackError, Client, ResponseError, TokenRequest, TokensBuf};
use std::io;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::runtime::Builder;

/// An adapter: a login whose browser is `open`, and an exchange with a deadline.
#[derive(Clone, Copy)]
pub(crate) struct Adapter {
    pub(crate) name: &'static str,
    pub(crate) login: fn(Client<'_>, Open<'_>) -> Outcome,
    pub(crate) exchange: fn(TokenRequest<'_>, Duration) -> Outcome,
}

pub(crate) type Open<'o> = &'o dyn Fn(&str);
pub(crate) type Outcome = Result<TokensBuf, Failure>;

/// What either adapter can fail with.
#[derive(Debug, PartialEq)]
pub(crate) enum Failure {
    Callback(CallbackError),
    Response(ResponseError),
    /// Anything else, by the name of its variant.
    Other(String),
}

impl Failure {
    /// A short name, which stays the same.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Callback(CallbackError::Server(words)) => format!("Server({})", words.code()),
            Self::Callback(error) => format!("{error:?}").replace('"', ""),
            Self::Response(ResponseError::Json(_)) => "Json".into(),
            Self::Response(ResponseError::Server { error, .. }) => format!("Server({})", error.code()),
            Self::Response(ResponseError::Status { status, .. }) => format!("Status({status})"),
            Self::Response(error) => format!("{error:?}").replace('"', ""),
            Self::Other(name) => name.clone(),
        }
    }
}

pub(crate) const BLOCKING: Adapter = Adapter {
    name: "blocking",
    login: |client, open| {
        let login = proofkey_ureq::Login::new(client, &[]).with_timeout(PATIENCE);
        Ok(UREQ.login(login, |url| opened(open, url))?.tokens)
    },
    exchange: |request, deadline| Ok(UREQ.clone().with_deadline(deadline).exchange(request)?),
};

pub(crate) const ASYNCHRONOUS: Adapter = Adapter {
    name: "asynchronous",
    login: |client, open| {
        let login = proofkey_reqwest::Login::new(client, &[]).with_timeout(PATIENCE);
        Ok(wait(REQWEST.login(login, |url| opened(open, url)))?.tokens)
    },
    exchange: |request, deadline| Ok(wait(REQWEST.clone().with_deadline(deadline).exchange(request))?),
};

static UREQ: LazyLock<proofkey_ureq::Http> = LazyLock::new(proofkey_ureq::Http::new);
static REQWEST: LazyLock<proofkey_reqwest::Http> =
    LazyLock::new(|| proofkey_reqwest::Http::new().expect("the system has certificate authorities"));

/// For a login whose redirect is wrongly ignored.
const PATIENCE: Duration = Duration::from_secs(20);

fn wait<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn opened(open: Open<'_>, url: &str) -> io::Result<()> {
    open(url);
    Ok(())
}

macro_rules! failures {
    ($adapter:ident) => {
        impl From<$adapter::LoginError> for Failure {
            fn from(error: $adapter::LoginError) -> Self {
                match error {
                    $adapter::LoginError::Callback(error) => Self::Callback(error),
                    $adapter::LoginError::Exchange(error) => error.into(),
                    error => Self::Other(format!("{error:?}")),
                }
            }
        }

        impl From<$adapter::ExchangeError> for Failure {
            fn from(error: $adapter::ExchangeError) -> Self {
                match error {
                    $adapter::ExchangeError::Response(error) => Self::Response(error),
                    $adapter::ExchangeError::Transport($adapter::TransportError::Http(_)) => Self::Other("Http".into()),
                    $adapter::ExchangeError::Transport(error) => Self::Other(format!("{error:?}")),
                    error => Self::Other(format!("{error:?}")),
                }
            }
        }
    };
}

failures!(proofkey_reqwest);
failures!(proofkey_ureq);
