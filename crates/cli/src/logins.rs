//! The stored logins: one for each profile and account.

mod trouble;

use crate::args::StoreKind;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::name::Name;
use crate::output;
use crate::settings::Settings;
use crate::time::{self, now};
use crate::who;
use proofkey_core::{Client, Endpoint, Lifetime};
use proofkey_native::{Key, Record, Store, StoreError};
use proofkey_ureq::proofkey_store::{Answer, LoginId, Op, RecordError, Row, Store as _, StoreFault, User, Version};
use proofkey_ureq::{Http, Session, SignedIn, SigningKey, Token};
use std::sync::Arc;
use trouble::may_be_replaced;

/// A stored login.
#[derive(Debug)]
pub struct Login {
    /// Its name.
    pub name: Name,
    /// The settings that it was made with.
    pub settings: Settings,
    /// The tokens.
    pub record: Record,
    /// The row that the record was read from.
    pub row: Row,
    /// Its store.
    pub store: Arc<Store>,
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

    /// Takes what a session made of it.
    pub fn take(&mut self, token: &Token) {
        self.record = token.record().clone();
        self.row.version = token.version();
    }

    /// Takes another row of it.
    ///
    /// # Errors
    /// If the row cannot be read.
    pub fn read(&mut self, row: Row) -> Result<(), Failure> {
        self.record = record_of(&row)?;
        self.row = row;
        Ok(())
    }

    /// Does an operation of its store.
    ///
    /// # Errors
    /// If the store fails.
    pub fn run(&self, op: Op<'_>) -> Result<Answer, Failure> {
        Ok(self.store.run(&self.record.key, op)?)
    }

    /// Remembers its settings.
    pub fn remember(&self) {
        remember(&self.store, &self.name, &self.record);
    }

    /// Why the server no longer accepts the refresh token, if that is so.
    pub fn ended(&self) -> Option<&str> {
        let ended = self.record.ended.as_ref().map(|ended| &ended.why);
        ended.or_else(|| self.record.notes.get(ENDED)).map(String::as_str)
    }

    /// Whether the token comes from a refresh: the next one will have the same lifetime.
    pub fn is_refreshed(&self) -> bool {
        self.row.version.refresh() > 0
    }

    /// The client at the server that issued the tokens.
    ///
    /// # Errors
    /// If the record was tampered with.
    pub fn client(&self) -> Result<Client<'_>, Failure> {
        Ok(self.record.client()?)
    }

    /// An HTTP client for it: it has the key that the tokens are bound to, if they are bound.
    ///
    /// # Errors
    /// If the key was tampered with.
    pub fn signing(&self, http: Http) -> Result<Http, Failure> {
        let Some(key) = self.record.signing_key() else { return Ok(http) };
        let key = SigningKey::from_pkcs8(&key).map_err(|error| {
            Kind::LoginRequired
                .because(format_args!("the key of the stored sign-in cannot be used ({}): {error}", self.name))
                .advise(format_args!("sign in again with `{}`", self.name.command("login")))
        })?;
        Ok(http.with_signer(key))
    }

    /// The type of its tokens.
    pub fn token_type(&self) -> &'static str {
        if self.record.bound_to.is_some() { "DPoP" } else { "Bearer" }
    }

    /// The token endpoint.
    pub fn token_endpoint(&self) -> &str {
        self.record.server().endpoint(Endpoint::Token).unwrap_or_default()
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
        scope(&self.record)
    }

    /// The record is found by the settings of the last login, so that no other record is opened.
    fn load_remembered(name: &Name) -> Result<Option<Result<Self, Failure>>, Failure> {
        let files = files()?;
        let Some(settings) = remembered_in(&files, name)? else { return Ok(None) };
        let store = if settings.store == StoreKind::File { files } else { open(settings.store)? };
        match store.run(&key(name, &settings), Op::Load) {
            Ok(Answer::Row(row)) => Ok(Some(Self::of_row(name.clone(), row, Arc::new(store)))),
            Ok(_) => Ok(None),
            Err(error) if error.fault() == StoreFault::Corrupt => Ok(Some(Err(error.into()))),
            Err(error) => Err(error.into()),
        }
    }

    fn of_row(name: Name, row: Row, store: Arc<Store>) -> Result<Self, Failure> {
        let record = record_of(&row)?;
        let note = record.notes.get(SETTINGS).and_then(|note| serde_json::from_str(note).ok());
        match note {
            Some(settings) if key(&name, &settings) == record.key => Ok(Self { name, settings, record, row, store }),
            _ => Err(Kind::Unexpected.because(format_args!("the stored sign-in ({name}) is not as it was written"))),
        }
    }
}

