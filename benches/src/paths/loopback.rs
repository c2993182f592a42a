//! The loopback redirect receiver (RFC 8252 section 7.3): the request of a browser, as it came from the socket.

use super::callback;
use crate::fixtures::{REDIRECT_URI, client, pending, redirect, secrets};
use crate::{Contender, Name, Path, Target};
use oauth2::CsrfToken;
use proofkey_core::loopback::{Connection, Verdict};
use std::io::BufRead;

pub(super) fn path() -> Path {
    let (client, login) = (client(), pending());
    let head = head().leak().as_bytes();
    let state = || CsrfToken::new(secrets().state.clone());
    Path {
        name: "loopback request",
        batch: 64,
        contenders: vec![
            Contender::new(Name::Proofkey, Connection::new, move |connection| {
                matches!(connection.read(head, client, &login), Verdict::Callback(_))
            }),
            Contender::new(Name::Oauth2, state, move |state| oauth2(head, state)),
            Contender::new(Name::ByHand, || secrets().state.as_str(), move |state| by_hand(head, state).is_some()),
        ],
        target: Target::default(),
        note: "the whole head: host, every field, its end; the redirect URI, state",
        others: &[
            (Name::Oauth2, "has no receiver; its example's: the first line, state"),
            (Name::ByHand, "the first line, the end of the head, state"),
        ],
    }
}

/// `oauth2` has no receiver: this is the one of its examples.
fn oauth2(mut head: &[u8], expected: &CsrfToken) -> Option<oauth2::AuthorizationCode> {
    let mut line = String::new();
    head.read_line(&mut line).ok()?;
    let target = line.split_whitespace().nth(1)?;
    callback::oauth2(&("http://localhost".to_owned() + target), expected)
}

fn by_hand<'r>(head: &'r [u8], expected: &str) -> Option<&'r str> {
    let line = head.get(..memchr::memchr(b'\r', head)?)?;
    let target = std::str::from_utf8(line).ok()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let whole = target.starts_with("/callback?") && head.ends_with(b"\r\n\r\n");
    callback::by_hand(target, expected).filter(|_| whole)
}

/// What Chromium sends.
fn head() -> String {
    let origin = REDIRECT_URI.strip_suffix("/callback").expect("the path is the last part");
    let target = redirect().strip_prefix(origin).expect("the redirect is at the origin");
    let host = origin.strip_prefix("http://").expect("http");
    format!(
        "GET {target} HTTP/1.1\r\n\
         Host: {host}\r\n\
         Connection: keep-alive\r\n\
         sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\n\
         sec-ch-ua-mobile: ?0\r\n\
         sec-ch-ua-platform: \"Linux\"\r\n\
         Upgrade-Insecure-Requests: 1\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
         Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
         Sec-Fetch-Site: cross-site\r\n\
         Sec-Fetch-Mode: navigate\r\n\
         Sec-Fetch-User: ?1\r\n\
         Sec-Fetch-Dest: document\r\n\
         Accept-Encoding: gzip, deflate, br, zstd\r\n\
         Accept-Language: en-GB,en;q=0.9\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::CODE;

    #[test]
    fn all_find_the_redirect_and_refuse_another_state() {
        let state = CsrfToken::new(secrets().state.clone());
        for (head, code) in [(head(), Some(CODE)), (head().replace("state=", "state=x"), None)] {
            let head = head.as_bytes();
            let step = Connection::new().read(head, client(), &pending());
            assert_eq!(matches!(step, Verdict::Callback(_)), code.is_some());
            assert_eq!(oauth2(head, &state).map(|code| code.secret().clone()).as_deref(), code);
            assert_eq!(by_hand(head, &secrets().state), code);
        }
    }
}
