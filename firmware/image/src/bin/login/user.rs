//! Who signed in (OpenID Connect Core 1.0), and signing them out at the server (RP-Initiated Logout 1.0).

use crate::REDIRECT_URI;
use crate::failure::Failure;
use crate::link::Link;
use chacha20::ChaCha20Rng;
use core::fmt::Write;
use proofkey_core::{Claims, Client, IdToken, IdTokenRules, Redirect, Tokens};
use proofkey_firmware::host::{Console, now};

#[inline(never)]
pub(crate) fn check<'c>(
    console: &mut Console,
    token: IdToken<'_>,
    rules: &IdTokenRules<'_>,
    buffer: &'c mut [u8],
) -> Result<Claims<'c>, Failure> {
    let user = token.check(rules, now(), buffer)?;
    writeln!(console, "signed in as {}", user.sub())?;
    Ok(user)
}

/// Asks the server for the user's name.
#[inline(never)]
pub(crate) fn ask(
    console: &mut Console,
    link: &mut Link<'_>,
    client: Client<'_>,
    tokens: Tokens<'_>,
    sub: &str,
    buffer: &mut [u8],
) -> Result<(), Failure> {
    let request = client.userinfo(tokens.access_token(), sub)?;
    let answer = link.send(request.request(), buffer)?;
    let user = request.read(answer.response(buffer))?;
    writeln!(console, "their name is {}", user.name().unwrap_or_default())?;
    Ok(())
}

/// Sends the user's browser to the server, and waits for it to come back.
#[inline(never)]
pub(crate) fn sign_out(
    console: &mut Console,
    rng: &mut ChaCha20Rng,
    client: Client<'_>,
    token: IdToken<'_>,
    buffer: &mut [u8],
) -> Result<(), Failure> {
    let (url, ending) = client.end_session(token)?.returning_to(REDIRECT_URI, rng)?;
    writeln!(console, "visit {url}")?;
    let redirect = console.read_line(buffer).ok_or(Failure::Console)?;
    ending.accept(REDIRECT_URI, Redirect::Url(redirect))?;
    writeln!(console, "signed out at the server")?;
    Ok(())
}
