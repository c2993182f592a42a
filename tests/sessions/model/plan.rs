//! What is explored, and what may be lost in it.

use super::config::{Config, Fault, Mutant, Rotation, Successor};
use super::world::{FORGOTTEN, OVERTAKEN, Rows, SENT_LATE};
use proofkey_core::session::{Grace, Need, Policy};

/// An exploration and what may be lost in it.
pub(crate) struct Plan {
    pub(crate) config: Config,
    pub(crate) allows: fn(&Rows) -> bool,
}

/// All of them: three parties and one fault on a path, or two that must do no harm; in full two parties and any two faults, and one
/// beside a sign-out and a login.
pub(crate) fn plans(is_full: bool) -> Vec<Plan> {
    let (faults, parties) = if is_full { (2, 2) } else { (1, 3) };
    let all = Config { kinds: Fault::ALL, faults, parties, ..BASE };
    let users = Config { sign_outs: 1, logins: 1, parties: 2, ..all };
    let table = |config| Plan { config, allows: |_| true };
    let grace = |seconds, successor| Rotation::Grace(seconds, successor);
    let same = Config { rotation: grace(45, Successor::Same), is_eager: true, ..all };
    let newest = Config { rotation: grace(45, Successor::Newest), ..same };
    let one = |config| Config { faults: 1, parties: 3, ..config };
    let mut plans = vec![
        Plan { config: Config { name: "no grace, harmless faults", ..BASE }, allows: |_| false },
        Plan { config: Config { name: "no grace, due, harmless faults", left: 30, ..BASE }, allows: |_| false },
        Plan {
            config: Config { name: "harmless faults, sign-out and login", kinds: Fault::BENIGN, ..users },
            allows: |_| false,
        },
        table(Config { name: "no grace, a holder that stops twice", kinds: STOPS, parties: 2, ..BASE }),
        table(Config { name: "no grace", ..all }),
        table(Config { name: "no grace, said so, due", left: 30, policy: BASE.policy.with_grace(Grace::None), ..all }),
        table(Config { name: "no grace, two rounds", passes: 2, parties: 2, ..all }),
        table(Config { name: "no grace, sign-out", logins: 0, ..users }),
        table(Config { name: "grace 5 s, same", rotation: grace(5, Successor::Same), ..all }),
        Plan { config: Config { name: "grace 45 s, same, one fault", ..one(same) }, allows: covered },
        Plan { config: Config { name: "grace 45 s, newest, one fault", ..one(newest) }, allows: covered },
        table(Config { name: "grace 30 s, access token only", rotation: grace(30, Successor::AccessOnly), ..all }),
        Plan {
            config: Config {
                name: "no rotation",
                rotation: Rotation::Never,
                policy: BASE.policy.with_grace(Grace::Unlimited),
                ..all
            },
            allows: |rows| rows[FORGOTTEN] > 0,
        },
    ];
    if is_full {
        // The second fault can delay the takeover past the grace.
        plans.push(table(Config { name: "grace 45 s, same", ..same }));
        plans.push(table(Config { name: "grace 45 s, newest", ..newest }));
        // With two faults these are too many states.
        plans.push(table(Config { name: "no grace, sign-out and login, one fault", faults: 1, ..users }));
    }
    plans
}

/// Three parties and two faults, which are of one family. Any two of all kinds are too many states; two parties have them in full.
pub(crate) fn largest() -> Vec<Plan> {
    let families = [
        ("three parties, two lost answers", LOST_ANSWERS),
        ("three parties, two faults of the store", STORE),
        ("three parties, two that end", Fault::Crash.bit()),
        ("three parties, one that ends, an answer lost", Fault::Crash.bit() | Fault::CutAfter.bit()),
        ("three parties, two that stop", Fault::Pause.bit()),
    ];
    families.map(|(name, kinds)| Plan { config: Config { name, kinds, ..BASE }, allows: |_| true }).into()
}

/// What a grace for a takeover leaves of the table.
fn covered(rows: &Rows) -> bool {
    rows[SENT_LATE] + rows[OVERTAKEN] + rows[FORGOTTEN] > 0
}

/// Each planted fault, and where it does harm.
pub(crate) fn planted() -> [(Mutant, Config); 7] {
    let with = |kinds: &[Fault]| Config { kinds: kinds.iter().map(|fault| fault.bit()).sum(), faults: 1, ..BASE };
    [
        (Mutant::ClaimNotRenewed, with(&[Fault::NoWrites])),
        (Mutant::ClaimDoesNotExclude, Config { parties: 2, ..with(&[]) }),
        (Mutant::WriteWithoutFence, Config { logins: 1, ..with(&[Fault::Late]) }),
        (Mutant::LapsedTakenAtOnce, with(&[Fault::Drowsy])),
        (Mutant::SentAgainAfterTimeOut, with(&[Fault::SlowRequest])),
        (Mutant::RevokedOnAbsent, with(&[Fault::Vanish])),
        (Mutant::OlderLoginAdopted, Config { logins: 1, parties: 2, ..with(&[Fault::Forget]) }),
    ]
}

const STOPS: u32 = Fault::Partition.bit() | Fault::Pause.bit() | Fault::PauseAfter.bit() | Fault::Crash.bit();

const LOST_ANSWERS: u32 =
    Fault::CutAfter.bit() | Fault::SlowAnswer.bit() | Fault::SlowRequest.bit() | Fault::Flawed.bit();

const STORE: u32 =
    Fault::Down.bit() | Fault::DownAfter.bit() | Fault::NoWrites.bit() | Fault::Forget.bit() | Fault::Vanish.bit();

const BASE: Config = Config {
    name: "",
    rotation: Rotation::Grace(0, Successor::Same),
    policy: Policy::new(),
    left: 0,
    need: Need::Valid,
    parties: 3,
    is_eager: false,
    passes: 1,
    faults: 2,
    kinds: Fault::BENIGN,
    sign_outs: 0,
    logins: 0,
    mutant: None,
};
