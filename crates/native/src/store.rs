//! The [`Store`] of a user's logins, in files.

mod files;
mod guard;
#[cfg(feature = "keyring")]
mod keyring;
mod layout;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "keyring", test))]
mod vault;

use crate::cause::StoreCause;
use crate::folder::Folder;
use etcetera::BaseStrategy;
use files::Files;
use proofkey_store::{Answer, Key, Op, Row, StoreError};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
#[cfg(any(feature = "keyring", test))]
use vault::Vault;

/// The logins of one app, shared by all processes of one user.
///
/// A claim ends after its seconds by the system's clock, and at once when the process of its holder ends. If the file system has
/// no locks (`flock`), as some network file systems have none, it ends after its seconds only, and two things are not certain:
/// a process that is stopped for more than five seconds in the middle of a change can overwrite a later one, and the clocks of
/// machines that share the folder must agree. Whether locks work across machines is up to the network file system.
///
/// On Unix each use checks that the folder and its files belong to this user, that nobody else has access to them, and that none
/// of them is a link. On Windows none of this is checked: files have the access list of their folder. That of
/// [`files`](Self::files) is in the user's profile, which only the user, administrators and the system can read by default.
#[derive(Debug)]
pub struct Store {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Files(Files),
    #[cfg(any(feature = "keyring", test))]
    Vault(Vault),
}

impl Store {
    /// The logins of an app, in files in the user's own folder for state: `$XDG_STATE_HOME/APP` or `~/.local/state/APP`;
    /// `~/Library/Application Support/APP` on macOS, `%LOCALAPPDATA%\APP` on Windows.
    ///
    /// ```no_run
    /// use proofkey_native::Store;
    ///
    /// let store = Store::files("my-app")?;
    /// # Ok::<(), proofkey_native::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] with a [`StoreCause`] if the name cannot name a folder (it has other characters than letters, digits, `-`,
    /// `_` and `.`, or begins or ends with a dot), if the folder cannot be made, or, on Unix, if others have access to it.
    pub fn files(app: &str) -> Result<Self, StoreError> {
        Self::files_in(&folder_of(app).map_err(StoreCause::error)?)
    }

    /// Logins in files, in a folder that the caller chooses. On Windows choose one that only this user can read, such as a folder
    /// in `%LOCALAPPDATA%`: its access list is not checked.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be made, or, on Unix, if others have access to it.
    pub fn files_in(folder: &Path) -> Result<Self, StoreError> {
        let files = Files::open(folder).map_err(|error| StoreCause::from(error).error())?;
        Ok(Self { place: Place::Files(files) })
    }

    /// The logins of an app, in files that are sealed with a key in the system's keyring, which holds nothing else. The files are
    /// in the folder `keyring` in that of [`files`](Self::files).
    ///
    /// The keyring is asked once. If it has lost the key, each login is [`StoreFault::Corrupt`](proofkey_store::StoreFault::Corrupt)
    /// with [`StoreCause::KeyLost`] until the user signs in again; only that makes a new key. What an earlier version kept in the
    /// keyring itself is read, and moved into a file with the next write.
    ///
    /// # Errors
    /// [`StoreCause::NoKeyring`], and as [`Store::files`].
    #[cfg(feature = "keyring")]
    pub fn keyring(app: &str) -> Result<Self, StoreError> {
        let folder = folder_of(app).map_err(StoreCause::error)?;
        let keyring = keyring::System::open(app).map_err(StoreCause::error)?;
        let vault = Vault::open(&folder, Box::new(keyring)).map_err(|error| StoreCause::from(error).error())?;
        Ok(Self { place: Place::Vault(vault) })
    }

    /// All rows but tombstones. One that cannot be read does not hide the others.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Result<Row, StoreError>>, StoreError> {
        match &self.place {
            Place::Files(files) => {
                let rows = files.list().map_err(StoreCause::error)?;
                Ok(rows.into_iter().map(|(_, row)| row.map_err(StoreCause::error)).collect())
            }
            #[cfg(any(feature = "keyring", test))]
            Place::Vault(vault) => vault.list(),
        }
    }

    /// Removes the row of `key` even if it cannot be read, or if a newer version wrote it. Its tokens may stay valid at the server.
    /// Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`], after which the row may still exist.
    pub fn discard(&self, key: &Key) -> Result<bool, StoreError> {
        let discarded = match &self.place {
            Place::Files(files) => files.discard(&key.digest()),
            #[cfg(any(feature = "keyring", test))]
            Place::Vault(vault) => vault.discard(&key.digest()),
        };
        discarded.map_err(StoreCause::error)
    }

    /// A text stored beside the logins under a name of the caller's choice. It must not be secret.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read.
    pub fn note(&self, name: &str) -> Result<Option<String>, StoreError> {
        let name = note_name(name);
        let folder = self.folder();
        let Some(bytes) = folder.read(&name).map_err(|error| StoreCause::from(error).error())? else { return Ok(None) };
        let text = str::from_utf8(&bytes).map(|text| Some(text.to_owned()));
        text.map_err(|_| StoreCause::Corrupt { path: folder.path(&name), fault: "it is not UTF-8" }.error())
    }

    /// Writes or removes such a text. It stays when logins are removed. Only one process or thread may write at a time.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be written.
    pub fn set_note(&self, name: &str, text: Option<&str>) -> Result<(), StoreError> {
        let (name, folder) = (note_name(name), self.folder());
        let write = || {
            folder.sweep(&name)?;
            match text {
                Some(text) => folder.replace(folder.reserve(&name, 0)?, &name, text.as_bytes()).map(drop),
                None => folder.remove(&name).map(drop),
            }
        };
        write().map_err(|error| StoreCause::from(error).error())
    }

    fn folder(&self) -> &Folder {
        match &self.place {
            Place::Files(files) => &files.folder,
            #[cfg(any(feature = "keyring", test))]
            Place::Vault(vault) => vault.folder(),
        }
    }
}

impl proofkey_store::Store for Store {
    fn run(&self, key: &Key, op: Op<'_>) -> Result<Answer, StoreError> {
        match &self.place {
            Place::Files(files) => files.run(key, op),
            #[cfg(any(feature = "keyring", test))]
            Place::Vault(vault) => vault.run(key, op),
        }
    }
}

/// Hashed, because a file system may not distinguish upper and lower case.
fn note_name(name: &str) -> String {
    let hash = Sha256::new().chain_update(name.len().to_string()).chain_update(":").chain_update(name);
    format!("{}.note", layout::hex(&hash.finalize()))
}

fn folder_of(app: &str) -> Result<PathBuf, StoreCause> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if app.is_empty() || app.starts_with('.') || app.ends_with('.') || !app.bytes().all(is_plain) {
        return Err(StoreCause::App(app.to_owned()));
    }
    let base = etcetera::base_strategy::choose_native_strategy().map_err(|_| StoreCause::NoHome)?;
    // On Windows the cache folder is %LOCALAPPDATA%, which does not roam; the data folder does.
    let folder = if cfg!(windows) { base.cache_dir() } else { base.state_dir().unwrap_or_else(|| base.data_dir()) };
    Ok(folder.join(app))
}
