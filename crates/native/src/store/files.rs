//! [`Files`]: the rules of a store, applied to files.
//!
//! | file | what it is |
//! |---|---|
//! | `DIGEST` | the row |
//! | `DIGEST.claim` | the mark of the claim, locked by its holder |
//! | `DIGEST.lock` | the guard of these two |
//! | `DIGEST.locked` | the guard's holder, if the file system has no locks |
//! | `.DIGEST.…` | what will replace one of them |

use crate::cause::StoreCause;
use crate::folder::{Folder, FolderError, Temporary};
use crate::store::guard::{self, Guard};
use crate::store::layout::{self, Unread};
use proofkey_store::rules::{self, Claim, State};
use proofkey_store::{Answer, Key, Op, Row, Store, StoreError, StoreFault, Version};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug)]
pub(super) struct Files {
    pub(super) folder: Folder,
    held: Mutex<HashMap<String, Held>>,
    /// Unset in tests of a file system without locks.
    pub(super) locks: bool,
    #[cfg(test)]
    pub(super) ahead: std::sync::atomic::AtomicU64,
}

/// The digest of a key, and its row.
pub(super) type Listed = (String, Result<Row, StoreCause>);

/// A claim of this process.
#[derive(Debug)]
struct Held {
    claim: Claim,
    _lock: File,
    /// Where the next row will be written.
    room: Option<Temporary>,
}

