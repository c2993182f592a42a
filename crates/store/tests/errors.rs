//! What errors say, and what is to be done.

use proofkey_core::Advice;
use proofkey_store::{Key, Record, RecordError, Secret, StoreError, StoreFault};
use std::error::Error;
use std::io;

#[test]
fn a_store_error_says_what_went_wrong_and_what_to_do() {
    let retry = Advice::Retry { after: None };
    for (fault, says, advice) in [
        (StoreFault::Corrupt, "the stored login cannot be used; sign in again", Advice::Fix),
        (StoreFault::Newer, "a newer version wrote the stored login; upgrade this program", Advice::Fix),
        (StoreFault::Setup, "the store cannot be used as it is set up", Advice::Fix),
        (StoreFault::TooBig, "the login is too long for this store", Advice::Fix),
        (StoreFault::Unavailable, "the store cannot be reached; try again", retry),
    ] {
        let error = StoreError::new(fault);
        assert_eq!((error.to_string().as_str(), error.advice(), error.fault()), (says, advice, fault));
        assert!(error.source().is_none());
        let error = error.because(io::Error::other("the system's words"));
        assert_eq!(error.to_string(), format!("{says}: the system's words"));
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("the system's words"));
    }
}

#[test]
fn a_record_error_says_what_is_wrong_with_the_bytes() {
    let record =
        Record::new(Key::new("https://issuer.example", "my-app", "default"), Secret::new("a token".to_owned()));
    let bytes = record.to_bytes().unwrap();
    assert_eq!(Record::from_bytes(&bytes).unwrap().access_token.expose(), "a token");
    let mut edited = bytes.clone();
    *edited.last_mut().unwrap() ^= 1;
    let newer = b"proofkey record 12 and what comes then\n";
    for (bytes, error, says) in [
        (&b"a token"[..], RecordError::Corrupt("it is cut short"), "it is cut short"),
        (b"a\ntoken", RecordError::Corrupt("it does not begin as a record does"), "it does not begin as a record does"),
        (&edited, RecordError::Corrupt("it is damaged or was edited"), "it is damaged or was edited"),
        (newer, RecordError::Newer(12), "it has format 12, and this version reads formats up to 2"),
    ] {
        let found = Record::from_bytes(bytes).unwrap_err();
        assert_eq!((found, found.to_string().as_str()), (error, says));
    }
}
