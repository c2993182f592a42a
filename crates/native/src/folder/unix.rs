//! On Unix: everything by way of the open folder, so that no link or renamed folder on the path leads elsewhere.

use super::{FILE_MAX, FolderError, temporary, temporary_prefix};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fchmod, fstat, fsync, openat, renameat, unlinkat};
use rustix::{io::Errno, process::geteuid};
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    fd: OwnedFd,
}

impl Folder {
    /// Opens the folder, or makes it: for its owner only, from the first instant.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        let made = make(path).map_err(|error| FolderError::io(path, error))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => FolderError::Insecure { path: path.to_owned(), fault: NO_FOLDER },
            error => FolderError::io(path, error),
        })?;
        if made {
            // The umask took away what it could of the owner's own rights.
            fchmod(&fd, Mode::RWXU).map_err(|error| FolderError::io(path, error))?;
        }
        let folder = Self { path: path.to_owned(), fd };
        folder.check()?;
        Ok(folder)
    }

    /// The whole file; none where there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        self.check()?;
        let Some(file) = self.open_file(name, OFlags::RDONLY | OFlags::NONBLOCK)? else { return Ok(None) };
        let size = fstat(&file).map_err(|error| self.io(name, error))?.st_size;
        let size = u64::try_from(size).unwrap_or_default();
        if size > FILE_MAX {
            return Err(self.insecure(name, "this file is too long to be a record; remove it"));
        }
        let room = usize::try_from(size).unwrap_or_default().saturating_add(1);
        let mut octets = Zeroizing::new(Vec::with_capacity(room));
        file.take(FILE_MAX).read_to_end(&mut octets).map_err(|error| self.io(name, error))?;
        Ok(Some(octets))
    }

    /// Writes the file anew: after a crash the old or the new one is there, whole.
    pub(crate) fn write(&self, name: &str, octets: &[u8]) -> Result<(), FolderError> {
        self.check()?;
        let temporary = temporary(name).map_err(|error| self.io(name, error))?;
        let written = self.write_new(&temporary, octets).and_then(|()| {
            renameat(&self.fd, &temporary, &self.fd, name)?;
            Ok(fsync(&self.fd)?)
        });
        written.map_err(|error| {
            // What is left over is swept up by the next holder of the lock, if not now.
            let _ = unlinkat(&self.fd, &temporary, AtFlags::empty());
            self.io(name, error)
        })
    }

    /// Whether there was such a file.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, FolderError> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => fsync(&self.fd).map(|()| true).map_err(|error| self.io(name, error)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.io(name, error)),
        }
    }

    /// A file to hold a lock on. It stays.
    pub(crate) fn lock_file(&self, name: &str) -> Result<File, FolderError> {
        self.check()?;
        match self.create(name) {
            Ok(file) => Ok(file),
            Err(Errno::EXIST) => self.open_file(name, OFlags::RDWR)?.ok_or_else(|| self.io(name, Errno::NOENT)),
            Err(error) => Err(self.io(name, error)),
        }
    }

    /// The names of all files that end so, without the ending.
    pub(crate) fn names(&self, ending: &str) -> Result<Vec<String>, FolderError> {
        let entries = self.entries()?;
        let mut names: Vec<_> =
            entries.iter().filter_map(|name| name.strip_suffix(ending)).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// Removes what dead writers of `name` left behind. Only for the holder of its lock.
    pub(crate) fn sweep(&self, name: &str) -> Result<(), FolderError> {
        let prefix = temporary_prefix(name);
        for left in self.entries()?.iter().filter(|entry| entry.starts_with(&prefix)) {
            self.remove(left)?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<String>, FolderError> {
        let read = || -> rustix::io::Result<Vec<String>> {
            let mut entries = Vec::new();
            for entry in Dir::read_from(&self.fd)? {
                entries.extend(entry?.file_name().to_str().ok().map(str::to_owned));
            }
            Ok(entries)
        };
        read().map_err(|error| FolderError::io(&self.path, error))
    }

    fn write_new(&self, name: &str, octets: &[u8]) -> io::Result<()> {
        let mut file = self.create(name)?;
        file.write_all(octets)?;
        file.sync_all()
    }

    /// A file that was not there before. Its mode does not depend on the umask.
    fn create(&self, name: &str) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&self.fd, name, flags, PRIVATE)?);
        fchmod(&file, PRIVATE)?;
        Ok(file)
    }

    /// The folder is ours alone, still.
    fn check(&self) -> Result<(), FolderError> {
        let stat = fstat(&self.fd).map_err(|error| FolderError::io(&self.path, error))?;
        let fault = match stat {
            stat if stat.st_uid != geteuid().as_raw() => FOREIGN,
            stat if stat.st_mode & 0o077 != 0 => "others have access to this folder; run `chmod 700` on it",
            _ => return Ok(()),
        };
        Err(FolderError::Insecure { path: self.path.clone(), fault })
    }

    /// A regular file that is ours alone; none where there is none.
    fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<File>, FolderError> {
        let file = match openat(&self.fd, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, PRIVATE) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.insecure(name, LINK)),
            Err(error) => return Err(self.io(name, error)),
        };
        let stat = fstat(&file).map_err(|error| self.io(name, error))?;
        let fault = match stat {
            stat if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => Some("this is no regular file"),
            stat if stat.st_uid != geteuid().as_raw() => Some(FOREIGN),
            // One that was replaced since it was opened has no name any longer: it is the old one, whole.
            stat if stat.st_nlink > 1 => Some(LINK),
            stat if stat.st_mode & 0o077 != 0 => Some("others have access to this file; run `chmod 600` on it"),
            _ => None,
        };
        fault.map_or(Ok(Some(file)), |fault| Err(self.insecure(name, fault)))
    }

    fn io(&self, name: &str, error: impl Into<io::Error>) -> FolderError {
        FolderError::io(self.path.join(name), error)
    }

    fn insecure(&self, name: &str, fault: &'static str) -> FolderError {
        FolderError::Insecure { path: self.path.join(name), fault }
    }
}

/// Whether the folder had to be made.
fn make(path: &Path) -> io::Result<bool> {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    if let Some(parent) = path.parent() {
        builder.recursive(true).create(parent)?;
    }
    match builder.recursive(false).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

const FOREIGN: &str = "this belongs to another user; remove it or choose another folder";
const LINK: &str = "this is a link, or has a second name; remove it";
const NO_FOLDER: &str = "this is a link or no folder; remove it";
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
