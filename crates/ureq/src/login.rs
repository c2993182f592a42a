//! A whole native login, from the browser to the tokens.

use crate::adapter::Http;
use crate::listener::Listener;
use proofkey_core::Prompt;
use proofkey_http::{DeviceLogin, Login, LoginError, SignedIn};
use std::io;
use std::thread;
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
        let bound = login.bind()?;
        let (client, url, pending) = login.begin(&bound.redirect_uri)?;
        open(&url).map_err(LoginError::Open)?;
        Listener(&bound).receive(client, pending, until, &login, |request| {
            let requested_at = SystemTime::now();
            Ok(SignedIn::new(self.exchange(request)?, requested_at))
        })
    }

    /// Logs a user in who confirms in a browser on another device (RFC 8628): asks for a code, has `show` show it, and polls until
    /// the user has confirmed. `show` must show the code and the address, and that the user should go on only if they started
    /// this: the prompt's `Display` says all of that. It must not wait for the user.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `show` ends the login.
    ///
    /// # Example
    /// ```no_run
    /// use proofkey_ureq::proofkey_core::{Client, Server};
    /// use proofkey_ureq::{DeviceLogin, Http};
    ///
    /// let server = Server::device("https://as.example/device", "https://as.example/token");
    /// let client = Client::without_redirect("my-client-id", server)?;
    /// let login = DeviceLogin::new(client, &["read", "offline_access"]);
    /// let tokens = Http::new().login_device(login, |prompt| Ok(println!("{prompt}")))?.tokens;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn login_device(
        &self,
        mut login: DeviceLogin<'_>,
        show: impl FnOnce(&Prompt<'_>) -> io::Result<()>,
    ) -> Result<SignedIn, LoginError> {
        let mut request = login.begin()?;
        let mut driven = self.drive(&mut request);
        let mut poll = login.show(request, &mut driven, show)?;
        let mut requested_at = SystemTime::now();
        let driven = self.drive_pausing(
            &mut poll,
            || requested_at = SystemTime::now(),
            |time| {
                login.pause(time).for_each(thread::sleep);
                login.goes_on()
            },
        );
        login.finish(poll, driven, requested_at)
    }
}
