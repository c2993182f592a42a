//! From the browser back: [`Pending`], and the check of the redirect.

use crate::check::RESPONSE_PARAMETERS;
use crate::client::Client;
use crate::endpoint::Feature;
use crate::error::{CallbackError, Excerpt, ServerError};
use crate::flow::TokenRequest;
use crate::proof::{CodeVerifier, State};
use crate::wire::bytes::all;
use crate::wire::form;
use crate::wire::uri::{self, Uri};
use core::fmt;

/// A redirect as the caller saw it. Each form is checked against the registered redirect URI as far as it goes.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Redirect<'r> {
    /// The query alone, without `?`: `code=…&state=…`. Where it arrived is not checked: a service with several servers and a
    /// redirect URI for each (RFC 9700 section 4.4.2.2) takes [`Target`](Self::Target).
    Query(&'r str),
    /// A request target, as an HTTP server sees it: `/callback?code=…&state=…`. Path and query are checked.
    Target(&'r str),
    /// The whole URL, as a browser shows it: `https://app.example/callback?code=…&state=…`.
    Url(&'r str),
}

impl<'r> Redirect<'r> {
    /// The state that it carries, to look up the login that it belongs to; none if there is not exactly one, or if it has
    /// escapes, which no state of ours has. Nothing is checked yet: [`Pending::accept`] does that.
    ///
    /// A service without sessions keeps the logins in a map:
    /// ```
    /// # use proofkey_core::{Client, Pending, Redirect, Server};
    /// # use std::collections::HashMap;
    /// # use getrandom::SysRng;
    /// let client = Client::new("my-app", "https://app.example/callback", Server::ITWIN)?;
    /// let mut logins: HashMap<String, Pending> = HashMap::new();
    /// let (url, pending) = client.authorize(&[], &mut SysRng)?;
    /// logins.insert(pending.state().expose().to_owned(), pending);
    ///
    /// # let target = format!("/callback?code=C&state={}", logins.keys().next().ok_or("a login")?);
    /// // GET /callback?code=…&state=…
    /// let redirect = Redirect::Target(&target);
    /// let pending = redirect.state().and_then(|state| logins.remove(state)).ok_or("no login waits for this redirect")?;
    /// let request = pending.accept(client, redirect)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    /// Also check that the browser is the one that began the login, with a cookie: otherwise somebody can sign a victim's browser
    /// in to their own account (RFC 6749 section 10.12).
    #[must_use]
    pub fn state(self) -> Option<&'r str> {
        let query = match self {
            Self::Query(query) => query,
            Self::Target(text) | Self::Url(text) => form::split_once(text, b'?').1,
        };
        only_state(form::split_once(query, b'#').0).filter(|state| !state.is_empty() && !form::is_escaped(state))
    }
}

impl fmt::Debug for Redirect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query(_) => "Query(..)",
            Self::Target(_) => "Target(..)",
            Self::Url(_) => "Url(..)",
        })
    }
}

/// A login that waits for the browser: all that the redirect is checked against. It can be moved, parked and, with the
/// feature `serde`, written down; it is used once, and only with the client that began it.
pub struct Pending {
    pub(super) state: State,
    pub(super) verifier: CodeVerifier,
    pub(super) client: [u8; 32],
    /// Whether a nonce was sent.
    pub(super) is_openid: bool,
}

impl Pending {
    /// Checks the redirect (RFC 6749 section 4.1.2, RFC 9207 section 2.4) and makes the request for the tokens of it.
    ///
    /// ```
    /// use getrandom::SysRng;
    /// use proofkey_core::{CallbackError, Client, Redirect, Server};
    ///
    /// let client = Client::new("my-app", "https://app.example/callback", Server::ITWIN)?;
    /// let (_url, pending) = client.authorize(&["itwin-platform"], &mut SysRng)?;
    /// let target = format!("/callback?code=SplxlOBe&state={}", pending.state().expose());
    /// let request = pending.accept(client, Redirect::Target(&target))?;
    /// assert_eq!(request.request().url().to_string(), "https://ims.bentley.com/connect/token");
    ///
    /// // Somebody else's redirect is refused:
    /// let (_url, pending) = client.authorize(&["itwin-platform"], &mut SysRng)?;
    /// let refused = pending.accept(client, Redirect::Target("/callback?code=evil&state=guessed"));
    /// assert!(matches!(refused, Err(CallbackError::State)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CallbackError`]; the login is over then. A listener first asks [`matches`](Self::matches), so that a
    /// stranger's redirect ends nothing.
    pub fn accept<'a>(self, client: Client<'a>, redirect: Redirect<'a>) -> Result<TokenRequest<'a>, CallbackError> {
        if self.client != *client.fingerprint() {
            return Err(CallbackError::Client);
        }
        let (query, fragment) =
            arrival(redirect, client.redirect_uri()).ok_or_else(|| elsewhere(redirect, client.redirect_uri()))?;
        let ([code, state, iss, error, error_description, _error_uri], is_other) = answer(query)?;
        if !is_state(&self.state, state) {
            return Err(CallbackError::State);
        }
        let server = client.server();
        match (iss, server.issuer) {
            ("", None) => {}
            ("", Some(_)) if !server.has(Feature::IssParameter) => {}
            (iss, Some(issuer)) if !form::is(iss, issuer) => {
                let (expected, found) = (Excerpt::from(issuer), Excerpt::of(bytes(iss)));
                return Err(CallbackError::Issuer { expected, found });
            }
            _ => {}
        }
        if is_other || is_answer(fragment) {
            return Err(CallbackError::Mode);
        }
        match (code, error) {
            ("", "") => Err(CallbackError::MissingCode),
            ("", error) if !is_error_code(error) => Err(CallbackError::Malformed("error")),
            ("", error) => Err(CallbackError::Server(ServerError::new(bytes(error), bytes(error_description)))),
            (code, "") if form::printable(code) => Ok(TokenRequest::code(&client, code, self.verifier, self.is_openid)),
            (_, "") => Err(CallbackError::Malformed("code")),
            _ => Err(CallbackError::Ambiguous),
        }
    }

