//! The HTTP clients of the other crates: with the settings of the adapters, and as `oauth2` wraps them.

use oauth2::{HttpRequest, HttpResponse};
use std::net::SocketAddr;
use std::time::Duration;
use ureq::Agent;
use ureq::config::{AutoHeaderValue, Config};
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// A client with the settings of `proofkey-reqwest`.
///
/// # Panics
/// If the system has no certificate authorities.
pub fn reqwest(kept: bool) -> reqwest::Client {
    let builder = reqwest::Client::builder()
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(AGENT);
    let builder = if kept { builder.pool_idle_timeout(KEPT) } else { builder.pool_max_idle_per_host(0) };
    builder.build().expect("a client")
}

/// An agent with the settings of `proofkey-ureq`.
pub fn ureq(kept: bool) -> Agent {
    let idle = if kept { 1024 } else { 0 };
    let config = Agent::config_builder()
        .accept_encoding(AutoHeaderValue::None)
        .http_status_as_error(false)
        .max_idle_age(KEPT)
        .max_idle_connections(idle)
        .max_idle_connections_per_host(idle)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .timeout_global(Some(DEADLINE))
        .user_agent(AGENT)
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Literal)
}

/// Takes addresses only, so that nothing is looked up.
#[derive(Debug)]
struct Literal;

impl Resolver for Literal {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let address = uri.authority().and_then(|authority| authority.as_str().parse::<SocketAddr>().ok());
        let mut addresses = self.empty();
        addresses.push(address.ok_or(ureq::Error::HostNotFound)?);
        Ok(addresses)
    }
}

/// What `oauth2` does with its own version of reqwest, within the deadline of the adapter.
///
/// # Errors
/// If there is no answer.
pub async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let request = reqwest::Request::try_from(request)?;
    let exchange = async {
        let response = client.execute(request).await?;
        let mut answer = http::Response::builder().status(response.status()).version(response.version());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        Ok(answer.body(response.bytes().await?.to_vec()).expect("it comes from a response"))
    };
    tokio::time::timeout(DEADLINE, exchange).await.expect("the server answers at once")
}

/// What `oauth2` does with its own version of ureq.
///
/// # Errors
/// If there is no answer.
pub fn send_blocking(agent: &Agent, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let response = agent.run(request)?;
    let mut answer = http::Response::builder().status(response.status());
    if let Some(content_type) = response.headers().get(http::header::CONTENT_TYPE) {
        answer = answer.header(http::header::CONTENT_TYPE, content_type);
    }
    Ok(answer.body(response.into_body().read_to_vec()?)?)
}

/// How long an idle connection is kept: longer than any round.
pub const KEPT: Duration = Duration::from_secs(60);
const AGENT: &str = concat!("proofkey/", env!("CARGO_PKG_VERSION"));
const DEADLINE: Duration = Duration::from_secs(30);
