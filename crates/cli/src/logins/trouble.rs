//! What goes wrong with a store, as a failure.

use crate::failure::{Failure, Kind};
use proofkey_native::{FolderError, StoreCause, StoreError};
use proofkey_ureq::proofkey_store::StoreFault;
use std::error::Error;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let cause = cause_of(&error);
        let failure = Kind::Unexpected.because(match cause {
            Some(StoreCause::Corrupt { path, fault }) => {
                format!("the stored sign-in {} cannot be used: {fault}; remove it and sign in again", path.display())
            }
            Some(StoreCause::Newer { path, format }) => format!(
                "the stored sign-in {} was written by a newer proofkey (it has format {format}): upgrade proofkey",
                path.display()
            ),
            Some(StoreCause::Folder(folder)) => format!("token store: {folder}"),
            Some(cause) => cause.to_string(),
            None => error.to_string(),
        });
        match cause {
            _ if error.fault() == StoreFault::Newer => Self { kind: Kind::Outdated, ..failure }.advise_command(
                "or, to sign in again with this version, first discard it with",
                "logout --forget-anyway",
            ),
            Some(StoreCause::Locked { .. }) => Self { kind: Kind::TimedOut, ..failure },
            Some(StoreCause::Folder(folder)) if is_denied(folder) && cfg!(all(unix, not(target_os = "macos"))) => {
                failure.advise("XDG_STATE_HOME=FOLDER keeps the sign-ins in another folder")
            }
            _ => failure,
        }
    }
}

/// By a login.
pub(super) fn may_be_replaced(error: &StoreError) -> bool {
    let is_io = matches!(cause_of(error), Some(StoreCause::Folder(FolderError::Io { .. })) | None);
    error.fault() == StoreFault::Corrupt || error.fault() == StoreFault::Setup && !is_io
}

fn cause_of(error: &StoreError) -> Option<&StoreCause> {
    error.source()?.downcast_ref()
}

fn is_denied(error: &FolderError) -> bool {
    matches!(error, FolderError::Exposed { .. } | FolderError::Foreign(_) | FolderError::Io { access: Some(_), .. })
}
