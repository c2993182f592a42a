//! Both drivers behind one trait, a server, and a login at it.

use crate::faulty::Faulty;
use http::Request;
use proofkey_core::{Client, ClientBuf, Redirect, ResponseBuf};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, EndpointFault, Faults, Options, RefreshFault, When};
use proofkey_reqwest::Sessions;
use proofkey_ureq::{CallError, Http, Key, Policy, Record, Session, SessionError, SignedIn, SignedOut, SysRng, Token};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::runtime::{Builder, Runtime};

/// A login, whichever adapter drives it.
pub(crate) trait Login: Send + Sync {
    fn access_token(&self) -> Result<Token, SessionError>;
    fn access_token_for(&self, seconds: u32) -> Result<Token, SessionError>;
    fn begin(&self, signed_in: &SignedIn) -> Result<Option<Record>, SessionError>;
    fn begin_with(&self, record: Record) -> Result<Option<Record>, SessionError>;
    fn call(&self, request: Request<Vec<u8>>) -> Result<ResponseBuf, CallError>;
    fn for_resource(&self, resource: &str) -> Box<dyn Login>;
    fn peek(&self) -> Result<Option<Token>, SessionError>;
    fn refresh(&self) -> Result<Token, SessionError>;
    fn renew(&self, refused: &Token) -> Result<Token, SessionError>;
    fn settle(&self) -> Result<(), SessionError>;
    fn sign_out(&self) -> Result<SignedOut, SessionError>;
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    Async,
    Blocking,
}

/// Runs a test through both adapters, at the same time.
pub(crate) fn both(test: impl Fn(Way) + Sync) {
    thread::scope(|scope| {
        for way in [Way::Async, Way::Blocking] {
            let test = &test;
            thread::Builder::new().name(format!("{way:?}")).spawn_scoped(scope, move || test(way)).unwrap();
        }
    });
}

/// Runs a test through both adapters with each of these, all at the same time.
pub(crate) fn both_with<T: Clone + Send + Sync>(cases: &[T], test: impl Fn(Way, T) + Sync) {
    both(|way| {
        thread::scope(|scope| {
            for case in cases {
                let test = &test;
                scope.spawn(move || test(way, case.clone()));
            }
        });
    });
}

/// A server, and a store with a login at it.
pub(crate) struct Bench {
    pub(crate) server: DevServer,
    pub(crate) store: Arc<Faulty>,
    client: ClientBuf,
    policy: Policy,
}

/// How much is left of the access token of an hour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Left {
    All,
    /// Some seconds: a refresh is due.
    Little,
    Nothing,
}

impl Bench {
    pub(crate) fn new(left: Left) -> Self {
        Self::with(left, Options::default(), Policy::new())
    }

    pub(crate) fn with(left: Left, options: Options, policy: Policy) -> Self {
        let server = DevServer::start(options).unwrap();
        let client = Http::new().discover(&server.issuer(), "demo-native", "https://app.example/paste").unwrap();
        let bench = Self { server, store: Arc::default(), client, policy };
        bench.open(Way::Blocking).begin_with(bench.record(left)).unwrap();
        bench
    }

    /// Another program at the same store.
    pub(crate) fn open(&self, way: Way) -> Box<dyn Login> {
        let (client, store) = (self.client.as_client(), Arc::clone(&self.store));
        match way {
            Way::Blocking => Box::new(Session::with_policy(&Http::new(), client, store, self.key(), self.policy)),
            Way::Async => asynchronous(self.sessions()),
        }
    }

    /// Another service at the same store. The login is that of the account `default`.
    pub(crate) fn sessions(&self) -> Sessions {
        let http = proofkey_reqwest::Http::new().unwrap();
        Sessions::new(&http, self.client.as_client(), Arc::clone(&self.store)).with_policy(self.policy)
    }

    pub(crate) fn client(&self) -> Client<'_> {
        self.client.as_client()
    }

    pub(crate) fn key(&self) -> Key {
        Key::of(self.client.as_client(), "default")
    }

    /// The tokens of a new sign-in.
    pub(crate) fn sign_in(&self) -> SignedIn {
        let client = self.client.as_client();
        let requested_at = SystemTime::now();
        let (url, pending) = client.authorize(&["itwin-platform", "offline_access"], &mut SysRng).unwrap();
        let visit = UserAgent::new().run(&url.to_string(), Decision::Allow).unwrap();
        let redirect = visit.callback.unwrap();
        let code = pending.accept(client, Redirect::Url(&redirect)).unwrap();
        SignedIn::new(Http::new().exchange(code).unwrap(), requested_at)
    }

    /// A new sign-in as it is to be stored.
    pub(crate) fn record(&self, left: Left) -> Record {
        let age = match left {
            Left::All => 0,
            Left::Little => 3600 - 25,
            Left::Nothing => 3600,
        };
        let requested_at = seconds_since_1970() - age;
        Record::of_login(self.key(), self.client.as_client(), &[], self.sign_in().tokens.as_tokens(), requested_at)
    }

    /// These refreshes have this fault.
    pub(crate) fn fail(&self, when: When, fault: EndpointFault) {
        self.server.set_faults(Faults { refresh: vec![RefreshFault { when, fault }], ..Faults::default() });
    }

    /// The server works again.
    pub(crate) fn mend(&self) {
        self.server.set_faults(Faults::default());
    }

    /// What the store has.
    pub(crate) fn stored(&self) -> Option<Record> {
        self.store.record(&self.key())
    }

    /// Whether a claim was left as a mark.
    pub(crate) fn has_mark(&self) -> bool {
        self.store.has_mark(&self.key())
    }

    /// Refreshes, replays, reuses.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let counts = self.server.counts();
        [counts.refreshes, counts.replays, counts.reuses]
    }

    pub(crate) fn requests(&self) -> u64 {
        // One for the sign-in.
        self.server.counts().token_requests - 1
    }

    /// Whether the API takes this token.
    pub(crate) fn is_taken(&self, token: &str) -> bool {
        let token = proofkey_core::AccessToken::new(token).unwrap();
        Http::new().call(self.me(), token).unwrap().status == 200
    }

    pub(crate) fn me(&self) -> Request<Vec<u8>> {
        Request::get(self.server.api("/api/me")).body(Vec::new()).unwrap()
    }
}

