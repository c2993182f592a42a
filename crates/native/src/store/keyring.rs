//! The system's keyring.

use crate::cause::StoreCause;
use crate::store::vault::Keyring;
use keyring::{Entry, Error};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The entries of an app: Secret Service, macOS Keychain, or Windows Credential Manager.
#[derive(Debug)]
pub(super) struct System {
    app: String,
}

impl System {
    pub(super) fn open(app: &str) -> Result<Self, StoreCause> {
        Entry::store_status().as_ref().map_err(StoreCause::NoKeyring)?;
        Ok(Self { app: app.to_owned() })
    }

    fn entry(&self, name: &str) -> Result<Entry, StoreCause> {
        Entry::new(&self.app, name).map_err(|error| cause(name, error))
    }
}

impl Keyring for System {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreCause> {
        match self.entry(name)?.get_secret() {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(cause(name, error)),
        }
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), StoreCause> {
        self.entry(name)?.set_secret(secret).map_err(|error| cause(name, error))
    }

    fn remove(&self, name: &str) -> Result<bool, StoreCause> {
        match self.entry(name)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(cause(name, error)),
        }
    }
}

/// Strips the stored bytes from the keyring's errors, which would print them.
fn cause(name: &str, error: Error) -> StoreCause {
    match error {
        Error::BadDataFormat(bytes, _) | Error::BadEncoding(bytes) => {
            drop(Zeroizing::new(bytes));
            let path = PathBuf::from(format!("{name} in the system keyring"));
            StoreCause::Corrupt { path, fault: "the keyring cannot decode it" }
        }
        error => StoreCause::Keyring(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_print_what_is_stored() {
        let stored = || b"CANARY".to_vec();
        let printed = format!("{:?}", stored());
        for error in [Error::BadEncoding(stored()), Error::BadDataFormat(stored(), "no format".into())] {
            assert!(format!("{error:?}").contains(&printed), "the keyring's own error prints it");
            let cause = cause("name", error);
            assert!(!format!("{cause} {cause:?}").contains(&printed));
            assert!(matches!(cause, StoreCause::Corrupt { .. }));
        }
        let error = cause("name", Error::NoStorageAccess("it is locked".into())).error();
        assert!(error.to_string().contains("it is locked; unlock it"), "{error}");
        assert_eq!(error.fault(), proofkey_store::StoreFault::Unavailable);
    }
}