impl Files {
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        Ok(Self {
            folder: Folder::open(path)?,
            held: Mutex::default(),
            locks: true,
            #[cfg(test)]
            ahead: std::sync::atomic::AtomicU64::new(0),
        })
    }

    pub(super) fn change(&self, name: &str, op: Op<'_>) -> Result<Answer, StoreCause> {
        if matches!(op, Op::Load) {
            let now = self.now();
            return Ok(rules::apply(&mut self.row(name, now)?, op, now));
        }
        let mut guard = Guard::take(&self.folder, name, self.locks)?;
        let now = self.now();
        self.forget(|_, held| !is_within(&held.claim, now));
        let before = match self.row(name, now) {
            Err(error) if is_login(op) && may_be_replaced(&error) => None,
            row => row?,
        };
        let (claim, is_marked) = match &before {
            Some(row) => self.claim(name, row.version, now)?,
            None => (None, true),
        };
        let before = before.map(|row| State { claim, ..row });
        // Of a claim that was taken over, nothing is left to use.
        self.forget(|of, held| of == name && claim.is_none_or(|claim| claim.id != held.claim.id));
        let mut after = before.clone();
        let answer = rules::apply(&mut after, op, now);
        self.keep(name, &Change { before, after: after.as_ref(), is_marked, now, is_timed: guard.is_timed() }, op)?;
        guard.is_idle = after.is_none();
        Ok(answer)
    }

    /// The rows that can be read, and why others cannot, by the digests of their keys. Tombstones are left out.
    pub(super) fn list(&self) -> Result<Vec<Listed>, StoreCause> {
        let now = self.now();
        let row = |name: String| match self.row(&name, now).map(|mut row| rules::apply(&mut row, Op::Load, now)) {
            Ok(Answer::Row(row)) => Some((name, Ok(row))),
            Ok(_) => None,
            Err(error) => Some((name, Err(error))),
        };
        Ok(self.folder.names("")?.into_iter().filter(|name| is_row(name)).filter_map(row).collect())
    }

    /// Removes a row and its claim, also if they cannot be read. Returns whether there was one.
    pub(super) fn discard(&self, name: &str) -> Result<bool, StoreCause> {
        let mut guard = Guard::take(&self.folder, name, self.locks)?;
        let removed = self.folder.remove(name)?;
        self.folder.unlink(&claim_name(name));
        self.forget(|of, _| of == name);
        self.folder.sweep(name)?;
        guard.is_idle = true;
        Ok(removed)
    }

    /// The row without its claim.
    fn row(&self, name: &str, now: u64) -> Result<Option<State>, StoreCause> {
        let bytes = match self.folder.read(name) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            // A newer row may be longer than this version reads.
            Err(error) => {
                let start = self.folder.start(name).unwrap_or_default();
                let format = start.and_then(|start| layout::newer(&start));
                let newer = |format| Unread::Newer(format).at(self.folder.path(name));
                return Err(format.map_or_else(|| error.into(), newer));
            }
        };
        layout::read_row(name, &bytes, now).map(Some).map_err(|unread| unread.at(self.folder.path(name)))
    }

    /// The claim on this version, and whether there is a file of a claim at all.
    fn claim(&self, name: &str, version: Version, now: u64) -> Result<(Option<Claim>, bool), StoreCause> {
        let file_name = claim_name(name);
        let Some(mut file) = self.folder.open_locked(&file_name)? else { return Ok((None, false)) };
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(MARK_MAX).read_to_end(&mut bytes).map_err(|source| self.at(&file_name, source))?;
        // What is written ends a claim, so it is of no later version.
        let Some(mark) = layout::read_mark(name, &bytes).filter(|mark| mark.version == version) else {
            return Ok((None, true));
        };
        let is_let_go = || guard::is_let_go(&file, &self.folder.path(&file_name), self.locks);
        let is_alive = mark.is_timed || !is_let_go().map_err(|source| self.at(&file_name, source))?;
        let claim = Claim { id: mark.id, made_at: mark.made_at, until: Some(mark.until) };
        let until = if is_alive && is_within(&claim, now) { mark.until } else { 0 };
        Ok((Some(Claim { until: Some(until), ..claim }), true))
    }

    fn at(&self, name: &str, source: io::Error) -> FolderError {
        FolderError::Io { path: self.folder.path(name), source, access: None }
    }

    /// Writes what has changed: first the row, which ends a claim by itself.
    fn keep(&self, name: &str, change: &Change<'_>, op: Op<'_>) -> Result<(), StoreCause> {
        let Change { before, after, is_marked, now, .. } = change;
        let claim = after.and_then(|after| after.claim);
        let Some(after) = after else {
            self.end_claim(name, *is_marked);
            return if before.is_some() { Ok(self.folder.remove(name).map(drop)?) } else { Ok(()) };
        };
        if before.as_ref().is_none_or(|before| !is_same_row(before, after)) {
            if matches!(op, Op::Write { expect: None, .. }) {
                self.forget(|of, _| of == name);
                self.folder.sweep(name)?;
            }
            let room = self.held().get_mut(name).and_then(|held| held.room.take());
            let room = room.map_or_else(|| self.folder.reserve(name, 0), Ok)?;
            self.folder.replace(room, name, &layout::write_row(name, after, *now))?;
        }
        match claim {
            None => self.end_claim(name, *is_marked),
            Some(claim) if before.as_ref().is_some_and(|before| before.claim == Some(claim)) => {}
            Some(claim) => self.hold(name, claim, change)?,
        }
        Ok(())
    }

    /// Makes or renews a claim: first the room, since a full disk must refuse it.
    fn hold(&self, name: &str, claim: Claim, change: &Change<'_>) -> Result<(), StoreCause> {
        let Some(row) = change.after else { return Ok(()) };
        let room = if cfg!(windows) {
            // Its file is closed first: not every file system there replaces one that is open.
            self.held().remove(name).and_then(|held| held.room)
        } else {
            // A renewal that fails leaves the claim locked: its request may still be on its way.
            self.held().get_mut(name).and_then(|held| held.room.take())
        };
        let room = match room {
            Some(room) => room,
            None => {
                if self.held().len() >= CLAIMS_MAX {
                    return Err(StoreCause::ManyClaims);
                }
                let present = row.value.as_ref().map_or(0, |value| value.len());
                self.folder.sweep(name)?;
                self.folder.reserve(name, present.saturating_mul(2).max(ROOM_MIN))?
            }
        };
        match self.mark(name, row.version, &claim, change.is_timed) {
            Ok(lock) => {
                self.held().insert(name.to_owned(), Held { claim, _lock: lock, room: Some(room) });
                Ok(())
            }
            Err(error) => {
                self.folder.discard(&room);
                Err(error)
            }
        }
    }

    /// Writes the mark of a claim, in a file that is locked before it has its name.
    fn mark(&self, name: &str, version: Version, claim: &Claim, is_timed: bool) -> Result<File, StoreCause> {
        let file_name = claim_name(name);
        let new = self.folder.reserve(name, 0)?;
        let is_timed = match guard::hold(new.file(), self.locks && !is_timed) {
            Ok(is_locked) => !is_locked,
            Err(source) => {
                self.folder.discard(&new);
                return Err(self.at(&file_name, source).into());
            }
        };
        let until = claim.until.unwrap_or(claim.made_at);
        let mark = layout::write_mark(name, version, claim, until, is_timed);
        Ok(self.folder.replace(new, &file_name, mark.as_bytes())?)
    }

    fn end_claim(&self, name: &str, is_marked: bool) {
        if is_marked {
            self.folder.unlink(&claim_name(name));
        }
        self.forget(|of, _| of == name);
    }

    /// Lets go of claims, and frees the room that was kept for them.
    fn forget(&self, which: impl Fn(&str, &Held) -> bool) {
        for (_, held) in self.held().extract_if(|name, held| which(name, held)) {
            if let Some(room) = &held.room {
                self.folder.discard(room);
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        #[cfg(test)]
        let now = now.saturating_add(self.ahead.load(std::sync::atomic::Ordering::Relaxed));
        now
    }
}

impl Store for Files {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        if matches!(op, Op::Write { value: Some(value), .. } if value.len() > VALUE_MAX) {
            return Err(StoreError::new(StoreFault::TooBig));
        }
        self.change(&key.digest(), op).map_err(StoreCause::error)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.forget(|_, _| true);
    }
}

