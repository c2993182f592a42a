//! `callback.json`: redirects, to the core in memory and to the listeners of both adapters.

use super::adapter::{ASYNCHRONOUS, Adapter, BLOCKING, Failure};
use super::data::{self, Input, bounded, clean, run, same};
use proofkey_core::loopback::{Connection, Reply, Verdict};
use proofkey_core::{CallbackError, Client, ClientBuf, Feature, Pending, Redirect, Server as Endpoints, TokenRequest};
use proofkey_tests::recording::{Server, TOKENS, json};
use proofkey_tests::{Counter, ISSUER, REDIRECT_URI, begin, client, values};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(default)]
    seen: Seen,
    #[serde(default)]
    server: Iss,
    issuer: Option<String>,
    /// The host of the redirect URI, if it is not the address.
    host: Option<String>,
    query: Option<String>,
    input: Input,
    expected: String,
    reply: Option<String>,
    code: Option<Input>,
    why: String,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Seen {
    Head,
    #[default]
    Query,
    Target,
    Url,
}

/// What the server says of its `iss`.
#[derive(Clone, Copy, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
enum Iss {
    #[default]
    Promised,
    Unknown,
    Unpromised,
}

#[test]
fn redirects_have_their_verdict_in_the_core() {
    run(&data::cases("callback.json"), in_memory);
}

#[test]
fn redirects_have_their_verdict_at_the_blocking_listener() {
    over_sockets(&BLOCKING);
}

#[test]
fn redirects_have_their_verdict_at_the_async_listener() {
    over_sockets(&ASYNCHRONOUS);
}

fn in_memory(case: &Case) -> Result<(), String> {
    let client = case.client(REDIRECT_URI, "https://as.example/token");
    let client = client.as_client();
    let asked = Asked {
        address: "127.0.0.1:49152".parse().expect("an address"),
        state: second(client).state().expose().to_owned(),
    };
    if case.seen != Seen::Url {
        let pending = second(client);
        let head = case.head(&asked);
        let heard = match bounded(&case.id, head.len(), || Connection::new().read(&head, client, &pending))? {
            Verdict::Callback(redirect) => case.verdict(pending.accept(client, redirect))?,
            Verdict::More => "More".to_owned(),
            Verdict::Refuse(reply) => format!("{reply:?}"),
        };
        same(&case.id, "heard", heard.as_str(), case.reply.as_ref().unwrap_or(&case.expected))?;
    }
    if case.seen == Seen::Head {
        return Ok(());
    }
    let text = String::from_utf8(case.bytes(&asked)).expect("only a head is no text");
    let target = if case.seen == Seen::Query { format!("/cb?{text}") } else { text.clone() };
    let url = if case.seen == Seen::Url { text.clone() } else { format!("http://{}{target}", asked.address) };
    let ours = !matches!(case.expected.as_str(), "Duplicate(state)" | "State" | "Target");
    same(&case.id, "a stranger's has a reply", case.reply.is_some(), !ours && case.seen != Seen::Url)?;
    for (redirect, is_seen) in [
        (Redirect::Query(&text), case.seen == Seen::Query),
        (Redirect::Target(&target), case.seen != Seen::Url),
        (Redirect::Url(&url), true),
    ] {
        if is_seen {
            let pending = second(client);
            let read = || (pending.matches(client, redirect), pending.accept(client, redirect));
            let (matches, accepted) = bounded(&case.id, url.len(), read)?;
            same(&case.id, "matches", matches, ours)?;
            let verdict = case.verdict(accepted)?;
            same(&case.id, &format!("{redirect:?}: {}", case.why), &verdict, &case.expected)?;
        }
    }
    Ok(())
}

