//! Elsewhere: the user's own data folder, whose access rights every file in it inherits.

use super::{FILE_MAX, FolderError, temporary, temporary_prefix};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
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
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FolderError::io(path, error)),
        };
        let mut octets = Zeroizing::new(Vec::with_capacity(64 * 1024));
        file.take(FILE_MAX + 1).read_to_end(&mut octets).map_err(|error| FolderError::io(&path, error))?;
        if octets.len() as u64 > FILE_MAX {
            return Err(FolderError::Insecure { path, fault: "this file is too long to be a record; remove it" });
        }
        Ok(Some(octets))
    }

    pub(crate) fn write(&self, name: &str, octets: &[u8]) -> Result<(), FolderError> {
        let path = self.path.join(name);
        let write = || {
            let temporary = self.path.join(temporary(name)?);
            let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            file.write_all(octets)?;
            file.sync_all()?;
            fs::rename(temporary, &path)
        };
        write().map_err(|error| FolderError::io(&path, error))
    }

    pub(crate) fn remove(&self, name: &str) -> Result<bool, FolderError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(FolderError::io(path, error)),
        }
    }

    pub(crate) fn lock_file(&self, name: &str) -> Result<File, FolderError> {
        let path = self.path.join(name);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        file.map_err(|error| FolderError::io(path, error))
    }

    pub(crate) fn names(&self, ending: &str) -> Result<Vec<String>, FolderError> {
        let entries = self.entries()?;
        let mut names: Vec<_> =
            entries.iter().filter_map(|name| name.strip_suffix(ending)).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    pub(crate) fn sweep(&self, name: &str) -> Result<(), FolderError> {
        let prefix = temporary_prefix(name);
        for left in self.entries()?.iter().filter(|entry| entry.starts_with(&prefix)) {
            self.remove(left)?;
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<String>, FolderError> {
        let read = || -> std::io::Result<Vec<String>> {
            let mut entries = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                entries.extend(entry?.file_name().into_string().ok());
            }
            Ok(entries)
        };
        read().map_err(|error| FolderError::io(&self.path, error))
    }
}
