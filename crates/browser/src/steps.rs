//! The requests of the flow: each has `request` and `read`.

use crate::client::read_pending;
use crate::failure::Failure;
use crate::wire::{Answer, Request, Tokens, opaque};
use proofkey_core::{AccessToken, ClientBuf, Redirect, RefreshToken, Revocable, RevocationRequest, TokenRequest};
use std::fmt;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroize;

/// A request for the tokens of a redirect that was checked.
#[wasm_bindgen]
pub struct Grant {
    client: ClientBuf,
    pending: String,
    redirect: String,
}

impl Grant {
    pub(crate) fn new(client: ClientBuf, pending: String, redirect: String) -> Result<Self, Failure> {
        let grant = Self { client, pending, redirect };
        grant.step()?;
        Ok(grant)
    }

    fn step(&self) -> Result<TokenRequest<'_>, Failure> {
        Ok(read_pending(&self.pending)?.accept(self.client.as_client(), Redirect::Url(&self.redirect))?)
    }
}

#[wasm_bindgen]
impl Grant {
    /// The request to send, once.
    ///
    /// # Errors
    /// None that `accept` did not have.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub fn read(self, mut answer: Answer) -> Result<Tokens, Failure> {
        Ok(self.step()?.read(answer.as_response())?.into())
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.pending.zeroize();
        self.redirect.zeroize();
    }
}

/// A request for a new access token.
#[wasm_bindgen]
pub struct Refresh {
    client: ClientBuf,
    refresh_token: String,
}

impl Refresh {
    pub(crate) const fn new(client: ClientBuf, refresh_token: String) -> Self {
        Self { client, refresh_token }
    }

    fn step(&self) -> Result<TokenRequest<'_>, Failure> {
        Ok(self.client.as_client().refresh(RefreshToken::new(&self.refresh_token)?))
    }
}

#[wasm_bindgen]
impl Refresh {
    /// The request to send, once.
    ///
    /// # Errors
    /// `config` if the refresh token cannot be one.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub fn read(self, answer: Answer) -> Result<Tokens, Failure> {
        self.outcome(answer).1
    }

    /// Reads the answer. Save the new refresh token of it before anything else is looked at: the old one may be spent.
    #[must_use]
    #[wasm_bindgen(js_name = readKeeping)]
    pub fn read_keeping(self, answer: Answer) -> Kept {
        let (refresh_token, outcome) = self.outcome(answer);
        let (tokens, failure) = match outcome {
            Ok(tokens) => (Some(tokens), None),
            Err(failure) => (None, Some(failure)),
        };
        Kept { refresh_token, tokens, failure }
    }
}

impl Refresh {
    fn outcome(&self, mut answer: Answer) -> (Option<String>, Result<Tokens, Failure>) {
        match self.step() {
            Ok(step) => {
                let (new, tokens) = step.read_keeping(answer.as_response());
                (new.map(|token| token.expose().to_owned()), tokens.map(Tokens::from).map_err(Failure::from))
            }
            Err(failure) => (None, Err(failure)),
        }
    }
}

/// What a refresh gave: the new refresh token first, then the tokens or why there are none.
#[wasm_bindgen]
pub struct Kept {
    refresh_token: Option<String>,
    tokens: Option<Tokens>,
    failure: Option<Failure>,
}

#[wasm_bindgen]
impl Kept {
    /// The new refresh token that the answer carries, whatever else is wrong with it.
    #[wasm_bindgen(getter, js_name = refreshToken)]
    #[must_use]
    pub fn refresh_token(&self) -> Option<String> {
        self.refresh_token.clone()
    }

    /// Whether the server no longer takes the refresh token: the user has to sign in again.
    #[wasm_bindgen(getter, js_name = endsLogin)]
    #[must_use]
    pub fn ends_login(&self) -> bool {
        self.failure.as_ref().is_some_and(Failure::ends_login)
    }

    /// The tokens, once.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    #[wasm_bindgen(js_name = takeTokens)]
    pub fn take_tokens(&mut self) -> Result<Option<Tokens>, JsValue> {
        self.failure.take().map_or_else(|| Ok(self.tokens.take()), |failure| Err(failure.into()))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.refresh_token.zeroize();
    }
}

/// A request to end a token.
#[wasm_bindgen]
pub struct Revocation {
    client: ClientBuf,
    token: String,
    refresh: bool,
}

impl Revocation {
    pub(crate) const fn new(client: ClientBuf, token: String, refresh: bool) -> Self {
        Self { client, token, refresh }
    }

    fn step(&self) -> Result<RevocationRequest<'_>, Failure> {
        let token = match self.refresh {
            true => Revocable::Refresh(RefreshToken::new(&self.token)?),
            false => Revocable::Access(AccessToken::new(&self.token)?),
        };
        Ok(self.client.as_client().revoke(token)?)
    }
}

#[wasm_bindgen]
impl Revocation {
    /// The request to send.
    ///
    /// # Errors
    /// `config` if the server has no known revocation endpoint, or the token cannot be one.
    pub fn request(&self) -> Result<Request, Failure> {
        Ok(self.step()?.request().into())
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// `response`, `server`, `status`; the token may still be valid then.
    pub fn read(self, mut answer: Answer) -> Result<(), Failure> {
        Ok(self.step()?.read(answer.as_response())?)
    }
}

impl Drop for Revocation {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

opaque!(Grant Kept Refresh Revocation);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Login};

    fn client() -> Client {
        let (revocation, issuer) = (Some("https://as.example/r".to_owned()), Some("https://as.example".to_owned()));
        let redirect_uri = "https://app.example/callback";
        let (authorize, token) = ("https://as.example/a", "https://as.example/t");
        Client::new("app", redirect_uri, authorize, token, revocation, issuer, true).unwrap()
    }

