//! A whole login that the user confirms on another device (RFC 8628).

use crate::adapter::Http;
use proofkey_core::{ClientBuf, Prompt};
use proofkey_http::{ClientDiscovery, DeviceLogin, DiscoverError, LoginError, SignedIn};
use std::io;
use std::time::SystemTime;
use tokio::time;

impl Http {
    /// Logs a user in who confirms in a browser on another device (RFC 8628): asks for a code, has `show` show it, and polls until
    /// the user has confirmed. `show` must show the code and the address, and that the user should go on only if they started
    /// this: the prompt's `Display` says all of that. It must not wait for the user.
    ///
    /// If the future is dropped, nothing more is sent. If a poll is under way then, its tokens may be lost: the user has to sign
    /// in again. [`DeviceLogin::with_cancel`] gives up only between two polls.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `show` ends the login.
    ///
    /// # Example
    /// ```no_run
    /// use proofkey_reqwest::proofkey_core::{Client, Server};
    /// use proofkey_reqwest::{DeviceLogin, Http};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::device("https://as.example/device", "https://as.example/token");
    /// let client = Client::without_redirect("my-client-id", server)?;
    /// let login = DeviceLogin::new(client, &["read", "offline_access"]);
    /// let tokens = Http::new()?.login_device(login, |prompt| Ok(println!("{prompt}"))).await?.tokens;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn login_device(
        &self,
        mut login: DeviceLogin<'_>,
        show: impl FnOnce(&Prompt<'_>) -> io::Result<()>,
    ) -> Result<SignedIn, LoginError> {
        let mut request = login.begin()?;
        let mut driven = self.drive(&mut request).await;
        let mut poll = login.show(request, &mut driven, show)?;
        let (login, mut requested_at) = (&login, SystemTime::now());
        let driven = self.drive_pausing(
            &mut poll,
            || requested_at = SystemTime::now(),
            |time| async move {
                for piece in login.pause(time) {
                    time::sleep(piece).await;
                }
                login.goes_on()
            },
        );
        let driven = driven.await;
        login.finish(poll, driven, requested_at)
    }

    /// [`discover`](Self::discover) for a client without a redirect URI: one that signs in with
    /// [`login_device`](Self::login_device).
    ///
    /// The future can be dropped at any time: nothing is spent.
    ///
    /// # Errors
    /// As [`discover`](Self::discover).
    pub async fn discover_device(&self, issuer: &str, client_id: &str) -> Result<ClientBuf, DiscoverError> {
        let mut discovery = ClientDiscovery::without_redirect(issuer, client_id)?;
        let driven = self.drive(discovery.flow()).await;
        discovery.read(driven)
    }
}