/// The scope that was granted.
pub fn scope(record: &Record) -> Vec<&str> {
    match &record.granted_scope {
        Some(scope) => scope.split(' ').filter(|word| !word.is_empty()).collect(),
        None => record.requested_scope.iter().map(String::as_str).collect(),
    }
}

/// Makes sure that a login with these settings can be stored, as far as that is known before the user signs in. Without a keyring
/// it is kept in a file.
///
/// # Errors
/// If the store cannot be opened or written.
pub fn check_store(name: &Name, settings: &mut Settings) -> Result<(), Failure> {
    let store = match open(settings.store) {
        Err(failure) if settings.store == StoreKind::Keyring => {
            let files = files()?;
            output::warn(format_args!("the tokens are kept in a file that only you can read: {}", failure.message));
            settings.store = StoreKind::File;
            files
        }
        opened => opened?,
    };
    match store.run(&key(name, settings), Op::Load) {
        // It is replaced.
        Err(error) if may_be_replaced(&error) => {}
        loaded => drop(loaded?),
    }
    let probe = Key::new("", "", "");
    let version = Version::first(LoginId::new(now(), None, 0));
    let written = store.run(&probe, Op::Write { expect: None, version, value: Some(&PROBE) });
    store.discard(&probe)?;
    written?;
    Ok(())
}

/// The names of the logins in files. A keyring could ask for its password.
pub fn names_in_files() -> Vec<Name> {
    let rows = files().and_then(|store| store.list()).unwrap_or_default();
    rows.into_iter().flatten().filter_map(|row| Name::of_key(&record_of(&row).ok()?.key)).collect()
}

/// Stores a new login, over the one of that name. Returns it, and what was there before.
///
/// # Errors
/// If the store cannot be written.
pub fn begin(
    name: &Name,
    settings: &Settings,
    client: Client<'_>,
    signed_in: &SignedIn,
    signing_key: Option<&SigningKey>,
    http: &Http,
) -> Result<(Record, Option<Record>), Failure> {
    let (store, key) = (Arc::new(open(settings.store)?), key(name, settings));
    let requested_at = time::since_1970(signed_in.requested_at);
    let tokens = signed_in.tokens.as_tokens();
    let mut record = Record::of_login(key.clone(), client, &settings.scope(), tokens, requested_at);
    let is_named_after = signed_in.user.as_ref().is_some_and(|user| who::is_named_after(name, user));
    let mut settings = settings.clone();
    settings.is_named_after_user |= is_named_after;
    let note = serde_json::to_string(&settings).map_err(|error| Kind::Unexpected.because(error))?;
    record.notes.insert(SETTINGS.to_owned(), note);
    if let Some(key) = signing_key {
        record.set_signing_key(key.to_pkcs8());
    }
    if let Some(user) = &signed_in.user {
        record.user = Some(User::of(user.as_claims(), tokens.id_token()));
        who::note(&mut record, user);
    }
    let before = Session::new(http, client, Arc::clone(&store), key).begin_with(record.clone())?;
    remember(&store, name, &record);
    Ok((record, before))
}

/// Remembers the settings under the login's name, for the next login and so that the record is found at once. If it fails, the next
/// login has to be told.
fn remember(store: &Store, name: &Name, record: &Record) {
    let text = record.notes.get(SETTINGS);
    if store.note(&name.note()).ok().flatten().as_ref() != text {
        let _ = store.set_note(&name.note(), text.map(String::as_str));
    }
}

