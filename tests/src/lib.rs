//! What the tests share: flows through each way in, servers that record, and what the tests of the core share.

pub mod authority;
pub mod bound;
pub mod flows;
pub mod network;
pub mod proxy;
pub mod recording;
#[cfg(feature = "servers")]
pub mod servers;

pub use proofkey_core_tests::*;
use std::path::{Path, PathBuf};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}
