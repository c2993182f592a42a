//! What a pass is to reach, and what it may count on: [`Need`], [`Policy`], [`Now`].

use super::Version;

/// What a caller needs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Need {
    /// Another token than the one that is stored now.
    New,
    /// Another token than that of this version: an API answered 401 to it. A token that was issued within the last minute is
    /// not renewed.
    OtherThan(Version),
    /// A token that is valid now.
    Valid,
    /// A token that is valid for so many seconds, as far as its lifetime is known, or one that is issued now.
    ValidFor(u32),
}

impl Need {
    /// Whether it is met by any valid token that is issued after the caller came.
    #[must_use]
    pub const fn is_met_by_new(self) -> bool {
        matches!(self, Self::New | Self::ValidFor(_))
    }
}

/// For how long a server still accepts a refresh token after it has issued the next one.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Grace {
    /// Not at all: it takes the old one for a theft, and ends the login.
    None,
    /// For so many seconds.
    Seconds(u32),
    /// For ever: a refresh does not bring a new refresh token, or old ones stay valid.
    Unlimited,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// The rules of a session.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The server's grace for a refresh token that was used before. It only matters after an answer was lost: with
    /// [`Grace::None`] a refresh token of unknown state is sent once more when nothing is at stake any longer, that is when the
    /// access token has ended.
    pub grace: Grace,
    /// The longest wait for one answer of the server, in seconds.
    pub send: u16,
    /// How long a claim lives, in seconds. All sends under it end seven seconds before it does.
    pub claim: u16,
}

impl Policy {
    /// 15 seconds for an answer, 25 for a claim, and the server's grace is not known.
    #[must_use]
    pub const fn new() -> Self {
        Self { grace: Grace::Unknown, send: 15, claim: 25 }
    }

    /// The same with the server's grace.
    #[must_use]
    pub const fn with_grace(self, grace: Grace) -> Self {
        Self { grace, ..self }
    }

    /// The same with other limits, in seconds. A claim lives for at least ten seconds more than an answer takes.
    #[must_use]
    pub const fn with_limits(self, send: u16, claim: u16) -> Self {
        let least = send.saturating_add(10);
        Self { send, claim: if claim < least { least } else { claim }, ..self }
    }

    /// The time for all sends under a claim, in milliseconds.
    pub(super) const fn sending(&self) -> u64 {
        (self.claim.saturating_sub(7) as u64).saturating_mul(1000)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

/// A moment on two clocks, in milliseconds. A device with one clock gives it twice.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Now {
    pub(super) wall: u64,
    pub(super) uptime: u64,
}

impl Now {
    /// `wall` since 1970, which can be set, and goes on while the machine sleeps; `uptime` on a clock that is never set.
    #[must_use]
    pub const fn new(wall: u64, uptime: u64) -> Self {
        Self { wall, uptime }
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.wall / 1000
    }

    /// The milliseconds of the clock that is never set.
    #[must_use]
    pub const fn uptime_ms(self) -> u64 {
        self.uptime
    }

    pub(super) const fn plus(self, milliseconds: u64) -> Self {
        Self { wall: self.wall.saturating_add(milliseconds), uptime: self.uptime.saturating_add(milliseconds) }
    }

    /// The milliseconds since `earlier`, by the clock on which more have passed.
    pub(super) const fn since(self, earlier: Self) -> u64 {
        let wall = self.wall.saturating_sub(earlier.wall);
        let uptime = self.uptime.saturating_sub(earlier.uptime);
        if wall > uptime { wall } else { uptime }
    }
}
