//! [`Vault`]: files that are sealed with a key in a keyring.
//!
//! Each sealed row names its key. So a row that is there while the key is not tells that a key was lost, and only a login makes a
//! new one.

use crate::cause::StoreCause;
use crate::folder::{Folder, FolderError};
use crate::store::files::{Files, is_login, is_row};
use crate::store::guard::{Guard, LOCK_ENDING};
use crate::store::layout;
use proofkey_store::rules::State;
use proofkey_store::{Answer, Key, Keys, Op, Record, Row, Sealed, SealingKey, Store, StoreError, StoreFault};
use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The entries that a keyring keeps for an app.
pub(super) trait Keyring: Debug + Send + Sync {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreCause>;
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), StoreCause>;
    fn remove(&self, name: &str) -> Result<bool, StoreCause>;
}

pub(super) struct Vault {
    pub(super) files: Arc<Files>,
    /// The folder of the app, in which earlier versions had the locks of records that were entries of the keyring.
    app: Folder,
    keyring: Box<dyn Keyring>,
    keys: Mutex<Option<Keys>>,
}

impl Vault {
    pub(super) fn open(app: &Path, keyring: Box<dyn Keyring>) -> Result<Self, FolderError> {
        let app_folder = Folder::open(app)?;
        let files = Files::open(&app.join(FOLDER))?;
        Ok(Self { files: Arc::new(files), app: app_folder, keyring, keys: Mutex::default() })
    }

    /// The folder of the app.
    pub(super) fn folder(&self) -> &Folder {
        &self.app
    }

    pub(super) fn list(&self) -> Result<Vec<Result<Row, StoreError>>, StoreError> {
        let rows = self.files.list().map_err(StoreCause::error)?;
        let keys = if rows.is_empty() { None } else { self.keys(false).map_err(StoreCause::error)? };
        let sealed = keys.map(|keys| Sealed::new((), keys));
        let of_keyring = self.app.names(LOCK_ENDING).map_err(|error| StoreCause::from(error).error())?;
        let of_keyring = of_keyring.into_iter().filter(|name| is_row(name) && rows.iter().all(|(row, _)| row != name));
        let of_keyring: Vec<_> = of_keyring.filter_map(|name| self.earlier(&name).transpose()).collect();
        let now = self.files.now();
        let opened = rows.into_iter().map(|(name, row)| {
            let opened = sealed.as_ref().and_then(|sealed| sealed.open_row(&name, row.as_ref().ok()?.clone()));
            row.and_then(|_| opened.ok_or_else(|| self.lost(&name)))
        });
        let earlier = of_keyring.into_iter().map(|state| Ok(row_of(state?, now)));
        Ok(opened.chain(earlier).map(|row| row.map_err(StoreCause::error)).collect())
    }

    pub(super) fn discard(&self, name: &str) -> Result<bool, StoreCause> {
        let was_file = self.files.discard(name)?;
        Ok(self.keyring.remove(name)? || was_file)
    }

    fn run_sealed(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let Some(keys) = self.keys(is_login(op)).map_err(StoreCause::error)? else {
            return self.run_without_key(key, op);
        };
        let sealed = |keys| Sealed::new(Arc::clone(&self.files), keys).run(key, op);
        let answer = sealed(keys);
        if !answer.as_ref().is_err_and(is_unopened) {
            return answer;
        }
        // Somebody may have signed in again with a new key.
        let answer = self.ask().map_err(StoreCause::error)?.map_or(answer, sealed);
        answer.map_err(|error| if is_unopened(&error) { self.lost(&key.digest()).error() } else { error })
    }

    /// What can be done without a key: tell that there is no row, or sign out.
    fn run_without_key(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let is_sign_out = matches!(op, Op::Write { expect: None, .. });
        if !is_sign_out && matches!(self.files.run(key, Op::Load)?, Answer::Row(_)) {
            return match self.ask().map_err(StoreCause::error)? {
                Some(keys) => Sealed::new(Arc::clone(&self.files), keys).run(key, op),
                None => Err(self.lost(&key.digest()).error()),
            };
        }
        match self.files.run(key, op)? {
            Answer::Displaced(_) => Ok(Answer::Done),
            answer @ (Answer::Absent | Answer::Done | Answer::SignedOut { .. }) => Ok(answer),
            // A login that has just been made.
            _ => Err(StoreError::new(StoreFault::Unavailable)),
        }
    }

