//! The `reqwest` clients of an [`Http`](crate::Http), and their duties.

use crate::error::built;
use proofkey_http::{Proxies, Reuse, Settings, TransportError, TransportKind, USER_AGENT, is_secure};
use reqwest::{Client, ClientBuilder, Proxy, Url, redirect, retry};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Which client sends what.
#[derive(Debug)]
pub(crate) struct Clients {
    /// To this machine only, and never through a proxy.
    plain: Pair,
    secure: Pair,
    /// None if the proxies are those of your own client.
    proxies: Option<Proxies>,
    settings: Settings,
    reuse: Reuse,
}

#[derive(Debug)]
struct Pair {
    /// Each request has a connection of its own.
    fresh: Client,
    kept: Option<Client>,
}

impl Clients {
    pub(crate) fn new(settings: Settings) -> Result<Self, TransportError> {
        let tls = settings.tls()?;
        let proxies = settings.proxies().cloned().unwrap_or_else(Proxies::from_env);
        let own = || own().tls_backend_preconfigured(tls.clone());
        Self::build(&own, Some(proxies), settings)
    }

    pub(crate) fn with(yours: impl Fn() -> ClientBuilder, settings: Settings) -> Result<Self, TransportError> {
        let tls = settings.has_roots().then(|| settings.tls()).transpose()?;
        let proxies = settings.proxies().cloned();
        let yours = || match &tls {
            Some(tls) => yours().tls_backend_preconfigured(tls.clone()),
            None => yours(),
        };
        Self::build(&yours, proxies, settings)
    }

    fn build(
        secure: &dyn Fn() -> ClientBuilder,
        proxies: Option<Proxies>,
        settings: Settings,
    ) -> Result<Self, TransportError> {
        let reuse = Reuse::new(&settings);
        let no_tls = Settings::no_tls()?;
        let plain = || own().tls_backend_preconfigured(no_tls.clone()).no_proxy();
        let proxied = || match proxies.clone() {
            Some(proxies) => secure().no_proxy().proxy(Proxy::custom(move |url| proxy_of(&proxies, url))),
            None => secure(),
        };
        Ok(Self {
            plain: Pair::build(&plain, &settings)?,
            secure: Pair::build(&proxied, &settings)?,
            proxies,
            settings,
            reuse,
        })
    }

    /// The client for this URL.
    pub(crate) fn choose(&self, url: &Url) -> Result<Client, TransportError> {
        if !is_secure(Some(url.scheme()), url.host_str()) {
            return Err(TransportError::new(TransportKind::Insecure, false));
        }
        let pair = if url.scheme() == "https" { &self.secure } else { &self.plain };
        if let Some(proxies) = self.proxies.as_ref().filter(|_| url.scheme() == "https") {
            // reqwest would connect directly if it cannot read the URL of the proxy, such as `http://xn--`.
            let proxy = proxies.find(url.host_str().unwrap_or_default())?.map(|proxy| Url::parse(proxy.as_str()));
            proxy.transpose().map_err(|error| TransportError::new(TransportKind::Proxy, false).because(error))?;
        }
        Ok(pair.kept.as_ref().filter(|_| self.reuse.is_allowed()).unwrap_or(&pair.fresh).clone())
    }

    pub(crate) const fn reuse(&self) -> &Reuse {
        &self.reuse
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }
}

impl Pair {
    fn build(builder: &dyn Fn() -> ClientBuilder, settings: &Settings) -> Result<Self, TransportError> {
        let fresh = duties(builder(), settings).pool_max_idle_per_host(0).build();
        let keep = |idle| {
            let builder = duties(builder(), settings).pool_max_idle_per_host(usize::MAX);
            builder.pool_idle_timeout(idle).build()
        };
        Ok(Self {
            fresh: fresh.map_err(built)?,
            kept: settings.kept_connections().map(keep).transpose().map_err(built)?,
        })
    }
}

/// What holds for every client, whatever its builder says, and whatever other crates of the program turn on in `reqwest`.
fn duties(builder: ClientBuilder, settings: &Settings) -> ClientBuilder {
    let builder = builder
        .no_brotli()
        .no_deflate()
        .no_gzip()
        .no_zstd()
        .redirect(redirect::Policy::none())
        .referer(false)
        .retry(retry::never());
    match settings.connect_timeout() {
        Some(timeout) => builder.connect_timeout(timeout),
        None => builder,
    }
}

fn own() -> ClientBuilder {
    Client::builder()
        .http1_only()
        // The name is this machine's, whatever a name server says (RFC 6761 section 6.3).
        .resolve_to_addrs("localhost", &LOCALHOST)
        .user_agent(USER_AGENT)
}

/// An error stops the request before it comes to this ([`Clients::choose`]).
fn proxy_of(proxies: &Proxies, url: &Url) -> Option<String> {
    let found = proxies.find(url.host_str()?).ok()??;
    Some(found.as_str().to_owned())
}

const LOCALHOST: [SocketAddr; 2] =
    [SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0)];