/// Each redirect that ends a login has one of its own. In the first good one of each setting the strangers come before it.
fn over_sockets(adapter: &Adapter) {
    let cases: Vec<Case> = data::cases("callback.json");
    let (mut strangers, mut logins) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    for case in cases.iter().filter(|case| case.is_strangers()) {
        strangers.entry(case.setting()).or_default().push(case);
    }
    for case in cases.iter().filter(|case| case.seen != Seen::Url && !case.is_strangers()) {
        let before = if case.expected == "Accepted" { strangers.remove(&case.setting()) } else { None };
        logins.push((before.unwrap_or_default(), case));
    }
    assert!(strangers.is_empty(), "strangers in a setting without a good redirect");
    let server = Server::answering(|_| json(200, TOKENS));
    run(&logins, |(strangers, end)| login(adapter, &server, strangers, end));
    let mut asked: Vec<_> =
        server.requests().iter().filter_map(|request| Some(request.lines().next()?.to_owned())).collect();
    let accepted = logins.iter().map(|(_, end)| end).filter(|end| end.expected == "Accepted");
    let mut expected: Vec<_> = accepted.map(|end| format!("POST {} HTTP/1.1", end.path(adapter))).collect();
    asked.sort();
    expected.sort();
    assert_eq!(asked, expected, "a request for each code, and none beside them");
}

fn login(adapter: &Adapter, server: &Server, strangers: &[&Case], end: &Case) -> Result<(), String> {
    let path = end.path(adapter);
    let client = end.client("http://127.0.0.1/cb", &server.url(&path));
    let (asked, answers) = (OnceLock::new(), Mutex::new(Vec::new()));
    let visits = || strangers.iter().chain([&end]);
    let outcome = thread::scope(|scope| {
        let open = |url: &str| {
            let asked = asked.get_or_init(|| Asked::read(url));
            let answers = &answers;
            scope.spawn(move || {
                for case in visits() {
                    let answer = asked.visit(&case.head(asked), case.expected == "More").unwrap_or_default();
                    answers.lock().expect("no panic").push(answer);
                }
            });
        };
        (adapter.login)(client.as_client(), &open, PATIENCE, &AtomicBool::new(false))
    });
    let answers = answers.into_inner().expect("no panic");
    for (case, answer) in visits().zip(&answers) {
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        same(&case.id, &case.why, status, case.answer().map(|(_, status)| status))?;
    }
    let verdict = outcome.map_or_else(|failure| failure.name(), |_| "Accepted".to_owned());
    same(&end.id, &end.why, &verdict, &end.expected)?;
    for (case, answer) in visits().zip(&answers) {
        let page = case.answer().map_or_else(String::new, |(reply, _)| reply.to_string());
        same(&case.id, "the page is its reply's, byte for byte", *answer == page, true)?;
    }
    let again = asked.get().map(|asked| TcpStream::connect(asked.address).is_ok());
    same(&end.id, "the port is open", again, Some(false))?;
    let requests = server.requests();
    let sent = requests.iter().filter(|request| request.starts_with(&format!("POST {path} ")));
    let codes: Vec<_> = sent.map(|request| values(request, "code")).collect();
    let expected = if end.expected == "Accepted" { vec![vec![end.code()]] } else { Vec::new() };
    same(&end.id, "codes in token requests", codes == expected, true)
}

impl Case {
    fn setting(&self) -> (Iss, [&Option<String>; 3]) {
        (self.server, [&self.issuer, &self.host, &self.query])
    }

    /// Where the code of its login is exchanged.
    fn path(&self, adapter: &Adapter) -> String {
        format!("/{}/{}", adapter.name, self.id)
    }

    fn is_strangers(&self) -> bool {
        self.reply.is_some() || (self.seen == Seen::Head && self.expected != "Accepted")
    }

    fn client(&self, redirect_uri: &str, token_endpoint: &str) -> ClientBuf {
        let query = self.query.iter().map(|query| format!("?{query}"));
        let host = self.host.as_deref().unwrap_or("127.0.0.1");
        let redirect_uri = [redirect_uri.replace("127.0.0.1", host)].into_iter().chain(query).collect::<String>();
        let endpoints = Endpoints::new("https://as.example/authorize", token_endpoint);
        let known = endpoints.with_issuer(self.issuer.as_deref().unwrap_or(ISSUER));
        let endpoints = match self.server {
            Iss::Promised => known.with_feature(Feature::IssParameter),
            Iss::Unknown => endpoints,
            Iss::Unpromised => known,
        };
        Client::new("client", &redirect_uri, endpoints).expect(&self.id).into()
    }

    fn bytes(&self, asked: &Asked) -> Vec<u8> {
        let query = self.query.iter().map(|query| format!("{query}&")).collect::<String>();
        let good = GOOD.replace('?', &format!("?{query}"));
        self.input.bytes(|text| asked.fill(&text.replace("{good}", &good)))
    }

