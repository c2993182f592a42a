//! The `ureq` agents of an [`Http`](crate::Http), and their duties.

use crate::connect::{Connections, LoopbackResolver};
use crate::error::transport;
use proofkey_http::{Proxies, Reuse, Settings, TransportError, TransportKind, USER_AGENT, is_secure};
use std::sync::Arc;
use std::time::Duration;
use ureq::config::AutoHeaderValue;
use ureq::{Agent, AsSendBody, Body, Proxy};
use zeroize::Zeroizing;

/// Which agent sends what.
#[derive(Debug)]
pub(crate) struct Agents {
    /// Each request has a connection of its own.
    fresh: Agent,
    kept: Option<Agent>,
    /// For https alone.
    yours: Option<Agent>,
    /// None if the proxies are those of your own agent.
    proxies: Option<Proxies>,
    settings: Settings,
    reuse: Reuse,
}

impl Agents {
    pub(crate) fn new(settings: Settings) -> Self {
        let proxies = settings.proxies().cloned().unwrap_or_else(Proxies::from_env);
        Self::build(None, Some(proxies), settings)
    }

    pub(crate) fn with(yours: Agent, settings: Settings) -> Self {
        let proxies = settings.proxies().cloned();
        Self::build(Some(yours), proxies, settings)
    }

    fn build(yours: Option<Agent>, proxies: Option<Proxies>, settings: Settings) -> Self {
        let reuse = Reuse::new(&settings);
        let tls = settings.clone();
        let connections = Connections::new(move || tls.tls().map(Arc::new));
        let agent = |idle_max, idle| {
            let config = Agent::config_builder()
                .max_idle_age(idle)
                .max_idle_connections(idle_max)
                .max_idle_connections_per_host(idle_max)
                .proxy(None)
                .user_agent(USER_AGENT);
            Agent::with_parts(config.build(), connections.clone(), LoopbackResolver)
        };
        let kept = settings.kept_connections().map(|idle| agent(IDLE_MAX, idle));
        Self { fresh: agent(0, Duration::ZERO), kept, yours, proxies, settings, reuse }
    }

    /// Sends a request, and returns the head of the answer. Without a deadline for the whole answer, the body takes as long as
    /// it takes.
    pub(crate) fn run(
        &self,
        request: http::Request<Zeroizing<Vec<u8>>>,
        deadline: Option<Duration>,
    ) -> Result<http::Response<Body>, TransportError> {
        if !is_secure(request.uri().scheme_str(), request.uri().host()) {
            return Err(TransportError::new(TransportKind::Insecure, false));
        }
        let (parts, body) = request.into_parts();
        let response = if body.is_empty() && parts.method.is_safe() {
            self.send(http::Request::from_parts(parts, ()), deadline)
        } else {
            self.send(http::Request::from_parts(parts, body.as_slice()), deadline)
        };
        self.reuse.ended(&response);
        response
    }

    fn send<B: AsSendBody>(
        &self,
        request: http::Request<B>,
        deadline: Option<Duration>,
    ) -> Result<http::Response<Body>, TransportError> {
        let is_https = request.uri().scheme_str() == Some("https");
        let idle = self.settings.kept_connections().filter(|_| self.reuse.is_allowed());
        let own = self.kept.as_ref().filter(|_| idle.is_some()).unwrap_or(&self.fresh);
        let agent = self.yours.as_ref().filter(|_| is_https).unwrap_or(own);
        let proxy = match self.proxies.as_ref().filter(|_| is_https) {
            Some(proxies) => Some(self.proxy(proxies, request.uri().host().unwrap_or_default())?),
            None => None,
        };
        let head = self.settings.deadline();
        let within_head = |limit: Option<Duration>| limit.or_else(|| deadline.is_none().then_some(head));
        let connect = within_head(self.settings.connect_timeout());
        let mut config = agent
            .configure_request(request)
            // The core asks for none, whatever decoders another crate in the program turns on.
            .accept_encoding(AutoHeaderValue::None)
            .allow_non_standard_methods(true)
            .http_status_as_error(false)
            .max_idle_age(idle.unwrap_or_default())
            .max_redirects(0)
            .max_redirects_will_error(false)
            .save_redirect_history(false)
            .timeout_connect(connect)
            .timeout_global(deadline)
            .timeout_per_read(self.settings.read_timeout())
            .timeout_recv_response(within_head(self.settings.first_byte_timeout()))
            .timeout_resolve(connect);
        if let Some(proxy) = proxy {
            config = config.proxy(proxy);
        }
        agent.run(config.build()).map_err(transport)
    }

    fn proxy(&self, proxies: &Proxies, host: &str) -> Result<Option<Proxy>, TransportError> {
        let proxy = proxies.find(host)?.map(|proxy| Proxy::new(proxy.as_str()));
        proxy.transpose().map_err(|error| TransportError::new(TransportKind::Proxy, false).because(error))
    }

    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }
}

const IDLE_MAX: usize = 1024;
