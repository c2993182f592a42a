//! Where records are kept: [`Store`], and the [`Lock`] under which they are written.

use crate::folder::{Folder, FolderError};
use crate::record::{Key, Record};
use base64ct::{Base64UrlUnpadded, Encoding};
use etcetera::BaseStrategy;
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{error, fmt, thread};
use zeroize::Zeroizing;

/// Records by [`Key`], shared by all processes of one user.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Files,
    #[cfg(feature = "keyring")]
    Keyring,
}

impl Store {
    /// Records in files, in the user's own folder for state: `$XDG_STATE_HOME/proofkey` or `~/.local/state/proofkey`;
    /// `~/Library/Application Support/proofkey` on macOS, `%LOCALAPPDATA%\proofkey` on Windows.
    ///
    /// # Errors
    /// [`StoreError`] where there is no such folder and none can be made, or others have access to it.
    pub fn files() -> Result<Self, StoreError> {
        Self::files_in(&default_folder()?)
    }

    /// Records in files, in a folder of the caller's choice.
    ///
    /// # Errors
    /// As [`Store::files`].
    pub fn files_in(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { folder: Folder::open(folder)?, place: Place::Files })
    }

    /// Records in the system's keyring; only locks are files, which hold nothing.
    ///
    /// # Errors
    /// [`StoreError::NoKeyring`], and as [`Store::files`].
    #[cfg(feature = "keyring")]
    pub fn keyring() -> Result<Self, StoreError> {
        keyring::Entry::store_status().as_ref().map_err(StoreError::NoKeyring)?;
        Ok(Self { folder: Folder::open(&default_folder()?)?, place: Place::Keyring })
    }

    /// The record of `key`; none where there is none.
    ///
    /// # Errors
    /// [`StoreError`] where it is not as it was written, or is not safe. It is left as it is.
    pub fn load(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.load_named(&name_of(key))
    }

    /// All records, each in its own right: one that cannot be read hides no other.
    ///
    /// # Errors
    /// [`StoreError`] where the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<Record, StoreError>>, StoreError> {
        let names = self.folder.names(LOCK_ENDING)?;
        Ok(names.iter().filter_map(|name| self.load_named(name).transpose()).collect())
    }

    /// Waits until no other process or thread holds the lock of `key`. Read the record again under it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where that takes longer than `patience`.
    pub fn lock(&self, key: &Key, patience: Duration) -> Result<Lock<'_>, StoreError> {
        let name = name_of(key);
        let file = self.folder.lock_file(&format!("{name}{LOCK_ENDING}"))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { name }),
                Err(TryLockError::Error(source)) => {
                    return Err(FolderError::Io { path: PathBuf::from(name), source }.into());
                }
            }
        }
        self.folder.sweep(&name)?;
        Ok(Lock { store: self, key: key.clone(), name, _file: file })
    }

    fn load_named(&self, name: &str) -> Result<Option<Record>, StoreError> {
        let octets = match self.place {
            Place::Files => self.folder.read(name)?,
            #[cfg(feature = "keyring")]
            Place::Keyring => match keyring_entry(name)?.get_secret() {
                Ok(octets) => Some(Zeroizing::new(octets)),
                Err(keyring::Error::NoEntry) => None,
                Err(error) => return Err(keyring_fault(name, error)),
            },
        };
        let corrupt = |fault| StoreError::Corrupt { name: name.to_owned(), fault };
        let Some(octets) = octets else { return Ok(None) };
        let record = decode(&octets).map_err(corrupt)?;
        if name_of(&record.key) == name { Ok(Some(record)) } else { Err(corrupt("it belongs to another account")) }
    }
}

/// The right to write one record. It is released when it is dropped, and by the system when the process ends.
#[derive(Debug)]
pub struct Lock<'s> {
    store: &'s Store,
    key: Key,
    name: String,
    _file: File,
}

