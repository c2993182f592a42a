//! What a device logs with `defmt`: bytes that hold an error's words, and no secret.

use defmt::Format;
use proofkey_core::{
    AccessToken, AuthorizeError, CallbackError, ConfigError, Pending, ResponseError, Tokens, TokensArray, UriFault,
};
use proofkey_core_tests::{ISSUER, accept, begin, client};
use std::fmt::{Debug, Display};

#[test]
fn errors_are_logged_as_they_display() {
    let refused = accept(|state| format!("error=e&error_description=d&state={state}&iss={ISSUER}")).1;
    let Err(CallbackError::Server(words)) = refused else { panic!("the server refused") };
    displayed(&words);
    displayed(&CallbackError::Server(words));
    displayed(&ConfigError::Issuer(UriFault::Absent));
    displayed(&UriFault::Absent);
    displayed(&ResponseError::ContentType("text/html".into()));
    displayed(&AuthorizeError::Random("no entropy"));
    displayed(&AuthorizeError::<&str>::RandomRepeats);
}

#[test]
fn values_are_logged_as_they_debug_and_no_secret() {
    let pending: Pending = begin(client());
    debugged(&client());
    debugged(&AccessToken::new("CANARY").unwrap());
    debugged(&pending);
    let tokens = Tokens::new(AccessToken::new("CANARY").unwrap());
    debugged(&TokensArray::<6>::try_from(tokens).unwrap());
    displayed(&TokensArray::<5>::try_from(tokens).unwrap_err());
    assert!(!logged(&pending).contains(pending.state().expose()));
    assert!(!logged(&AccessToken::new("CANARY").unwrap()).contains("CANARY"));
}

#[track_caller]
fn displayed(value: &(impl Display + Format)) {
    assert!(logged(value).contains(&ended(value.to_string())), "{value}");
}

#[track_caller]
fn debugged(value: &(impl Debug + Format)) {
    assert!(logged(value).contains(&ended(format!("{value:?}"))), "{value:?}");
}

/// What stands in the log, which is no text but for what was formatted.
fn logged(value: &impl Format) -> String {
    defmt::export::fmt(value);
    String::from_utf8_lossy(&defmt::export::fetch_bytes()).into_owned()
}

/// A text ends with a byte that no text has.
fn ended(text: String) -> String {
    text + "\u{fffd}"
}
