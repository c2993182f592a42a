//! A program that depends on this crate alone can write a login down, and finish it from what it has written.

use proofkey_reqwest::SysRng;
use proofkey_reqwest::proofkey_core::{Client, Pending, Redirect, Server};

#[test]
fn a_parked_login_is_finished_later() {
    let server = Server::new("https://as.example/authorize", "https://as.example/token");
    let client = Client::new("app", "https://app.example/callback", server).unwrap();
    let (url, pending) = client.authorize(&[], &mut SysRng).unwrap();
    let parked = serde_json::to_string(&pending).unwrap();
    drop(pending);
    let url = url.to_string();
    let (_, state) = url.split_once("&state=").unwrap();
    let target = format!("/callback?code=C&state={}", state.split('&').next().unwrap());
    let pending: Pending = serde_json::from_str(&parked).unwrap();
    let request = pending.accept(client, Redirect::Target(&target)).unwrap();
    assert!(request.request().body().contains("&code=C&"));
}
