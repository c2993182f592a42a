//! What the standard library and `arc-swap` take, and the rules of `golang.org/x/oauth2` in Rust.

use crate::accounts::Accounts;
use crate::contender::Contender;
use crate::endpoint::access_token;
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// `ArcSwap::load_full`: the yardstick.
#[must_use]
pub fn load_full() -> Contender {
    let token = ArcSwap::from_pointee(access_token());
    Contender::blocking("arc-swap load_full", move |_| token.load_full())
}

/// The same in a future.
#[must_use]
pub fn load_full_future() -> Contender {
    let token = ArcSwap::from_pointee(access_token());
    Contender::future("arc-swap load_full, in a future", async move |_| token.load_full())
}

/// A lock of the standard library around an `Arc`.
#[must_use]
pub fn rw_lock() -> Contender {
    let token = RwLock::new(Arc::new(access_token()));
    Contender::blocking("std RwLock<Arc>", move |_| Arc::clone(&token.read().unwrap_or_else(PoisonError::into_inner)))
}

/// `ReuseTokenSource`: a mutex, and a token is valid until ten seconds before its end.
#[must_use]
pub fn reuse_token_source() -> Contender {
    let token = Arc::new((access_token(), SystemTime::now() + Duration::from_secs(3599)));
    let token = Mutex::new(token);
    Contender::blocking("x/oauth2 ReuseTokenSource, in Rust", move |_| {
        let token = token.lock().unwrap_or_else(PoisonError::into_inner);
        (token.1 - Duration::from_secs(10) > SystemTime::now()).then(|| Arc::clone(&token))
    })
}

/// A map of the standard library behind its lock, with an `ArcSwap` for each account.
#[must_use]
pub fn map(name: &'static str, number: usize) -> Contender {
    let accounts = Accounts::new(number);
    let tokens = accounts.iter().map(|name| (name.to_owned(), Arc::new(ArcSwap::from_pointee(access_token()))));
    let tokens: RwLock<HashMap<String, _>> = RwLock::new(tokens.collect());
    Contender::blocking(name, move |call| {
        let tokens = tokens.read().unwrap_or_else(PoisonError::into_inner);
        let found = tokens.get(accounts.at(call)).map(Arc::clone);
        drop(tokens);
        found.map(|found| found.load_full())
    })
}
