//! [`Session`]: a login that stays.

use crate::adapter::Http;
use proofkey_core::session::{Need, Policy};
use proofkey_core::{ClaimsBuf, Client, ResponseBuf};
use proofkey_http::session::{
    Act, Begin, CallError, Cell, Revocation, Revoking, Run, SessionError, SignedOut, Token, Turn, answered, is_stale,
};
use proofkey_http::{ExchangeError, SignedIn, read_userinfo};
use proofkey_store::{Key, Op, Record, Store};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

/// A login that stays: its access token is always valid, refreshed by one thread, process or machine at a time, and saved before
/// it counts.
///
/// It is cheap to clone, and its clones share one token and one refresh. A thread that finds the token due refreshes it, while
/// the others go on with the old one; nobody waits before it has ended.
///
/// ```no_run
/// use proofkey_ureq::proofkey_core::{Client, Server};
/// use proofkey_ureq::{Http, Key, Login, Memory, Session};
///
/// let http = Http::new();
/// let client = Client::new("my-client-id", "http://127.0.0.1/callback", Server::ITWIN)?;
/// // `proofkey_native::Store::files("my-app")` keeps it on the disk.
/// let session = Session::new(&http, client, Memory::new(), Key::of(client, "default"));
/// if session.peek()?.is_none() {
///     let login = Login::new(client, &["itwin-platform", "offline_access"]);
///     session.begin(&http.login(login, |url| Ok(println!("Open {url}")))?)?;
/// }
/// let request = http::Request::get("https://api.bentley.com/itwins/").body(Vec::new())?;
/// println!("{}", session.call(request)?.status);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Session {
    http: Http,
    store: Arc<dyn Store>,
    shared: Arc<Shared>,
}

struct Shared {
    cell: Cell,
    /// Held by whoever drives a pass.
    flight: Mutex<()>,
}

impl Session {
    /// The login of `key`, in this store.
    #[must_use]
    pub fn new(http: &Http, client: Client<'_>, store: impl Store + 'static, key: Key) -> Self {
        Self::with_policy(http, client, store, key, Policy::new())
    }

    /// The same with rules of your own, such as the server's grace for refresh tokens that were used before.
    #[must_use]
    pub fn with_policy(http: &Http, client: Client<'_>, store: impl Store + 'static, key: Key, policy: Policy) -> Self {
        Self::of(http.clone(), Arc::new(store), Cell::new(key, Arc::new(client.into()), policy, None))
    }

    /// The same login for one resource (RFC 8707): with an access token of its own, and the same refresh token.
    #[must_use]
    pub fn for_resource(&self, resource: &str) -> Self {
        Self::of(self.http.clone(), Arc::clone(&self.store), self.shared.cell.for_resource(resource))
    }

    fn of(http: Http, store: Arc<dyn Store>, cell: Cell) -> Self {
        Self { http, store, shared: Arc::new(Shared { cell, flight: Mutex::new(()) }) }
    }

