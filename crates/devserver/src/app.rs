//! [`App`]: the options and the state that all handlers share, and the paths of the endpoints.

use crate::dpop::Proofs;
use crate::log::Log;
use crate::oidc::Key;
use crate::options::{EndpointFault, Faults, Options};
use crate::state::Grants;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The options and the state of a server, which all handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) issuer: String,
    pub(crate) log: Arc<Log>,
    pub(crate) key: Key,
    faults: Mutex<Switched>,
    grants: Mutex<Grants>,
    proofs: Mutex<Proofs>,
}

/// The faults, and the refreshes and polls since they were set.
#[derive(Debug)]
struct Switched {
    faults: Faults,
    refreshes: u64,
    polls: u64,
}

impl App {
    pub(crate) fn new(options: Options, address: SocketAddr) -> Self {
        Self {
            issuer: format!("http://{address}"),
            log: Arc::default(),
            key: Key::new(),
            faults: Mutex::new(Switched::new(options.faults.clone())),
            grants: Mutex::new(Grants::new(&options)),
            proofs: Mutex::default(),
            options,
        }
    }

    /// The URL of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub(crate) fn faults(&self) -> Faults {
        self.switched().faults.clone()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.switched() = Switched::new(faults);
    }

    /// Counts a refresh. Its fault, if one is due.
    pub(crate) fn refresh_fault(&self) -> Option<EndpointFault> {
        let mut switched = self.switched();
        switched.refreshes += 1;
        let due = switched.faults.refresh.iter().find(|fault| fault.when.is_due(switched.refreshes));
        due.map(|due| due.fault.clone())
    }

    /// Counts a poll of a device. Its fault, if one is due.
    pub(crate) fn poll_fault(&self) -> Option<EndpointFault> {
        let mut switched = self.switched();
        switched.polls += 1;
        let due = switched.faults.polls.iter().find(|fault| fault.when.is_due(switched.polls));
        due.map(|due| due.fault.clone())
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn proofs(&self) -> MutexGuard<'_, Proofs> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switched(&self) -> MutexGuard<'_, Switched> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Switched {
    fn new(faults: Faults) -> Self {
        Self { faults, refreshes: 0, polls: 0 }
    }
}

pub(crate) const AUTHORIZE: &str = "/connect/authorize";
pub(crate) const CONSENT: &str = "/connect/consent";
pub(crate) const COUNTS: &str = "/debug/counts";
pub(crate) const DEVICE: &str = "/connect/deviceauthorization";
pub(crate) const DEVICE_PAGE: &str = "/connect/device";
pub(crate) const END_SESSION: &str = "/connect/endsession";
pub(crate) const JWKS: &str = "/connect/jwks";
pub(crate) const LOGIN: &str = "/connect/login";
pub(crate) const PUSH: &str = "/connect/par";
pub(crate) const REVOCATION: &str = "/connect/revocation";
pub(crate) const TOKEN: &str = "/connect/token";
pub(crate) const USERINFO: &str = "/connect/userinfo";
