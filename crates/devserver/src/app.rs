//! [`App`]: the options and the state that all handlers share, and the paths of the endpoints.

use crate::log::Log;
use crate::options::{Faults, Options};
use crate::state::Grants;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The options and the state of a server, which all handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) issuer: String,
    pub(crate) log: Arc<Log>,
    faults: Mutex<Faults>,
    grants: Mutex<Grants>,
}

impl App {
    pub(crate) fn new(options: Options, address: SocketAddr) -> Self {
        Self {
            issuer: format!("http://{address}"),
            log: Arc::default(),
            faults: Mutex::new(options.faults.clone()),
            grants: Mutex::default(),
            options,
        }
    }

    /// The URL of a path.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub(crate) fn faults(&self) -> Faults {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) const AUTHORIZE: &str = "/connect/authorize";
pub(crate) const CONSENT: &str = "/connect/consent";
pub(crate) const LOGIN: &str = "/connect/login";
pub(crate) const REVOCATION: &str = "/connect/revocation";
pub(crate) const TOKEN: &str = "/connect/token";
