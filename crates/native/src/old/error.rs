//! [`StoreError`].

use crate::folder::FolderError;
use proofkey_store::RecordError;
use std::{error, fmt};
#[cfg(feature = "keyring")]
use zeroize::Zeroizing;

/// A record that cannot be read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The record was damaged or edited. It is left unchanged.
    Corrupt {
        /// The file or the keyring's entry.
        name: String,
        /// The problem.
        fault: &'static str,
    },
    /// The folder or the file cannot be used.
    Folder(FolderError),
    /// The keyring refused.
    #[cfg(feature = "keyring")]
    Keyring(keyring::Error),
    /// Another process holds the lock.
    Locked {
        /// The file or the keyring's entry.
        name: String,
    },
    /// A newer version wrote the record, in a format that this one cannot read. It is left unchanged.
    Newer {
        /// The file or the keyring's entry.
        name: String,
        /// The number of its format.
        format: u32,
    },
    /// The system names no home folder.
    NoHome,
    /// There is no keyring.
    #[cfg(feature = "keyring")]
    NoKeyring(&'static keyring::Error),
    /// The record has another key than the lock.
    OtherKey,
    /// The record is too long for the store.
    TooBig,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { name, fault } => {
                write!(f, "the stored sign-in {name} cannot be used: {fault}; remove it and sign in again")
            }
            Self::Folder(error) => write!(f, "token store: {error}"),
            #[cfg(feature = "keyring")]
            Self::Keyring(error) => write!(f, "system keyring: {error}; unlock it and try again"),
            Self::Locked { name } => write!(f, "another process is using the stored sign-in {name}; try again"),
            Self::Newer { name, format } => write!(
                f,
                "the stored sign-in {name} was written by a newer proofkey ({}): upgrade proofkey",
                RecordError::Newer(*format)
            ),
            Self::NoHome => f.write_str("token store: the system names no home folder; set HOME"),
            #[cfg(feature = "keyring")]
            Self::NoKeyring(error) => write!(f, "there is no system keyring ({error}); keep the sign-ins in files"),
            Self::OtherKey => f.write_str("the record belongs to another account than the lock"),
            Self::TooBig => f.write_str("the record is too long for this store; files take half a mebibyte"),
        }
    }
}

impl error::Error for StoreError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Folder(error) => Some(error),
            #[cfg(feature = "keyring")]
            Self::Keyring(error) => Some(error),
            #[cfg(feature = "keyring")]
            Self::NoKeyring(error) => Some(*error),
            _ => None,
        }
    }
}

impl From<FolderError> for StoreError {
    fn from(error: FolderError) -> Self {
        Self::Folder(error)
    }
}

/// Strips the stored bytes from the keyring's errors, which would print them.
#[cfg(feature = "keyring")]
pub(crate) fn keyring_fault(name: &str, error: keyring::Error) -> StoreError {
    match error {
        keyring::Error::BadDataFormat(bytes, _) | keyring::Error::BadEncoding(bytes) => {
            drop(Zeroizing::new(bytes));
            StoreError::Corrupt { name: name.to_owned(), fault: "the keyring cannot decode it" }
        }
        keyring::Error::TooLong(..) => StoreError::TooBig,
        error => StoreError::Keyring(error),
    }
}

#[cfg(all(test, feature = "keyring"))]
mod tests {
    use super::*;

    #[test]
    fn keyring_errors_do_not_print_what_is_stored() {
        let stored = || b"CANARY".to_vec();
        let printed = format!("{:?}", stored());
        for error in
            [keyring::Error::BadEncoding(stored()), keyring::Error::BadDataFormat(stored(), "no format".into())]
        {
            assert!(format!("{error:?}").contains(&printed), "the keyring's own error prints it");
            let error = keyring_fault("name", error);
            assert!(!format!("{error} {error:?}").contains(&printed));
            assert!(matches!(error, StoreError::Corrupt { .. }));
        }
        let long = keyring_fault("name", keyring::Error::TooLong("secret".to_owned(), 2560));
        assert!(matches!(long, StoreError::TooBig));
    }

    #[test]
    fn errors_of_the_keyring_are_kept_as_the_cause() {
        static NONE: keyring::Error = keyring::Error::NoEntry;
        for error in [keyring_fault("name", keyring::Error::NoEntry), StoreError::NoKeyring(&NONE)] {
            let cause = error::Error::source(&error).expect("a cause").to_string();
            assert!(error.to_string().contains(&cause) && error.to_string().contains("keyring"), "{error}");
            assert!(matches!(error, StoreError::Keyring(_) | StoreError::NoKeyring(_)), "{error}");
        }
    }
}
