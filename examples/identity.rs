//! Who signed in: `identity ISSUER CLIENT_ID API`.

use proofkey_core::{Endpoint, Redirect};
use proofkey_ureq::{Http, Login, SignedIn, StepUp, SysRng};
use std::io;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const SCOPE: &[&str] = &["openid", "profile", "itwin-platform"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: identity ISSUER CLIENT_ID API".into());
    };
    let http = Http::new();
    let signed_in = who_signed_in(&http, issuer, client_id)?;
    more(&http, issuer, client_id, &signed_in)?;
    let signed_in = better(&http, issuer, client_id, api, signed_in)?;
    sign_out(&http, issuer, client_id, &signed_in)
}

fn who_signed_in(http: &Http, issuer: &str, client_id: &str) -> Result<SignedIn> {
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let signed_in = http.login(Login::new(client.as_client(), SCOPE), open_browser)?;
    let user = signed_in.user.as_ref().ok_or("this server does not say who signed in")?;
    // `sub` is the user; a name is only to be shown.
    println!("signed in: {} ({})", user.sub(), user.as_claims().name().unwrap_or("no name"));
    Ok(signed_in)
}

fn more(http: &Http, issuer: &str, client_id: &str, signed_in: &SignedIn) -> Result<()> {
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let user = signed_in.user.as_ref().ok_or("nobody signed in")?;
    let claims = http.userinfo(client.as_client(), signed_in.tokens.access_token(), user.sub())?;
    println!("userinfo: {}", claims.get("preferred_username").unwrap_or_default());
    Ok(())
}

fn better(http: &Http, issuer: &str, client_id: &str, api: &str, signed_in: SignedIn) -> Result<SignedIn> {
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let answer = http.call(http::Request::get(api).body(Vec::new())?, signed_in.tokens.access_token())?;
    let Some(step_up) = StepUp::of(&answer) else { return Ok(signed_in) };
    println!("the API wants more: {}", step_up.acr_values().unwrap_or("a fresh sign-in"));
    let extra = step_up.extra();
    let signed_in = http.login(Login::new(client.as_client(), SCOPE).with_extra(&extra), open_browser)?;
    let answer = http.call(http::Request::get(api).body(Vec::new())?, signed_in.tokens.access_token())?;
    println!("the API answers {}", answer.status);
    Ok(signed_in)
}

fn sign_out(http: &Http, issuer: &str, client_id: &str, signed_in: &SignedIn) -> Result<()> {
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let client = client.as_client();
    if client.server().endpoint(Endpoint::EndSession).is_none() {
        return Ok(());
    }
    let id_token = signed_in.tokens.id_token().ok_or("the server sent no ID token")?;
    let (url, ending) = client.end_session(id_token)?.returning_to("https://app.example/paste", &mut SysRng)?;
    println!("Open {url}\nthen paste the address that the browser shows:");
    let mut pasted = String::new();
    io::stdin().read_line(&mut pasted)?;
    ending.accept("https://app.example/paste", Redirect::Url(pasted.trim()))?;
    println!("signed out");
    Ok(())
}

fn open_browser(url: &str) -> io::Result<()> {
    proofkey_native::open(url).map_err(io::Error::other)
}
