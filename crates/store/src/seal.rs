//! Encryption: [`Sealed`] for what is stored, [`Seal`] for what a browser keeps (feature `seal`).

mod cookie;
mod keys;
mod sealed;

pub use cookie::Seal;
pub use keys::{Keys, SealingKey};
pub use sealed::Sealed;

use std::{error, fmt};

/// Why a value was not sealed or not opened. It holds nothing of the value, nor of the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SealError {
    /// The value is too old.
    Expired,
    /// The value was changed, was made for something else, or its key is not there.
    Invalid,
    /// The text is not a sealing key.
    InvalidKey,
    /// The system gives no random bytes.
    Random,
    /// The value does not fit a cookie.
    TooLong,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "it took too long; start again",
            Self::Invalid => "the sealed value is not valid; start again",
            Self::InvalidKey => "a sealing key is 32 bytes in base64",
            Self::Random => "the system gives no random bytes",
            Self::TooLong => "the value is too long for a cookie of 4,096 bytes",
        })
    }
}

impl error::Error for SealError {}
