//! The stored logins: one for each profile and account.

use crate::args::StoreKind;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::name::Name;
use crate::settings::Settings;
use crate::time::now;
use proofkey_core::{AccessToken, Client, Endpoint, Lifetime, RefreshToken, Scope, TokensBuf};
use proofkey_native::old::{Store, StoreError};
use proofkey_native::{FolderError, Key, Record, Secret};
use std::rc::Rc;
use std::time::Duration;

/// A stored login.
#[derive(Debug)]
pub struct Login {
    /// Its name.
    pub name: Name,
    /// The settings that it was made with.
    pub settings: Settings,
    /// The tokens.
    pub record: Record,
    store: Rc<Store>,
}

impl Login {
    /// Reads the login of that name.
    ///
    /// # Errors
    /// [`Kind::LoginRequired`] if there is none or it is damaged, [`Kind::Outdated`] if a newer version wrote it; or if a
    /// store cannot be read.
    pub fn load(name: &Name, config: &Config) -> Result<Self, Failure> {
        let mut missing = format!("not signed in ({name})");
        let found = match Self::load_remembered(name)? {
            Some(login) => vec![login],
            // Earlier versions did not remember settings.
            None => find(config.profile(&name.profile).store, Some(name))?,
        };
        for login in found {
            match login {
                Ok(login) => return Ok(login),
                Err(unreadable) => missing = format!("{missing}; {}", unreadable.message),
            }
        }
        Err(Kind::LoginRequired.because(missing).advise(format_args!("sign in with `{}`", name.command("login"))))
    }

    /// All logins, or the reason why one cannot be read.
    ///
    /// # Errors
    /// If a store cannot be read.
    pub fn load_all() -> Result<Vec<Result<Self, Failure>>, Failure> {
        find(None, None)
    }

