//! The answers to the browser: static pages that repeat nothing of the request.

use crate::wire::form::Length;
use core::fmt::{self, Write as _};

/// An answer to the browser. It is `Display`: the whole HTTP response, head and page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// 400: not an HTTP request, or the redirect of another login.
    BadRequest,
    /// 503: too many connections.
    Busy,
    /// 410: this login is over.
    Gone,
    /// 431: the head is too large.
    HeadTooLarge,
    /// 405: only `GET` is answered.
    MethodNotAllowed,
    /// 421: the request was meant for another host.
    Misdirected,
    /// 404: not the redirect URI.
    NotFound,
    /// 200: the sign-in was refused or failed. The application knows why.
    Refused,
    /// 200: signed in.
    SignedIn,
    /// 408: the request did not come in time.
    Timeout,
    /// 414: the request target is too long.
    UriTooLong,
}

impl Reply {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.parts().0
    }

    /// The exact length of the whole response in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        length(format_args!("{self}"))
    }

    /// Always false: a response has a head.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// Status, reason phrase, mark, heading and the line below it.
    const fn parts(self) -> (u16, &'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request", CROSS, "This is not the expected sign-in", START),
            Self::Busy => (503, "Service Unavailable", CROSS, "Too many requests", "Try again in a moment."),
            Self::Gone => (410, "Gone", CROSS, "This sign-in is over", START),
            Self::HeadTooLarge => (431, "Request Header Fields Too Large", CROSS, "The request is too large", START),
            Self::MethodNotAllowed => (405, "Method Not Allowed", CROSS, "Only GET is answered here", START),
            Self::Misdirected => (421, "Misdirected Request", CROSS, "This request was meant for another host", START),
            Self::NotFound => (404, "Not Found", CROSS, "Page not found", START),
            Self::Refused => (
                200,
                "OK",
                CROSS,
                "Not signed in",
                "The sign-in was refused or failed. The application has the details. You can close this tab.",
            ),
            Self::SignedIn => (200, "OK", CHECK, "Signed in", "You can close this tab and return to the application."),
            Self::Timeout => (408, "Request Timeout", CROSS, "The request took too long", START),
            Self::UriTooLong => (414, "URI Too Long", CROSS, "The address is too long", START),
        }
    }
}

struct Page(Reply);

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, _, mark, heading, line) = self.0.parts();
        let sign = if mark == CHECK { '\u{2713}' } else { '\u{2715}' };
        write!(
            f,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <p class=\"mark {mark}\" aria-hidden=\"true\">{sign}</p>\n<h1>{heading}</h1>\n<p>{line}</p>\n\
             </main>\n</body>\n</html>\n"
        )
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, reason, ..) = self.parts();
        let page = Page(*self);
        write!(f, "HTTP/1.1 {status} {reason}\r\nContent-Length: {}\r\n{HEAD}", length(format_args!("{page}")))?;
        if *self == Self::MethodNotAllowed {
            f.write_str("Allow: GET\r\n")?;
        }
        write!(f, "\r\n{page}")
    }
}

fn length(text: fmt::Arguments<'_>) -> usize {
    let mut length = Length::default();
    length.write_fmt(text).map_or(0, |()| length.0)
}

const CHECK: &str = "check";
const CROSS: &str = "cross";
const START: &str = "Start the sign-in again in the application.";

/// The hash is that of [`STYLE`]; a test checks it.
const HEAD: &str = "Content-Type: text/html; charset=utf-8\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'sha256-nO+d8NjLnLc9EtvC8DPjwpyZjPBrhSP5d88/Frg3r6o='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
    Cache-Control: no-store\r\n\
    Referrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Connection: close\r\n";

const STYLE: &str = ":root{color-scheme:light dark}\
    body{margin:0;min-height:100vh;display:grid;place-items:center;font:1.0625rem/1.5 system-ui,sans-serif;\
    color:light-dark(#1b1f24,#e8eaed);background:light-dark(#f4f6f8,#14171a)}\
    main{box-sizing:border-box;width:min(26rem,100% - 2rem);padding:2.5rem 2rem;text-align:center;border-radius:1rem;\
    background:light-dark(#fff,#1e2227);box-shadow:0 1px 2px #0002,0 8px 32px #0001}\
    h1{margin:1rem 0 .5rem;font-size:1.5rem;line-height:1.25}p{margin:0;color:light-dark(#57606a,#a9b1ba)}\
    .mark{margin:0 auto;width:3.5rem;height:3.5rem;border-radius:50%;font-size:1.75rem;line-height:3.5rem;color:#fff}\
    .check{background:#1a7f4b}.cross{background:#b3412e}";

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::ToString;
    use base64ct::{Base64, Encoding};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_style_is_allowed_by_its_hash_and_nothing_else_is_loaded() {
        let hash = Base64::encode_string(&Sha256::digest(STYLE));
        for reply in ALL {
            let text = reply.to_string();
            let (head, page) = text.split_once("\r\n\r\n").unwrap();
            for forbidden in ["<script", "src=", "href", "@import", "url("] {
                assert!(!page.contains(forbidden), "{reply:?} {forbidden}");
            }
            for line in [
                "Cache-Control: no-store",
                "Connection: close",
                "Content-Type: text/html; charset=utf-8",
                "Referrer-Policy: no-referrer",
                "X-Content-Type-Options: nosniff",
            ] {
                assert!(head.split("\r\n").any(|field| field == line), "{reply:?} {line}");
            }
            assert!(
                head.contains(&alloc::format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'")),
                "{head}"
            );
            assert!(page.contains(&alloc::format!("<style>{STYLE}</style>")));
            assert!(!head.contains("Location") && !head.contains("Access-Control"));
        }
    }

    #[test]
    fn heads_tell_status_and_length() {
        for reply in ALL {
            let text = reply.to_string();
            let (head, page) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&alloc::format!("HTTP/1.1 {} ", reply.status())));
            assert!(head.contains(&alloc::format!("\r\nContent-Length: {}\r\n", page.len())), "{head}");
            assert_eq!(reply.len(), text.len());
            assert_eq!(head.contains("Allow: GET"), reply == Reply::MethodNotAllowed);
        }
    }

    const ALL: [Reply; 11] = [
        Reply::BadRequest,
        Reply::Busy,
        Reply::Gone,
        Reply::HeadTooLarge,
        Reply::MethodNotAllowed,
        Reply::Misdirected,
        Reply::NotFound,
        Reply::Refused,
        Reply::SignedIn,
        Reply::Timeout,
        Reply::UriTooLong,
    ];
}
