//! The flows, one file each: a request, and how its answer is read. [`Flow`] drives those of several requests.

mod api;
mod array;
mod authorize;
mod callback;
mod device;
mod discovery;
mod end_session;
mod metadata;
mod poll;
mod push;
mod revoke;
mod token;
mod tokens;
mod userinfo;

pub use api::{ApiError, ApiRequest};
pub use array::{NoRoom, TokensArray};
pub use authorize::AuthorizationUrl;
pub(crate) use callback::arrived;
pub use callback::{Pending, Redirect};
pub use device::{DeviceRequest, Prompt};
pub use discovery::{Discovery, NoMetadata};
pub use end_session::{EndSessionUrl, Ending};
pub use metadata::{Metadata, MetadataRequest, WellKnown};
pub use poll::{CodeExpired, Poll};
pub use push::{PushRequest, PushedUrl};
pub use revoke::{Revocable, RevocationRequest};
pub use token::TokenRequest;
pub use tokens::{RefreshToken, Scope, ScopeChange, Tokens};
pub use userinfo::{UserInfoError, UserInfoRequest};

use crate::message::{Request, Response};

/// A flow of one request or of several, decided here and driven by an adapter with one loop: ask for the [`step`](Self::step),
/// do it, say what came of it, and read the last answer with the flow's own `read`.
///
/// ```
/// use proofkey_core::{Discovery, Flow, Response, Step};
///
/// let mut flow = Discovery::new("https://as.example")?;
/// let mut addresses = Vec::new();
/// // Each address answers 404.
/// while let Step::Send(request) = flow.step(0) {
///     addresses.push(request.url().to_string());
///     assert!(!flow.hear(&Response::new(404, &mut []), 0), "there may be metadata at another address");
/// }
/// assert_eq!(addresses.len(), 2);
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
///
/// For a flow of one request, its first answer is the last one. It is sealed: only this crate implements it. `now` is always the time in seconds since 1970.
pub trait Flow: sealed::Sealed {
    /// What to do next.
    fn step(&mut self, now: u64) -> Step<'_>;

    /// Takes note of an answer, and says whether it is the last one: read it then. The body stays as it is.
    fn hear(&mut self, _response: &Response<'_>, _now: u64) -> bool {
        true
    }

    /// Takes note that a request was not answered, and says whether to go on all the same. If not, the failure of the
    /// transport is the result.
    fn unanswered(&mut self, _why: Unanswered, _now: u64) -> bool {
        false
    }
}

/// What a [`Flow`] wants done.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Step<'s> {
    /// Nothing is left to do: the flow ended without an answer to read.
    Over,
    /// Send this.
    Send(Request<'s>),
    /// Wait so many seconds, then ask again.
    Wait(u32),
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unanswered {
    /// It was sent, perhaps in part, and the connection ended without an answer.
    Closed,
    /// It may have been sent, and something else went wrong, such as the deadline.
    Lost,
    /// It was certainly not sent.
    Unsent,
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for super::ApiRequest<'_> {}
    impl Sealed for super::DeviceRequest<'_> {}
    impl Sealed for super::Discovery<'_> {}
    impl Sealed for super::Poll<'_, '_> {}
    impl Sealed for super::PushRequest<'_> {}
    impl Sealed for super::RevocationRequest<'_> {}
    impl Sealed for super::TokenRequest<'_> {}
    impl Sealed for super::UserInfoRequest<'_> {}
}
