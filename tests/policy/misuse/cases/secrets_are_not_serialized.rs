//! RFC 6749 section 10.3: only a pending login can be written down, because it must outlive a process.
use proofkey_core::{AccessToken, CodeVerifier, RefreshToken, TokensBuf};

fn serializable<T: serde::Serialize>() {}

fn main() {
    serializable::<proofkey_core::Pending>();
    serializable::<AccessToken<'_>>();
    serializable::<RefreshToken<'_>>();
    serializable::<CodeVerifier>();
    serializable::<TokensBuf>();
}
