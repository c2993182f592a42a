//! The authorization URL (RFC 6749 section 4.1.1), with the state and the challenge given.

use crate::fixtures::{AUTHORIZATION_ENDPOINT, CLIENT_ID, REDIRECT_URI, Rng, SCOPE, Secrets, client, secrets};
use crate::peers::{encode, oauth2_client, openidconnect_client};
use crate::{Contender, Name, Path, Target};
use io_oauth::rfc6749::{auth_request::Oauth20AuthRequestParams, state::Oauth20State};
use io_oauth::rfc7636::pkce::Oauth20PkceCodeChallenge;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use openidconnect::Nonce;
use openidconnect::core::CoreAuthenticationFlow;
use proofkey_core::AuthorizationUrl;
use std::borrow::Cow;
use std::fmt::Write;
use url::Url;
use url::form_urlencoded::Serializer;

pub(super) fn path() -> Path {
    Path {
        name: "authorization URL",
        batch: 64,
        contenders: vec![
            Contender::writing(Name::Proofkey, url, proofkey),
            Contender::consuming(Name::Oauth2, parts, oauth2()),
            Contender::new(Name::IoOauth, io_oauth_params, io_oauth()),
            Contender::consuming(Name::Openidconnect, parts, openidconnect()),
            Contender::writing(Name::FormUrlencoded, secrets, |secrets, out| form_urlencoded(secrets, out)),
            Contender::writing(Name::ByHand, secrets, |secrets, out| by_hand(secrets, out)),
        ],
        target: Target { oauth2: Some(4.0), ..Target::default() },
        note: "",
        others: &[(Name::IoOauth, "hashes the verifier once more"), (Name::Openidconnect, "adds a nonce")],
    }
}

fn url() -> AuthorizationUrl<'static> {
    client().authorize(&SCOPE, &mut Rng::default()).expect("a login begins").0
}

fn proofkey(url: &mut AuthorizationUrl<'_>, out: &mut String) {
    write!(out, "{url}").expect("a string takes it");
}

fn oauth2() -> impl FnMut(Parts) -> Url {
    let client = oauth2_client();
    move |Parts { state, challenge, scopes, .. }| {
        client.authorize_url(|| state).add_scopes(scopes).set_pkce_challenge(challenge).url().0
    }
}

fn io_oauth() -> impl FnMut(&mut Oauth20AuthRequestParams<'static>) -> Url {
    let endpoint = Url::parse(AUTHORIZATION_ENDPOINT).expect("a URL");
    move |params| params.build_url(&endpoint)
}

fn io_oauth_params() -> Oauth20AuthRequestParams<'static> {
    let state: Oauth20State = serde_json::from_value(secrets().state.as_str().into()).expect("a state");
    let challenge = Oauth20PkceCodeChallenge {
        method: Default::default(),
        verifier: secrets().verifier.parse().expect("a verifier"),
    };
    Oauth20AuthRequestParams {
        client_id: CLIENT_ID.into(),
        redirect_uri: Some(REDIRECT_URI.into()),
        scope: SCOPE.into_iter().map(Cow::Borrowed).collect(),
        state: Some(Cow::Owned(state)),
        pkce_code_challenge: Some(Cow::Owned(challenge)),
        extras: Default::default(),
    }
}

/// It adds the scope `openid` itself.
fn openidconnect() -> impl FnMut(Parts) -> Url {
    let client = openidconnect_client();
    move |Parts { state, nonce, challenge, scopes }| {
        let request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce);
        request.add_scopes(scopes).set_pkce_challenge(challenge).url().0
    }
}

/// What `oauth2` and `openidconnect` take by value.
struct Parts {
    state: CsrfToken,
    nonce: Nonce,
    challenge: PkceCodeChallenge,
    scopes: Vec<Scope>,
}

fn parts() -> Parts {
    let Secrets { state, verifier, .. } = secrets();
    Parts {
        state: CsrfToken::new(state.clone()),
        nonce: Nonce::new(state.clone()),
        challenge: PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone())),
        scopes: SCOPE.map(|scope| Scope::new(scope.to_owned())).to_vec(),
    }
}

fn form_urlencoded(secrets: &Secrets, out: &mut String) {
    out.push_str(AUTHORIZATION_ENDPOINT);
    out.push('?');
    let length = out.len();
    Serializer::for_suffix(out, length)
        .append_pair("response_type", "code")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("scope", "itwin-platform profile offline_access")
        .append_pair("state", &secrets.state)
        .append_pair("code_challenge", &secrets.challenge)
        .append_pair("code_challenge_method", "S256");
}

fn by_hand(secrets: &Secrets, out: &mut String) {
    out.push_str(AUTHORIZATION_ENDPOINT);
    out.push_str("?response_type=code&client_id=");
    encode(CLIENT_ID, out);
    out.push_str("&redirect_uri=");
    encode(REDIRECT_URI, out);
    out.push_str("&scope=");
    encode("itwin-platform profile offline_access", out);
    out.push_str("&state=");
    out.push_str(&secrets.state);
    out.push_str("&code_challenge=");
    out.push_str(&secrets.challenge);
    out.push_str("&code_challenge_method=S256");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn all_ask_for_the_same() {
        let written = |step: &dyn Fn(&mut String)| {
            let mut out = String::new();
            step(&mut out);
            parameters(&Url::parse(&out).expect("a URL"))
        };
        let expected = written(&|out| proofkey(&mut url(), out));
        assert_eq!(expected.len(), 7);
        assert_eq!(parameters(&oauth2()(parts())), expected);
        assert_eq!(parameters(&io_oauth()(&mut io_oauth_params())), expected);
        assert_eq!(written(&|out| form_urlencoded(secrets(), out)), expected);
        assert_eq!(written(&|out| by_hand(secrets(), out)), expected);
        let mut parameters = parameters(&openidconnect()(parts()));
        // It always asks who signs in.
        assert!(parameters.remove("nonce").is_some());
        parameters.get_mut("scope").expect("a scope").retain(|word| word != "openid");
        assert_eq!(parameters, expected);
    }

    /// Each with its words in order, since a scope is a set.
    fn parameters(url: &Url) -> BTreeMap<String, Vec<String>> {
        assert!(url.as_str().starts_with(AUTHORIZATION_ENDPOINT));
        let words = |value: &str| {
            let mut words: Vec<String> = value.split(' ').map(ToOwned::to_owned).collect();
            words.sort();
            words
        };
        url.query_pairs().map(|(name, value)| (name.into_owned(), words(&value))).collect()
    }
}
