//! A whole login that the user confirms on another device (RFC 8628).

use crate::adapter::Http;
use proofkey_core::{ClientBuf, Prompt};
use proofkey_http::{ClientDiscovery, DeviceLogin, DiscoverError, LoginError, SignedIn};
use std::io;
use std::thread;
use std::time::SystemTime;

impl Http {
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

    /// [`discover`](Self::discover) for a client without a redirect URI: one that signs in with
    /// [`login_device`](Self::login_device).
    ///
    /// # Errors
    /// As [`discover`](Self::discover).
    pub fn discover_device(&self, issuer: &str, client_id: &str) -> Result<ClientBuf, DiscoverError> {
        let mut discovery = ClientDiscovery::without_redirect(issuer, client_id)?;
        let driven = self.drive(discovery.flow());
        discovery.read(driven)
    }
}
