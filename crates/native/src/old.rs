//! The store of the earlier interface: a `Store` of records, and the `Lock` under which they are written.

mod error;

pub use error::StoreError;

use crate::folder::{Folder, FolderError, Temporary};
#[cfg(feature = "keyring")]
use error::keyring_fault;
use etcetera::BaseStrategy;
use proofkey_store::{Key, Record, RecordError};
use sha2::{Digest, Sha256};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
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
    /// [`StoreError`] if the folder cannot be made, or if others have access to it.
    pub fn files() -> Result<Self, StoreError> {
        Self::files_in(&default_folder()?)
    }

    /// Records in files, in a folder that the caller chooses.
    ///
    /// # Errors
    /// As [`Store::files`].
    pub fn files_in(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { folder: Folder::open(folder)?, place: Place::Files })
    }

    /// Records in the system's keyring. Only locks and notes are files.
    ///
    /// # Errors
    /// [`StoreError::NoKeyring`], and as [`Store::files`].
    #[cfg(feature = "keyring")]
    pub fn keyring() -> Result<Self, StoreError> {
        keyring::Entry::store_status().as_ref().map_err(StoreError::NoKeyring)?;
        Ok(Self { folder: Folder::open(&default_folder()?)?, place: Place::Keyring })
    }

    /// The record of `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the record is damaged, of a newer format, or accessible to others. It is left unchanged.
    pub fn load(&self, key: &Key) -> Result<Option<Record>, StoreError> {
        self.load_named(&key.digest())
    }

    /// All records. One that cannot be read does not hide the others.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<Record, StoreError>>, StoreError> {
        let names = self.folder.names(LOCK_ENDING)?;
        Ok(names.iter().filter_map(|name| self.load_named(name).transpose()).collect())
    }

    /// Waits until no other process or thread holds the lock of `key`. Read the record again once you hold it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if that takes longer than `patience`.
    pub fn lock(&self, key: &Key, patience: Duration) -> Result<Lock<'_>, StoreError> {
        let name = key.digest();
        let lock_name = format!("{name}{LOCK_ENDING}");
        let begun = Instant::now();
        loop {
            let (file, made) = self.folder.lock_file(&lock_name)?;
            loop {
                match file.try_lock() {
                    Ok(()) => break,
                    Err(TryLockError::WouldBlock) if begun.elapsed() < patience => thread::sleep(PAUSE),
                    Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { name: self.place_of(&name) }),
                    Err(TryLockError::Error(source)) => {
                        return Err(FolderError::Io { path: self.folder.path(&lock_name), source, access: None }.into());
                    }
                }
            }
            // The previous holder may have removed the file. Then others lock a newer one.
            if self.folder.is_current(&file, &lock_name)? {
                self.folder.sweep(&name)?;
                return Ok(Lock { store: self, key: key.clone(), name, empty: AtomicBool::new(made), _file: file });
            }
        }
    }

    /// A text stored beside the records under a name of the caller's choice. It must not be secret.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        let Some(bytes) = self.folder.read(&note_name(name))? else { return Ok(None) };
        let text = str::from_utf8(&bytes).map(str::to_owned);
        let name = || self.folder.path(&note_name(name)).display().to_string();
        text.map(Some).map_err(|_| StoreError::Corrupt { name: name(), fault: "it is not UTF-8" })
    }

    /// Writes or removes such a text. It stays when records are removed. Only one process or thread may write at a time.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be written.
    pub fn set_note(&self, name: &str, text: Option<&str>) -> Result<(), StoreError> {
        let name = note_name(name);
        self.folder.sweep(&name)?;
        match text {
            Some(text) => {
                let temporary = self.folder.reserve(&name, 0)?;
                Ok(self.folder.replace(temporary, &name, text.as_bytes()).map(drop)?)
            }
            None => Ok(self.folder.remove(&name).map(drop)?),
        }
    }

    fn load_named(&self, name: &str) -> Result<Option<Record>, StoreError> {
        // A newer record may be longer than this version reads.
        let bytes = self.read(name).or_else(|error| self.check_format(name).and(Err(error)))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let corrupt = |fault| StoreError::Corrupt { name: self.place_of(name), fault };
        let record = Record::from_bytes(&bytes).map_err(|error| match error {
            RecordError::Newer(format) => StoreError::Newer { name: self.place_of(name), format },
            RecordError::Corrupt(fault) => corrupt(fault),
            _ => corrupt("it cannot be read"),
        })?;
        if record.key.digest() == name { Ok(Some(record)) } else { Err(corrupt("it belongs to another account")) }
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        match self.place {
            Place::Files => Ok(self.folder.read(name)?),
            #[cfg(feature = "keyring")]
            Place::Keyring => match keyring_entry(name)?.get_secret() {
                Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
                Err(keyring::Error::NoEntry) => Ok(None),
                Err(error) => Err(keyring_fault(&self.place_of(name), error)),
            },
        }
    }

    /// Refuses to replace or remove a record of a newer format. Anything else may be replaced.
    fn check_format(&self, name: &str) -> Result<(), StoreError> {
        let start = match self.place {
            Place::Files => self.folder.start(name)?,
            #[cfg(feature = "keyring")]
            Place::Keyring => match self.read(name) {
                Err(StoreError::Corrupt { .. }) => None,
                read => read?,
            },
        };
        start.map_or(Ok(()), |start| self.refuse_newer(name, &start))
    }

    fn refuse_newer(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let newer = Record::newer_format(bytes).map(|format| StoreError::Newer { name: self.place_of(name), format });
        newer.map_or(Ok(()), Err)
    }

    /// The record's place, for error messages.
    fn place_of(&self, name: &str) -> String {
        match self.place {
            Place::Files => self.folder.path(name).display().to_string(),
            #[cfg(feature = "keyring")]
            Place::Keyring => format!("{name} in the system keyring"),
        }
    }
}

