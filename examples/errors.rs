//! What to do when a call fails: `errors ISSUER CLIENT_ID API_URL` reads a refresh token from standard input.

use proofkey_ureq::proofkey_core::{AccessToken, Advice, RefreshToken, Refusal, ResponseBuf, Tokens};
use proofkey_ureq::{CallError, Http, Key, Memory, Session, SignedIn, http::Request};
use std::{env, error, io, time::SystemTime};

/// What comes next.
enum Next {
    GiveUp,
    SignIn,
    TryAgain(u32),
    Unknown,
}

fn main() -> Result<(), Box<dyn error::Error>> {
    let args: Vec<String> = env::args().collect();
    let [_, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: errors ISSUER CLIENT_ID API_URL".into());
    };
    let http = Http::new();
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let client = client.as_client();
    let mut refresh_token = String::new();
    io::stdin().read_line(&mut refresh_token)?;
    let session = Session::new(&http, client, Memory::new(), Key::of(client, "default"));
    // An access token that has ended, so that the session refreshes it.
    let ended = Tokens::new(AccessToken::new("ended")?).with_expires_in(0);
    let tokens = ended.with_refresh_token(RefreshToken::new(refresh_token.trim())?);
    session.begin(&SignedIn::new(tokens.into(), SystemTime::now()))?;
    match session.call(Request::get(api).body(Vec::new())?) {
        Ok(response) => println!("{}", explain(&response)),
        Err(error) => match next(&error) {
            Next::TryAgain(seconds) => println!("try again in {seconds} s: {error}"),
            Next::SignIn => println!("sign in: {error}"),
            Next::GiveUp | Next::Unknown => println!("{error}"),
        },
    }
    Ok(())
}

/// What a program does about a call that failed.
fn next(error: &CallError) -> Next {
    match error.advice() {
        Some(Advice::Reauthorize) => Next::SignIn,
        Some(Advice::Retry { after }) => Next::TryAgain(after.unwrap_or(5)),
        Some(Advice::Fix) => Next::GiveUp,
        // The API's request may have arrived: whether it can be sent again is for the program to know.
        _ => Next::Unknown,
    }
}

/// What an API's refusal means for the user.
fn explain(response: &ResponseBuf) -> String {
    match Refusal::of(response.status, response.headers("www-authenticate")) {
        None => format!("the API answered {}", response.status),
        Some(Refusal::InvalidToken) => "the API does not accept this token: sign in again".to_owned(),
        Some(Refusal::InsufficientScope { scope: Some(missing) }) => format!("sign in again with the scope {missing}"),
        Some(refusal) => refusal.to_string(),
    }
}
