//! The body of a refresh (RFC 6749 section 6).

use crate::fixtures::{CLIENT_ID, REFRESH_TOKEN, client};
use crate::peers::{encode, oauth2_client, openidconnect_client, refuse};
use crate::{Contender, Name, Path, Target};
use io_oauth::rfc6749::refresh_access_token::Oauth20AccessTokenRefreshParams;
use oauth2::SyncHttpClient;
use proofkey_core::{RefreshToken, TokenRequest};
use url::form_urlencoded::Serializer;

pub(super) fn path() -> Path {
    Path {
        name: "refresh body",
        batch: 64,
        contenders: vec![
            Contender::writing(Name::Proofkey, refresh, proofkey),
            Contender::new(Name::Oauth2, oauth2_token, oauth2(refuse)),
            Contender::new(Name::Openidconnect, oauth2_token, openidconnect(refuse)),
            Contender::new(Name::IoOauth, io_oauth, |params| params.to_serializer().finish()),
            Contender::writing(Name::FormUrlencoded, || (), |(), out| form_urlencoded(out)),
            Contender::writing(Name::ByHand, || (), |(), out| by_hand(out)),
        ],
        target: Target { oauth2: Some(10.0), ..Target::default() },
        note: "",
        others: &[
            (Name::Oauth2, "makes the whole HTTP request, which it does not do apart"),
            (Name::Openidconnect, "the same"),
        ],
    }
}

fn refresh() -> TokenRequest<'static> {
    client().refresh(RefreshToken::new(REFRESH_TOKEN).expect("a refresh token"))
}

fn proofkey(token_request: &mut TokenRequest<'_>, out: &mut String) {
    token_request.request().write_body(out).expect("a string takes it");
}

fn oauth2<T: SyncHttpClient>(transport: T) -> impl FnMut(&mut oauth2::RefreshToken) -> bool {
    let client = oauth2_client();
    move |token| client.exchange_refresh_token(token).request(&transport).is_ok()
}

fn openidconnect<T: SyncHttpClient>(transport: T) -> impl FnMut(&mut oauth2::RefreshToken) -> bool {
    let client = openidconnect_client();
    move |token| client.exchange_refresh_token(token).request(&transport).is_ok()
}

fn oauth2_token() -> oauth2::RefreshToken {
    oauth2::RefreshToken::new(REFRESH_TOKEN.to_owned())
}

fn io_oauth() -> Oauth20AccessTokenRefreshParams<'static> {
    Oauth20AccessTokenRefreshParams::new(CLIENT_ID, REFRESH_TOKEN)
}

fn form_urlencoded(out: &mut String) {
    Serializer::new(out)
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("refresh_token", REFRESH_TOKEN);
}

fn by_hand(out: &mut String) {
    out.push_str("grant_type=refresh_token&client_id=");
    encode(CLIENT_ID, out);
    out.push_str("&refresh_token=");
    encode(REFRESH_TOKEN, out);
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
        let expected = written(&|out| proofkey(&mut refresh(), out));
        assert_eq!(expected.len(), 3);
        assert_eq!(sent(|transport| oauth2(transport)(&mut oauth2_token())), expected);
        assert_eq!(sent(|transport| openidconnect(transport)(&mut oauth2_token())), expected);
        assert_eq!(sorted(io_oauth().to_string().as_bytes()), expected);
        assert_eq!(written(&form_urlencoded), expected);
        assert_eq!(written(&by_hand), expected);
    }
}
