//! RFC 6749 section 4.1.2: a copy would be a second use.
use proofkey_core::Pending;

fn copy(pending: &Pending) -> Pending {
    pending.clone()
}

fn main() {}
