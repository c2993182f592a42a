//! [`Version`]: which pair of tokens a stored login holds.

use core::cmp::Ordering;
use core::fmt;

/// The login of a [`Version`]: the sign-in that its tokens come from.
///
/// A login that began later is greater, and no two are equal: of two that began in the same second, the random part decides.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LoginId {
    since: u64,
    random: u64,
}

impl LoginId {
    /// The login that began at `now`, in seconds since 1970, or after `previous` if the clock says otherwise. `random` tells it
    /// from any other that begins in this second. A device without a clock counts its logins in flash, and gives the count for
    /// `now`.
    #[must_use]
    pub const fn new(now: u64, previous: Option<Self>, random: u64) -> Self {
        match previous {
            Some(previous) if now <= previous.since => Self { since: previous.since.saturating_add(1), random },
            _ => Self { since: now, random },
        }
    }

    /// The second in which it began.
    #[must_use]
    pub const fn since(self) -> u64 {
        self.since
    }
}

/// Names a claim: 16 random bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct ClaimId(
    /// The bytes.
    pub [u8; 16],
);

impl fmt::Debug for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Names one state of a stored login: the sign-in, how often it was refreshed, and the claim under which that was done.
///
/// ```
/// use proofkey_core::session::{ClaimId, LoginId, Version};
///
/// let login = LoginId::new(1_700_000_000, None, 7);
/// let first = Version::first(login);
/// let second = first.next(ClaimId([1; 16]));
/// assert!(second.is_newer_than(first) && !first.is_newer_than(second));
///
/// // A later login is newer, however often the earlier one was refreshed, and even if the clock was set back.
/// let again = Version::first(LoginId::new(1_600_000_000, Some(login), 8));
/// assert!(again.is_newer_than(second));
/// assert_eq!(Version::from_bytes(&second.to_bytes()), Some(second));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Version {
    login: LoginId,
    refresh: u32,
    claim: ClaimId,
}

impl Version {
    pub(super) const NONE: Self = Self::first(LoginId { since: 0, random: 0 });

    /// The first version of a login.
    #[must_use]
    pub const fn first(login: LoginId) -> Self {
        Self::nth(login, 0)
    }

    /// The version of a login that was refreshed so often, for a store whose claims have no names: a lock of the system, or a
    /// single task.
    #[must_use]
    pub const fn nth(login: LoginId, refresh: u32) -> Self {
        Self { login, refresh, claim: ClaimId([0; 16]) }
    }

    /// The version that follows this one, written under a claim.
    #[must_use]
    pub const fn next(self, claim: ClaimId) -> Self {
        Self { login: self.login, refresh: self.refresh.saturating_add(1), claim }
    }

    /// The sign-in that it belongs to.
    #[must_use]
    pub const fn login(self) -> LoginId {
        self.login
    }

    /// How often the login was refreshed.
    #[must_use]
    pub const fn refresh(self) -> u32 {
        self.refresh
    }

    /// Whether it is of a later login, or of the same one and refreshed more often. Of two versions with the same count,
    /// written under different claims, none is newer.
    #[must_use]
    pub fn is_newer_than(self, other: Self) -> bool {
        match self.login.cmp(&other.login) {
            Ordering::Equal => self.refresh > other.refresh,
            order => order == Ordering::Greater,
        }
    }

    /// The version in 36 bytes, to store it.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let Self { login, refresh, claim } = self;
        let parts =
            login.since.to_be_bytes().into_iter().chain(login.random.to_be_bytes()).chain(refresh.to_be_bytes());
        bytes.iter_mut().zip(parts.chain(claim.0)).for_each(|(to, from)| *to = from);
        bytes
    }

    /// The version in these bytes, unless they are of another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (since, rest) = bytes.split_first_chunk()?;
        let (random, rest) = rest.split_first_chunk()?;
        let (refresh, claim) = rest.split_first_chunk()?;
        Some(Self {
            login: LoginId { since: u64::from_be_bytes(*since), random: u64::from_be_bytes(*random) },
            refresh: u32::from_be_bytes(*refresh),
            claim: ClaimId(claim.try_into().ok()?),
        })
    }

    /// The length of [`to_bytes`](Self::to_bytes).
    pub const BYTES: usize = 36;
}
