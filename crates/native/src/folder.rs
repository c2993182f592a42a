//! A folder that only its owner can look into, and files in it that are either whole or not there.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use portable::Folder;
#[cfg(unix)]
pub(crate) use unix::Folder;

use std::path::{Path, PathBuf};
use std::{error, fmt, io};

/// A folder or a file in it that cannot be used.
#[derive(Debug)]
pub enum FolderError {
    /// Others could read it or could have put it there.
    Insecure {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        fault: &'static str,
    },
    /// The system failed.
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl FolderError {
    fn io(path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.as_ref().to_owned(), source: source.into() }
    }
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Insecure { path, fault } => write!(f, "{}: {fault}", path.display()),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl error::Error for FolderError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Insecure { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
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

/// The longest file that is read, in octets.
const FILE_MAX: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_writers_use_the_same_file_and_its_name_is_swept_up() {
        let [one, two] = [(); 2].map(|()| temporary("record").unwrap());
        assert_ne!(one, two);
        assert!([one, two].iter().all(|name| name.starts_with(&temporary_prefix("record"))));
    }
}
