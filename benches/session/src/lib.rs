//! How fast a session hands out a valid token, beside other crates that keep one.

pub mod accounts;
pub mod contender;
pub mod endpoint;
pub mod ours;
pub mod peers;
pub mod yardsticks;

/// What the server grants, valid for an hour.
pub const GRANTED: &str = include_str!("../../data/medium.json");

/// The access token in it.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn access_token() -> String {
    let granted: serde_json::Value = serde_json::from_str(GRANTED).expect("JSON");
    granted["access_token"].as_str().expect("a token").to_owned()
}
