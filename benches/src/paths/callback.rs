//! The redirect, from the URL to a checked code (RFC 6749 section 4.1.2, RFC 9207).

use crate::fixtures::{client, pending, redirect, secrets};
use crate::{Contender, Name, Path, Target};
use io_oauth::rfc6749::{auth_response::Oauth20AuthParams, state::Oauth20State};
use oauth2::{AuthorizationCode, CsrfToken};
use proofkey_core::Redirect;
use url::Url;

pub(super) fn path() -> Path {
    let (client, redirect) = (client(), redirect());
    let state = || CsrfToken::new(secrets().state.clone());
    let text = || secrets().state.as_str();
    Path {
        name: "callback",
        batch: 64,
        contenders: vec![
            Contender::consuming(Name::Proofkey, pending, move |login| login.accept(client, Redirect::Url(redirect))),
            Contender::new(Name::Oauth2, state, move |state| oauth2(redirect, state)),
            Contender::new(Name::IoOauth, io_oauth_state, move |state| io_oauth(redirect, state)),
            Contender::new(Name::FormUrlencoded, text, move |state| form_urlencoded(redirect, state)),
            Contender::new(Name::ByHand, text, move |state| by_hand(redirect, state)),
        ],
        target: Target { oauth2: Some(8.0), ..Target::default() },
        note: "redirect URI, issuer, state in constant time, duplicates, error, code",
        others: &[
            (Name::Oauth2, "has no reader; its documentation's: state, the first of two; no URI, issuer, error"),
            (Name::IoOauth, "state, the last of two, error; no URI, issuer, duplicates"),
            (Name::FormUrlencoded, "state, the last of two"),
            (Name::ByHand, "state, the last of two; nothing is decoded"),
        ],
    }
}

/// `oauth2` reads no redirect: this is what its documentation does with `url`.
pub(super) fn oauth2(redirect: &str, expected: &CsrfToken) -> Option<AuthorizationCode> {
    let url = Url::parse(redirect).ok()?;
    let find = |wanted| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let code = AuthorizationCode::new(find("code")?);
    let state = CsrfToken::new(find("state")?);
    (state.secret() == expected.secret()).then_some(code)
}

fn io_oauth_state() -> Oauth20State {
    serde_json::from_value(secrets().state.as_str().into()).expect("a state")
}

fn io_oauth(redirect: &str, expected: &Oauth20State) -> Option<String> {
    let url = Url::parse(redirect).ok()?;
    Oauth20AuthParams::from(&url).validate(Some(expected)).ok().map(|code| code.into_owned())
}

fn form_urlencoded(redirect: &str, expected: &str) -> Option<String> {
    let (_, query) = redirect.split_once('?')?;
    let (mut code, mut state) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "code" => code = Some(value),
            "state" => state = Some(value),
            _ => {}
        }
    }
    (state? == expected).then_some(code?.into_owned())
}

pub(super) fn by_hand<'r>(redirect: &'r str, expected: &str) -> Option<&'r str> {
    let (_, query) = redirect.split_once('?')?;
    let (mut code, mut state) = (None, None);
    for (name, value) in query.split('&').filter_map(|field| field.split_once('=')) {
        match name {
            "code" => code = Some(value),
            "state" => state = Some(value),
            _ => {}
        }
    }
    (state? == expected).then_some(code?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::CODE;

    #[test]
    fn all_find_the_code_and_refuse_another_state() {
        let token_request = pending().accept(client(), Redirect::Url(redirect()));
        assert!(token_request.is_ok());
        let other = redirect().replace("state=", "state=x");
        for (seen, code) in [(redirect(), Some(CODE)), (&other, None)] {
            let state = CsrfToken::new(secrets().state.clone());
            assert_eq!(pending().accept(client(), Redirect::Url(seen)).is_ok(), code.is_some());
            assert_eq!(oauth2(seen, &state).map(|code| code.secret().clone()).as_deref(), code);
            assert_eq!(io_oauth(seen, &io_oauth_state()).as_deref(), code);
            assert_eq!(form_urlencoded(seen, &secrets().state).as_deref(), code);
            assert_eq!(by_hand(seen, &secrets().state), code);
        }
    }
}
