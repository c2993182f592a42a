//! A login that is given up by its flag.

use super::flood::Flood;
use super::login::{Asked, CALLBACK, SCOPE, client, is_closed, token_server};
use crate::adapter::{Login, LoginError, Wait, http};
use proofkey_core::Advice;
use proofkey_tests::recording::{Server, TOKENS, browse, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn the_flag_ends_the_login_and_closes_the_port() {
    static CANCEL: AtomicBool = AtomicBool::new(false);
    let server = token_server();
    let client = client(&server, CALLBACK);
    let mut address = None;
    let open = |url: &str| {
        address = Some(Asked::read(url).address);
        thread::spawn(|| {
            thread::sleep(Duration::from_millis(50));
            CANCEL.store(true, Ordering::Relaxed);
        });
        Ok(())
    };
    let login = Login::new(client.as_client(), SCOPE).with_cancel(&CANCEL);
    let error = http().login(login, open).wait().unwrap_err();
    assert!(matches!(error, LoginError::Cancelled), "{error}");
    assert!(error.to_string().contains("cancelled") && error.advice() == Some(Advice::Reauthorize), "{error}");
    assert!(is_closed(address.unwrap()));
}

#[test]
fn under_a_flood_the_flag_ends_the_login() {
    static CANCEL: AtomicBool = AtomicBool::new(false);
    let server = token_server();
    let client = client(&server, CALLBACK);
    let mut flood = None;
    let open = |url: &str| {
        flood = Some(Flood::at(Asked::read(url).address));
        thread::spawn(|| {
            thread::sleep(Duration::from_millis(500));
            CANCEL.store(true, Ordering::Relaxed);
        });
        Ok(())
    };
    let begun = Instant::now();
    let error = http().login(Login::new(client.as_client(), SCOPE).with_cancel(&CANCEL), open).wait().unwrap_err();
    assert!(matches!(error, LoginError::Cancelled), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_flag_that_is_set_after_the_redirect_leaves_the_exchange_alone() {
    static CANCEL: AtomicBool = AtomicBool::new(false);
    let server = Server::answering(|_| {
        CANCEL.store(true, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(100));
        json(200, TOKENS)
    });
    let client = client(&server, CALLBACK);
    let open = |url: &str| {
        let asked = Asked::read(url);
        thread::spawn(move || browse(asked.address, &asked.callback()));
        Ok(())
    };
    let login = Login::new(client.as_client(), SCOPE).with_cancel(&CANCEL);
    assert!(http().login(login, open).wait().is_ok());
}