    fn begin() -> Login {
        let random: Vec<u8> = (0..64).collect();
        client().authorize(" a  b ", vec!["prompt".to_owned(), "login".to_owned()], &random).unwrap()
    }

    fn redirect(login: &Login, answer: &str) -> String {
        let state = login.url().split("state=").nth(1).unwrap()[..43].to_owned();
        format!("https://app.example/callback?{answer}&state={state}&iss=https://as.example")
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(
            status,
            Some("application/json".to_owned()),
            None,
            Some("7".to_owned()),
            body.as_bytes().to_vec(),
            None,
        )
    }

    fn code<T: fmt::Debug>(result: Result<T, Failure>) -> (&'static str, Option<String>) {
        let failure = result.unwrap_err();
        (failure.code(), failure.error().map(str::to_owned))
    }

    const TOKENS: &str = r#"{"access_token":"AT","token_type":"Bearer","expires_in":60,"refresh_token":"RT"}"#;

    #[test]
    fn a_login_from_the_url_to_the_tokens() {
        let login = begin();
        assert!(login.url().starts_with("https://as.example/a?response_type=code&client_id=app&"), "{}", login.url());
        assert!(login.url().contains("&scope=a+b&") && login.url().ends_with("&prompt=login"), "{}", login.url());
        let redirect = redirect(&login, "code=C");
        assert!(client().matches(&login.pending(), &redirect));
        let grant = client().accept(login.pending(), redirect).unwrap();
        let request = grant.request().unwrap();
        assert_eq!(request.url(), "https://as.example/t");
        assert!(request.body().unwrap().contains("&code=C&code_verifier="));
        let tokens = grant.read(answer(200, TOKENS)).unwrap();
        assert_eq!((tokens.access_token(), tokens.refresh_token()), ("AT".to_owned(), Some("RT".to_owned())));
        assert_eq!((tokens.expires_in(), tokens.scope()), (Some(60), None));
    }

    #[test]
    fn a_refresh_keeps_the_token_that_it_was_made_with() {
        let refresh = client().refresh("OLD".to_owned());
        assert!(refresh.request().unwrap().body().unwrap().contains("&refresh_token=OLD"));
        let tokens = refresh.read(answer(200, r#"{"access_token":"AT","token_type":"Bearer"}"#)).unwrap();
        assert_eq!(tokens.refresh_token().as_deref(), Some("OLD"));
        assert_eq!(code(client().refresh(String::new()).request()).0, "config");
    }

    #[test]
    fn a_revocation_names_its_token() {
        for (refresh, hint) in [(true, "&token_type_hint=refresh_token"), (false, "&token_type_hint=access_token")] {
            let revocation = client().revoke("T".to_owned(), refresh);
            assert!(revocation.request().unwrap().body().unwrap().contains(&format!("token=T{hint}")));
            revocation.read(answer(200, "")).unwrap();
        }
        assert_eq!(code(client().revoke("T".to_owned(), true).read(answer(503, ""))).0, "status");
    }

    #[test]
    fn a_new_refresh_token_outlives_a_bad_answer() {
        let mut kept = client().refresh("OLD".to_owned()).read_keeping(answer(200, TOKENS));
        assert_eq!((kept.refresh_token().as_deref(), kept.ends_login()), (Some("RT"), false));
        assert_eq!(kept.take_tokens().unwrap().unwrap().access_token(), "AT");
        let bad = r#"{"access_token":7,"refresh_token":"RT"}"#;
        let kept = client().refresh("OLD".to_owned()).read_keeping(answer(200, bad));
        assert_eq!((kept.refresh_token().as_deref(), kept.ends_login()), (Some("RT"), false));
        let kept = client().refresh("OLD".to_owned()).read_keeping(answer(400, r#"{"error":"invalid_grant"}"#));
        assert_eq!((kept.refresh_token(), kept.ends_login()), (None, true));
    }

    #[test]
    fn failures_have_a_word_for_programs() {
        let login = begin();
        let accept = |pending: &str, redirect: String| code(client().accept(pending.to_owned(), redirect));
        let pending = login.pending();
        let denied = redirect(&login, "error=access_denied");
        assert_eq!(accept(&pending, denied), ("server", Some("access_denied".to_owned())));
        assert_eq!(accept(&pending, redirect(&login, "code=C&code=D")), ("callback", None));
        assert_eq!(accept(&pending, "https://app.example/callback?code=C&state=S".to_owned()), ("state", None));
        assert_eq!(accept("garbage", redirect(&login, "code=C")), ("storage", None));
        assert!(!client().matches("garbage", &redirect(&login, "code=C")));
        assert_eq!(code(client().authorize("a\"", Vec::new(), &[1; 64])), ("config", None));
        assert_eq!(code(client().authorize("a", Vec::new(), &[1; 64])), ("random", None));
        assert_eq!(code(client().authorize("a", Vec::new(), &[1; 63])), ("random", None));
        let refused = client().refresh("RT".to_owned()).read(answer(400, r#"{"error":"invalid_grant"}"#));
        assert_eq!(code(refused), ("server", Some("invalid_grant".to_owned())));
    }

    #[test]
    fn nothing_that_holds_a_secret_is_printed() {
        let login = begin();
        let grant = client().accept(login.pending(), redirect(&login, "code=CANARY")).unwrap();
        let request = grant.request().unwrap();
        let printed = format!("{login:?} {grant:?} {request:?} {:?}", client().refresh("CANARY".to_owned()));
        assert_eq!(printed, "Login(..) Grant(..) Request(..) Refresh(..)");
    }
}
