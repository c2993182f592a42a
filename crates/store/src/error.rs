//! [`StoreError`].

use proofkey_core::Advice;
use std::sync::Arc;
use std::{error, fmt};

/// An operation of a store that failed. It holds nothing of what is stored.
#[derive(Clone, Debug)]
pub struct StoreError {
    fault: StoreFault,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// What went wrong with a store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreFault {
    /// The row is damaged, was edited, or was sealed with a key that is not there. It is left as it is.
    Corrupt,
    /// A newer version wrote the row. It is left as it is.
    Newer,
    /// The store cannot be used as it is set up: access, room, settings.
    Setup,
    /// The value is too long for the store.
    TooBig,
    /// The store cannot be reached, or is busy.
    Unavailable,
}

impl StoreError {
    /// A failure.
    #[must_use]
    pub const fn new(fault: StoreFault) -> Self {
        Self { fault, source: None }
    }

    /// Adds what the system, the driver or the server says. It must not hold what is stored.
    #[must_use]
    pub fn because(self, source: impl error::Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// What went wrong.
    #[must_use]
    pub const fn fault(&self) -> StoreFault {
        self.fault
    }

    /// What to do now.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self.fault {
            StoreFault::Unavailable => Advice::Retry { after: None },
            _ => Advice::Fix,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fault {
            StoreFault::Corrupt => "the stored login cannot be used; sign in again",
            StoreFault::Newer => "a newer version wrote the stored login; upgrade this program",
            StoreFault::Setup => "the store cannot be used as it is set up",
            StoreFault::TooBig => "the login is too long for this store",
            StoreFault::Unavailable => "the store cannot be reached; try again",
        })?;
        let mut cause = error::Error::source(self);
        let mut before = String::new();
        while let Some(error) = cause {
            let text = error.to_string();
            // Errors of some drivers end with the text of their cause.
            if !before.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            before = text;
            cause = error.source();
        }
        Ok(())
    }
}

impl error::Error for StoreError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(self.source.as_deref()?)
    }
}
