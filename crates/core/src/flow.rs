//! The flows, one file each: a request, and how its answer is read.

mod authorize;
mod callback;
mod discovery;
mod metadata;
mod revoke;
mod token;

pub use authorize::AuthorizationUrl;
pub(crate) use callback::arrived;
pub use callback::{Pending, Redirect};
pub use discovery::{Discovery, NoMetadata};
pub use metadata::{Metadata, MetadataRequest, WellKnown};
pub use revoke::{Revocable, RevocationRequest};
pub use token::{RefreshToken, Scope, ScopeChange, TokenRequest, Tokens};
