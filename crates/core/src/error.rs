//! One enum for each place that can fail, the server's own words, and what to do now.

mod advice;
mod callback;
mod config;
mod identity;
mod response;
pub(crate) mod words;

pub use advice::Advice;
pub use callback::CallbackError;
pub use config::{AuthorizeError, ConfigError, ParameterFault, UriFault};
pub use identity::IdTokenError;
pub use response::ResponseError;
pub use words::{Excerpt, ServerError};
