//! What goes over HTTP: requests, responses, and the `Authorization` and `WWW-Authenticate` fields of an API call.

mod bearer;
mod challenge;
mod identity;
mod received;
mod request;
mod response;
mod thumbprint;

pub use bearer::{AccessToken, Authorization, Refusal};
pub use challenge::{Challenge, Challenges, Param, challenges};
pub(crate) use identity::{Identity, Place};
pub use received::Received;
pub(crate) use request::{Content, Form};
pub use request::{Header, Method, Request, Url};
pub use response::Response;
pub(crate) use response::{MEMBER_MAX, error_of, is_nonce, refusal, string, unfit};
pub use thumbprint::Thumbprint;
