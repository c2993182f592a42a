//! Output: results to standard output, everything else to standard error.

use crate::failure::{Failure, Kind};
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Writes a result line.
///
/// # Errors
/// If standard output cannot be written. A reader that has closed it is not an error.
pub fn line(text: impl Display) -> Result<(), Failure> {
    print(format!("{text}\n").as_bytes())
}

/// Writes a result for people, styled if it goes to a terminal.
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
    line(escaped(&text))
}

/// Escapes characters that control a terminal. In JSON they can only be part of a string.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) { text.extend(format!("\\u{:04x}", u32::from(c)).chars()) } else { text.push(c) }
    }
    text
}

/// Writes a result as it is.
///
/// # Errors
/// As [`line()`].
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    checked(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Writes the body of an API's answer unchanged, or for a terminal without control characters and with a line end.
///
/// # Errors
/// As [`line()`].
pub fn body(bytes: &[u8]) -> Result<(), Failure> {
    if bytes.is_empty() || !io::stdout().is_terminal() {
        return print(bytes);
    }
    let mut text = harmless(&String::from_utf8_lossy(bytes));
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(text.as_bytes())
}

/// Text of a server as a part of a line, without control characters, and without those that reorder the text around them.
pub fn one_line(text: &str) -> String {
    text.replace(is_obeyed, "\u{fffd}")
}

/// The same for text of several lines.
fn harmless(text: &str) -> String {
    text.replace("\r\n", "\n").replace(|c| is_obeyed(c) && c != '\n' && c != '\t', "\u{fffd}")
}

fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes a message for the user that is not part of the result.
pub fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Warns the user that something is not as requested.
pub fn warn(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{WARNING}warning:{WARNING:#} {text}");
}

/// Writes the reason of a failure, and the advice.
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

/// Whether a line on standard error can be overwritten.
pub fn is_live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// A reader that has closed the output is not an error.
fn checked(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Kind::Unexpected.because(format_args!("cannot write to standard output: {error}")))
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

/// The style of a name.
pub const STRONG: Style = Style::new().bold();

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