    /// Moves the record of an earlier version, which was an entry of the keyring, into a file.
    fn move_earlier(&self, key: &Key, op: Op<'_>) -> Result<(), StoreError> {
        let name = key.digest();
        let state = match self.earlier(&name) {
            Err(StoreCause::Corrupt { .. }) if is_login(op) => None,
            state => state.map_err(StoreCause::error)?,
        };
        let Some(State { version, value: Some(value), .. }) = state else { return Ok(()) };
        self.keys(true).map_err(StoreCause::error)?;
        self.run_sealed(key, Op::Write { expect: None, version, value: Some(&value) })?;
        self.keyring.remove(&name).map(drop).map_err(StoreCause::error)
    }

    /// The record that an earlier version wrote as an entry of the keyring.
    fn earlier(&self, name: &str) -> Result<Option<State>, StoreCause> {
        let Some(bytes) = self.keyring.get(name)? else { return Ok(None) };
        let place = || PathBuf::from(format!("{name} in the system keyring"));
        // Rows are files only, whatever their format.
        if let Some(format) = Record::newer_format(&bytes) {
            return Err(StoreCause::Newer { path: place(), format });
        }
        layout::read_row(name, &bytes, self.files.now()).map(Some).map_err(|unread| unread.at(place()))
    }

    /// The key, if there is one or one is to be made. The keyring is asked once.
    fn keys(&self, make: bool) -> Result<Option<Keys>, StoreCause> {
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known.map_or_else(|| self.ask(), |keys| Ok(Some(keys)))? {
            None if make => self.make().map(Some),
            keys => Ok(keys),
        }
    }

    fn ask(&self) -> Result<Option<Keys>, StoreCause> {
        let found = self.keyring.get(KEY)?;
        let keys = found.and_then(|bytes| Some(Keys::new(SealingKey::from_bytes(bytes.as_slice().try_into().ok()?))));
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&keys);
        Ok(keys)
    }

    /// Makes a key, one process at a time, and makes sure that the keyring keeps it before anything is sealed with it.
    fn make(&self) -> Result<Keys, StoreCause> {
        let mut guard = Guard::take(&self.files.folder, KEY, self.files.locks)?;
        guard.is_idle = true;
        if let Some(keys) = self.ask()? {
            return Ok(keys);
        }
        let mut key = Zeroizing::new([0; 32]);
        let path = self.files.folder.path(KEY);
        getrandom::fill(&mut *key).map_err(|error| FolderError::Io {
            path,
            source: io::Error::other(error),
            access: None,
        })?;
        self.keyring.set(KEY, &*key)?;
        // What was read back is used, and nothing else.
        self.ask()?.ok_or(StoreCause::KeyNotKept)
    }

    fn lost(&self, name: &str) -> StoreCause {
        StoreCause::KeyLost { path: self.files.folder.path(name) }
    }
}

impl Store for Vault {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        let is_load = matches!(op, Op::Load);
        let is_new = matches!(op, Op::Write { expect: None, .. });
        if !is_load && matches!(self.files.run(key, Op::Load), Ok(Answer::Absent)) {
            self.move_earlier(key, op)?;
        }
        let answer = self.run_sealed(key, op)?;
        let name = key.digest();
        match answer {
            Answer::Absent if is_load => {
                let state = self.earlier(&name).map_err(StoreCause::error)?;
                Ok(state.map_or(Answer::Absent, |state| Answer::Row(row_of(state, self.files.now()))))
            }
            // Else it would come back when the tombstone is gone.
            answer if is_new => self.keyring.remove(&name).map(|_| answer).map_err(StoreCause::error),
            answer => Ok(answer),
        }
    }
}

impl Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("files", &self.files).field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

fn row_of(state: State, now: u64) -> Row {
    let State { version, value, written_at, .. } = state;
    let age = u32::try_from(now.saturating_sub(written_at) / 1000).unwrap_or(u32::MAX);
    Row::new(version, value.unwrap_or_default(), age, 0)
}

/// Whether a row was there and could not be opened: a file that is damaged has a cause.
fn is_unopened(error: &StoreError) -> bool {
    error.fault() == StoreFault::Corrupt && error.source().is_none()
}

const FOLDER: &str = "keyring";
const KEY: &str = "sealing-key";