    /// What is stored, without a refresh; none if nobody is signed in. The token may have ended.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub fn peek(&self) -> Result<Option<Token>, SessionError> {
        self.shared.cell.peek(self.store.run(self.shared.cell.key(), Op::Load))
    }

    /// Stores a login, in place of the one that is there. Its record is returned: its tokens are still valid.
    ///
    /// # Errors
    /// [`SessionError::Store`]. The tokens are not lost then: try again.
    pub fn begin(&self, signed_in: &SignedIn) -> Result<Option<Record>, SessionError> {
        self.write(Begin::login(&self.shared.cell, signed_in)?)
    }

    /// [`begin`](Self::begin) with a record of your own, which may have notes.
    ///
    /// # Errors
    /// As [`begin`](Self::begin), and if the record has another key.
    pub fn begin_with(&self, record: Record) -> Result<Option<Record>, SessionError> {
        self.write(Begin::with(&self.shared.cell, record)?)
    }

    /// A valid access token, refreshed if it is due.
    ///
    /// # Errors
    /// [`SessionError`]; its [`advice`](SessionError::advice) says what to do.
    pub fn access_token(&self) -> Result<Token, SessionError> {
        self.shared.cell.fresh().map_or_else(|| self.pass(Need::Valid), Ok)
    }

    /// An access token that is valid for so many seconds, as far as the server says, or one that is issued now.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub fn access_token_for(&self, seconds: u32) -> Result<Token, SessionError> {
        self.pass(Need::ValidFor(seconds))
    }

    /// Another token than this one, which an API has refused with 401.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token); [`SessionError::Young`] if it was issued within the last minute.
    pub fn renew(&self, refused: &Token) -> Result<Token, SessionError> {
        let newer = self.pass(Need::OtherThan(refused.version()))?;
        // If only a token for another resource is newer, this is still the one that was refused.
        if newer.expose() == refused.expose() { self.pass(Need::OtherThan(newer.version())) } else { Ok(newer) }
    }

    /// A new token, even if the present one is valid.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub fn refresh(&self) -> Result<Token, SessionError> {
        self.pass(Need::New)
    }

    /// Calls an API with a valid token, as [`Http::call`], and once more with a newer one if the API refuses it with a 401 that
    /// a newer one may mend. Never with the token of another login.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::StepUp`] if the API wants the user to sign in again, which a refresh does not mend.
    pub fn call(&self, request: http::Request<Vec<u8>>) -> Result<ResponseBuf, CallError> {
        let token = self.access_token().map_err(CallError::Session)?;
        let call = |request, token: &Token| self.http.call(request, token.access_token()).map_err(CallError::Transport);
        let response = call(request.clone(), &token)?;
        if !is_stale(&response) {
            return answered(response);
        }
        match self.renew(&token) {
            Ok(newer) if newer.is_of_same_login(&token) => call(request, &newer).and_then(answered),
            _ => Ok(response),
        }
    }

    /// Asks the server for more about the user who signed in ([`Http::userinfo`]): not with the token of a resource, which is for that
    /// API alone.
    ///
    /// # Errors
    /// [`CallError::Session`] if there is no valid token, [`CallError::UserInfo`].
    pub fn userinfo(&self) -> Result<ClaimsBuf, CallError> {
        let token = self.access_token().map_err(CallError::Session)?;
        let mut request = token.userinfo(self.shared.cell.client()).map_err(CallError::UserInfo)?;
        let driven = self.http.drive(&mut request);
        read_userinfo(request, driven).map_err(CallError::UserInfo)
    }

    /// Signs out: the login is removed from the store, then its tokens are revoked at the server.
    ///
    /// # Errors
    /// [`SessionError::Store`]: then nothing is revoked.
    pub fn sign_out(&self) -> Result<SignedOut, SessionError> {
        let record = self.write(Begin::sign_out(&self.shared.cell)?)?;
        let revocation = record.as_ref().map_or(Ok(Revocation::Done), |record| self.revoke(record));
        Ok(SignedOut::new(record, revocation))
    }

    /// Saves what could not be saved before. Call it before the process ends.
    ///
    /// # Errors
    /// [`SessionError::Unsaved`] if that fails for as long as a claim lives.
    pub fn settle(&self) -> Result<(), SessionError> {
        self.save_all().map(drop)
    }

    fn pass(&self, need: Need) -> Result<Token, SessionError> {
        let Shared { cell, flight } = &*self.shared;
        if let Some(token) = cell.fresh_for(need) {
            return Ok(token);
        }
        let came = cell.come();
        let flight = match (flight.try_lock(), cell.valid(need)) {
            (Ok(flight), _) => flight,
            (Err(TryLockError::Poisoned(flight)), _) => flight.into_inner(),
            // Somebody else refreshes, and this one is still valid.
            (Err(TryLockError::WouldBlock), Some(token)) => return Ok(token),
            (Err(TryLockError::WouldBlock), None) => lock(flight),
        };
        loop {
            match cell.turn(need, came) {
                Turn::Over(result) => return result,
                Turn::Save(run) => {
                    let (result, is_settled) = self.drive(Need::Valid, run);
                    if !is_settled {
                        return cell.serve(need, result);
                    }
                }
                Turn::Run(run) => {
                    let (result, is_settled) = self.drive(need, run);
                    drop(flight);
                    return if is_settled { result } else { self.save(result) };
                }
            }
        }
    }

    /// Waits until the tokens are saved, for as long as a claim lives: the process may end when its caller has them.
    fn save(&self, result: Result<Token, SessionError>) -> Result<Token, SessionError> {
        thread::sleep(AGAIN);
        // If they are not saved, the token says so.
        let saved = self.save_all();
        match (self.shared.cell.valid(Need::Valid), saved, result) {
            (Some(token), ..) => Ok(token),
            // The user has signed out, or the row is gone.
            (None, Ok(Some(error)), _) => Err(error),
            // It has ended meanwhile.
            (None, _, Ok(_)) => self.pass(Need::Valid),
            (None, _, error) => error,
        }
    }

    /// Tries to save for as long as a claim lives, and returns what is wrong otherwise when nothing is left to be saved.
    fn save_all(&self) -> Result<Option<SessionError>, SessionError> {
        let Shared { cell, flight } = &*self.shared;
        let begun = Instant::now();
        loop {
            let flight = lock(flight);
            let Some(run) = cell.unsaved() else { return Ok(None) };
            let (result, is_settled) = self.drive(Need::Valid, run);
            drop(flight);
            if is_settled {
                return Ok(result.err());
            }
            if begun.elapsed() >= PATIENCE {
                let unsaved = result.map_or_else(Some, |token| token.trouble().cloned());
                return unsaved.map_or(Ok(None), Err);
            }
            thread::sleep(AGAIN);
        }
    }

    /// Drives a pass to its end, and tells whether that is saved.
    fn drive(&self, need: Need, mut run: Box<Run>) -> (Result<Token, SessionError>, bool) {
        self.go(&mut run);
        let result = self.shared.cell.publish(need, &run);
        let is_settled = run.is_settled();
        if !is_settled {
            self.shared.cell.put_aside(run);
        }
        (result, is_settled)
    }

    fn go(&self, run: &mut Run) {
        let Shared { cell, .. } = &*self.shared;
        loop {
            match run.act() {
                Act::Exchange(within) => {
                    let parameters = run.parameters();
                    let answer = match run.request(cell.client(), &parameters) {
                        Ok(request) => self.http.exchange_within(request, within),
                        Err(error) => (None, Err(error)),
                    };
                    run.exchanged(answer);
                }
                Act::Revoke => {
                    // Whatever comes of it: the user has signed out.
                    let _ = run.record().map(|record| self.revoke(record));
                    run.waited();
                }
                Act::Store => {
                    let answer = self.store.run(cell.key(), run.op());
                    run.stored(answer);
                }
                Act::Wait(time) => {
                    thread::sleep(time);
                    run.waited();
                }
                _ => return,
            }
        }
    }

    fn write(&self, mut begin: Begin<'_>) -> Result<Option<Record>, SessionError> {
        let _flight = lock(&self.shared.flight);
        loop {
            let answer = self.store.run(self.shared.cell.key(), begin.op());
            if let Some(displaced) = begin.stored(answer)? {
                return Ok(displaced);
            }
        }
    }

    /// Revokes the tokens of a record (RFC 7009), such as one that [`begin`](Self::begin) has displaced. Some servers end all logins of
    /// the user at this client then.
    ///
    /// # Errors
    /// [`ExchangeError`]: the tokens may still be valid.
    pub fn revoke(&self, record: &Record) -> Result<Revocation, ExchangeError> {
        let mut revoking = Revoking::new(self.shared.cell.client(), record);
        while let Some((client, token)) = revoking.next() {
            revoking.hear(self.http.revoke(client, token));
        }
        revoking.end()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("key", self.shared.cell.key()).finish_non_exhaustive()
    }
}

fn lock(flight: &Mutex<()>) -> MutexGuard<'_, ()> {
    flight.lock().unwrap_or_else(PoisonError::into_inner)
}

const AGAIN: Duration = Duration::from_secs(1);
/// As long as a claim lives.
const PATIENCE: Duration = Duration::from_secs(25);
