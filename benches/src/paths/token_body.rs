//! The body of the token request with a code (RFC 6749 section 4.1.3).

use crate::fixtures::{CLIENT_ID, CODE, REDIRECT_URI, Secrets, secrets, token_request};
use crate::peers::{encode, oauth2_client, openidconnect_client, refuse};
use crate::{Contender, Name, Path, Target};
use io_oauth::rfc6749::access_token_request::Oauth20AccessTokenRequestParams;
use oauth2::{AuthorizationCode, PkceCodeVerifier, SyncHttpClient};
use proofkey_core::TokenRequest;
use std::borrow::Cow;
use url::form_urlencoded::Serializer;

pub(super) fn path() -> Path {
    Path {
        name: "token body",
        batch: 64,
        contenders: vec![
            Contender::writing(Name::Proofkey, token_request, proofkey),
            Contender::consuming(Name::Oauth2, code_and_verifier, oauth2(refuse)),
            Contender::consuming(Name::Openidconnect, code_and_verifier, openidconnect(refuse)),
            Contender::new(Name::IoOauth, io_oauth, |params| params.to_form_url_encoded_serializer().finish()),
            Contender::writing(Name::FormUrlencoded, secrets, |secrets, out| form_urlencoded(secrets, out)),
            Contender::writing(Name::ByHand, secrets, |secrets, out| by_hand(secrets, out)),
        ],
        target: Target { oauth2: Some(6.5), ..Target::default() },
        note: "",
        others: &[
            (Name::Oauth2, "makes the whole HTTP request, which it does not do apart"),
            (Name::Openidconnect, "the same"),
        ],
    }
}

fn proofkey(token_request: &mut TokenRequest<'_>, out: &mut String) {
    token_request.request().write_body(out).expect("a string takes it");
}

fn oauth2<T: SyncHttpClient>(transport: T) -> impl FnMut((AuthorizationCode, PkceCodeVerifier)) -> bool {
    let client = oauth2_client();
    move |(code, verifier)| client.exchange_code(code).set_pkce_verifier(verifier).request(&transport).is_ok()
}

fn openidconnect<T: SyncHttpClient>(transport: T) -> impl FnMut((AuthorizationCode, PkceCodeVerifier)) -> bool {
    let client = openidconnect_client();
    move |(code, verifier)| client.exchange_code(code).set_pkce_verifier(verifier).request(&transport).is_ok()
}

fn code_and_verifier() -> (AuthorizationCode, PkceCodeVerifier) {
    (AuthorizationCode::new(CODE.to_owned()), PkceCodeVerifier::new(secrets().verifier.clone()))
}

fn io_oauth() -> Oauth20AccessTokenRequestParams<'static> {
    Oauth20AccessTokenRequestParams {
        code: CODE.into(),
        redirect_uri: Some(REDIRECT_URI.into()),
        client_id: CLIENT_ID.into(),
        client_secret: None,
        pkce_code_verifier: Some(Cow::Owned(secrets().verifier.parse().expect("a verifier"))),
    }
}

fn form_urlencoded(secrets: &Secrets, out: &mut String) {
    Serializer::new(out)
        .append_pair("grant_type", "authorization_code")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("code", CODE)
        .append_pair("code_verifier", &secrets.verifier)
        .append_pair("redirect_uri", REDIRECT_URI);
}

pub(super) fn by_hand(secrets: &Secrets, out: &mut String) {
    out.push_str("grant_type=authorization_code&client_id=");
    encode(CLIENT_ID, out);
    out.push_str("&code=");
    encode(CODE, out);
    out.push_str("&code_verifier=");
    out.push_str(&secrets.verifier);
    out.push_str("&redirect_uri=");
    encode(REDIRECT_URI, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::{sent, sorted};

    #[test]
    fn all_send_the_same() {
        let written = |step: &dyn Fn(&mut String)| {
            let mut out = String::new();
            step(&mut out);
            sorted(out.as_bytes())
        };
        let expected = written(&|out| proofkey(&mut token_request(), out));
        assert_eq!(expected.len(), 5);
        assert_eq!(sent(|transport| oauth2(transport)(code_and_verifier())), expected);
        assert_eq!(sent(|transport| openidconnect(transport)(code_and_verifier())), expected);
        assert_eq!(sorted(io_oauth().to_string().as_bytes()), expected);
        assert_eq!(written(&|out| form_urlencoded(secrets(), out)), expected);
        assert_eq!(written(&|out| by_hand(secrets(), out)), expected);
    }
}