    /// Whether a redirect arrived at the redirect URI and carries the state of this login, in constant time.
    #[must_use]
    pub fn matches(&self, client: Client<'_>, redirect: Redirect<'_>) -> bool {
        let Some((query, _)) = arrival(redirect, client.redirect_uri()) else { return false };
        only_state(query).is_some_and(|state| is_state(&self.state, state))
    }

    /// The state that was sent, to park the login under in a service with many users.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending(..)")
    }
}

/// Checks that a redirect arrived at `registered` with this state, and nothing else of it.
pub(super) fn returned(state: &State, registered: &str, redirect: Redirect<'_>) -> Result<(), CallbackError> {
    let (query, _) = arrival(redirect, registered).ok_or_else(|| elsewhere(redirect, registered))?;
    only_state(query).filter(|found| is_state(state, found)).map(drop).ok_or(CallbackError::State)
}

fn is_state(state: &State, raw: &str) -> bool {
    // Decoding makes a text shorter, or leaves it as it is.
    match raw.as_bytes().try_into() {
        Ok(bytes) => state.is(bytes),
        Err(_) => state.matches(bytes(raw)),
    }
}

/// The raw value of the one `state`.
fn only_state(query: &str) -> Option<&str> {
    let mut states = form::pairs(query).filter(|(name, _)| form::is(name, "state"));
    let (_, state) = states.next()?;
    states.next().is_none().then_some(state)
}

/// The raw values of the first response parameters, and whether there is one of those behind them, which only another
/// response type or mode delivers. An empty one counts as absent (RFC 6749 section 3.1).
fn answer(query: &str) -> Result<([&str; 6], bool), CallbackError> {
    let mut values = [""; 6];
    let mut is_other = false;
    let mut seen = 0_u16;
    for (name, value) in form::pairs(query) {
        let Some((at, known)) = parameter(name) else { continue };
        if seen >> at & 1 != 0 {
            return Err(CallbackError::Duplicate(known));
        }
        seen |= 1 << at;
        match values.get_mut(at) {
            Some(found) => *found = value,
            None => is_other |= !value.is_empty(),
        }
    }
    Ok((values, is_other))
}

/// Which of the response parameters a raw name stands for.
fn parameter(name: &str) -> Option<(usize, &'static str)> {
    let parameters = || RESPONSE_PARAMETERS.into_iter().enumerate();
    let plain = parameters().find(|(_, known)| name == *known);
    // Few names have escapes.
    if plain.is_some() || !form::is_escaped(name) {
        return plain;
    }
    parameters().find(|(_, known)| form::is(name, known))
}

/// Whether a redirect arrived at the redirect URI, whatever it carries.
pub(crate) fn arrived(client: Client<'_>, redirect: Redirect<'_>) -> bool {
    arrival(redirect, client.redirect_uri()).is_some()
}

/// The query and the fragment of a redirect that arrived at `registered`, compared byte for byte. Servers of Facebook add
/// `#_=_` to every redirect, others `#_` (RFC 9700 section 4.1.3); a fragment only matters if it holds a response.
fn arrival<'r>(redirect: Redirect<'r>, registered: &str) -> Option<(&'r str, &'r str)> {
    let (base, kept) = form::split_once(registered, b'?');
    let rest = match redirect {
        Redirect::Query(query) => query,
        Redirect::Target(target) => after(target, path(&uri::split(base)?))?,
        Redirect::Url(url) => after(url, base).or_else(|| as_shown(url, &uri::split(base)?))?,
    };
    let clean = all(rest.as_bytes(), |byte| byte.is_ascii_graphic());
    let (query, fragment) = form::split_once(rest, b'#');
    (clean && keeps(query, kept)).then_some((query, fragment))
}

