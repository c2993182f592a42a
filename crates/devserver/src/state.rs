//! The server's memory: sessions, codes and tokens.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Grants {
    sessions: HashMap<String, Session>,
    codes: HashMap<String, Code>,
    access_tokens: HashMap<String, AccessToken>,
    refresh_tokens: HashMap<String, RefreshToken>,
    revoked: HashSet<String>,
}

/// One browser.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Part of every form, so that other pages cannot send one.
    pub(crate) csrf: String,
    pub(crate) user: Option<String>,
    consents: HashSet<String>,
}

/// The access that a user granted to a client.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// All tokens that descend from one code.
    family: String,
    pub(crate) client_id: String,
    pub(crate) scope: Vec<String>,
    pub(crate) user: String,
}

#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: String,
    until: Instant,
    used: bool,
}

#[derive(Debug)]
struct AccessToken {
    grant: Grant,
    until: Instant,
}

#[derive(Debug)]
struct RefreshToken {
    grant: Grant,
    used: bool,
}

impl Grants {
    /// The session of a cookie, or a new one under a new id.
    pub(crate) fn session(&mut self, id: Option<&str>) -> (String, Session) {
        if let Some((id, session)) = id.and_then(|id| self.sessions.get(id).map(|session| (id, session))) {
            return (id.to_owned(), session.clone());
        }
        let (id, session) = (random(), Session { csrf: random(), user: None, consents: HashSet::new() });
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
            self.sessions.insert(fresh.clone(), session);
        }
        fresh
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
            self.revoked.insert(code.grant.family.clone());
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

    /// The grant of a refresh token. If the token was used before, its family is revoked (RFC 9700 section 4.14.2).
    pub(crate) fn refresh(&mut self, token: &str, client_id: &str) -> Result<Grant, &'static str> {
        let token = self.refresh_tokens.get(token).ok_or("the refresh token is unknown")?;
        if token.grant.client_id != client_id {
            return Err("the refresh token was issued to another client");
        }
        if self.revoked.contains(&token.grant.family) {
            return Err("the refresh token is revoked");
        }
        if token.used {
            self.revoked.insert(token.grant.family.clone());
            return Err("the refresh token was used before; all tokens of its family are revoked");
        }
        Ok(token.grant.clone())
    }

    /// Uses a refresh token up.
    pub(crate) fn use_refresh_token(&mut self, token: &str) {
        if let Some(token) = self.refresh_tokens.get_mut(token) {
            token.used = true;
        }
    }

    pub(crate) fn issue_access_token(&mut self, grant: Grant, ttl: u32) -> String {
        let token = random();
        let until = Instant::now() + Duration::from_secs(ttl.into());
        self.access_tokens.insert(token.clone(), AccessToken { grant, until });
        token
    }

    pub(crate) fn issue_refresh_token(&mut self, grant: Grant) -> String {
        let token = random();
        self.refresh_tokens.insert(token.clone(), RefreshToken { grant, used: false });
        token
    }

    /// The grant of an access token, while that is valid.
    pub(crate) fn access(&self, token: &str) -> Option<Grant> {
        let token = self.access_tokens.get(token)?;
        let valid = token.until > Instant::now() && !self.revoked.contains(&token.grant.family);
        valid.then(|| token.grant.clone())
    }

    /// Revokes a token of the client; a refresh token takes its family along (RFC 7009 section 2.1).
    pub(crate) fn revoke(&mut self, token: &str, client_id: &str) {
        if let Some(token) = self.refresh_tokens.get(token).filter(|token| token.grant.client_id == client_id) {
            self.revoked.insert(token.grant.family.clone());
        } else if self.access_tokens.get(token).is_some_and(|token| token.grant.client_id == client_id) {
            self.access_tokens.remove(token);
        }
    }
}

impl Grant {
    pub(crate) fn new(client_id: &str, scope: Vec<String>, user: String) -> Self {
        Self { family: random(), client_id: client_id.to_owned(), scope, user }
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
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    Base64UrlUnpadded::encode_string(&bytes)
}
