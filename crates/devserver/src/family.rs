//! Refresh tokens: their families, their rotation, and the detection of reuse (RFC 9700 section 4.14.2).

use crate::options::Options;
use crate::state::{Access, Grant, random_bytes};
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// All families, each the tokens that descend from one code.
///
/// A refresh token carries its family and its place in it, with a tag that only this server can make. So every token that
/// a family ever had is recognized, although only the last two are stored.
#[derive(Debug)]
pub(crate) struct Families {
    key: [u8; 32],
    grace: Duration,
    families: HashMap<u64, Family>,
}

#[derive(Debug)]
struct Family {
    grant: Arc<Grant>,
    ended: bool,
    /// The place of the refresh token that is valid.
    current: u64,
    spent: Option<Spent>,
}

/// The predecessor of the current refresh token.
#[derive(Clone, Debug)]
struct Spent {
    place: u64,
    since: Instant,
    /// The access token that was issued with the current refresh token.
    access: Access,
}

/// A refresh token that is accepted.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) grant: Arc<Grant>,
    /// If the token was spent before: the access token of its successor.
    pub(crate) replayed: Option<Access>,
}

/// Why a refresh token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    OtherClient,
    Reused,
    Revoked,
    Unknown,
}

impl Families {
    pub(crate) fn new(options: &Options) -> Self {
        let grace = Duration::from_secs(options.refresh_grace.into());
        Self { key: random_bytes(), grace, families: HashMap::new() }
    }

    /// Starts the family of a grant.
    pub(crate) fn start(&mut self, grant: Arc<Grant>) {
        self.families.insert(grant.family, Family { grant, ended: false, current: 0, spent: None });
    }

    /// Whether the tokens of a family are not revoked.
    pub(crate) fn is_alive(&self, family: u64) -> bool {
        self.families.get(&family).is_some_and(|family| !family.ended)
    }

    /// Revokes all tokens of a family.
    pub(crate) fn end(&mut self, family: u64) {
        if let Some(family) = self.families.get_mut(&family) {
            family.end();
        }
    }

    /// The grant of a refresh token, whether it is valid, spent or revoked.
    pub(crate) fn grant(&self, token: &str) -> Option<&Grant> {
        let (family, _) = self.read(token)?;
        self.families.get(&family).map(|family| &*family.grant)
    }

    /// Checks a refresh token. If it was spent before, and is not the predecessor in its grace, its family is revoked.
    pub(crate) fn present(&mut self, token: &str, client_id: &str, now: Instant) -> Result<Presented, Rejected> {
        let (family, place) = self.read(token).ok_or(Rejected::Unknown)?;
        let grace = self.grace;
        let family = self.families.get_mut(&family).ok_or(Rejected::Unknown)?;
        if family.grant.client_id != client_id {
            return Err(Rejected::OtherClient);
        }
        if family.ended {
            return Err(Rejected::Revoked);
        }
        let grant = Arc::clone(&family.grant);
        if place == family.current {
            return Ok(Presented { grant, replayed: None });
        }
        let in_grace = |spent: &&Spent| spent.place == place && now.duration_since(spent.since) < grace;
        if let Some(spent) = family.spent.as_ref().filter(in_grace) {
            return Ok(Presented { grant, replayed: Some(spent.access.clone()) });
        }
        family.end();
        Err(Rejected::Reused)
    }

    /// The refresh token of a family that is valid.
    pub(crate) fn current(&self, family: u64) -> String {
        self.token(family, self.families.get(&family).map_or(0, |family| family.current))
    }

    /// Spends the current refresh token. The answer has its successor and this access token.
    pub(crate) fn rotate(&mut self, family: u64, access: Access, now: Instant) -> String {
        if let Some(family) = self.families.get_mut(&family) {
            family.spent = Some(Spent { place: family.current, since: now, access });
            family.current += 1;
        }
        self.current(family)
    }

    /// Replaces the current refresh token, which the client may not have received. The grace of its predecessor goes on.
    pub(crate) fn replace(&mut self, family: u64, access: Access) -> String {
        if let Some(family) = self.families.get_mut(&family) {
            family.current += 1;
            if let Some(spent) = &mut family.spent {
                spent.access = access;
            }
        }
        self.current(family)
    }

