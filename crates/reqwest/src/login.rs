//! A whole native login, from the browser to the tokens.

use crate::adapter::Http;
use crate::listener::Listener;
use proofkey_core::Prompt;
use proofkey_http::{DeviceLogin, Login, LoginError, SignedIn};
use std::io;
use std::time::SystemTime;
use tokio::time;

impl Http {
    /// Logs a user in: listens on loopback, has `open` send the browser to the authorization URL, waits for the redirect,
    /// and exchanges the code. The port is closed when the future ends or is dropped. `open` must not wait for the user.
    ///
    /// If the future is dropped after the redirect has come, the code is spent and its tokens may be lost: the user has to sign
    /// in again. [`Login::with_cancel`] gives up only as long as the redirect has not come.
    ///
    /// # Errors
    /// [`LoginError`]. An error of `open` ends the login; return `Ok` if the user can open the URL themselves.
    pub async fn login(
        &self,
        login: Login<'_>,
        open: impl FnOnce(&str) -> io::Result<()>,
    ) -> Result<SignedIn, LoginError> {
        let (listener, redirect_uri) = Listener::new(login.bind()?)?;
        let (client, url, pending) = login.begin(&redirect_uri)?;
        open(&url).map_err(LoginError::Open)?;
        listener.receive(self, client, pending, &login).await
    }

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
}
