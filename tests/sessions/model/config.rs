//! What is explored.

use proofkey_core::session::{Need, Policy};

/// One exploration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    pub(crate) name: &'static str,
    pub(crate) rotation: Rotation,
    pub(crate) policy: Policy,
    /// The seconds that the first access token is still valid; it is due.
    pub(crate) left: u32,
    pub(crate) need: Need,
    pub(crate) parties: usize,
    /// No time passes before all parties have begun.
    pub(crate) is_eager: bool,
    /// How often each party needs a token.
    pub(crate) passes: u8,
    pub(crate) faults: u8,
    pub(crate) kinds: u32,
    pub(crate) sign_outs: u8,
    pub(crate) logins: u8,
    pub(crate) mutant: Option<Mutant>,
}

/// What the server does with refresh tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rotation {
    /// Each is valid for so many seconds after its first use.
    Grace(u32, Successor),
    /// There is one, for ever.
    Never,
}

/// What the server issues for a refresh token that was used before, within its grace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Successor {
    AccessOnly,
    Newest,
    Same,
}

/// A fault of a party, of the network or of the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// The request was not sent.
    NotSent,
    /// It was cut off before it arrived.
    CutBefore,
    /// The server refused for the moment.
    Refused,
    /// The store was down for one operation.
    Down,
    /// The same, but it did what it was asked for.
    DownAfter,
    /// The store takes no writes for a while; claims are not writes.
    NoWrites,
    /// A party is three seconds late.
    Late,
    /// A party that has a new pair writes it within the second after its claim has lapsed.
    Drowsy,
    /// The answer had a refresh token and nothing else that can be used.
    Flawed,
    /// The answer was cut off.
    CutAfter,
    /// The answer came too late.
    SlowAnswer,
    /// The request timed out, and may arrive later.
    SlowRequest,
    /// A party ends at any step, and begins anew.
    Crash,
    /// A party stops before a step, for any time.
    Pause,
    /// A party stops before it sees the store's answer.
    PauseAfter,
    /// The store cannot be reached by a party, for any time.
    Partition,
    /// The store forgets what it did last.
    Forget,
    /// The store forgets the row.
    Vanish,
}

impl Fault {
    pub(crate) const BENIGN: u32 = Self::NotSent.bit()
        | Self::CutBefore.bit()
        | Self::Refused.bit()
        | Self::Down.bit()
        | Self::DownAfter.bit()
        | Self::NoWrites.bit()
        | Self::Late.bit()
        | Self::Flawed.bit();
    pub(crate) const ALL: u32 = (Self::Vanish.bit() << 1) - 1;

    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A fault that is planted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mutant {
    /// A claim for a pair that is not saved is not renewed.
    ClaimNotRenewed,
    ClaimDoesNotExclude,
    WriteWithoutFence,
    LapsedTakenAtOnce,
    SentAgainAfterTimeOut,
    RevokedOnAbsent,
    OlderLoginAdopted,
}