    /// The request that brings the redirect to a listener.
    fn head(&self, asked: &Asked) -> Vec<u8> {
        let bytes = self.bytes(asked);
        let start = match self.seen {
            Seen::Head | Seen::Url => return bytes,
            Seen::Query => "GET /cb?",
            Seen::Target => "GET ",
        };
        let end = format!(" HTTP/1.1\r\nHost: {}\r\n\r\n", asked.address);
        [start.as_bytes(), &bytes, end.as_bytes()].concat()
    }

    /// The code as the token request carries it.
    fn code(&self) -> String {
        let code = self.code.as_ref().map_or_else(|| b"C".to_vec(), |code| code.bytes(str::to_owned));
        String::from_utf8(code).expect("a form")
    }

    fn verdict(&self, accepted: Result<TokenRequest<'_>, CallbackError>) -> Result<String, String> {
        match accepted {
            Ok(request) => {
                let body = request.request().body();
                same(&self.id, "code", values(&body, "code") == [self.code()], true)?;
                Ok("Accepted".to_owned())
            }
            Err(error) => {
                clean(&self.id, &error)?;
                Ok(Failure::Callback(error).name())
            }
        }
    }

    /// What the browser is answered, and the status of it; none where the request is not whole.
    fn answer(&self) -> Option<(Reply, u16)> {
        let reply = match (&self.reply, self.is_strangers(), self.expected.as_str()) {
            (Some(reply), ..) => reply,
            (None, true, reply) => reply,
            (None, false, "Accepted") => "SignedIn",
            (None, false, _) => "Refused",
        };
        REPLIES.into_iter().find(|(known, _)| format!("{known:?}") == reply)
    }
}

/// What the authorization server reads from the URL.
pub(crate) struct Asked {
    pub(crate) address: SocketAddr,
    pub(crate) state: String,
}

impl Asked {
    pub(crate) fn read(url: &str) -> Self {
        let redirect_uri = values(url, "redirect_uri")[0].replace("%3A", ":").replace("%2F", "/");
        let authority = redirect_uri.split('/').nth(2).expect("an authority");
        let address = authority.replace("localhost", "127.0.0.1").parse().expect("an address");
        Self { address, state: values(url, "state")[0].to_owned() }
    }

    pub(crate) fn fill(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let encoded: String = self.state.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let flipped: String = self
            .state
            .chars()
            .map(|letter| if letter.is_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() })
            .collect();
        text.replace("{address}", &self.address.to_string())
            .replace("{port}", &self.address.port().to_string())
            .replace("{state}", &self.state)
            .replace("{twice}", &encoded.replace('%', "%25"))
            .replace("{encoded}", &encoded)
            .replace("{flipped}", &flipped)
            .replace("{short}", &self.state[..self.state.len() - 1])
            .replace("{other}", begin(client()).state().expose())
            .replace("{iss}", "https%3A%2F%2Fas.example")
    }

    /// Sends a request and reads the whole answer, empty where there is none; none where nobody listens.
    pub(crate) fn visit(&self, head: &[u8], then_close: bool) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        // Whoever has heard enough answers before all is sent.
        drop(stream.write_all(head));
        if then_close {
            drop(stream.shutdown(Shutdown::Write));
        }
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        Some(answer)
    }
}

/// A login that is not the first one of its generator, which is [`begin`]'s.
fn second(client: Client<'_>) -> Pending {
    let mut rng = Counter::default();
    [(); 2].map(|()| client.authorize(&[], &mut rng).expect("a login begins").1).into_iter().last().expect("two")
}

/// The target of a good redirect.
pub(crate) const GOOD: &str = "/cb?code=C&state={state}&iss={iss}";

/// For a login whose redirect is wrongly ignored.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const REPLIES: [(Reply, u16); 8] = [
    (Reply::BadRequest, 400),
    (Reply::HeadTooLarge, 431),
    (Reply::MethodNotAllowed, 405),
    (Reply::Misdirected, 421),
    (Reply::NotFound, 404),
    (Reply::Refused, 200),
    (Reply::SignedIn, 200),
    (Reply::UriTooLong, 414),
];