    /// Stores a new login, over the one of that name.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn save(
        name: &Name,
        settings: &Settings,
        client: Client<'_>,
        tokens: &TokensBuf,
        requested_at: u64,
    ) -> Result<Self, Failure> {
        let store = Rc::new(open(settings.store)?);
        let key = key(name, settings);
        let mut record = Record::new(key.clone(), Secret::new(tokens.access_token().expose().to_owned()));
        record.set_server(&client.server());
        record.redirect_uri = client.redirect_uri().to_owned();
        record.requested_scope.clone_from(&settings.scope);
        let note = serde_json::to_string(settings).map_err(|error| Kind::Unexpected.because(error))?;
        record.notes.insert(SETTINGS.to_owned(), note);
        let mut login = Self { name: name.clone(), settings: settings.clone(), record, store };
        login.take(tokens, requested_at);
        let lock = login.store.lock(&key, LOCK_WAIT)?;
        let room = lock.reserve()?;
        login.remember();
        room.save(&login.record)?;
        drop(lock);
        Ok(login)
    }

    /// Its store.
    pub fn store(&self) -> Rc<Store> {
        Rc::clone(&self.store)
    }

    /// Remembers the settings under the login's name, for the next login and so that the record is found at once. Only for
    /// the holder of the record's lock. If it fails, the next login has to be told.
    pub fn remember(&self) {
        let text = self.record.notes.get(SETTINGS);
        if self.store.note(&self.name.note()).ok().flatten().as_ref() != text {
            let _ = self.store.set_note(&self.name.note(), text.map(String::as_str));
        }
    }

    /// Stores the granted tokens in the record.
    pub fn take(&mut self, tokens: &TokensBuf, requested_at: u64) {
        let record = &mut self.record;
        record.access_token = Secret::new(tokens.access_token().expose().to_owned());
        record.refresh_token = tokens.refresh_token().map(|token| Secret::new(token.expose().to_owned()));
        record.requested_at = requested_at;
        record.expires_in = tokens.expires_in();
        record.notes.remove(ENDED);
        record.notes.remove(PAUSE_UNTIL);
        if let scope @ Scope::Granted(_) = tokens.scope() {
            let requested: Vec<_> = record.requested_scope.iter().map(String::as_str).collect();
            record.granted_scope = Some(scope.words(&requested).collect::<Vec<_>>().join(" "));
        }
    }

    /// Marks the refresh token as refused by the server. The access token may still be valid.
    pub fn end(&mut self, why: &str) {
        self.record.refresh_token = None;
        self.record.notes.insert(ENDED.to_owned(), why.to_owned());
    }

    /// Why the server no longer accepts the refresh token, if that is so.
    pub fn ended(&self) -> Option<&str> {
        self.record.notes.get(ENDED).map(String::as_str)
    }

    /// Notes that the server wants no refresh before a time, in seconds since 1970.
    pub fn pause(&mut self, until: u64) {
        self.record.notes.insert(PAUSE_UNTIL.to_owned(), until.to_string());
    }

    /// The earliest time of the next refresh, if the server asked for a pause.
    pub fn paused_until(&self) -> Option<u64> {
        self.record.notes.get(PAUSE_UNTIL)?.parse().ok()
    }

    /// Notes that the token comes from a refresh: the next one will have the same lifetime.
    pub fn mark_refreshed(&mut self) {
        self.record.notes.insert(REFRESHED.to_owned(), "yes".to_owned());
    }

    /// Whether the token comes from a refresh.
    pub fn is_refreshed(&self) -> bool {
        self.record.notes.contains_key(REFRESHED)
    }

    /// The client at the server that issued the tokens.
    ///
    /// # Errors
    /// If the record was tampered with.
    pub fn client(&self) -> Result<Client<'_>, Failure> {
        let record = &self.record;
        Ok(Client::new(&record.key.client_id, &record.redirect_uri, record.server())?)
    }

    /// The token endpoint.
    pub fn token_endpoint(&self) -> &str {
        self.record.server().endpoint(Endpoint::Token).unwrap_or_default()
    }

    /// The access token.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub fn access_token(&self) -> Result<AccessToken<'_>, Failure> {
        Ok(AccessToken::new(self.record.access_token.expose())?)
    }

    /// The refresh token, if there is one.
    ///
    /// # Errors
    /// As [`client`](Self::client).
    pub fn refresh_token(&self) -> Result<Option<RefreshToken<'_>>, Failure> {
        Ok(self.record.refresh_token.as_ref().map(|token| RefreshToken::new(token.expose())).transpose()?)
    }

    /// How long the access token lasts.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime::new(self.record.requested_at, self.record.expires_in)
    }

    /// Whether the access token has ended, as far as is known.
    pub fn is_expired(&self) -> bool {
        self.lifetime().is_expired(now())
    }

    /// The scope that was granted.
    pub fn scope(&self) -> Vec<&str> {
        match &self.record.granted_scope {
            Some(scope) => scope.split(' ').filter(|word| !word.is_empty()).collect(),
            None => self.record.requested_scope.iter().map(String::as_str).collect(),
        }
    }

    /// The record is found by the settings of the last login, so that no other record is opened.
    fn load_remembered(name: &Name) -> Result<Option<Result<Self, Failure>>, Failure> {
        let Some(settings) = remembered(name)? else { return Ok(None) };
        let store = Rc::new(open(settings.store)?);
        match store.load(&key(name, &settings)) {
            Ok(record) => Ok(record.map(|record| Self::of_record(name.clone(), record, store))),
            Err(error @ StoreError::Corrupt { .. }) => Ok(Some(Err(error.into()))),
            Err(error) => Err(error.into()),
        }
    }

    fn of_record(name: Name, record: Record, store: Rc<Store>) -> Result<Self, Failure> {
        let note = record.notes.get(SETTINGS).and_then(|note| serde_json::from_str(note).ok());
        match note {
            Some(settings) if key(&name, &settings) == record.key => Ok(Self { name, settings, record, store }),
            _ => Err(Kind::Unexpected.because(format_args!("the stored sign-in ({name}) is not as it was written"))),
        }
    }
}

/// Whether a login with these settings can be stored, as far as that is known before the user signs in.
///
/// # Errors
/// If the store cannot be opened, or its folder cannot be written.
pub fn check_store(name: &Name, settings: &Settings) -> Result<(), Failure> {
    open(settings.store)?.lock(&key(name, settings), LOCK_WAIT)?.reserve()?;
    Ok(())
}

