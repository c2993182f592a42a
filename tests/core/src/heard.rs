//! What the loopback receiver hears: byte by byte and at once.

use crate::{begin, client, good_query};
use proofkey_core::loopback::{Connection, HEAD_MAX, Reply, Verdict};
use proofkey_core::{Client, Pending, Redirect};

/// The redirect as it stood in the request, none while the request is not whole, or the answer to a stranger.
pub type Heard = Result<Option<String>, Reply>;

/// Hears a request to the login that [`good`] belongs to.
#[track_caller]
pub fn heard(head: impl AsRef<[u8]>) -> Heard {
    heard_by(client(), &begin(client()), head)
}

/// Hears a request at once and byte by byte.
#[track_caller]
pub fn heard_by(client: Client<'_>, pending: &Pending, head: impl AsRef<[u8]>) -> Heard {
    let head = head.as_ref();
    let hear = |connection: &mut Connection, length| match connection.read(&head[..length], client, pending) {
        Verdict::Callback(Redirect::Target(text) | Redirect::Url(text) | Redirect::Query(text)) => {
            Ok(Some(text.into()))
        }
        Verdict::Callback(redirect) => panic!("a redirect that these tests do not know: {redirect:?}"),
        Verdict::More => Ok(None),
        Verdict::Refuse(reply) => Err(reply),
    };
    let at_once = hear(&mut Connection::new(), head.len());
    let mut connection = Connection::new();
    let in_pieces = (0..=head.len()).map(|length| hear(&mut connection, length)).find(|step| *step != MORE);
    assert_eq!(in_pieces.unwrap_or(MORE), at_once, "in pieces and at once: {:?}", String::from_utf8_lossy(head));
    at_once
}

/// The request target of a good redirect.
pub fn good() -> String {
    format!("/cb?{}", good_query(&begin(client())))
}

/// A request for `target` at the redirect URI's host.
pub fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:49152\r\n\r\n")
}

/// Requests that would like to see themselves, or another site, in the answer.
pub fn strangers() -> Vec<String> {
    let mut heads = Vec::new();
    for text in ["CANARY", "<script>CANARY</script>", "\"'><img%20src=x%20onerror=CANARY>", "//evil.example/CANARY"] {
        for target in "/ // /?next= /cb/ /cb?state= /cb?error_description= /cb?url=https: http://".split(' ') {
            heads.push(get(&format!("{target}{text}")));
        }
        let templates = "GET @ HTTP/1.1\r\nHost: $|GET @ $\r\n#|$ @ HTTP/1.1\r\n#|POST $ HTTP/1.1\r\n#|\
            GET / HTTP/1.1\r\n$\r\n#|GET /$%0D%0ALocation:%20https://evil.example/ HTTP/1.1\r\n#|\
            GET / HTTP/1.1\r\n$$$$: $|GET /$$$$ HTTP/1.1\r\n#";
        for head in templates.split('|') {
            let long = head.replace("$$$$", &text.repeat(HEAD_MAX / text.len()));
            let head = long.replace('$', text).replace('#', "Host: 127.0.0.1:49152").replace('@', &good());
            heads.push(head + "\r\n\r\n");
        }
    }
    heads
}

/// A stranger's request.
pub const BAD: Heard = Err(Reply::BadRequest);
/// A request that is not whole.
pub const MORE: Heard = Ok(None);
