//! A login whose parameters go to the server before the browser does (RFC 9126).

use crate::SCOPE;
use crate::failure::Failure;
use crate::link::Link;
use core::fmt::Write;
use proofkey_core::{Client, Pending};
use proofkey_firmware::host::Console;

#[inline(never)]
pub(crate) fn begin(
    console: &mut Console,
    link: &mut Link<'_>,
    client: Client<'_>,
    buffer: &mut [u8],
) -> Result<Pending, Failure> {
    let (push, pending) = client.push(SCOPE, link.rng)?;
    let answer = link.send(push.request(), buffer)?;
    writeln!(console, "visit {}", push.read(answer.response(buffer))?)?;
    Ok(pending)
}