/// Discards the record of that name if it cannot be read. Returns whether it did.
///
/// # Errors
/// If the store cannot be opened, read or written.
pub fn discard_unreadable(name: &Name) -> Result<bool, Failure> {
    let Some(settings) = remembered(name)? else { return Ok(false) };
    let (store, key) = (open(settings.store)?, key(name, &settings));
    match store.run(&key, Op::Load) {
        Ok(_) => Ok(false),
        Err(error) if matches!(error.fault(), StoreFault::Corrupt | StoreFault::Newer) => Ok(store.discard(&key)?),
        Err(error) => Err(error.into()),
    }
}

/// The settings of the last login of that name. They survive a logout.
///
/// # Errors
/// If the store cannot be read.
pub fn remembered(name: &Name) -> Result<Option<Settings>, Failure> {
    remembered_in(&files()?, name)
}

fn remembered_in(files: &Store, name: &Name) -> Result<Option<Settings>, Failure> {
    let text = match files.note(&name.note()) {
        Ok(text) => text,
        // The next login replaces it.
        Err(error) if error.fault() == StoreFault::Corrupt => None,
        Err(error) => return Err(error.into()),
    };
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Forgets the settings, and that there was a login. Returns whether there were any.
///
/// # Errors
/// If the store cannot be written.
pub fn forget_settings(name: &Name) -> Result<bool, Failure> {
    let store = files()?;
    let Some(text) = store.note(&name.note())? else { return Ok(false) };
    if let Ok(settings) = serde_json::from_str::<Settings>(&text) {
        open(settings.store)?.discard(&key(name, &settings))?;
    }
    store.set_note(&name.note(), None)?;
    Ok(true)
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
            Ok(store) => Arc::new(store),
            Err(_) if kind == StoreKind::Keyring && wanted != Some(kind) => continue,
            Err(failure) => return Err(failure),
        };
        for row in store.list()? {
            // A probe that was interrupted.
            if row.as_ref().is_ok_and(|row| *row.value == PROBE) {
                continue;
            }
            let read = row.and_then(|row| Ok((record_of(&row)?.key, row)));
            match read.map(|(key, row)| (Name::of_key(&key), row)) {
                Ok((Some(found), row)) if name.is_none_or(|name| *name == found) => {
                    logins.push(Login::of_row(found, row, Arc::clone(&store)));
                }
                Ok(_) => {}
                Err(error) => logins.push(Err(error.into())),
            }
        }
        if name.is_some() && logins.iter().any(Result::is_ok) {
            break;
        }
    }
    Ok(logins)
}

/// The logins that are kept in files. Settings are kept there for all of them.
///
/// # Errors
/// If the folder cannot be used.
fn files() -> Result<Store, StoreError> {
    Store::files(APP)
}

#[cfg(feature = "keyring")]
fn open(kind: StoreKind) -> Result<Store, Failure> {
    Ok(match kind {
        StoreKind::File => files()?,
        StoreKind::Keyring => Store::keyring(APP)?,
    })
}

#[cfg(not(feature = "keyring"))]
fn open(kind: StoreKind) -> Result<Store, Failure> {
    match kind {
        StoreKind::File => Ok(files()?),
        StoreKind::Keyring => Err(Kind::Configuration
            .because("this build of proofkey has no keyring")
            .advise("keep the tokens with --store file, or build with the feature `keyring`")),
    }
}

fn record_of(row: &Row) -> Result<Record, StoreError> {
    Record::from_bytes(&row.value).map_err(|error| {
        let fault = if matches!(error, RecordError::Newer(_)) { StoreFault::Newer } else { StoreFault::Corrupt };
        StoreError::new(fault).because(error)
    })
}

/// A name of its own, as the store of each app has one.
const APP: &str = "proofkey";
/// The note of an earlier version in a record whose refresh token was refused.
const ENDED: &str = "ended";
/// As long as most records or longer.
static PROBE: [u8; 32 * 1024] = [0; 32 * 1024];
/// A note of a record.
const SETTINGS: &str = "settings";