/// What a caller got, in few words.
pub(crate) fn said(result: &Result<Token, SessionError>) -> String {
    match result {
        Ok(token) => token.trouble().map_or_else(|| "token".to_owned(), |why| format!("token, {}", word(why))),
        Err(error) => word(error),
    }
}

pub(crate) fn word(error: &SessionError) -> String {
    match error {
        SessionError::Ended { end, .. } => {
            let end = format!("{end:?}");
            format!("ended: {}", end.split(' ').next().unwrap())
        }
        error => format!("{error:?}").split(['(', ' ']).next().unwrap().to_owned(),
    }
}

/// Waits until this is so; not for a fixed time.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// The login of the account `default`.
pub(crate) fn asynchronous(sessions: Sessions) -> Box<dyn Login> {
    Box::new(Asynchronous { session: sessions.of("default"), sessions })
}

impl Login for Session {
    fn access_token(&self) -> Result<Token, SessionError> {
        self.access_token()
    }

    fn access_token_for(&self, seconds: u32) -> Result<Token, SessionError> {
        self.access_token_for(seconds)
    }

    fn begin(&self, signed_in: &SignedIn) -> Result<Option<Record>, SessionError> {
        self.begin(signed_in)
    }

    fn begin_with(&self, record: Record) -> Result<Option<Record>, SessionError> {
        self.begin_with(record)
    }

    fn call(&self, request: Request<Vec<u8>>) -> Result<ResponseBuf, CallError> {
        self.call(request)
    }

    fn for_resource(&self, resource: &str) -> Box<dyn Login> {
        Box::new(self.for_resource(resource))
    }

    fn peek(&self) -> Result<Option<Token>, SessionError> {
        self.peek()
    }

    fn refresh(&self) -> Result<Token, SessionError> {
        self.refresh()
    }

    fn renew(&self, refused: &Token) -> Result<Token, SessionError> {
        self.renew(refused)
    }

    fn settle(&self) -> Result<(), SessionError> {
        self.settle()
    }

    fn sign_out(&self) -> Result<SignedOut, SessionError> {
        self.sign_out()
    }
}

struct Asynchronous {
    sessions: Sessions,
    session: proofkey_reqwest::Session,
}

impl Login for Asynchronous {
    fn access_token(&self) -> Result<Token, SessionError> {
        RUNTIME.block_on(self.session.access_token())
    }

    fn access_token_for(&self, seconds: u32) -> Result<Token, SessionError> {
        RUNTIME.block_on(self.session.access_token_for(seconds))
    }

    fn begin(&self, signed_in: &SignedIn) -> Result<Option<Record>, SessionError> {
        RUNTIME.block_on(self.session.begin(signed_in))
    }

    fn begin_with(&self, record: Record) -> Result<Option<Record>, SessionError> {
        RUNTIME.block_on(self.session.begin_with(record))
    }

    fn call(&self, request: Request<Vec<u8>>) -> Result<ResponseBuf, CallError> {
        RUNTIME.block_on(self.session.call(request))
    }

    fn for_resource(&self, resource: &str) -> Box<dyn Login> {
        let session = self.sessions.of_resource("default", resource);
        Box::new(Self { sessions: self.sessions.clone(), session })
    }

    fn peek(&self) -> Result<Option<Token>, SessionError> {
        RUNTIME.block_on(self.session.peek())
    }

    fn refresh(&self) -> Result<Token, SessionError> {
        RUNTIME.block_on(self.session.refresh())
    }

    fn renew(&self, refused: &Token) -> Result<Token, SessionError> {
        RUNTIME.block_on(self.session.renew(refused))
    }

    fn settle(&self) -> Result<(), SessionError> {
        RUNTIME.block_on(self.sessions.settle())
    }

    fn sign_out(&self) -> Result<SignedOut, SessionError> {
        RUNTIME.block_on(self.session.sign_out())
    }
}
