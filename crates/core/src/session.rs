//! A login that stays: when to refresh, who does it, and what must be saved before it is used.
//!
//! A rotated refresh token is a compare-and-swap at the server, and a stale one ends the whole login. So all who share a login
//! share a store, and refresh under a **claim** in it: lease, fencing token, and the mark that the refresh token may be spent. A
//! [`Version`] names each state of the login. A [`Pass`] decides every step; a driver obeys it, and the adapters have one.

mod pair;
mod pass;
mod policy;
mod step;
mod version;

pub use pair::{Pair, Renewal};
pub use pass::Pass;
pub use policy::{Grace, Need, Now, Policy};
pub use step::{End, Event, Outcome, Seen, Step, Trouble};
pub use version::{ClaimId, LoginId, Version};