/// Discards the record of that name if it cannot be read. Returns whether it did.
///
/// # Errors
/// If the store cannot be opened, read or written.
pub fn discard_unreadable(name: &Name) -> Result<bool, Failure> {
    let Some(settings) = remembered(name)? else { return Ok(false) };
    let store = open(settings.store)?;
    let lock = store.lock(&key(name, &settings), LOCK_WAIT)?;
    match lock.load() {
        Ok(_) => Ok(false),
        Err(StoreError::Corrupt { .. } | StoreError::Newer { .. }) => Ok(lock.discard()?),
        Err(error) => Err(error.into()),
    }
}

/// The settings of the last login of that name. They survive a logout.
///
/// # Errors
/// If the store cannot be read.
pub fn remembered(name: &Name) -> Result<Option<Settings>, Failure> {
    let text = match Store::files()?.note(&name.note()) {
        Ok(text) => text,
        // The next login replaces it.
        Err(StoreError::Corrupt { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Forgets them. Returns whether there were any.
///
/// # Errors
/// If the store cannot be written.
pub fn forget_settings(name: &Name) -> Result<bool, Failure> {
    let store = Store::files()?;
    let known = store.note(&name.note())?.is_some();
    if known {
        store.set_note(&name.note(), None)?;
    }
    Ok(known)
}

/// The key that a login with these settings is stored under.
pub fn key(name: &Name, settings: &Settings) -> Key {
    Key { issuer: settings.server.name().to_owned(), client_id: settings.client_id.clone(), account: name.note() }
}

/// The logins of one name, or all of them, in one store or in both.
fn find(wanted: Option<StoreKind>, name: Option<&Name>) -> Result<Vec<Result<Login, Failure>>, Failure> {
    let mut logins = Vec::new();
    for kind in [StoreKind::File, StoreKind::Keyring] {
        let store = match open(kind) {
            Ok(store) => Rc::new(store),
            Err(_) if kind == StoreKind::Keyring && wanted != Some(kind) => continue,
            Err(failure) => return Err(failure),
        };
        for record in store.list()? {
            let login = record.map_err(Failure::from).map(|record| (Name::of_key(&record.key), record));
            match login {
                Ok((Some(found), record)) if name.is_none_or(|name| *name == found) => {
                    logins.push(Login::of_record(found, record, Rc::clone(&store)));
                }
                Ok(_) => {}
                Err(failure) => logins.push(Err(failure)),
            }
        }
        if name.is_some() && logins.iter().any(Result::is_ok) {
            break;
        }
    }
    Ok(logins)
}

#[cfg(feature = "keyring")]
fn open(kind: StoreKind) -> Result<Store, Failure> {
    Ok(match kind {
        StoreKind::File => Store::files()?,
        StoreKind::Keyring => Store::keyring()?,
    })
}

#[cfg(not(feature = "keyring"))]
fn open(kind: StoreKind) -> Result<Store, Failure> {
    match kind {
        StoreKind::File => Ok(Store::files()?),
        StoreKind::Keyring => Err(Kind::Configuration
            .because("this build of proofkey has no keyring")
            .advise("keep the tokens with --store file, or build with the feature `keyring`")),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked { .. } => Kind::TimedOut.because(error),
            StoreError::Newer { .. } => Kind::Outdated.because(error).advise_command(
                "or, to sign in again with this version, first discard it with",
                "logout --forget-anyway",
            ),
            StoreError::Folder(ref folder) if is_denied(folder) && cfg!(all(unix, not(target_os = "macos"))) => {
                Kind::Unexpected.because(error).advise("XDG_STATE_HOME=FOLDER keeps the sign-ins in another folder")
            }
            error => Kind::Unexpected.because(error),
        }
    }
}

fn is_denied(error: &FolderError) -> bool {
    matches!(error, FolderError::Exposed { .. } | FolderError::Foreign(_) | FolderError::Io { access: Some(_), .. })
}

/// How long to wait for another process that refreshes or signs out.
pub const LOCK_WAIT: Duration = Duration::from_secs(60);

/// Notes of a record.
const ENDED: &str = "ended";
const PAUSE_UNTIL: &str = "pause_until";
const REFRESHED: &str = "refreshed";
const SETTINGS: &str = "settings";
