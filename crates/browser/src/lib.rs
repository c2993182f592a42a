//! The protocol for single-page apps: `proofkey-core` behind functions that JavaScript can call.
//!
//! Everything here is text in, text out: no I/O, no clock, no randomness, no state. The hand-written modules beside it
//! (`package/`) fetch, keep and share; they know no OAuth. Each step has the two methods of the core, `request` and
//! `read`. A step of the core borrows what it is made of, which JavaScript cannot keep alive; so a step here owns it, and
//! makes the core's step from it twice: to write the request, and to read the answer.

mod client;
mod discovery;
mod failure;
mod steps;
mod wire;

pub use client::{Client, Login};
pub use discovery::{Discovery, Server};
pub use failure::{Failure, ProofkeyError};
pub use steps::{Grant, Refresh, Revocation};
pub use wire::{Answer, Request, Tokens};

use proofkey_core::{Lifetime, Refusal};
use wasm_bindgen::prelude::wasm_bindgen;

/// Whether to refresh an access token now. Times are in seconds since 1970.
#[wasm_bindgen(js_name = isDue)]
#[must_use]
pub fn is_due(requested_at: f64, expires_in: Option<u32>, now: f64) -> bool {
    lifetime(requested_at, expires_in).is_due(now as u64)
}

/// Whether an access token has ended.
#[wasm_bindgen(js_name = isExpired)]
#[must_use]
pub fn is_expired(requested_at: f64, expires_in: Option<u32>, now: f64) -> bool {
    lifetime(requested_at, expires_in).is_expired(now as u64)
}

/// Whether an API's answer says that another access token would help (RFC 6750 section 3.1).
#[wasm_bindgen(js_name = wantsRefresh)]
#[must_use]
pub fn wants_refresh(status: u16, www_authenticate: Option<String>) -> bool {
    matches!(Refusal::of(status, www_authenticate.as_deref()), Some(Refusal::InvalidToken))
}

const fn lifetime(requested_at: f64, expires_in: Option<u32>) -> Lifetime {
    Lifetime::new(requested_at as u64, expires_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_core() {
        for (now, due, expired) in
            [(1_000.0, false, false), (4_540.0, true, false), (4_600.9, true, true), (999.0, true, false)]
        {
            assert_eq!(
                (is_due(1_000.9, Some(3600), now), is_expired(1_000.9, Some(3600), now)),
                (due, expired),
                "{now}"
            );
        }
        assert!(!is_due(1_000.0, None, 1e18) && !is_expired(1_000.0, None, 1e18));
    }

    #[test]
    fn a_refresh_is_for_tokens_that_are_no_longer_good() {
        assert!(wants_refresh(401, None));
        assert!(wants_refresh(401, Some("Bearer error=\"invalid_token\"".to_owned())));
        assert!(!wants_refresh(403, Some("Bearer error=\"insufficient_scope\"".to_owned())));
        assert!(!wants_refresh(200, None));
    }
}