/// The right to write one record. It is released when it is dropped, and by the system when the process ends.
#[derive(Debug)]
pub struct Lock<'s> {
    store: &'s Store,
    key: Key,
    name: String,
    /// Set if no record is known to exist: then the lock file is removed on drop.
    empty: AtomicBool,
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

    /// Makes sure that a record can be saved before something is done that cannot be undone: writes a file with room for
    /// twice the present record, at least 32 KiB. In a keyring the present record is written once more.
    ///
    /// # Errors
    /// [`StoreError`] if no record can be saved now.
    pub fn reserve(&self) -> Result<Reservation<'_>, StoreError> {
        self.store.check_format(&self.name)?;
        let temporary = match self.store.place {
            Place::Files => {
                let present = self.store.folder.read(&self.name)?.map_or(0, |bytes| bytes.len());
                Some(self.store.folder.reserve(&self.name, present.saturating_mul(2).max(ROOM_MIN))?)
            }
            #[cfg(feature = "keyring")]
            Place::Keyring => {
                if let Some(present) = self.store.read(&self.name)? {
                    self.write_entry(&present)?;
                }
                None
            }
        };
        Ok(Reservation { lock: self, temporary })
    }

    /// Writes the record. A crash at any moment leaves either the old record or the new one.
    ///
    /// # Errors
    /// [`StoreError`], which leaves either the old record or the new one. [`StoreError::Newer`] if the old one has a newer
    /// format: it stays. [`StoreError::OtherKey`] if the record has another key than the lock.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        self.write(record, &mut None)
    }

    /// Removes the record. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`], after which the record may still exist. [`StoreError::Newer`] if it has a newer format: it stays, since
    /// its tokens can be neither read nor revoked.
    pub fn remove(&self) -> Result<bool, StoreError> {
        self.store.check_format(&self.name)?;
        self.discard()
    }

    /// Removes the record even if it cannot be read. Its tokens may stay valid at the server. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`], after which the record may still exist.
    pub fn discard(&self) -> Result<bool, StoreError> {
        let removed = match self.store.place {
            Place::Files => self.store.folder.remove(&self.name)?,
            #[cfg(feature = "keyring")]
            Place::Keyring => match keyring_entry(&self.name)?.delete_credential() {
                Ok(()) => true,
                Err(keyring::Error::NoEntry) => false,
                Err(error) => return Err(keyring_fault(&self.store.place_of(&self.name), error)),
            },
        };
        self.empty.store(true, Ordering::Relaxed);
        Ok(removed)
    }

    fn write(&self, record: &Record, reserved: &mut Option<Temporary>) -> Result<(), StoreError> {
        if record.key != self.key {
            return Err(StoreError::OtherKey);
        }
        let bytes = record.to_bytes().ok_or(StoreError::TooBig)?;
        self.store.check_format(&self.name)?;
        self.empty.store(false, Ordering::Relaxed);
        match self.store.place {
            Place::Files => {
                let folder = &self.store.folder;
                let temporary = reserved.take().map_or_else(|| folder.reserve(&self.name, 0), Ok)?;
                Ok(folder.replace(temporary, &self.name, &bytes).map(drop)?)
            }
            #[cfg(feature = "keyring")]
            Place::Keyring => self.write_entry(&bytes),
        }
    }

    #[cfg(feature = "keyring")]
    fn write_entry(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = keyring_entry(&self.name)?.set_secret(bytes);
        written.map_err(|error| keyring_fault(&self.store.place_of(&self.name), error))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if self.empty.load(Ordering::Relaxed) {
            self.store.folder.remove_lock(&format!("{}{LOCK_ENDING}", self.name));
        }
    }
}

/// Reserved room for the next record. It is freed on drop.
#[derive(Debug)]
pub struct Reservation<'l> {
    lock: &'l Lock<'l>,
    temporary: Option<Temporary>,
}

impl Reservation<'_> {
    /// As [`Lock::save`], in the reserved room.
    ///
    /// # Errors
    /// As [`Lock::save`].
    pub fn save(mut self, record: &Record) -> Result<(), StoreError> {
        self.lock.write(record, &mut self.temporary)
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some(temporary) = self.temporary.take() {
            self.lock.store.folder.discard(&temporary);
        }
    }
}

/// Hashed, because a file system may not distinguish upper and lower case.
fn note_name(name: &str) -> String {
    format!("{}.note", hashed(&[name]))
}

fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_string());
        hash.update(":");
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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

const LOCK_ENDING: &str = ".lock";
const PAUSE: Duration = Duration::from_millis(20);
const ROOM_MIN: usize = 32 * 1024;
