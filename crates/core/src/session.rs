//! A login that stays: when to refresh, and who.

mod version;

pub use version::{ClaimId, LoginId, Version};