/// Both sides of a redirect that did not arrive, as far as they were compared. Of the redirect nothing is told but scheme,
/// host, port and path, and nothing at all of what is not a URL: somebody may have pasted a secret.
#[cold]
fn elsewhere(redirect: Redirect<'_>, registered: &str) -> CallbackError {
    let (base, _) = form::split_once(registered, b'?');
    let (expected, found) = match redirect {
        Redirect::Query(_) => (base, base),
        Redirect::Target(target) => {
            (uri::split(base).map_or("", |uri| path(&uri)), if target.starts_with('/') { target } else { "" })
        }
        Redirect::Url(url) => {
            let is_url =
                uri::split(url).is_some_and(|uri| uri.authority.is_some_and(|name| form::cut_at(name, b'@').is_none()));
            (base, if is_url || url.starts_with(base) { url } else { "" })
        }
    };
    let end = found.bytes().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(found.len());
    let found = found.get(..end).unwrap_or_default();
    CallbackError::Target { expected: expected.into(), found: found.into() }
}

/// What follows `registered` in a URL that is written as browsers show it: without the default port, with a path.
fn as_shown<'r>(url: &'r str, registered: &Uri<'_>) -> Option<&'r str> {
    let rest = url.strip_prefix(registered.scheme)?.strip_prefix("://")?;
    let (authority, rest) =
        rest.split_at_checked(rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len()))?;
    registered.is_authority(authority).then(|| after(rest, path(registered)))?
}

fn path<'u>(registered: &Uri<'u>) -> &'u str {
    if registered.authority.is_some() && registered.path.is_empty() { "/" } else { registered.path }
}

/// What follows `base`: the query with the fragment, or nothing at all.
fn after<'r>(text: &'r str, base: &str) -> Option<&'r str> {
    let rest = text.strip_prefix(base)?;
    match rest.strip_prefix('?') {
        Some(query) => Some(query),
        None => (rest.is_empty() || rest.starts_with('#')).then_some(rest),
    }
}

/// Whether each field of the registered query stands in `query`, unchanged and once (RFC 6749 section 3.1.2).
fn keeps(query: &str, registered: &str) -> bool {
    form::pairs(registered).all(|(name, value)| {
        let mut found = form::pairs(query).filter(|(other, _)| *other == name || form::is(other, name));
        found.next().is_some_and(|(_, other)| other == value) && found.next().is_none()
    })
}

fn is_answer(fragment: &str) -> bool {
    form::pairs(fragment).any(|(name, _)| RESPONSE_PARAMETERS.iter().any(|known| form::is(name, known)))
}

/// The bytes of a value; a bad escape becomes one that no parameter may hold.
fn bytes(raw: &str) -> impl Iterator<Item = u8> {
    form::decode(raw).map(|byte| byte.unwrap_or(0))
}

/// RFC 6749 appendix A.7: `NQSCHAR`, at least one.
fn is_error_code(raw: &str) -> bool {
    bytes(raw).all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

#[cfg(feature = "serde")]
mod stored {
    use super::Pending;
    use crate::error::words::put;
    use crate::proof::{CodeVerifier, State, pkce};
    use crate::wire::{base64, form};
    use core::fmt;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    /// One string: version, state, verifier and client, with a dot between them. It holds the verifier: keep it so that only
    /// the user's own session reads it. How old it may become is for whoever keeps it to decide.
    impl Serialize for Pending {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let client = pkce::encode(&self.client);
            let version = if self.is_openid { OPENID } else { PLAIN };
            let (state, verifier) = (self.state.expose(), self.verifier.expose());
            serializer.collect_str(&Written([version, ".", state, ".", verifier, ".", pkce::text(&client)]))
        }
    }

    struct Written<'p>([&'p str; 7]);

    impl fmt::Display for Written<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            put(f, &self.0)
        }
    }

    impl<'de> Deserialize<'de> for Pending {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_str(Visitor)
        }
    }

    /// The versions of what is written. They change with the parts and with what the client's fingerprint covers.
    const PLAIN: &str = "1";
    /// A nonce was sent.
    const OPENID: &str = "2";

    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = Pending;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a pending login, as it was written")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Pending, E> {
            let (version, rest) = form::cut_at(text, b'.').unwrap_or_default();
            if !matches!(version, PLAIN | OPENID) {
                return Err(E::custom("this pending login is not of version 1 or 2; start the login anew"));
            }
            parse(rest, version == OPENID).ok_or_else(|| E::custom("this is not a pending login as it was written"))
        }
    }

    fn parse(text: &str, is_openid: bool) -> Option<Pending> {
        let (state, rest) = form::cut_at(text, b'.')?;
        let (verifier, client) = form::cut_at(rest, b'.')?;
        let mut fingerprint = [0; 32];
        let length = base64::decode(client, &mut fingerprint)?.len();
        (length == fingerprint.len()).then_some(Pending {
            state: State::parse(state)?,
            verifier: CodeVerifier::parse(verifier)?,
            client: fingerprint,
            is_openid,
        })
    }
}
