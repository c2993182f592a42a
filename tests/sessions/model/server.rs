//! A model of an authorization server with rotation and reuse detection.

use super::config::{Rotation, Successor};

/// The logins that the server knows, by number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Server {
    families: [Family; FAMILIES],
    count: u8,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Family {
    state: Life,
    /// The number of the newest refresh token.
    current: u8,
    /// When each earlier one was spent, in seconds.
    spent: [u32; TOKENS],
}

/// What the server thinks of a login.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Life {
    Live,
    /// Somebody asked for that.
    Revoked,
    /// A refresh token was used again: taken for a theft.
    Reused,
}

/// The answer to a refresh token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reply {
    /// An access token, and this refresh token, which may be the one that was sent.
    Granted(u8),
    Refused,
}

impl Server {
    /// With one login.
    pub(crate) fn new() -> Self {
        let family = Family { state: Life::Live, current: 0, spent: [0; TOKENS] };
        Self { families: [family; FAMILIES], count: 1 }
    }

    /// A sign-in.
    pub(crate) fn login(&mut self) -> u8 {
        self.count += 1;
        self.count - 1
    }

    pub(crate) fn count(&self) -> u8 {
        self.count
    }

    pub(crate) fn revoke(&mut self, family: u8) {
        self.families[usize::from(family)].state = Life::Revoked;
    }

    pub(crate) fn life(&self, family: u8) -> Life {
        self.families[usize::from(family)].state
    }

    pub(crate) fn current(&self, family: u8) -> u8 {
        self.families[usize::from(family)].current
    }

    pub(crate) fn refresh(&mut self, family: u8, token: u8, rotation: Rotation, now: u32) -> Reply {
        let family = &mut self.families[usize::from(family)];
        if family.state != Life::Live {
            return Reply::Refused;
        }
        let Rotation::Grace(grace, successor) = rotation else { return Reply::Granted(token) };
        if token == family.current {
            return Reply::Granted(family.rotate(now));
        }
        let spent = family.spent[usize::from(token)];
        if now >= spent + grace {
            family.state = Life::Reused;
            return Reply::Refused;
        }
        Reply::Granted(match successor {
            Successor::AccessOnly => token,
            Successor::Newest => family.rotate(now),
            Successor::Same => family.current,
        })
    }

    /// The next moment at which a refresh token is no longer accepted.
    pub(crate) fn next_grace_end(&self, rotation: Rotation, now: u32) -> Option<u32> {
        let Rotation::Grace(grace, _) = rotation else { return None };
        let families = self.families.iter().filter(|family| family.state == Life::Live);
        let ends = families.flat_map(|family| family.spent[..usize::from(family.current)].iter().map(|at| at + grace));
        ends.filter(|end| *end > now).min()
    }
}

impl Family {
    fn rotate(&mut self, now: u32) -> u8 {
        self.spent[usize::from(self.current)] = now;
        self.current += 1;
        self.current
    }
}

const FAMILIES: usize = 4;
const TOKENS: usize = 12;