/// What an operation has done to a login.
struct Change<'s> {
    before: Option<State>,
    after: Option<&'s State>,
    /// Whether there may be a file of a claim.
    is_marked: bool,
    is_timed: bool,
    now: u64,
}

fn is_same_row(one: &State, other: &State) -> bool {
    (one.version, one.written_at, one.pause_until) == (other.version, other.written_at, other.pause_until)
        && one.value == other.value
}

pub(super) fn is_login(op: Op<'_>) -> bool {
    matches!(op, Op::Write { expect: None, value: Some(_), .. })
}

/// By a login only.
fn may_be_replaced(error: &StoreCause) -> bool {
    match error {
        StoreCause::Corrupt { .. } => true,
        StoreCause::Folder(error) => !matches!(error, FolderError::Io { .. }),
        _ => false,
    }
}

/// Whether a claim has not lapsed. With a clock that was set back it has: it could last for a year.
fn is_within(claim: &Claim, now: u64) -> bool {
    !layout::is_set_back(claim.made_at, now) && claim.until.is_none_or(|until| now < until)
}

pub(super) fn is_row(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn claim_name(name: &str) -> String {
    format!("{name}.claim")
}

const CLAIMS_MAX: usize = 256;
const MARK_MAX: u64 = 1024;
const ROOM_MIN: usize = 32 * 1024;
/// The longest value, in bytes: a mebibyte with the line before it.
const VALUE_MAX: usize = 1024 * 1024 - 1024;

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use proofkey_store::{ClaimId, LoginId};
    use std::fs;

    #[test]
    fn a_renewal_that_fails_leaves_the_claim_locked() {
        const VERSION: Version = Version::first(LoginId::new(1_700_000_000, None, 7));
        let home = tempfile::tempdir().unwrap();
        let [files, other] = [(); 2].map(|()| Files::open(&home.path().join("store")).unwrap());
        let claim = |files: &Files, id| {
            files
                .change("name", Op::Claim { version: VERSION, id: ClaimId([id; 16]), seconds: 25, over: None })
                .unwrap()
        };
        files.change("name", Op::Write { expect: None, version: VERSION, value: Some(b"value") }).unwrap();
        assert!(matches!(claim(&files, 1), Answer::Claimed(_)));

        let [mark, aside] = ["name.claim", "aside"].map(|name| files.folder.path(name));
        let renewed = files.held().get("name").unwrap().claim;
        let row = files.row("name", files.now()).unwrap().unwrap();
        let change = Change { before: None, after: Some(&row), is_marked: true, is_timed: false, now: files.now() };
        fs::rename(&mark, &aside).unwrap();
        fs::create_dir(&mark).unwrap();
        let error = files.hold("name", renewed, &change).unwrap_err();
        assert!(matches!(error, StoreCause::Folder(FolderError::Io { .. })), "{error:?}");
        fs::remove_dir(&mark).unwrap();
        fs::rename(&aside, &mark).unwrap();

        assert!(matches!(claim(&other, 2), Answer::Busy { left: Some(1..=25) }));
        drop(files);
        assert!(matches!(claim(&other, 2), Answer::Lapsed { .. }));
    }
}
