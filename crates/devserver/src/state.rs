//! The server's memory: sessions, codes and tokens.

use crate::counts::Counts;
use crate::device::Devices;
use crate::family::{Families, Presented, Rejected};
use crate::oidc::{SignIn, now};
use crate::options::{Options, Successor};
use crate::push::Pushes;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Grants {
    pub(crate) counts: Counts,
    pub(crate) devices: Devices,
    pub(crate) pushes: Pushes,
    sessions: HashMap<String, Session>,
    codes: HashMap<String, Code>,
    access_tokens: HashMap<String, Access>,
    access_ttl: u32,
    families: Families,
    successor: Successor,
    /// Once there are this many access tokens, the expired and revoked ones are removed.
    sweep_at: usize,
}

/// One browser.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Part of every form, so that other pages cannot send one.
    pub(crate) csrf: String,
    pub(crate) user: Option<String>,
    consents: HashSet<String>,
    /// When the user signed in, in seconds since 1970.
    pub(crate) auth_time: u64,
}

/// The access that a user granted to a client.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// All tokens that descend from one code.
    pub(crate) family: u64,
    pub(crate) client_id: String,
    pub(crate) scope: Vec<String>,
    pub(crate) user: String,
    /// The thumbprint of the key that the tokens are bound to.
    pub(crate) key: Option<String>,
    pub(crate) sign_in: SignIn,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: String,
    until: Instant,
    used: bool,
}

/// An access token.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) token: String,
    pub(crate) grant: Arc<Grant>,
    pub(crate) until: Instant,
}

/// The tokens of a token response.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) access: Access,
    /// The lifetime of the access token in seconds.
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: Option<String>,
}

impl Grants {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            counts: Counts::default(),
            devices: Devices::default(),
            pushes: Pushes::default(),
            sessions: HashMap::new(),
            codes: HashMap::new(),
            access_tokens: HashMap::new(),
            access_ttl: options.access_token_ttl,
            families: Families::new(options),
            successor: options.successor,
            sweep_at: SWEEP_MIN,
        }
    }

    /// The session of a cookie, or a new one under a new id.
    pub(crate) fn session(&mut self, id: Option<&str>) -> (String, Session) {
        if let Some((id, session)) = id.and_then(|id| self.sessions.get(id).map(|session| (id, session))) {
            return (id.to_owned(), session.clone());
        }
        let (id, session) = (random(), Session { csrf: random(), user: None, consents: HashSet::new(), auth_time: 0 });
        self.sessions.insert(id.clone(), session.clone());
        (id, session)
    }

    /// Signs a user in under a new session id, so that an earlier id is worthless.
    pub(crate) fn sign_in(&mut self, id: &str, user: &str) -> String {
        let fresh = random();
        if let Some(mut session) = self.sessions.remove(id) {
            if session.user.as_deref() != Some(user) {
                session.consents.clear();
            }
            session.user = Some(user.to_owned());
            session.auth_time = now();
            self.sessions.insert(fresh.clone(), session);
        }
        fresh
    }

    /// Signs a user out of a browser.
    pub(crate) fn sign_out(&mut self, id: &str, user: &str) {
        if let Some(session) = self.sessions.get_mut(id).filter(|session| session.user.as_deref() == Some(user)) {
            session.user = None;
        }
    }

    pub(crate) fn remember_consent(&mut self, id: &str, client_id: &str, scope: &[String]) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.consents.insert(consent(client_id, scope));
        }
    }

    pub(crate) fn issue_code(&mut self, grant: Grant, redirect_uri: &str, challenge: &str, ttl: u32) -> String {
        let code = random();
        let until = Instant::now() + Duration::from_secs(ttl.into());
        let (redirect_uri, challenge) = (redirect_uri.to_owned(), challenge.to_owned());
        self.codes.insert(code.clone(), Code { grant, redirect_uri, challenge, until, used: false });
        code
    }

    /// Uses a code up. A second use revokes the tokens of the first (RFC 6749 section 4.1.2).
    pub(crate) fn use_code(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Grant, &'static str> {
        let code = self.codes.get_mut(code).ok_or("the code is unknown")?;
        if std::mem::replace(&mut code.used, true) {
            self.families.end(code.grant.family);
            return Err("the code was used before; all its tokens are revoked");
        }
        if code.until <= Instant::now() {
            return Err("the code has expired");
        }
        if code.grant.client_id != client_id {
            return Err("the code was issued to another client");
        }
        if code.redirect_uri != redirect_uri {
            return Err("the redirect_uri differs from the one of the authorization request");
        }
        if Base64UrlUnpadded::encode_string(&Sha256::digest(verifier)) != code.challenge {
            return Err("the code_verifier does not match the code_challenge");
        }
        Ok(code.grant.clone())
    }

    /// The first tokens of a grant.
    pub(crate) fn start(&mut self, grant: Grant) -> Issued {
        let grant = Arc::new(grant);
        self.families.start(Arc::clone(&grant));
        let refresh_token = grant.has("offline_access").then(|| self.families.current(grant.family));
        Issued { access: self.issue(grant, Instant::now()), expires_in: self.access_ttl.into(), refresh_token }
    }

    /// Checks a refresh token without spending it.
    pub(crate) fn present(&mut self, token: &str, client_id: &str) -> Result<Presented, &'static str> {
        self.families.present(token, client_id, Instant::now()).map_err(|why| {
            self.counts.reuses += u64::from(why == Rejected::Reused);
            why.description()
        })
    }

    /// Issues tokens for a refresh token, and spends it unless `keep`.
    pub(crate) fn refresh(&mut self, presented: Presented, scope: Grant, keep: bool) -> Issued {
        let (family, now, fresh) = (presented.grant.family, Instant::now(), self.access_ttl.into());
        let Some(first) = presented.replayed else {
            self.counts.refreshes += 1;
            let access = self.issue(Arc::new(scope), now);
            let refresh_token = (!keep).then(|| self.families.rotate(family, access.clone(), now));
            return Issued { access, expires_in: fresh, refresh_token };
        };
        self.counts.replays += 1;
        match self.successor {
            Successor::AccessTokenOnly => {
                Issued { access: self.issue(Arc::new(scope), now), expires_in: fresh, refresh_token: None }
            }
            Successor::Newest => {
                self.access_tokens.remove(&first.token);
                let access = self.issue(Arc::new(scope), now);
                let refresh_token = Some(self.families.replace(family, access.clone()));
                Issued { access, expires_in: fresh, refresh_token }
            }
            Successor::Same => {
                let expires_in = first.until.saturating_duration_since(now).as_secs();
                Issued { access: first, expires_in, refresh_token: Some(self.families.current(family)) }
            }
        }
    }

    /// The grant of an access token, while that is valid.
    pub(crate) fn access(&self, token: &str) -> Option<Arc<Grant>> {
        let access = self.access_tokens.get(token)?;
        access.is_valid(&self.families, Instant::now()).then(|| Arc::clone(&access.grant))
    }

    /// Revokes a token of the client; a refresh token takes its family along (RFC 7009 section 2.1).
    pub(crate) fn revoke(&mut self, token: &str, client_id: &str) {
        if let Some(grant) = self.families.grant(token).filter(|grant| grant.client_id == client_id) {
            self.families.end(grant.family);
        } else if self.access_tokens.get(token).is_some_and(|access| access.grant.client_id == client_id) {
            self.access_tokens.remove(token);
        }
    }

    fn issue(&mut self, grant: Arc<Grant>, now: Instant) -> Access {
        if self.access_tokens.len() >= self.sweep_at {
            self.access_tokens.retain(|_, access| access.is_valid(&self.families, now));
            self.sweep_at = SWEEP_MIN.max(self.access_tokens.len() * 2);
        }
        let access = Access { token: random(), grant, until: now + Duration::from_secs(self.access_ttl.into()) };
        self.access_tokens.insert(access.token.clone(), access.clone());
        access
    }
}

