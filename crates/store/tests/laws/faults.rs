//! Stores with one fault each, and the law that catches it.

use crate::claims::*;
use crate::faulty::Faulty;
use crate::values::*;
use crate::writes::*;
use proofkey_store::Key;

type Plant = fn() -> Faulty;

/// A law, a fault that breaks it, and a store with this fault.
pub(crate) const FAULTS: &[(&str, &str, Plant)] = &[
    ("a key without a row is Absent", "a refresh makes a row", || Faulty::rule(refresh_makes_row)),
    ("a key without a row is Absent", "a claim makes a row", || Faulty::rule(claim_makes_row)),
    ("a login is read back", "the value is cut", || answers(|row| row.value.truncate(4))),
    ("a tombstone is SignedOut", "a tombstone is nothing", || Faulty::rule(no_tombstones)),
    ("a claim needs the version", "a claim takes any version", || Faulty::rule(claim_any_version)),
    ("a claim excludes every other", "a live claim is taken over", || Faulty::rule(takes_live_claim)),
    ("a claim that is made again is renewed", "its own claim is busy", || Faulty::rule(own_claim_is_busy)),
    ("a claim is answered with the row", "the value is left out", || Faulty::rule(claimed_without_value)),
    ("a claim that is given back is gone", "it stays", || Faulty::rule(release_keeps)),
    ("another's claim is not given back", "anyone can give it back", || Faulty::rule(release_any)),
    ("without a claim, a release changes nothing", "it pauses", || Faulty::rule(release_pauses)),
    ("a claim of the longest time is kept", "seconds in 15 bits", || Faulty::rule(short_claims)),
    ("a refresh is written", "a write needs a claim", || Faulty::rule(write_needs_claim)),
    ("a refresh is written", "a write needs a new version", || Faulty::rule(write_needs_new_version)),
    ("a refresh needs the version", "no fencing by version", || Faulty::rule(write_any_version)),
    ("a refresh that is repeated is Done", "it is Changed", || Faulty::rule(repeated_is_changed)),
    ("a refresh is fenced by another's claim", "no fencing by claim", || Faulty::rule(write_despite_claim)),
    ("what is written ends the claim", "the claim stays", || Faulty::rule(write_keeps_claim)),
    ("what is written ends the pause", "the pause stays", || Faulty::rule(write_keeps_pause)),
    ("of two logins the later one stays", "the last one stays", || Faulty::rule(last_login_stays)),
    ("of two logins the later one stays", "Done for Displaced", || Faulty::rule(login_without_displaced)),
    ("a login asks for no claim", "it is fenced", || Faulty::rule(login_is_fenced)),
    ("a sign-out answers the row that was there", "Done for Displaced", || Faulty::rule(sign_out_without_row)),
    ("an older sign-out does not end a login", "it does", || Faulty::rule(any_sign_out)),
    ("a late refresh does not undo a sign-out", "it does", || Faulty::rule(refresh_over_tombstone)),
    ("a login over a tombstone must be newer", "any login will do", || Faulty::rule(any_login_over_tombstone)),
    ("a shorter pause does not end a longer one", "the last pause counts", || Faulty::rule(last_pause)),
    ("a shorter pause does not end a longer one", "an endless pause wraps", || Faulty::rule(pause_wraps)),
    ("values are any bytes", "values are text", || Faulty::rule(values_are_text)),
    ("values are any bytes", "an empty value is a tombstone", || Faulty::rule(empty_is_tombstone)),
    ("a long value is kept whole", "a value of half a mebibyte", || Faulty::rule(values_are_cut)),
    ("keys of any text never meet", "case is ignored", || Faulty::key(|key| account(key.account.to_lowercase(), key))),
    ("keys of any text never meet", "spaces are trimmed", || {
        Faulty::key(|key| account(key.account.trim().into(), key))
    }),
    ("keys of any text never meet", "a NUL ends a text", || Faulty::key(until_nul)),
    ("keys of any text never meet", "255 bytes of a text", || {
        Faulty::key(|key| account(first_bytes(&key.account), key))
    }),
    ("keys of any text never meet", "parts are joined", || Faulty::key(|key| joined(key, ""))),
    ("keys of any text never meet", "parts are joined by a colon", || Faulty::key(|key| joined(key, ":"))),
    ("keys of any text never meet", "the client is left out", || {
        Faulty::key(|key| Key::new(&*key.issuer, "", &*key.account))
    }),
    ("a version is kept to the last bit", "a claim of 15 bytes", || Faulty::rule(version_without_last_byte)),
    ("the order of versions holds at the edges", "numbers have a sign", || Faulty::rule(signed_order)),
    ("the order of versions holds at the edges", "numbers are doubles", || Faulty::rule(order_of_doubles)),
    ("the order of versions holds at the edges", "the claim counts", || Faulty::rule(order_by_all_bytes)),
    ("a row tells its age", "it is always new", || answers(|row| row.age = 0)),
    ("a row tells its age", "it is told in milliseconds", || answers(|row| row.age *= 1000)),
    ("a pause counts down", "it does not", || answers(|row| row.pause = if row.pause > 0 { 600 } else { 0 })),
    ("a pause counts down", "its end is told", || Faulty::rule(pause_tells_its_end)),
    ("a claim tells how long it lives", "it does not", || Faulty::rule(busy_without_time)),
    ("a claim tells how long it lives", "it lives for half as long", || Faulty::rule(half_claims)),
    ("a claim lapses after its time", "it lapses after twice as long", || Faulty::rule(double_claims)),
    ("a claim lapses after its time", "a renewal does not count", || Faulty::rule(renewal_keeps_time)),
    ("a claim lapses after its time", "a lapsed claim is gone", || Faulty::rule(lapsed_is_gone)),
    ("a lapsed claim is taken over only by its name", "any name will do", || Faulty::rule(over_any)),
    ("a lapsed claim can be renewed", "it cannot", || Faulty::rule(no_late_renewal)),
    ("a lapsed claim does not fence a refresh", "it does", || Faulty::rule(lapsed_fences)),
    ("another's lapsed claim is not given back", "anyone can give it back", || Faulty::rule(release_lapsed)),
    ("a login ends a lapsed claim", "the claim stays", || Faulty::rule(login_keeps_lapsed)),
    ("a lapsed claim needs the version", "Lapsed before Changed", || Faulty::rule(lapsed_before_changed)),
];