impl Lock<'_> {
    /// The record as it is now.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub fn load(&self) -> Result<Option<Record>, StoreError> {
        self.store.load(&self.key)
    }

    /// Writes the record. After a crash at any moment the old or the new one is there.
    ///
    /// # Errors
    /// [`StoreError`]; the old record is there then, or the new one. [`StoreError::OtherKey`] where it is not the lock's own
    /// record.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        if record.key != self.key {
            return Err(StoreError::OtherKey);
        }
        let octets = encode(record).ok_or(StoreError::TooBig)?;
        match self.store.place {
            Place::Files => Ok(self.store.folder.write(&self.name, &octets)?),
            #[cfg(feature = "keyring")]
            Place::Keyring => {
                keyring_entry(&self.name)?.set_secret(&octets).map_err(|error| keyring_fault(&self.name, error))
            }
        }
    }

    /// Removes the record. Whether there was one.
    ///
    /// # Errors
    /// [`StoreError`]; the record may still be there then.
    pub fn remove(&self) -> Result<bool, StoreError> {
        match self.store.place {
            Place::Files => Ok(self.store.folder.remove(&self.name)?),
            #[cfg(feature = "keyring")]
            Place::Keyring => match keyring_entry(&self.name)?.delete_credential() {
                Ok(()) => Ok(true),
                Err(keyring::Error::NoEntry) => Ok(false),
                Err(error) => Err(keyring_fault(&self.name, error)),
            },
        }
    }
}

/// A record that cannot be read or written.
#[derive(Debug)]
pub enum StoreError {
    /// What is stored is not what was written. It is left as it is.
    Corrupt {
        /// The file or the keyring's entry.
        name: String,
        /// What is wrong.
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
    /// The system names no home folder.
    NoHome,
    /// There is no keyring.
    #[cfg(feature = "keyring")]
    NoKeyring(&'static keyring::Error),
    /// The record is not the one that the lock was taken for.
    OtherKey,
    /// The record is longer than a store takes.
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
            Self::NoHome => f.write_str("token store: the system names no home folder; set HOME or XDG_STATE_HOME"),
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

/// A line with format, version and checksum; then the record as JSON.
fn encode(record: &Record) -> Option<Zeroizing<Vec<u8>>> {
    let json = record.to_json().ok().filter(|json| json.len() <= RECORD_MAX)?;
    let mut octets = Zeroizing::new(Vec::with_capacity(json.len().saturating_add(128)));
    octets.extend_from_slice(format!("{FORMAT}{}\n", checksum(&json)).as_bytes());
    octets.extend_from_slice(&json);
    Some(octets)
}

fn decode(octets: &[u8]) -> Result<Record, &'static str> {
    let line = octets.iter().position(|octet| *octet == b'\n').ok_or("it is cut short")?;
    let (line, json) = octets.split_at_checked(line).unwrap_or_default();
    let json = json.strip_prefix(b"\n").unwrap_or_default();
    let found = line.strip_prefix(FORMAT.as_bytes()).ok_or("it was written by another version of this program")?;
    if found != checksum(json).as_bytes() {
        return Err("it is damaged or was edited");
    }
    Record::from_json(json).map_err(|_| "it was written by another version of this program")
}

fn checksum(json: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(json))
}

/// A name for files and entries that tells nothing and that no two keys share.
fn name_of(key: &Key) -> String {
    let mut hash = Sha256::new();
    for part in [&key.issuer, &key.client_id, &key.account] {
        hash.update(part.len().to_string());
        hash.update(":");
        hash.update(part);
    }
    hash.finalize().iter().map(|octet| format!("{octet:02x}")).collect()
}

fn default_folder() -> Result<PathBuf, StoreError> {
    let base = etcetera::base_strategy::choose_native_strategy().map_err(|_| StoreError::NoHome)?;
    // On Windows the cache folder is %LOCALAPPDATA%, which does not roam; the data folder does.
    let folder = if cfg!(windows) { base.cache_dir() } else { base.state_dir().unwrap_or_else(|| base.data_dir()) };
    Ok(folder.join("proofkey"))
}

#[cfg(feature = "keyring")]
fn keyring_entry(name: &str) -> Result<keyring::Entry, StoreError> {
    keyring::Entry::new("proofkey", name).map_err(|error| keyring_fault(name, error))
}

/// Some errors of the keyring hold what is stored, and would print it.
#[cfg(feature = "keyring")]
fn keyring_fault(name: &str, error: keyring::Error) -> StoreError {
    match error {
        keyring::Error::BadDataFormat(octets, _) | keyring::Error::BadEncoding(octets) => {
            drop(Zeroizing::new(octets));
            StoreError::Corrupt { name: name.to_owned(), fault: "the keyring cannot decode it" }
        }
        keyring::Error::TooLong(..) => StoreError::TooBig,
        error => StoreError::Keyring(error),
    }
}

const FORMAT: &str = "proofkey record 1 ";
const LOCK_ENDING: &str = ".lock";
const PAUSE: Duration = Duration::from_millis(20);
const RECORD_MAX: usize = 512 * 1024;

#[cfg(all(test, feature = "keyring"))]
mod tests {
    use super::*;

    #[test]
    fn c029_errors_of_the_keyring_do_not_print_what_is_stored() {
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
        }
    }
}
