//! The stored logins: one for each profile and account.

use crate::args::{Select, StoreKind};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use proofkey_core::{AccessToken, Client, Lifetime, RefreshToken, Scope, Server, TokensBuf};
use proofkey_native::{Key, Record, Secret, Store, StoreError};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// What a login is called here: the profile, and the account in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The profile.
    pub profile: String,
    /// The account.
    pub account: String,
}

impl Name {
    /// What the command line and the configuration file mean.
    pub fn of(select: &Select, config: &Config) -> Self {
        let account = select.account.clone().or_else(|| config.profile(&select.profile).account);
        Self { profile: select.profile.clone(), account: account.unwrap_or_else(|| DEFAULT.to_owned()) }
    }

    /// A command line that names this login.
    pub fn command(&self, command: &str) -> String {
        let option =
            |option: &str, name: &str| if name == DEFAULT { String::new() } else { format!(" --{option} {name}") };
        format!("proofkey {command}{}{}", option("profile", &self.profile), option("account", &self.account))
    }

    /// No name holds a slash.
    fn of_key(key: &Key) -> Option<Self> {
        let (profile, account) = key.account.split_once('/')?;
        Some(Self { profile: profile.to_owned(), account: account.to_owned() })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.profile.as_str(), self.account.as_str()) {
            (profile, DEFAULT) => write!(f, "profile `{profile}`"),
            (profile, account) => write!(f, "profile `{profile}`, account `{account}`"),
        }
    }
}

/// A stored login.
#[derive(Debug)]
pub struct Login {
    /// What it is called.
    pub name: Name,
    /// What it was made with.
    pub settings: Settings,
    /// The tokens.
    pub record: Record,
    store: Rc<Store>,
}

impl Login {
    /// Reads the login of that name.
    ///
    /// # Errors
    /// [`Kind::LoginRequired`] where there is none; or a store cannot be read, or holds what was not written by us.
    pub fn load(name: &Name, config: &Config) -> Result<Self, Failure> {
        let mut missing = format!("not signed in ({name})");
        for found in find(config.profile(&name.profile).store, Some(name))? {
            match found {
                Ok(login) => return Ok(login),
                Err(unreadable) => missing = format!("{missing}; {}", unreadable.message),
            }
        }
        Err(Kind::LoginRequired.because(missing).advise(format_args!("sign in with `{}`", name.command("login"))))
    }

    /// Every login there is, or why one cannot be read.
    ///
    /// # Errors
    /// Where a store cannot be read at all.
    pub fn load_all() -> Result<Vec<Result<Self, Failure>>, Failure> {
        find(None, None)
    }

    /// Writes a fresh login down, over the one of that name.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn save(
        name: &Name,
        settings: &Settings,
        client: Client<'_>,
        tokens: &TokensBuf,
        requested_at: u64,
    ) -> Result<Self, Failure> {
        let store = Rc::new(open(settings.store)?);
        let key = key(name, settings);
        let server = client.server();
        let mut record = Record::new(key.clone(), Secret::new(tokens.access_token().expose().to_owned()));
        record.authorization_endpoint = server.authorization_endpoint().to_owned();
        record.token_endpoint = server.token_endpoint().to_owned();
        record.revocation_endpoint = server.revocation_endpoint().map(str::to_owned);
        record.redirect_uri = client.redirect_uri().to_owned();
        record.requested_scope.clone_from(&settings.scope);
        let note = serde_json::to_string(settings).map_err(|error| Kind::Unexpected.because(error))?;
        record.notes.insert(SETTINGS.to_owned(), note);
        let mut login = Self { name: name.clone(), settings: settings.clone(), record, store };
        login.take(tokens, requested_at);
        login.store.lock(&key, LOCK_WAIT)?.save(&login.record)?;
        Ok(login)
    }

    /// Where it is kept.
    pub fn store(&self) -> Rc<Store> {
        Rc::clone(&self.store)
    }

    /// Takes over what the server granted.
    pub fn take(&mut self, tokens: &TokensBuf, requested_at: u64) {
        let record = &mut self.record;
        record.access_token = Secret::new(tokens.access_token().expose().to_owned());
        record.refresh_token = tokens.refresh_token().map(|token| Secret::new(token.expose().to_owned()));
        record.requested_at = requested_at;
        record.expires_in = tokens.expires_in();
        if let scope @ Scope::Granted(_) = tokens.scope() {
            let requested: Vec<_> = record.requested_scope.iter().map(String::as_str).collect();
            record.granted_scope = Some(scope.words(&requested).collect::<Vec<_>>().join(" "));
        }
    }

    /// The client, at the server that the tokens come from.
    ///
    /// # Errors
    /// Where the record was tampered with.
    pub fn client(&self) -> Result<Client<'_>, Failure> {
        let record = &self.record;
        let server = Server::new(&record.authorization_endpoint, &record.token_endpoint);
        let server = record.revocation_endpoint.as_deref().map_or(server, |url| server.with_revocation_endpoint(url));
        Ok(Client::new(&record.key.client_id, &record.redirect_uri, server)?)
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

    /// The scope that was granted.
    pub fn scope(&self) -> Vec<&str> {
        match &self.record.granted_scope {
            Some(scope) => scope.split(' ').filter(|word| !word.is_empty()).collect(),
            None => self.record.requested_scope.iter().map(String::as_str).collect(),
        }
    }

    fn of_record(name: Name, record: Record, store: Rc<Store>) -> Result<Self, Failure> {
        let note = record.notes.get(SETTINGS).and_then(|note| serde_json::from_str(note).ok());
        match note {
            Some(settings) if key(&name, &settings) == record.key => Ok(Self { name, settings, record, store }),
            _ => Err(Kind::Unexpected.because(format_args!("the stored login ({name}) is not as it was written"))),
        }
    }
}

/// Whether a login with these settings can be kept, as far as that is known before the user signs in.
///
/// # Errors
/// Where the store cannot be opened, or its folder cannot be written.
pub fn check_store(name: &Name, settings: &Settings) -> Result<(), Failure> {
    open(settings.store)?.lock(&key(name, settings), LOCK_WAIT)?;
    Ok(())
}

/// The key that a login with these settings is stored under.
pub fn key(name: &Name, settings: &Settings) -> Key {
    Key {
        issuer: settings.server.name().to_owned(),
        client_id: settings.client_id.clone(),
        account: format!("{}/{}", name.profile, name.account),
    }
}

/// The logins in the wanted store, or in any; of one name, or all of them.
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
            error => Kind::Unexpected.because(error),
        }
    }
}

/// How long to wait for another process that refreshes or signs out.
pub const LOCK_WAIT: Duration = Duration::from_secs(60);

const DEFAULT: &str = "default";
const SETTINGS: &str = "settings";
