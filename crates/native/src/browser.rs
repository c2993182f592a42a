//! Opening the user's browser (RFC 8252 section 6).

use std::net::IpAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, error, fmt, io, thread};

/// A browser that was not opened. Show the user the URL instead.
#[derive(Debug)]
pub enum OpenError {
    /// The system could not open it.
    Failed(io::Error),
    /// The URL is neither https nor http to a loopback address, or holds what a shell or a browser could read as more than
    /// a URL. Nothing was started.
    Refused,
}

/// Opens `url` in the user's browser, and does not wait for it: a browser that fails within a second is an error, one that
/// runs in the terminal goes on running there.
///
/// Only a clean `https://` URL, or an `http://` one with a loopback address, gets as far as the system: printable ASCII
/// without space, quotes, angle brackets, backslash, caret, backtick, braces and bar, at most 16 KiB.
///
/// # Errors
/// [`OpenError`] where the URL is refused or there is no browser.
pub fn open(url: &str) -> Result<(), OpenError> {
    if !is_clean(url) {
        return Err(OpenError::Refused);
    }
    if cfg!(any(not(unix), target_os = "macos")) {
        return webbrowser::open(url).map_err(OpenError::Failed);
    }
    // A text browser is waited for until the user leaves it, but the redirect that it follows waits for the caller.
    let (sender, receiver) = mpsc::channel();
    let url = url.to_owned();
    let launch = move || {
        // Nobody listens any more where it took longer than the wait below.
        let _ = sender.send(webbrowser::open(&url));
    };
    thread::Builder::new().name("browser".to_owned()).spawn(launch).map_err(OpenError::Failed)?;
    match receiver.recv_timeout(LAUNCH_MAX) {
        Ok(opened) => opened.map_err(OpenError::Failed),
        Err(RecvTimeoutError::Timeout) => Ok(()),
        Err(RecvTimeoutError::Disconnected) => Err(OpenError::Failed(io::Error::other("the launcher stopped"))),
    }
}

/// Whether there may be a browser: on Unix without macOS, a display or the variable `BROWSER`.
#[must_use]
pub fn is_available() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(set)
}

fn is_clean(url: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    if url.len() > URL_MAX || !url.bytes().all(fits) {
        return false;
    }
    // The parser mends what a launcher may read otherwise: `https:///host`, `https://@host`.
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return false;
    }
    let Ok(parsed) = url::Url::parse(url) else { return false };
    let host = parsed.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let loopback = host == "localhost" || literal.is_ok_and(|ip| ip.is_loopback());
    scheme == "https" || (scheme == "http" && loopback)
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "no browser could be opened ({error}); open the URL yourself"),
            Self::Refused => {
                f.write_str("this is no URL that may be opened in a browser; check the server's endpoints")
            }
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Refused => None,
        }
    }
}

const LAUNCH_MAX: Duration = Duration::from_secs(1);
const URL_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x11_only_clean_web_urls_are_opened() {
        for good in
            ["https://as.example/a?b=%20c&d=e", "http://127.0.0.1:9400/", "http://[::1]:1/x", "http://localhost:8080/a"]
        {
            assert!(is_clean(good), "{good}");
        }
        let long = |length: usize| format!("{:a<length$}", "https://as.example/");
        assert!(is_clean(&long(16 * 1024)));
        for bad in [
            "",
            "-h",
            "--new-window",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "as.example",
            "http://as.example/",
            "HTTPS://as.example/",
            " https://as.example/",
            "https://as.example/ --flag",
            "https://as.example/\n",
            "https://as.example/\"x",
            "https://as.example/'x",
            "https://as.example/`id`",
            "https://as.example/$|id",
            "https://as.example/{x}",
            "https://as.example\\x",
            "https://as.example/é",
            "https://user@as.example/",
            "https://user:pass@as.example/",
            "https://",
            "https:///as.example/",
            "https://@as.example/",
            "https://:@as.example/",
            "https://:443/",
            "https://?as.example",
            "http://127.0.0.1@as.example/",
            "https:as.example",
            "http://127.0.0.1.evil.example/",
            &long(16 * 1024 + 1),
        ] {
            assert!(!is_clean(bad), "{bad}");
            assert!(matches!(open(bad), Err(OpenError::Refused)), "{bad}");
        }
    }
}
