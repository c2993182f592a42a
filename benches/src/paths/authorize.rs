//! A whole `authorize` with the system's generator: state, verifier, challenge and the URL.

use crate::fixtures::{SCOPE, client};
use crate::peers::{oauth2_client, openidconnect_client};
use crate::{Contender, Name, Path, Target};
use getrandom::SysRng;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use openidconnect::Nonce;
use openidconnect::core::CoreAuthenticationFlow;
use proofkey_core::Pending;
use std::fmt::Write;
use std::hint::black_box;
use url::Url;

pub(super) fn path() -> Path {
    Path {
        name: "whole authorize",
        batch: 64,
        contenders: vec![
            Contender::writing(Name::Proofkey, || (), |(), out| _ = black_box(proofkey(out))),
            Contender::new(Name::Oauth2, || (), oauth2()),
            Contender::new(Name::Openidconnect, || (), openidconnect()),
        ],
        target: Target { oauth2: Some(1.0), ..Target::default() },
        note: "scopes; random bytes from the system, once",
        others: &[
            (Name::Oauth2, "random bytes from a generator in the process, which asks the system for its seed"),
            (Name::Openidconnect, "the same; adds a nonce"),
        ],
    }
}

fn proofkey(out: &mut String) -> Pending {
    let (url, pending) = client().authorize(&SCOPE, &mut SysRng).expect("a login begins");
    write!(out, "{url}").expect("a string takes it");
    pending
}

fn oauth2() -> impl FnMut(&mut ()) -> (Url, CsrfToken, PkceCodeVerifier) {
    let client = oauth2_client();
    move |()| {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = SCOPE.map(|scope| Scope::new(scope.to_owned()));
        let request = client.authorize_url(CsrfToken::new_random).add_scopes(scopes).set_pkce_challenge(challenge);
        let (url, state) = request.url();
        (url, state, verifier)
    }
}

/// It adds the scope `openid` itself.
fn openidconnect() -> impl FnMut(&mut ()) -> (Url, CsrfToken, Nonce, PkceCodeVerifier) {
    let client = openidconnect_client();
    move |()| {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = SCOPE.map(|scope| Scope::new(scope.to_owned()));
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let (url, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        (url, state, nonce, verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ask_for_the_same_parameters() {
        let mut ours = String::new();
        let pending = proofkey(&mut ours);
        let expected = parameters(&Url::parse(&ours).expect("a URL"));
        assert_eq!(expected.len(), 7);
        assert!(ours.contains(pending.state().expose()));
        assert_eq!(parameters(&oauth2()(&mut ()).0), expected);
        let mut theirs = parameters(&openidconnect()(&mut ()).0);
        theirs.retain(|name| name != "nonce");
        assert_eq!(theirs, expected);
    }

    fn parameters(url: &Url) -> Vec<String> {
        let mut names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        names.sort();
        names
    }
}
