//! A whole native login, from the browser to the tokens.

use crate::adapter::Http;
use crate::listener::Listener;
use proofkey_http::{Login, LoginError, SignedIn, Start};
use std::io;
use std::time::{Instant, SystemTime};

impl Http {
    /// Logs a user in: listens on loopback, has `open` send the browser to the authorization URL, waits for the redirect,
    /// and exchanges the code. The port is closed when it returns. `open` must not wait for the user.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `open` ends the login; return `Ok` if the user can open the URL themselves.
    pub fn login(&self, login: Login<'_>, open: impl FnOnce(&str) -> io::Result<()>) -> Result<SignedIn, LoginError> {
        // None is a time that never comes.
        let until = Instant::now().checked_add(login.timeout());
        let began = SystemTime::now();
        let bound = login.bind()?;
        let (client, start, pending) = login.begin(&bound.redirect_uri)?;
        let url = match start {
            Start::Open(url) => url,
            Start::Push(mut push) => {
                let driven = self.drive(push.flow());
                push.read(driven)?
            }
        };
        open(&url).map_err(LoginError::Open)?;
        Listener(&bound).receive(client, pending, until, &login, |request| self.sign_in(login.expects(request, began)))
    }
}
