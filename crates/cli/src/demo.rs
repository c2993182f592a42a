//! `proofkey demo`: shows the whole flow against a server in this process, step by step. Nothing is stored.

mod spa;
mod story;

use crate::args;
use crate::failure::{Failure, Kind};
use crate::network::Network;
use crate::parameter::parameter;
use crate::time::Span;
use crate::{interrupt, output};
use http::Request;
use proofkey_core::{AccessToken, Client, Endpoint, Refusal, ResponseBuf, Revocable, TokensBuf};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Options};
use proofkey_ureq::{Http, Login};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use story::{Follower, Story, short};

/// Runs the flow of the iTwin platform's sign-in, from the code verifier to a revoked token.
///
/// # Errors
/// If a step fails.
pub fn run(args: &args::Demo) -> Result<(), Failure> {
    if args.spa {
        return spa::run(args);
    }
    let server = DevServer::start(Options::default())
        .map_err(|error| Kind::Unexpected.because(format_args!("the development server did not start: {error}")))?;
    let http = Network::default().http();
    let story = Story::new(args.json);
    story.title("The iTwin sign-in (Authorization Code with PKCE) against a development server on this machine")?;
    story.step("server", "Start an authorization server and an API", &[("issuer", &server.issuer())])?;
    let client = http.discover(&server.issuer(), "demo-native", "http://127.0.0.1/callback")?;
    let client = client.as_client();
    let found = |endpoint| client.server().endpoint(endpoint).unwrap_or("none");
    story.step(
        "metadata",
        "Read its metadata; check issuer, endpoints and S256",
        &[
            ("authorize", found(Endpoint::Authorization)),
            ("token", found(Endpoint::Token)),
            ("revoke", found(Endpoint::Revocation)),
        ],
    )?;
    let tokens = sign_in(args, &server, &http, client, &story)?;
    story.tokens("tokens", "Read the answer", &tokens)?;
    call(&server, &http, &story, "/api/me", tokens.access_token(), 200)?;
    call(&server, &http, &story, "/api/admin", tokens.access_token(), 403)?;
    let tokens = refresh(&http, client, &story, &tokens)?;
    call(&server, &http, &story, "/api/itwins", tokens.access_token(), 200)?;
    revoke(&http, client, &story, &tokens)?;
    call(&server, &http, &story, "/api/me", tokens.access_token(), 401)?;
    story.end("That was the whole flow. To sign in to a real server: proofkey login --provider itwin --client-id YOUR-CLIENT-ID")
}

fn sign_in(
    args: &args::Demo,
    server: &DevServer,
    http: &Http,
    client: Client<'_>,
    story: &Story,
) -> Result<TokensBuf, Failure> {
    let scope = ["itwin-platform", "offline_access"];
    let login = Login::new(client, &scope)
        .with_timeout(Duration::from_secs(args.timeout.into()))
        .with_cancel(&interrupt::INTERRUPTED);
    let mut told = Ok(());
    let failed = AtomicBool::new(false);
    let follower = Follower::default();
    server.clear_log();
    let result = thread::scope(|threads| {
        let following = threads.spawn(|| follower.follow(server, story));
        let tokens = interrupt::deferred(|| {
            let tokens = http.login(login, |url| {
                let url = url.to_owned();
                told = tell_url(args, story, &url);
                if args.auto {
                    let failed = &failed;
                    threads.spawn(move || press(&url, failed));
                }
                Ok(())
            });
            Ok(tokens?.tokens)
        });
        follower.end();
        let followed =
            following.join().unwrap_or_else(|_| Err(Kind::Unexpected.because("a thread of the demo panicked")));
        followed.and(tokens)
    });
    if failed.into_inner() {
        return Err(Kind::Unexpected.because("the built-in user agent failed at the sign-in pages"));
    }
    told.and(result)
}

fn tell_url(args: &args::Demo, story: &Story, url: &str) -> Result<(), Failure> {
    story.step(
        "pkce",
        "Make a one-time code_verifier and a state, 256 random bits each; the browser sees only the hash of the verifier",
        &[
            ("code_challenge", &format!("{} = BASE64URL(SHA-256(code_verifier))", parameter(url, "code_challenge"))),
            ("state", &short(&parameter(url, "state"))),
        ],
    )?;
    story.step(
        "listen",
        "Listen for the redirect on this machine only",
        &[("redirect_uri", &parameter(url, "redirect_uri"))],
    )?;
    let (how, opened) = if args.auto {
        ("Send the built-in user agent to the sign-in page", false)
    } else if !args.no_browser && proofkey_native::is_available() && proofkey_native::open(url).is_ok() {
        ("Open your browser at the sign-in page (any name and password will do)", true)
    } else {
        ("Open this address in a browser on this machine, and sign in (any name and password will do)", false)
    };
    story.url(how, url, opened)?;
    if !args.auto && !args.json {
        output::note(format_args!(
            "    (waiting for the browser, at most {}; press Ctrl-C to cancel)",
            Span(args.timeout.into())
        ));
    }
    Ok(())
}

/// The built-in user agent: signs in and gives consent. If that fails, the login is cancelled.
fn press(url: &str, failed: &AtomicBool) {
    if let Err(error) = UserAgent::new().run(url, Decision::Allow) {
        output::warn(format_args!("the built-in user agent: {error}"));
        failed.store(true, Ordering::SeqCst);
        interrupt::INTERRUPTED.store(true, Ordering::SeqCst);
    }
}

fn refresh(http: &Http, client: Client<'_>, story: &Story, tokens: &TokensBuf) -> Result<TokensBuf, Failure> {
    let old = tokens.refresh_token().ok_or_else(|| Kind::Unexpected.because("the server returned no refresh token"))?;
    let fresh = http.exchange(client.refresh(old))?;
    story.tokens("refresh", "Refresh: the old refresh token is used up, and a new one replaces it", &fresh)?;
    Ok(fresh)
}

fn revoke(http: &Http, client: Client<'_>, story: &Story, tokens: &TokensBuf) -> Result<(), Failure> {
    let token =
        tokens.refresh_token().ok_or_else(|| Kind::Unexpected.because("the server returned no refresh token"))?;
    http.revoke(client, Revocable::Refresh(token))?;
    story.step("revoke", "Sign out: revoke the refresh token and with it the whole grant", &[])
}

fn call(
    server: &DevServer,
    http: &Http,
    story: &Story,
    path: &str,
    token: AccessToken<'_>,
    expected: u16,
) -> Result<(), Failure> {
    let request = Request::get(server.api(path)).body(Vec::new()).map_err(|error| Kind::Unexpected.because(error))?;
    let answer = http.call(request, token)?;
    let status = answer.status.to_string();
    let what = format!("Call the API with `Authorization: Bearer {}`", short(token.expose()));
    story.step("call", &what, &[("GET", path), ("status", &status), ("answer", &meaning(&answer))])?;
    if answer.status == expected {
        return Ok(());
    }
    Err(Kind::Unexpected.because(format_args!("{path} answered {status} instead of {expected}")))
}

fn meaning(answer: &ResponseBuf) -> String {
    match Refusal::of(answer.status, answer.headers("www-authenticate")) {
        Some(Refusal::InsufficientScope { scope }) => {
            format!("the token lacks a scope: {}", scope.map_or_else(String::new, |scope| scope.to_string()))
        }
        Some(Refusal::InvalidToken) => "the token is no longer valid".to_owned(),
        Some(refusal) => format!("{refusal:?}"),
        None => String::from_utf8_lossy(&answer.body).into_owned(),
    }
}
