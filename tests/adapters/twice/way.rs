//! The ways to make the adapters.

use proofkey_http::Settings;
use proofkey_tests::authority::Authority;
use reqwest::retry;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// How an adapter is made: with a client of its own or with yours, which does what it can to send again.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Fresh,
    Kept,
    YoursFresh,
    YoursKept,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Fresh, Self::Kept, Self::YoursFresh, Self::YoursKept];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Kept => "kept",
            Self::YoursFresh => "fresh, your client, TLS",
            Self::YoursKept => "kept, your client, TLS",
        }
    }

    pub(crate) const fn keeps(self) -> bool {
        matches!(self, Self::Kept | Self::YoursKept)
    }

    pub(crate) const fn is_yours(self) -> bool {
        matches!(self, Self::YoursFresh | Self::YoursKept)
    }

    /// Makes one after the other.
    pub(crate) fn reqwest(self, authority: &Authority) -> impl Fn() -> proofkey_reqwest::Http {
        let trusting = trusting(authority);
        let tls = trusting.tls().expect("a certificate");
        let again = || retry::for_host("127.0.0.1").no_budget().classify_fn(|tried| tried.retryable());
        let yours = move || reqwest::Client::builder().no_proxy().retry(again()).tls_backend_preconfigured(tls.clone());
        move || {
            let http = if self.is_yours() {
                proofkey_reqwest::Http::from_builder(&yours, self.settings(Settings::new()))
            } else {
                proofkey_reqwest::Http::with_settings(self.settings(trusting.clone()))
            };
            http.expect("a client")
        }
    }

    /// Makes one after the other. Yours is one agent for all of them.
    pub(crate) fn ureq(self, authority: &Authority) -> impl Fn() -> proofkey_ureq::Http {
        let trusting = trusting(authority);
        let certificate = Certificate::from_pem(authority.pem.as_bytes()).expect("a certificate");
        let roots = RootCerts::from([certificate].into_iter());
        let tls = TlsConfig::builder().root_certs(roots).build();
        let yours: Agent = Agent::config_builder().proxy(None).tls_config(tls).build().into();
        move || {
            if self.is_yours() {
                let http = proofkey_ureq::Http::with_agent(yours.clone(), self.settings(Settings::new()));
                http.expect("no certificates beside those of the agent")
            } else {
                proofkey_ureq::Http::with_settings(self.settings(trusting.clone()))
            }
        }
    }

    fn settings(self, settings: Settings) -> Settings {
        // Longer than any server leaves a connection open.
        if self.keeps() { settings.with_kept_connections(Duration::from_secs(60)) } else { settings }
    }
}

/// Few certificates are read faster than those of the system.
fn trusting(authority: &Authority) -> Settings {
    Settings::new().with_only_root_certificates(authority.pem.as_bytes()).expect("a certificate")
}