impl Access {
    fn is_valid(&self, families: &Families, now: Instant) -> bool {
        self.until > now && families.is_alive(self.grant.family)
    }
}

impl Grant {
    pub(crate) fn new(client_id: &str, scope: Vec<String>, user: String) -> Self {
        Self {
            family: u64::from_ne_bytes(random_bytes()),
            client_id: client_id.to_owned(),
            scope,
            user,
            key: None,
            sign_in: SignIn::default(),
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scope.iter().any(|granted| granted == scope)
    }
}

impl Session {
    pub(crate) fn has_consented(&self, client_id: &str, scope: &[String]) -> bool {
        self.consents.contains(&consent(client_id, scope))
    }
}

fn consent(client_id: &str, scope: &[String]) -> String {
    let mut scope = scope.to_vec();
    scope.sort();
    format!("{client_id} {}", scope.join(" "))
}

/// 256 random bits as text.
pub(crate) fn random() -> String {
    Base64UrlUnpadded::encode_string(&random_bytes::<32>())
}

pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

const SWEEP_MIN: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_needs_no_more_memory_after_many_refreshes() {
        for (access_token_ttl, replayed) in [(0, false), (3600, true)] {
            let options = Options { access_token_ttl, refresh_grace: 3600, ..Options::default() };
            let mut grants = Grants::new(&options);
            let mut token = grants.start(grant()).refresh_token.unwrap();
            for _ in 0..5000 {
                let presented = grants.present(&token, "client").unwrap();
                let issued = grants.refresh(presented, grant(), false);
                if !replayed {
                    token = issued.refresh_token.unwrap();
                }
            }
            assert!(grants.access_tokens.len() <= SWEEP_MIN, "{}", grants.access_tokens.len());
        }
    }

    #[test]
    fn dead_access_tokens_are_removed_now_and_then() {
        let mut grants = Grants::new(&Options::default());
        let family = grants.start(grant()).access.grant;
        for _ in 0..SWEEP_MIN {
            grants.issue(Arc::clone(&family), Instant::now());
        }
        assert_eq!((grants.access_tokens.len(), grants.sweep_at), (SWEEP_MIN + 1, 2 * SWEEP_MIN), "all are valid");
        grants.families.end(family.family);
        let other = grants.start(grant()).access.grant;
        for _ in 2..SWEEP_MIN {
            grants.issue(Arc::clone(&other), Instant::now());
        }
        assert_eq!(grants.access_tokens.len(), 2 * SWEEP_MIN);
        grants.issue(other, Instant::now());
        assert_eq!(grants.access_tokens.len(), SWEEP_MIN);
    }

    fn grant() -> Grant {
        Grant::new("client", vec!["offline_access".to_owned()], "alice".to_owned())
    }
}
