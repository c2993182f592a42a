//! On Unix: everything goes through the open folder, so that no link or renamed folder on the path leads elsewhere.

use super::{Access, FILE_MAX, FolderError, Temporary, read_start, temporary};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, RawMode, Stat, fchmod, fstat, fsync, openat, renameat, statat, unlinkat,
};
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
            // The umask may have removed rights of the owner.
            fchmod(&fd, Mode::RWXU).map_err(|error| FolderError::io(path, error))?;
        }
        let folder = Self { path: path.to_owned(), fd };
        folder.check()?;
        Ok(folder)
    }

    /// The whole file, if there is one.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        self.check()?;
        let Some((file, stat)) = self.open_file(name, OFlags::RDONLY | OFlags::NONBLOCK)? else { return Ok(None) };
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        if size > FILE_MAX {
            return Err(self.insecure(name, "this file is too long to be a record; remove it"));
        }
        let room = usize::try_from(size).unwrap_or_default().saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.take(FILE_MAX).read_to_end(&mut bytes).map_err(|error| self.io(name, error))?;
        Ok(Some(bytes))
    }

    /// The first bytes of the file, even if others have access to it. `None` for a link or anything else that is not a
    /// regular file, which a store never makes.
    pub(crate) fn start(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, FolderError> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match openat(&self.fd, name, flags, PRIVATE) {
            Ok(fd) => File::from(fd),
            Err(Errno::LOOP | Errno::NOENT | Errno::NXIO) => return Ok(None),
            Err(error) => return Err(self.io(name, error)),
        };
        let stat = fstat(&file).map_err(|error| self.io(name, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(None);
        }
        read_start(file).map(Some).map_err(|error| self.io(name, error))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes a file to replace `name`, with `room` bytes already on the disk.
    pub(crate) fn reserve(&self, name: &str, room: usize) -> Result<Temporary, FolderError> {
        self.check()?;
        let make = || {
            let name = temporary(name)?;
            Ok(Temporary { file: self.create(&name)?, name })
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

    /// Replaces the file `name`, and returns the open new one. A crash leaves either the old file or the new one, whole.
    pub(crate) fn replace(&self, mut temporary: Temporary, name: &str, bytes: &[u8]) -> Result<File, FolderError> {
        let written = temporary.write(bytes).and_then(|()| {
            renameat(&self.fd, &temporary.name, &self.fd, name)?;
            Ok(fsync(&self.fd)?)
        });
        match written {
            Ok(()) => Ok(temporary.file),
            Err(error) => {
                self.discard(&temporary);
                Err(FolderError::io(&self.path, error))
            }
        }
    }

    /// Makes a file, unless there is one. Returns whether it did.
    pub(crate) fn create_new(&self, name: &str, bytes: &[u8]) -> Result<bool, FolderError> {
        match self.create(name) {
            Ok(mut file) => file.write_all(bytes).map(|()| true).map_err(|error| self.io(name, error)),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(FolderError::io(&self.path, error)),
        }
    }

    /// Opens a file to see whether it is locked.
    pub(crate) fn open_locked(&self, name: &str) -> Result<Option<File>, FolderError> {
        Ok(self.open_file(name, OFlags::RDWR)?.map(|(file, _)| file))
    }

    /// Removes a file that was not needed. If that fails, the next holder of the lock removes it.
    pub(crate) fn discard(&self, temporary: &Temporary) {
        self.unlink(&temporary.name);
    }

    /// Removes a file. Returns whether there was one.
    pub(crate) fn remove(&self, name: &str) -> Result<bool, FolderError> {
        match unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) => fsync(&self.fd).map(|()| true).map_err(|error| self.io(name, error)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(FolderError::io(&self.path, error)),
        }
    }

    /// Opens a lock file, and returns whether it was created.
    pub(crate) fn lock_file(&self, name: &str) -> Result<(File, bool), FolderError> {
        self.check()?;
        loop {
            if let Some((file, _)) = self.open_file(name, OFlags::RDWR)? {
                return Ok((file, false));
            }
            match self.create(name) {
                Ok(file) => return Ok((file, true)),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(FolderError::io(&self.path, error)),
            }
        }
    }

    /// Whether a lock on this file counts: it still has its name.
    pub(crate) fn is_current(&self, file: &File, name: &str) -> Result<bool, FolderError> {
        let own = fstat(file).map_err(|error| self.io(name, error))?;
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(named) => Ok((own.st_dev, own.st_ino) == (named.st_dev, named.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(self.io(name, error)),
        }
    }

    /// Removes a lock file. Only for its holder.
    pub(crate) fn remove_lock(&self, name: &str) {
        self.unlink(name);
    }

    /// Removes a file that does no harm if it stays.
    pub(crate) fn unlink(&self, name: &str) {
        let _ = unlinkat(&self.fd, name, AtFlags::empty());
    }

    pub(super) fn entries(&self) -> Result<Vec<String>, FolderError> {
        let read = || -> rustix::io::Result<Vec<String>> {
            let mut entries = Vec::new();
            for entry in Dir::read_from(&self.fd)? {
                entries.extend(entry?.file_name().to_str().ok().map(str::to_owned));
            }
            Ok(entries)
        };
        read().map_err(|error| FolderError::io(&self.path, error))
    }

    /// Creates a new file. Its mode does not depend on the umask.
    fn create(&self, name: &str) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(openat(&self.fd, name, flags, PRIVATE)?);
        fchmod(&file, PRIVATE)?;
        Ok(file)
    }

    /// Checks that the folder is still private.
    fn check(&self) -> Result<(), FolderError> {
        let stat = fstat(&self.fd).map_err(|error| FolderError::io(&self.path, error))?;
        private(&self.path, &stat, Mode::RWXU)
    }

    /// Opens a private regular file, if it exists.
    fn open_file(&self, name: &str, flags: OFlags) -> Result<Option<(File, Stat)>, FolderError> {
        let file = match openat(&self.fd, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, PRIVATE) {
            Ok(fd) => File::from(fd),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(self.insecure(name, LINK)),
            Err(error) => return Err(self.io(name, error)),
        };
        let stat = fstat(&file).map_err(|error| self.io(name, error))?;
        match stat {
            _ if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => {
                Err(self.insecure(name, "this is not a regular file; remove it"))
            }
            // A file that was replaced since it was opened has no name any longer: it is the old one, whole.
            _ if stat.st_nlink > 1 => Err(self.insecure(name, LINK)),
            _ => private(&self.path.join(name), &stat, PRIVATE).map(|()| Some((file, stat))),
        }
    }

    fn io(&self, name: &str, error: impl Into<io::Error>) -> FolderError {
        let error = error.into();
        match error.kind() {
            ErrorKind::ReadOnlyFilesystem => FolderError::io(&self.path, error),
            _ => FolderError::io(self.path.join(name), error),
        }
    }

    fn insecure(&self, name: &str, fault: &'static str) -> FolderError {
        FolderError::Insecure { path: self.path.join(name), fault }
    }
}

/// Owner and mode of `path`, or of its nearest parent that can be looked up.
pub(super) fn access(path: &Path) -> Option<Access> {
    let (path, stat) = path.ancestors().find_map(|path| Some((path, rustix::fs::lstat(path).ok()?)))?;
    Some(access_of(path, &stat))
}

fn access_of(path: &Path, stat: &Stat) -> Access {
    let mode = bits(stat.st_mode) & 0o777;
    Access { path: path.to_owned(), owner: stat.st_uid, mode, user: geteuid().as_raw() }
}

#[allow(clippy::useless_conversion, reason = "16 bits on macOS, 32 on Linux")]
fn bits(mode: RawMode) -> u32 {
    mode.into()
}

/// Checks that nobody else has access.
fn private(path: &Path, stat: &Stat, wanted: Mode) -> Result<(), FolderError> {
    match access_of(path, stat) {
        access if access.owner != access.user => Err(FolderError::Foreign(access)),
        access if access.mode & 0o077 != 0 => Err(FolderError::Exposed { access, wanted: bits(wanted.bits()) }),
        _ => Ok(()),
    }
}

/// Creates the folder, and returns whether it was missing.
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

const LINK: &str = "this is a link, or has a second name; remove it";
const NO_FOLDER: &str = "this is a link or not a folder; remove it";
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