    fn token(&self, family: u64, place: u64) -> String {
        let mut bytes = [0; TOKEN];
        bytes[TAG..TAG + 8].copy_from_slice(&family.to_be_bytes());
        bytes[TAG + 8..].copy_from_slice(&place.to_be_bytes());
        let tag = Sha256::new().chain_update(self.key).chain_update(&bytes[TAG..]).finalize();
        bytes[..TAG].copy_from_slice(&tag[..TAG]);
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// The family and the place of a token of this server.
    fn read(&self, token: &str) -> Option<(u64, u64)> {
        let mut bytes = [0; TOKEN];
        let read = Base64UrlUnpadded::decode(token, &mut bytes).ok()?;
        let (family, place) = read.get(TAG..)?.split_first_chunk()?;
        let (family, place) = (u64::from_be_bytes(*family), u64::from_be_bytes(*place.first_chunk()?));
        (self.token(family, place) == token).then_some((family, place))
    }
}

impl Family {
    fn end(&mut self) {
        self.ended = true;
        self.spent = None;
    }
}

impl Rejected {
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::OtherClient => "the refresh token was issued to another client",
            Self::Reused => "the refresh token was used before; all tokens of its family are revoked",
            Self::Revoked => "the refresh token is revoked",
            Self::Unknown => "the refresh token is unknown",
        }
    }
}

/// The bytes of a token: its tag, its family and its place.
const TOKEN: usize = TAG + 16;
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_is_for_the_predecessor_alone_and_ends_in_time() {
        let (mut families, id) = family(30);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let first = families.current(id);
        let second = families.rotate(id, access(id), start);
        assert!(present(&mut families, &first, at(29)).unwrap().replayed.is_some());
        assert!(present(&mut families, &second, at(29)).unwrap().replayed.is_none());
        let third = families.rotate(id, access(id), at(29));
        assert!(present(&mut families, &second, at(58)).unwrap().replayed.is_some());
        assert_eq!(present(&mut families, &second, at(59)).unwrap_err(), Rejected::Reused);
        assert_eq!(present(&mut families, &third, at(59)).unwrap_err(), Rejected::Revoked);
        assert!(!families.is_alive(id));

        let (mut families, id) = family(30);
        let first = families.current(id);
        families.rotate(id, access(id), start);
        families.rotate(id, access(id), start);
        assert_eq!(present(&mut families, &first, start).unwrap_err(), Rejected::Reused);
    }

    #[test]
    fn a_replay_does_not_prolong_the_grace() {
        let (mut families, id) = family(30);
        let start = Instant::now();
        let first = families.current(id);
        let sibling = families.rotate(id, access(id), start);
        let newest = families.replace(id, access(id));
        assert_ne!(sibling, newest);
        assert!(present(&mut families, &newest, start).unwrap().replayed.is_none());
        let late = start + Duration::from_secs(30);
        assert_eq!(present(&mut families, &first, late).unwrap_err(), Rejected::Reused);
    }

    #[test]
    fn a_token_that_this_server_did_not_make_is_unknown() {
        let (mut families, id) = family(0);
        let (other, _) = family(0);
        let token = families.current(id);
        assert_eq!(families.read(&token), Some((id, 0)));
        let another = if token.starts_with('A') { 'B' } else { 'A' };
        let forged = format!("{another}{}", &token[1..]);
        let long = format!("{token}AAAA");
        for token in [&other.token(id, 0), &families.token(id + 1, 0), &forged, &token[..42], &long, "", "AAAA", "=?"] {
            assert_eq!(present(&mut families, token, Instant::now()).unwrap_err(), Rejected::Unknown, "{token}");
        }
        assert!(families.is_alive(id));
    }

    fn family(grace: u32) -> (Families, u64) {
        let mut families = Families::new(&Options { refresh_grace: grace, ..Options::default() });
        families.start(grant(7));
        (families, 7)
    }

    fn present(families: &mut Families, token: &str, now: Instant) -> Result<Presented, Rejected> {
        families.present(token, "client", now)
    }

    fn access(family: u64) -> Access {
        Access { token: String::new(), grant: grant(family), until: Instant::now() }
    }

    fn grant(family: u64) -> Arc<Grant> {
        Arc::new(Grant {
            family,
            client_id: "client".into(),
            scope: Vec::new(),
            user: "alice".into(),
            key: None,
            sign_in: crate::oidc::SignIn::default(),
        })
    }
}
