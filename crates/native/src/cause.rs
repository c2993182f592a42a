//! [`StoreCause`]: why an operation of the store failed.

use crate::folder::FolderError;
use proofkey_store::{StoreError, StoreFault};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::{error, fmt};

/// Why an operation of the [`Store`](crate::Store) failed: the source of its [`StoreError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreCause {
    /// The name of the app cannot name a folder.
    App(String),
    /// A file was damaged or edited. It is left as it is.
    Corrupt {
        /// The file, or the entry of the keyring.
        path: PathBuf,
        /// The problem.
        fault: &'static str,
    },
    /// The folder or a file in it cannot be used.
    Folder(FolderError),
    /// The row cannot be opened with the key in the system's keyring: the key was lost, or the file was changed.
    KeyLost {
        /// The file of the row.
        path: PathBuf,
    },
    /// The system's keyring does not keep what it is given.
    KeyNotKept,
    /// The system's keyring refused.
    #[cfg(feature = "keyring")]
    Keyring(keyring::Error),
    /// Another process has been changing this login for longer than a change can take.
    Locked {
        /// Its lock file.
        path: PathBuf,
    },
    /// This process holds too many claims.
    ManyClaims,
    /// A newer version wrote the file, in a format that this one cannot read. It is left as it is.
    Newer {
        /// The file, or the entry of the keyring.
        path: PathBuf,
        /// The number of its format.
        format: u32,
    },
    /// The system names no home folder.
    NoHome,
    /// There is no keyring.
    #[cfg(feature = "keyring")]
    NoKeyring(&'static keyring::Error),
}

impl StoreCause {
    pub(crate) fn error(self) -> StoreError {
        StoreError::new(self.fault()).because(self)
    }

    fn fault(&self) -> StoreFault {
        match self {
            Self::App(_) | Self::KeyNotKept | Self::NoHome => StoreFault::Setup,
            Self::Corrupt { .. } | Self::KeyLost { .. } => StoreFault::Corrupt,
            #[cfg(feature = "keyring")]
            Self::Keyring(_) => StoreFault::Unavailable,
            #[cfg(feature = "keyring")]
            Self::NoKeyring(_) => StoreFault::Setup,
            Self::Folder(FolderError::Io { source, .. }) if is_passing(source) => StoreFault::Unavailable,
            Self::Folder(_) => StoreFault::Setup,
            Self::Locked { .. } | Self::ManyClaims => StoreFault::Unavailable,
            Self::Newer { .. } => StoreFault::Newer,
        }
    }
}

/// Whether it may work later without anybody's help.
fn is_passing(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::AlreadyExists
            | ErrorKind::FileTooLarge
            | ErrorKind::NotADirectory
            | ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::QuotaExceeded
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StorageFull
    )
}

impl From<FolderError> for StoreCause {
    fn from(error: FolderError) -> Self {
        Self::Folder(error)
    }
}

impl fmt::Display for StoreCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App(name) => write!(f, "{name:?} cannot name the app's folder; use letters, digits, -, _ and ."),
            Self::Corrupt { path, fault } => write!(f, "{}: {fault}", path.display()),
            Self::Folder(error) => error.fmt(f),
            Self::KeyLost { path } => {
                write!(f, "{} cannot be opened with the key in the system keyring: the key was lost", path.display())?;
                f.write_str(", or the file was changed")
            }
            Self::KeyNotKept => {
                f.write_str("the system keyring does not keep what it is given; keep the logins in files")
            }
            #[cfg(feature = "keyring")]
            Self::Keyring(error) => write!(f, "system keyring: {error}; unlock it and try again"),
            Self::Locked { path } => write!(f, "another process does not let go of {}", path.display()),
            Self::ManyClaims => f.write_str("this process holds too many claims"),
            Self::Newer { path, format } => {
                write!(f, "{} has format {format}, and this version reads formats up to 3", path.display())
            }
            #[cfg(feature = "keyring")]
            Self::NoKeyring(error) => write!(f, "there is no system keyring ({error}); keep the logins in files"),
            Self::NoHome => f.write_str("the system names no home folder; set HOME"),
        }
    }
}

/// Without a source, since what the system says is part of the text.
impl error::Error for StoreCause {}
