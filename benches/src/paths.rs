//! The paths, one file for each.

mod authorization_url;
mod authorize;
mod callback;
mod challenge;
mod lifetime;
mod loopback;
mod pkce;
mod refresh_body;
mod token_body;
mod token_response;

use crate::Path;

/// All of them, in the order of a login.
#[must_use]
pub fn all() -> Vec<Path> {
    let mut paths =
        vec![pkce::path(), authorization_url::path(), authorize::path(), loopback::path(), callback::path()];
    paths.extend([token_body::path(), refresh_body::path()]);
    paths.extend(token_response::paths());
    paths.extend([lifetime::path(), challenge::path()]);
    paths
}
