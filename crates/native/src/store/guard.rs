//! The [`Guard`] of a login: under it, its files are read, compared and replaced as one step.

use crate::cause::StoreCause;
use crate::folder::{Folder, FolderError};
use crate::store::layout::hex;
#[cfg(windows)]
use std::fs::OpenOptions;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// Held for the few milliseconds of a change.
#[derive(Debug)]
pub(super) struct Guard<'f> {
    folder: &'f Folder,
    name: String,
    kind: Kind,
    /// Set if there is nothing to guard: then its files go with it.
    pub(super) is_idle: bool,
}

#[derive(Debug)]
enum Kind {
    Lock(#[expect(dead_code, reason = "the lock is held by the open file")] File),
    /// A file that exists for as long as it is held.
    Seized {
        id: String,
        _lock_file: File,
    },
}

impl<'f> Guard<'f> {
    /// Waits until nobody else has it.
    pub(super) fn take(folder: &'f Folder, name: &str, locks: bool) -> Result<Self, StoreCause> {
        let name = format!("{name}{LOCK_ENDING}");
        let begun = Instant::now();
        loop {
            let (file, is_new) = folder.lock_file(&name)?;
            let kind = match try_lock(&file, locks) {
                Ok(Locked::Yes) if folder.is_current(&file, &name)? => Kind::Lock(file),
                // The last holder has removed it.
                Ok(Locked::Yes) => continue,
                Ok(Locked::NotHere) => {
                    Kind::Seized { id: seize(folder, &seized_name(&name), begun)?, _lock_file: file }
                }
                Ok(Locked::ByAnother) => {
                    wait(folder, &name, begun)?;
                    continue;
                }
                Err(source) => return Err(FolderError::Io { path: folder.path(&name), source, access: None }.into()),
            };
            return Ok(Self { folder, name, kind, is_idle: is_new });
        }
    }

    /// Whether the file system has no locks, so that a claim lasts for its time alone.
    pub(super) fn is_timed(&self) -> bool {
        matches!(self.kind, Kind::Seized { .. })
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.is_idle {
            self.folder.remove_lock(&self.name);
        }
        if let Kind::Seized { id, .. } = &self.kind {
            let seized = seized_name(&self.name);
            if self.folder.read(&seized).is_ok_and(|holder| holder.is_some_and(|holder| *holder == id.as_bytes())) {
                self.folder.unlink(&seized);
            }
        }
    }
}

/// Whether a file could be locked.
enum Locked {
    ByAnother,
    NotHere,
    Yes,
}

/// Locks a file, unless the file system has no locks, or is to be used as if it had none.
fn try_lock(file: &File, locks: bool) -> io::Result<Locked> {
    match file.try_lock() {
        _ if !locks => Ok(Locked::NotHere),
        Ok(()) => Ok(Locked::Yes),
        Err(TryLockError::WouldBlock) => Ok(Locked::ByAnother),
        Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Locked::NotHere),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn has_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP].iter().any(|none| error.raw_os_error() == Some(none.raw_os_error()))
}

/// The errors of network and virtual file systems without locks. Not all of them are [`io::ErrorKind::Unsupported`].
#[cfg(windows)]
fn has_no_locks(error: &io::Error) -> bool {
    const ERROR_INVALID_FUNCTION: i32 = 1;
    const ERROR_NOT_SUPPORTED: i32 = 50;
    const ERROR_CALL_NOT_IMPLEMENTED: i32 = 120;
    matches!(error.raw_os_error(), Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED | ERROR_CALL_NOT_IMPLEMENTED))
}

/// Locks the file of a claim that is being written, for as long as it is open. Returns whether it is locked.
#[cfg(unix)]
pub(super) fn hold(file: &File, locks: bool) -> io::Result<bool> {
    Ok(matches!(try_lock(file, locks)?, Locked::Yes))
}

/// Whether the holder of a claim has closed its file, which is known only if there are locks.
#[cfg(unix)]
pub(super) fn is_let_go(file: &File, _: &Path, locks: bool) -> io::Result<bool> {
    hold(file, locks)
}

/// Nobody can read a file that is locked on Windows. That of a claim is open so that nobody else can write it.
#[cfg(windows)]
pub(super) fn hold(_: &File, locks: bool) -> io::Result<bool> {
    Ok(locks)
}

#[cfg(windows)]
pub(super) fn is_let_go(_: &File, path: &Path, locks: bool) -> io::Result<bool> {
    const ERROR_SHARING_VIOLATION: i32 = 32;
    match OpenOptions::new().write(true).open(path) {
        Ok(_) => Ok(locks),
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a file that only one can make, and returns what is in it.
///
/// A holder that died left it behind. Whoever has seen it unchanged for [`LIMIT`] may take its place, after making a file named by
/// the id in it, so that only one does. So a holder that is stopped for that long may find another in its place.
fn seize(folder: &Folder, name: &str, begun: Instant) -> Result<String, StoreCause> {
    let id = random_id().map_err(|error| FolderError::Io { path: folder.path(name), source: error, access: None })?;
    let mut seen = None;
    loop {
        if folder.create_new(name, id.as_bytes())? {
            return Ok(id);
        }
        if let Some(holder) = folder.read(name)? {
            match seen.take() {
                Some((before, since)) if before == holder => seen = Some((before, since)),
                _ => seen = Some((holder, Instant::now())),
            }
        }
        if let Some((holder, since)) = &seen
            && since.elapsed() >= LIMIT
        {
            let over = format!("{name}.{}", successor_name(holder));
            seize(folder, &over, begun)?;
            let is_there = folder.read(name)?.is_some_and(|now| now == *holder);
            let taken = is_there.then(|| folder.replace(folder.reserve(name, 0)?, name, id.as_bytes()));
            folder.unlink(&over);
            taken.transpose()?;
            if is_there {
                return Ok(id);
            }
            seen = None;
        }
        wait(folder, name, begun)?;
    }
}

fn wait(folder: &Folder, name: &str, begun: Instant) -> Result<(), StoreCause> {
    if begun.elapsed() > PATIENCE {
        return Err(StoreCause::Locked { path: folder.path(name) });
    }
    thread::sleep(PAUSE);
    Ok(())
}

fn seized_name(lock_name: &str) -> String {
    format!("{lock_name}ed")
}

/// A file of a holder that died before it wrote its id is empty.
fn successor_name(holder: &[u8]) -> &str {
    str::from_utf8(holder)
        .ok()
        .filter(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .unwrap_or("none")
}

fn random_id() -> io::Result<String> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(io::Error::other)?;
    Ok(hex(&id))
}

pub(super) const LOCK_ENDING: &str = ".lock";
/// No change takes nearly as long.
const LIMIT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(1);

#[cfg(all(test, windows))]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_told_from_one_that_fails() {
        let is_without = |code| has_no_locks(&io::Error::from_raw_os_error(code));
        assert!([1, 50, 120].into_iter().all(is_without));
        assert!(![5, 6, 32, 33, 36, 112].into_iter().any(is_without));
    }
}
