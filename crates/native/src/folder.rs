//! A private folder, whose files are replaced as a whole.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::Folder;
#[cfg(unix)]
use unix::access;
#[cfg(windows)]
pub(crate) use windows::Folder;
#[cfg(windows)]
use windows::access;

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::{error, fmt, io};
use zeroize::Zeroizing;

/// A folder or a file in it that cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum FolderError {
    /// Other users have access to it.
    Exposed {
        /// Owner and mode of the folder or file.
        access: Access,
        /// The permission bits that it must have.
        wanted: u32,
    },
    /// It belongs to another user.
    Foreign(Access),
    /// It is a link or something else that a store never makes.
    Insecure {
        /// The folder or file.
        path: PathBuf,
        /// The problem, and its remedy.
        fault: &'static str,
    },
    /// The system failed.
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
        /// Owner and mode, if the system denied access.
        access: Option<Access>,
    },
}

/// Owner and mode of a folder or file of a [`Store`](crate::Store), and the user of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The folder or file, or its nearest parent that can be looked up.
    pub path: PathBuf,
    /// The id of its owner.
    pub owner: u32,
    /// The permission bits.
    pub mode: u32,
    /// The id of the user that runs this program.
    pub user: u32,
}

impl Folder {
    /// The names of all files with this ending, without the ending.
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
}

impl FolderError {
    fn io(path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        let (path, source) = (path.as_ref().to_owned(), source.into());
        let denied = matches!(source.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem);
        let access = if denied { access(&path) } else { None };
        Self::Io { path, source, access }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, owner, mode, user } = self;
        write!(f, "{} belongs to ", path.display())?;
        if owner == user {
            f.write_str("you")?
        } else {
            write!(f, "user {owner} and you are user {user}")?
        }
        write!(f, " (mode {mode:03o})")
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exposed { access, wanted } => {
                write!(f, "others have access: {access}; run `chmod {wanted:o} {}`", Quoted(&access.path))
            }
            Self::Foreign(access) => {
                write!(f, "{access}; run this as user {}, or use a folder of your own", access.owner)
            }
            Self::Insecure { path, fault } => write!(f, "{}: {fault}", path.display()),
            Self::Io { path, source, access } => {
                write!(f, "{}: {source}", path.display())?;
                match access {
                    Some(access) if source.kind() == ErrorKind::ReadOnlyFilesystem => {
                        write!(f, "; {access}; use a folder on a file system that can be written")
                    }
                    Some(access) if access.owner == access.user => {
                        write!(f, "; {access}; run `chmod u+rwX {}`", Quoted(&access.path))
                    }
                    Some(access) => write!(
                        f,
                        "; {access}; run `sudo chown -R {} {}`, or use a folder of your own",
                        access.user,
                        Quoted(&access.path)
                    ),
                    None => match source.kind() {
                        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => f.write_str("; free some space"),
                        ErrorKind::PermissionDenied if cfg!(windows) => {
                            f.write_str("; does another program have it open?")
                        }
                        ErrorKind::FileTooLarge => f.write_str("; raise the limit for files (`ulimit -f`)"),
                        _ => Ok(()),
                    },
                }
            }
        }
    }
}

impl error::Error for FolderError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A path as a shell reads it.
struct Quoted<'a>(&'a Path);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.display().to_string();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte);
        if path.bytes().all(plain) { f.write_str(&path) } else { write!(f, "'{}'", path.replace('\'', r"'\''")) }
    }
}

/// A file that is being written, to take the place of another.
#[derive(Debug)]
pub(crate) struct Temporary {
    name: String,
    file: File,
}

impl Temporary {
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Takes room on the disk.
    fn fill(&mut self, room: usize) -> io::Result<()> {
        if room == 0 {
            return Ok(());
        }
        self.file.write_all(&vec![0; room])?;
        self.file.sync_all()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(bytes)?;
        self.file.set_len(bytes.len() as u64)?;
        self.file.sync_all()
    }
}

/// The name of a file that is being written for `name`, which no other writer uses.
fn temporary(name: &str) -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!("{}{:016x}", temporary_prefix(name), u64::from_le_bytes(random)))
}

fn temporary_prefix(name: &str) -> String {
    format!(".{name}.")
}

/// The first bytes, which hold no secret of a record.
fn read_start(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(START));
    file.take(START as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The longest file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;
/// Enough to tell the format of a record.
const START: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        for (path, quoted) in [("/a/b.c", "/a/b.c"), ("/A B", "'/A B'"), ("/it's", r"'/it'\''s'"), ("/$x", "'/$x'")] {
            assert_eq!(Quoted(Path::new(path)).to_string(), quoted);
        }
    }

    #[test]
    fn no_two_writers_use_the_same_file_and_its_name_is_swept_up() {
        let [one, two] = [(); 2].map(|()| temporary("record").unwrap());
        assert_ne!(one, two);
        assert!([one, two].iter().all(|name| name.starts_with(&temporary_prefix("record"))));
    }
}
