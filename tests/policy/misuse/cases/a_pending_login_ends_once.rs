//! RFC 6749 section 4.1.2: `accept` consumes the login, so that no second redirect can end it.
use proofkey_core::{Client, Pending, Redirect};

fn twice(pending: Pending, client: Client<'_>) {
    let _first = pending.accept(client, Redirect::Query("code=1"));
    let _second = pending.accept(client, Redirect::Query("code=2"));
}

fn main() {}
