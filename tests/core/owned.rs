//! Tokens from their parts, and tokens that own their parts.

use proofkey_core::{AccessToken, RefreshToken, Scope, Tokens, TokensArray, TokensBuf};

/// As a row of a database has them: ten bytes of text.
fn tokens(scope: Scope<'_>) -> Tokens<'_> {
    let (access_token, refresh_token) = (AccessToken::new("AT1").unwrap(), RefreshToken::new("RT1").unwrap());
    Tokens::new(access_token).with_refresh_token(refresh_token).with_expires_in(7).with_scope(scope)
}

fn parts<'t>(tokens: &Tokens<'t>) -> (&'t str, Option<&'t str>, Option<u32>, Scope<'t>) {
    let refresh_token = tokens.refresh_token().map(RefreshToken::expose);
    (tokens.access_token().expose(), refresh_token, tokens.expires_in(), tokens.scope())
}

#[test]
fn tokens_have_the_parts_they_were_made_of() {
    let alone = Tokens::new(AccessToken::new("AT1").unwrap());
    assert_eq!(parts(&alone), ("AT1", None, None, Scope::Unknown));
    assert_eq!(parts(&tokens(Scope::Granted("r w"))), ("AT1", Some("RT1"), Some(7), Scope::Granted("r w")));
    assert_eq!(tokens(Scope::Requested).scope(), Scope::Requested);
}

#[test]
fn a_granted_scope_that_is_not_printable_is_unknown() {
    for text in ["r\nw", "é", "r\u{7f}"] {
        assert_eq!(tokens(Scope::Granted(text)).scope(), Scope::Unknown, "{text:?}");
    }
}

#[test]
fn owned_tokens_have_the_same_parts() {
    for scope in [Scope::Granted("r w"), Scope::Granted(""), Scope::Requested, Scope::Unknown] {
        let tokens = tokens(scope);
        assert_eq!(parts(&TokensBuf::from(tokens).as_tokens()), parts(&tokens));
        let array = TokensArray::<64>::try_from(tokens).unwrap();
        assert_eq!(parts(&array.clone().as_tokens()), parts(&tokens));
        assert_eq!(format!("{array:?}"), format!("{tokens:?}"));
    }
    let alone = Tokens::new(AccessToken::new("AT1").unwrap());
    assert_eq!(parts(&TokensArray::<3>::try_from(alone).unwrap().as_tokens()), parts(&alone));
}

#[test]
fn an_array_takes_tokens_that_just_fit_and_says_how_many_bytes_are_needed() {
    let tokens = tokens(Scope::Granted("read"));
    assert_eq!(parts(&TokensArray::<10>::try_from(tokens).unwrap().as_tokens()), parts(&tokens));
    let error = TokensArray::<9>::try_from(tokens).unwrap_err();
    assert_eq!(error.needed(), 10);
    assert_eq!(error.to_string(), "10 bytes are needed, and there is room for 9");
    assert_eq!(TokensArray::<0>::try_from(tokens).unwrap_err().needed(), 10);
}
