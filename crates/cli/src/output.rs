//! What is written where: results to the standard output, everything else to the standard error.

use crate::failure::{Failure, Kind};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Writes a result line.
///
/// # Errors
/// Where the standard output cannot be written, except that nobody reads it any longer.
pub fn line(text: impl Display) -> Result<(), Failure> {
    print(format!("{text}\n").as_bytes())
}

/// Writes a result for people, styled where it is read on a terminal.
///
/// # Errors
/// As [`line()`].
pub fn styled(text: impl Display) -> Result<(), Failure> {
    checked(writeln!(anstream::stdout(), "{text}"))
}

/// Writes a result as one line of JSON.
///
/// # Errors
/// As [`line()`].
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Kind::Unexpected.because(error))?;
    line(text)
}

/// Writes a result as it is.
///
/// # Errors
/// As [`line()`].
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    checked(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Tells the user something beside the result.
pub fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Warns the user of something that is not as it was asked for.
pub fn warn(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{WARNING}warning:{WARNING:#} {text}");
}

/// Tells why the command failed, and what to do now.
pub fn report(failure: &Failure, as_json: bool) {
    let mut err = anstream::stderr().lock();
    let Failure { kind, message, advice } = failure;
    let _ = if as_json {
        let advice = advice.as_ref().map(ToString::to_string);
        let report = Report { error: *kind, exit: kind.exit(), message, advice };
        serde_json::to_string(&report).map_or(Ok(()), |text| writeln!(err, "{text}"))
    } else {
        writeln!(err, "{ERROR}error:{ERROR:#} {message}").and_then(|()| match advice {
            Some(advice) => writeln!(err, "  {HINT}{advice}{HINT:#}"),
            None => Ok(()),
        })
    };
}

/// Whether a line on the standard error can be written over.
pub fn is_live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A reader that left has had enough.
fn checked(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Kind::Unexpected.because(format_args!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

#[derive(Serialize)]
struct Report<'a> {
    error: Kind,
    exit: u8,
    message: &'a str,
    advice: Option<String>,
}

/// How the name of a thing stands out.
pub const STRONG: Style = Style::new().bold();

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
