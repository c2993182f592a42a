//! Opening the user's browser (RFC 8252 section 6).

use std::{env, error, fmt, io, net::IpAddr};

/// A browser that was not opened. Show the user the URL instead.
#[derive(Debug)]
pub enum OpenError {
    /// The system could not open it.
    Failed(io::Error),
    /// The URL is neither https nor http to a loopback address, or holds what a shell or a browser could read as more than
    /// a URL. Nothing was started.
    Refused,
}

/// Opens `url` in the user's browser, and does not wait for it.
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
    let mut options = webbrowser::BrowserOptions::new();
    options.with_suppress_output(true);
    webbrowser::open_browser_with_options(webbrowser::Browser::Default, url, &options).map_err(OpenError::Failed)
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
    let Ok(parsed) = url::Url::parse(url) else { return false };
    let host = parsed.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let loopback = host == "localhost" || literal.is_ok_and(|ip| ip.is_loopback());
    let anonymous = parsed.username().is_empty() && parsed.password().is_none();
    let scheme = url.starts_with("https://") || (url.starts_with("http://") && loopback);
    scheme && anonymous && !host.is_empty()
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "no browser could be opened ({error}); open the URL yourself"),
            Self::Refused => f.write_str("this is no URL that may be opened in a browser"),
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
    fn x11_only_clean_web_urls_are_opened() {
        for good in
            ["https://as.example/a?b=%20c&d=e", "http://127.0.0.1:9400/", "http://[::1]:1/x", "http://localhost:8080/a"]
        {
            assert!(is_clean(good), "{good}");
        }
        let long = format!("https://as.example/{}", "a".repeat(URL_MAX));
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
            "https:as.example",
            "http://127.0.0.1.evil.example/",
            &long,
        ] {
            assert!(!is_clean(bad), "{bad}");
            assert!(matches!(open(bad), Err(OpenError::Refused)), "{bad}");
        }
    }
}
