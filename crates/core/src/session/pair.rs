//! [`Pair`]: what a pass knows of a pair of tokens.

use super::{End, Need, Now, Version};
use crate::lifetime::Lifetime;

/// What a pass knows of an access token and its refresh token: no secret, only version, lifetime and whether it can be
/// refreshed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Pair {
    pub(super) version: Version,
    /// When the access token ends, on both clocks; `u64::MAX` if nobody knows.
    ends: Now,
    /// How long before that a refresh is due, in milliseconds.
    early: u64,
    pub(super) renewal: Renewal,
}

/// Whether an access token can be renewed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Renewal {
    /// The login has ended. The access token may still be valid.
    Ended(End),
    /// There is no refresh token.
    NoRefreshToken,
    /// The refresh token is bound to a key that is not here.
    OtherKey,
    /// There is a refresh token.
    Possible,
}

impl Pair {
    /// A pair whose access token has this lifetime, as it is `now`. `lifetime` is in seconds since 1970.
    #[must_use]
    pub const fn new(version: Version, lifetime: Lifetime, renewal: Renewal, now: Now) -> Self {
        let ends = match lifetime.remaining(now.seconds()) {
            None => Now::new(u64::MAX, u64::MAX),
            Some(left) => now.plus((left as u64).saturating_mul(1000)),
        };
        // Due is also what was requested in the future: the clock was set back.
        let early = if lifetime.is_due(now.seconds()) { u64::MAX } else { lifetime.early() };
        Self { version, ends, early, renewal }
    }

    /// A pair without an access token for what is needed.
    #[must_use]
    pub const fn without_token(version: Version, renewal: Renewal) -> Self {
        Self { version, ends: Now::new(0, 0), early: 0, renewal }
    }

    /// The same, refreshed up to twice as early: `spread` of 255 parts more. A fleet does not refresh all at once if each
    /// process draws its own.
    #[must_use]
    pub const fn with_spread(self, spread: u8) -> Self {
        let more = (self.early / 255).saturating_mul(spread as u64);
        Self { early: self.early.saturating_add(more), ..self }
    }

    /// The same under another version.
    #[must_use]
    pub const fn at(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether the access token can be used now.
    #[must_use]
    pub const fn is_valid(&self, now: Now) -> bool {
        now.wall < self.ends.wall && now.uptime < self.ends.uptime
    }

    /// The seconds that are left of the access token; none if nobody knows.
    #[must_use]
    pub fn remaining(&self, now: Now) -> Option<u32> {
        self.left(now).map(|left| u32::try_from(left / 1000).unwrap_or(u32::MAX))
    }

    /// Whether it is time to refresh.
    #[must_use]
    pub const fn is_due(&self, now: Now) -> bool {
        match self.left(now) {
            Some(left) => left <= self.early,
            None => false,
        }
    }

    /// Whether the access token can be handed out to a caller with this need, whenever it was issued.
    #[must_use]
    pub fn serves(&self, need: Need, now: Now) -> bool {
        self.is_valid(now)
            && match need {
                Need::New => false,
                Need::OtherThan(version) => self.version != version,
                Need::Valid => true,
                Need::ValidFor(seconds) => {
                    self.left(now).is_none_or(|left| left >= u64::from(seconds).saturating_mul(1000))
                }
            }
    }

    /// The milliseconds that are left, by the clock on which fewer are.
    const fn left(&self, now: Now) -> Option<u64> {
        if self.ends.wall == u64::MAX || self.ends.uptime == u64::MAX {
            return None;
        }
        let wall = self.ends.wall.saturating_sub(now.wall);
        let uptime = self.ends.uptime.saturating_sub(now.uptime);
        Some(if wall < uptime { wall } else { uptime })
    }
}
