//! Requests to the loopback receiver.

use crate::login::{ORIGIN, STATE, client, login};
use crate::values;
use proofkey_core::Redirect;
use proofkey_core::loopback::{Connection, HEAD_MAX, Reply, Verdict};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is the login's redirect, to this target.
    Callback(String),
    /// It is not whole yet.
    More,
    /// It is a stranger's.
    Refuse(Reply),
}

/// What becomes of a request that arrives in pieces of so many bytes.
#[must_use]
pub fn receive(request: &[u8], piece: usize) -> Outcome {
    let (client, pending, mut connection) = (client(), login(), Connection::new());
    let mut received = 0;
    while received < request.len() {
        received = received.saturating_add(piece.max(1)).min(request.len());
        match connection.read(&request[..received], client, &pending) {
            Verdict::Callback(Redirect::Query(target) | Redirect::Target(target) | Redirect::Url(target)) => {
                return Outcome::Callback(target.to_owned());
            }
            Verdict::Callback(redirect) => panic!("a redirect that this target does not know: {redirect:?}"),
            Verdict::More => {}
            Verdict::Refuse(reply) => return Outcome::Refuse(reply),
        }
    }
    Outcome::More
}

/// The request with each `~N~` in it made `N` times the letter `a`, so that a small input makes a large request.
#[must_use]
pub fn swell(input: &[u8]) -> Vec<u8> {
    let mut parts = input.split(|byte| *byte == b'~');
    let mut request = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        match str::from_utf8(part).ok().and_then(|digits| digits.parse::<u16>().ok()) {
            Some(count) => request.resize((request.len() + usize::from(count)).min(2 * HEAD_MAX), b'a'),
            None => request.extend_from_slice(part),
        }
    }
    request
}

/// Whether a reply is the one that every request before it got for the same reason, and is a whole HTTP response.
#[must_use]
pub fn is_constant(reply: Reply) -> bool {
    static REPLIES: Mutex<BTreeMap<u16, String>> = Mutex::new(BTreeMap::new());
    let text = reply.to_string();
    let mut replies = REPLIES.lock().unwrap_or_else(PoisonError::into_inner);
    text.len() == reply.len() && *replies.entry(reply.status()).or_insert_with(|| text.clone()) == text
}

/// Whether a head, as another library reads it, is the login's redirect.
#[must_use]
pub fn is_callback(head: &httparse::Request<'_, '_>) -> bool {
    let path = head.path.unwrap_or_default();
    let query = path.strip_prefix(ORIGIN).unwrap_or(path).strip_prefix("/cb?").filter(|query| !query.contains('#'));
    let of = |name: &str| {
        let fields = head.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        fields.map(|field| field.value).collect::<Vec<_>>()
    };
    head.method == Some("GET")
        && path.bytes().all(|byte| byte.is_ascii_graphic())
        && query.is_some_and(|query| values(query, "state") == [STATE])
        && of("host") == [b"127.0.0.1:49152"]
        && matches!(of("content-length").as_slice(), [] | [b"0"])
        && of("transfer-encoding").is_empty()
}

/// Whether a head is written as browsers write it: a space behind each colon, and nothing behind a value.
#[must_use]
pub fn is_plain(head: &httparse::Request<'_, '_>, request: &[u8]) -> bool {
    let line = format!("GET {} HTTP/1.{}\r\n", head.path.unwrap_or_default(), head.version.unwrap_or_default());
    let fields = head.headers.iter().map(|field| [field.name.as_bytes(), b": ", field.value, b"\r\n"].concat());
    request.starts_with(&[line.into_bytes(), fields.collect::<Vec<_>>().concat(), b"\r\n".to_vec()].concat())
}
