//! Opening the user's browser (RFC 8252 section 6).

#[cfg(all(unix, not(target_os = "macos")))]
#[path = "browser/unix.rs"]
mod launcher;
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "browser/system.rs"]
mod launcher;

use std::net::IpAddr;
use std::{error, fmt, io};

/// The browser was not opened. Show the user the URL instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// No browser was found, or all that were found failed.
    Failed(io::Error),
    /// The URL is neither https nor http to a loopback address, or holds characters that a shell or a browser could
    /// interpret. Nothing was started.
    Refused,
}

/// Opens `url` in the user's browser, without waiting for the browser to end.
///
/// On Unix other than macOS it tries one launcher after the other until one works: the entries of `BROWSER` (separated by
/// colons; `%s` stands for the URL), the desktop's own (`xdg-open` and others), and under WSL that of Windows. A launcher
/// fails if it cannot be started, or exits with an error within a second. `Ok` means that a launcher was started and had
/// not failed by then; whether a window appeared cannot be known, so show the user the URL in any case. Text browsers run
/// in the terminal.
///
/// Only a clean `https://` URL, or an `http://` one with a loopback address, is passed on: printable ASCII without space,
/// quotes, angle brackets, backslash, caret, backtick, braces and bar, at most 16 KiB.
///
/// ```no_run
/// if let Err(error) = proofkey_native::open("https://as.example/authorize?client_id=my-app") {
///     println!("{error}");
/// }
/// ```
///
/// # Errors
/// [`OpenError`] if the URL is refused or no launcher works.
pub fn open(url: &str) -> Result<(), OpenError> {
    if !is_clean(url) {
        return Err(OpenError::Refused);
    }
    launcher::open(url).map_err(OpenError::Failed)
}

/// Whether there may be a browser for [`open`]. On Unix other than macOS: whether there is a display, `BROWSER` is set, or this is WSL
/// and a program of Windows can be started.
#[must_use]
pub fn is_available() -> bool {
    launcher::is_available()
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
            Self::Refused => f.write_str("this URL is not safe to open in a browser; check the server's endpoints"),
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

const URL_MAX: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_web_urls_are_opened() {
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
