//! On Windows: the user's own data folder, whose access list every file in it inherits. No list is read or changed: that needs
//! `unsafe`, which this workspace forbids.
//!
//! A virus scanner or an indexer that has a file open lets nobody else replace or open it for a moment, so all is tried again. The
//! same is true of a reader on a file system that cannot replace an open file (FAT, many network shares, Wine).

use super::{Access, FILE_MAX, FolderError, Temporary, read_start, temporary};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|error| FolderError::io(path, error))?;
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        let path = self.path.join(name);
        let file = match patiently(|| File::open(&path)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FolderError::io(path, error)),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
        file.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(|error| FolderError::io(&path, error))?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(FolderError::Insecure { path, fault: "this file is too long to be a record; remove it" });
        }
        Ok(Some(bytes))
    }

    pub(crate) fn start(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        let path = self.path.join(name);
        match patiently(|| File::open(&path)).and_then(read_start) {
            Ok(start) => Ok(Some(start)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::io(path, error)),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a file to replace `name`, which nobody else can write for as long as it is open.
    pub(crate) fn reserve(&self, name: &str, room: usize) -> Result<Temporary, FolderError> {
        let make = || {
            let name = temporary(name)?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).share_mode(FILE_SHARE_READ | FILE_SHARE_DELETE);
            let file = options.open(self.path.join(&name))?;
            Ok(Temporary { name, file })
        };
        let mut temporary = make().map_err(|error: io::Error| FolderError::io(&self.path, error))?;
        match temporary.fill(room) {
            Ok(()) => Ok(temporary),
            Err(error) => {
                self.discard(&temporary);
                Err(FolderError::io(&self.path, error))
            }
        }
    }

    pub(crate) fn replace(&self, mut temporary: Temporary, name: &str, bytes: &[u8]) -> Result<File, FolderError> {
        let (from, to) = (self.path.join(&temporary.name), self.path.join(name));
        let written = temporary.write(bytes).and_then(|()| patiently(|| fs::rename(&from, &to)));
        match written {
            Ok(()) => Ok(temporary.file),
            Err(error) => {
                self.discard(&temporary);
                Err(FolderError::io(to, error))
            }
        }
    }

    pub(crate) fn create_new(&self, name: &str, bytes: &[u8]) -> Result<bool, FolderError> {
        let path = self.path.join(name);
        let made = patiently(|| OpenOptions::new().write(true).create_new(true).open(&path));
        match made.and_then(|mut file| file.write_all(bytes)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(FolderError::io(path, error)),
        }
    }

    pub(crate) fn open_locked(&self, name: &str) -> Result<Option<File>, FolderError> {
        let path = self.path.join(name);
        match patiently(|| File::open(&path)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::io(path, error)),
        }
    }

    pub(crate) fn unlink(&self, name: &str) {
        let path = self.path.join(name);
        let _ = patiently(|| fs::remove_file(&path));
    }

    pub(crate) fn discard(&self, temporary: &Temporary) {
        self.unlink(&temporary.name);
    }

    pub(crate) fn remove(&self, name: &str) -> Result<bool, FolderError> {
        let path = self.path.join(name);
        match patiently(|| fs::remove_file(&path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FolderError::io(path, error)),
        }
    }

    pub(crate) fn lock_file(&self, name: &str) -> Result<(File, bool), FolderError> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = patiently(|| options.open(&path));
        file.map(|file| (file, false)).map_err(|error| FolderError::io(path, error))
    }

    /// Lock files are not removed here, since the open file cannot be compared with its name.
    pub(crate) fn is_current(&self, _: &File, _: &str) -> Result<bool, FolderError> {
        Ok(true)
    }

    pub(crate) fn remove_lock(&self, _: &str) {}

    pub(super) fn entries(&self) -> Result<Vec<String>, FolderError> {
        let read = || -> io::Result<Vec<String>> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                entries.extend(entry?.file_name().into_string().ok());
            }
            Ok(entries)
        };
        read().map_err(|error| FolderError::io(&self.path, error))
    }
}

pub(super) fn access(_: &Path) -> Option<Access> {
    None
}

fn patiently<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let begun = Instant::now();
    loop {
        match work() {
            Err(error) if is_in_use(&error) && begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
            result => return result,
        }
    }
}

fn is_in_use(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION))
}

const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const FILE_SHARE_DELETE: u32 = 4;
const FILE_SHARE_READ: u32 = 1;
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);
