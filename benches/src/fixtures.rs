//! One client, one server, one generator and one login for everybody.

use proofkey_core::{Client, Feature, Pending, Redirect, Server, TokenRequest};
use std::convert::Infallible;
use std::sync::LazyLock;

/// The client id.
pub const CLIENT_ID: &str = "native-2fQ8xJkYw0vZr5sT9mBn";
/// The redirect URI, with the port that a listener got.
pub const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";
/// The scope that is asked for.
pub const SCOPE: [&str; 3] = ["itwin-platform", "profile", "offline_access"];
/// The issuer, which sends `iss` (RFC 9207).
pub const ISSUER: &str = "https://ims.bentley.com";
/// The authorization endpoint.
pub const AUTHORIZATION_ENDPOINT: &str = "https://ims.bentley.com/connect/authorize";
/// The token endpoint.
pub const TOKEN_ENDPOINT: &str = "https://ims.bentley.com/connect/token";
/// The code that the server sends.
pub const CODE: &str = "8kNq0YVd2rJm5XwTzL7uGhPbCfSa3eQo9iRx1yWvKtE";
/// A refresh token.
pub const REFRESH_TOKEN: &str = "4Jd8sKqTnV1xRm7ZcYb2WgPf9LhEu0AoN6iQy3XvBtC";

/// The client.
///
/// # Panics
/// Never: the client is valid.
pub fn client() -> Client<'static> {
    static CLIENT: LazyLock<Client<'static>> = LazyLock::new(|| {
        let server =
            Server::new(AUTHORIZATION_ENDPOINT, TOKEN_ENDPOINT).with_issuer(ISSUER).with_feature(Feature::IssParameter);
        Client::new(CLIENT_ID, REDIRECT_URI, server).expect("a valid client")
    });
    *CLIENT
}

/// Always the same login: it waits for [`redirect`].
///
/// # Panics
/// Never: the generator does not fail.
pub fn pending() -> Pending {
    client().authorize(&SCOPE, &mut Rng::default()).expect("a login begins").1
}

/// What the browser comes back with.
pub fn redirect() -> &'static str {
    static REDIRECT: LazyLock<String> = LazyLock::new(|| {
        let pending = pending();
        format!("{REDIRECT_URI}?code={CODE}&state={}&iss=https%3A%2F%2Fims.bentley.com", pending.state().expose())
    });
    &REDIRECT
}

/// The state, the verifier and the challenge of [`pending`].
///
/// # Panics
/// Never: a token request holds a verifier.
pub fn secrets() -> &'static Secrets {
    static SECRETS: LazyLock<Secrets> = LazyLock::new(|| {
        let mut body = String::new();
        token_request().request().write_body(&mut body).expect("a string takes it");
        let fields = form_urlencoded::parse(body.as_bytes());
        let verifier = fields.into_owned().find(|(name, _)| name == "code_verifier").expect("a verifier").1;
        let challenge = proofkey_core::CodeChallenge::s256(&verifier).expect("a verifier").as_str().to_owned();
        Secrets { state: pending().state().expose().to_owned(), verifier, challenge }
    });
    &SECRETS
}

/// The random parts of a login.
pub struct Secrets {
    /// The `state`.
    pub state: String,
    /// The `code_verifier`.
    pub verifier: String,
    /// The `code_challenge`.
    pub challenge: String,
}

/// The request that exchanges the code.
///
/// # Panics
/// Never: the redirect is a good one.
pub fn token_request() -> TokenRequest<'static> {
    pending().accept(client(), Redirect::Url(redirect())).expect("a good redirect")
}

/// A generator that costs next to nothing, so that it is not what is measured.
#[derive(Clone, Debug, Default)]
pub struct Rng(u64);

impl Rng {
    /// The next 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }

    /// The next 64 bits.
    pub const fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// Fills whole words.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        bytes.as_chunks_mut().0.iter_mut().for_each(|word| *word = self.word().to_le_bytes());
    }
}

impl rand_core::TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.word())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Rng {}
