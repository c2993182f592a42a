//! [`Session`]: one login of a service, driven by detached tasks.

use crate::adapter::Http;
use proofkey_core::session::Need;
use proofkey_core::{ClaimsBuf, ClientBuf, ResponseBuf};
use proofkey_http::session::{
    Act, Begin, CallError, Came, Cell, Revocation, Revoking, Run, SessionError, SignedOut, Token, Turn, answered,
    is_stale,
};
use proofkey_http::{ExchangeError, SignedIn, read_userinfo};
use proofkey_store::{AsyncStore, BoxFuture, Op, Record};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};
use tokio::time::{sleep, timeout};

/// A login that stays: its access token is always valid, refreshed by one task, process or machine at a time, and saved before it
/// counts. [`Sessions::of`](crate::Sessions::of) makes it; the example of [`Sessions`](crate::Sessions) shows how.
///
/// A refresh runs in a task of its own: a future that is dropped drops nothing of it. All futures need a tokio runtime.
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
}

/// What all logins of a service share.
pub(crate) struct Service {
    pub(crate) http: Http,
    pub(crate) client: Arc<ClientBuf>,
    pub(crate) store: Arc<dyn AsyncStore>,
    /// How many tasks are at work.
    pub(crate) tasks: watch::Sender<usize>,
}

/// A login in this process.
pub(crate) struct Shared {
    service: Arc<Service>,
    pub(crate) cell: Cell,
    /// Held by the task that drives a pass.
    flight: Arc<Mutex<()>>,
    /// When it was last asked for, in seconds of uptime.
    used: AtomicU64,
}

impl Session {
    /// What is stored, without a refresh; none if nobody is signed in. The token may have ended.
    ///
    /// # Errors
    /// [`SessionError::Store`].
    pub async fn peek(&self) -> Result<Option<Token>, SessionError> {
        let cell = &self.shared.cell;
        cell.peek(self.shared.service.store.run(cell.key(), Op::Load).await)
    }

    /// Stores a login, in place of the one that is there. Its record is returned: its tokens are still valid.
    ///
    /// If the future is dropped, the login is stored all the same.
    ///
    /// # Errors
    /// [`SessionError::Store`]. The tokens are not lost then: try again.
    pub async fn begin(&self, signed_in: &SignedIn) -> Result<Option<Record>, SessionError> {
        let signed_in = signed_in.clone();
        self.detached(|session| async move { session.write(Begin::login(&session.shared.cell, &signed_in)?).await })
            .await
    }

    /// [`begin`](Self::begin) with a record of your own, which may have notes.
    ///
    /// # Errors
    /// As [`begin`](Self::begin), and if the record has another key.
    pub async fn begin_with(&self, record: Record) -> Result<Option<Record>, SessionError> {
        self.detached(|session| async move { session.write(Begin::with(&session.shared.cell, record)?).await }).await
    }

    /// A valid access token, refreshed if it is due. While the old one is valid, nobody waits for longer than a second.
    ///
    /// # Errors
    /// [`SessionError`]; its [`advice`](SessionError::advice) says what to do.
    pub async fn access_token(&self) -> Result<Token, SessionError> {
        match self.shared.cell.fresh() {
            Some(token) => Ok(token),
            None => self.wait(Need::Valid).await,
        }
    }

    /// An access token that is valid for so many seconds, as far as the server says, or one that is issued now.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub async fn access_token_for(&self, seconds: u32) -> Result<Token, SessionError> {
        self.pass(Need::ValidFor(seconds)).await
    }

    /// Another token than this one, which an API has refused with 401.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token); [`SessionError::Young`] if it was issued within the last minute.
    pub async fn renew(&self, refused: &Token) -> Result<Token, SessionError> {
        let newer = self.pass(Need::OtherThan(refused.version())).await?;
        // If only a token for another resource is newer, this is still the one that was refused.
        if newer.expose() == refused.expose() { self.pass(Need::OtherThan(newer.version())).await } else { Ok(newer) }
    }

    /// A new token, even if the present one is valid.
    ///
    /// # Errors
    /// As [`access_token`](Self::access_token).
    pub async fn refresh(&self) -> Result<Token, SessionError> {
        self.pass(Need::New).await
    }

    /// Calls an API with a valid token, as [`Http::call`], and once more with a newer one if the API refuses it with a 401 that
    /// a newer one may mend. Never with the token of another login.
    ///
    /// If the future is dropped, the request may have arrived all the same.
    ///
    /// # Errors
    /// [`CallError`]; [`CallError::StepUp`] if the API wants the user to sign in again, which a refresh does not mend.
    pub async fn call(&self, request: http::Request<Vec<u8>>) -> Result<ResponseBuf, CallError> {
        let http = &self.shared.service.http;
        let token = self.access_token().await.map_err(CallError::Session)?;
        let response = http.call(request.clone(), token.access_token()).await.map_err(CallError::Transport)?;
        if !is_stale(&response) {
            return answered(response);
        }
        match self.renew(&token).await {
            Ok(newer) if newer.is_of_same_login(&token) => {
                http.call(request, newer.access_token()).await.map_err(CallError::Transport).and_then(answered)
            }
            _ => Ok(response),
        }
    }

    /// Asks the server for more about the user who signed in ([`Http::userinfo`]): not with the token of a resource, which is for that
    /// API alone.
    ///
    /// # Errors
    /// [`CallError::Session`] if there is no valid token, [`CallError::UserInfo`].
    pub async fn userinfo(&self) -> Result<ClaimsBuf, CallError> {
        let token = self.access_token().await.map_err(CallError::Session)?;
        let mut request = token.userinfo(self.shared.cell.client()).map_err(CallError::UserInfo)?;
        let driven = self.shared.service.http.drive(&mut request).await;
        read_userinfo(request, driven).map_err(CallError::UserInfo)
    }

    /// Signs out: the login is removed from the store, then its tokens are revoked at the server.
    ///
    /// If the future is dropped, it goes on all the same.
    ///
    /// # Errors
    /// [`SessionError::Store`]: then nothing is revoked.
    pub async fn sign_out(&self) -> Result<SignedOut, SessionError> {
        self.detached(|session| async move {
            let record = session.write(Begin::sign_out(&session.shared.cell)?).await?;
            let revocation = match &record {
                Some(record) => session.revoke(record).await,
                None => Ok(Revocation::Done),
            };
            Ok(SignedOut::new(record, revocation))
        })
        .await
    }

    async fn pass(&self, need: Need) -> Result<Token, SessionError> {
        match self.shared.cell.fresh_for(need) {
            Some(token) => Ok(token),
            None => self.wait(need).await,
        }
    }

    /// In a box, so that a future is small for as long as the token is valid.
    fn wait(&self, need: Need) -> BoxFuture<'_, Result<Token, SessionError>> {
        Box::pin(self.take_turn(need))
    }

    async fn take_turn(&self, need: Need) -> Result<Token, SessionError> {
        let cell = &self.shared.cell;
        let came = cell.come();
        let (flight, valid) = (Arc::clone(&self.shared.flight), cell.valid(need));
        let flight = match (Arc::clone(&flight).try_lock_owned(), &valid) {
            (Ok(flight), _) => flight,
            // Somebody else refreshes, and this one is still valid.
            (Err(_), Some(token)) => return Ok(token.clone()),
            (Err(_), None) => timeout(PATIENCE, flight.lock_owned()).await.map_err(|_| SessionError::Busy)?,
        };
        let turn = match cell.turn(need, came) {
            Turn::Over(result) => return result,
            turn => turn,
        };
        let (tell, told) = oneshot::channel();
        self.spawn(|session| session.drive(need, came, turn, flight, tell));
        // It ends without a word if the runtime ends.
        let told = async { told.await.unwrap_or(Err(SessionError::Unsent(None))) };
        match valid {
            None => told.await,
            // A program may end when it has its token, so the refresh is given a moment.
            Some(token) => timeout(MOMENT, told).await.unwrap_or(Ok(token)),
        }
    }

    /// Drives a pass to its end. What cannot be saved is tried again each second.
    async fn drive(
        self,
        need: Need,
        came: Came,
        mut turn: Turn,
        flight: OwnedMutexGuard<()>,
        tell: oneshot::Sender<Result<Token, SessionError>>,
    ) {
        let cell = &self.shared.cell;
        // Nobody may be waiting any longer.
        let tell = |result| {
            drop(flight);
            drop(tell.send(result));
        };
        loop {
            match turn {
                Turn::Over(result) => return tell(result),
                Turn::Save(run) => {
                    let (result, is_settled) = self.go_on(Need::Valid, run).await;
                    if !is_settled {
                        return tell(cell.serve(need, result));
                    }
                    turn = cell.turn(need, came);
                }
                Turn::Run(run) => {
                    let (result, is_settled) = self.go_on(need, run).await;
                    tell(result);
                    if !is_settled {
                        self.save().await;
                    }
                    return;
                }
            }
        }
    }

    /// Tries to save what is not saved yet, each second, until it is or somebody else has done it.
    async fn save(&self) {
        loop {
            sleep(AGAIN).await;
            let _flight = self.shared.flight.lock().await;
            let Some(run) = self.shared.cell.unsaved() else { return };
            if self.go_on(Need::Valid, run).await.1 {
                return;
            }
        }
    }

    /// Goes on with a pass, and tells what came of it and whether that is saved.
    async fn go_on(&self, need: Need, mut run: Box<Run>) -> (Result<Token, SessionError>, bool) {
        self.go(&mut run).await;
        let result = self.shared.cell.publish(need, &run);
        let is_settled = run.is_settled();
        if !is_settled {
            self.shared.cell.put_aside(run);
        }
        (result, is_settled)
    }

    async fn go(&self, run: &mut Run) {
        let cell = &self.shared.cell;
        loop {
            match run.act() {
                Act::Exchange(within) => {
                    let parameters = run.parameters();
                    let answer = match run.request(cell.client(), &parameters) {
                        Ok(request) => self.shared.service.http.exchange_within(request, within).await,
                        Err(error) => (None, Err(error)),
                    };
                    run.exchanged(answer);
                }
                Act::Revoke => {
                    if let Some(record) = run.record() {
                        // Whatever comes of it: the user has signed out.
                        let _ = self.revoke(record).await;
                    }
                    run.waited();
                }
                Act::Store => {
                    let answer = self.shared.service.store.run(cell.key(), run.op()).await;
                    run.stored(answer);
                }
                Act::Wait(time) => {
                    sleep(time).await;
                    run.waited();
                }
                _ => return,
            }
        }
    }

    async fn write(&self, mut begin: Begin<'_>) -> Result<Option<Record>, SessionError> {
        let flight = timeout(PATIENCE, self.shared.flight.lock()).await;
        let _flight = flight.map_err(|_| SessionError::Busy)?;
        loop {
            let answer = self.shared.service.store.run(self.shared.cell.key(), begin.op()).await;
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
    pub async fn revoke(&self, record: &Record) -> Result<Revocation, ExchangeError> {
        let mut revoking = Revoking::new(self.shared.cell.client(), record);
        while let Some((client, token)) = revoking.next() {
            revoking.hear(self.shared.service.http.revoke(client, token).await);
        }
        revoking.end()
    }

    /// Runs to its end, whoever waits for it.
    async fn detached<T, F>(&self, work: impl FnOnce(Self) -> F) -> Result<T, SessionError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, SessionError>> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work = work(self.clone());
        self.spawn(|_| async move {
            let _ = tell.send(work.await);
        });
        told.await.unwrap_or(Err(SessionError::Unsent(None)))
    }

    fn spawn<F>(&self, work: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = work(self.clone());
        let task = Task::begin(&self.shared.service);
        tokio::spawn(async move {
            let _task = task;
            work.await;
        });
    }
}

impl Shared {
    pub(crate) fn new(service: Arc<Service>, cell: Cell, now: u64) -> Self {
        Self { service, cell, flight: Arc::default(), used: AtomicU64::new(now) }
    }

    pub(crate) fn use_at(&self, now: u64) {
        self.used.store(now, Ordering::Relaxed);
    }

    /// Whether somebody has a handle of it, or drives it.
    pub(crate) fn is_in_use(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }

    /// How long ago it was asked for, in seconds.
    pub(crate) fn idle(&self, now: u64) -> u64 {
        now.saturating_sub(self.used.load(Ordering::Relaxed))
    }
}

/// Counts a task for as long as it lives.
struct Task(Arc<Service>);

impl Task {
    fn begin(service: &Arc<Service>) -> Self {
        service.tasks.send_modify(|tasks| *tasks = tasks.saturating_add(1));
        Self(Arc::clone(service))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.tasks.send_modify(|tasks| *tasks = tasks.saturating_sub(1));
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("key", self.shared.cell.key()).finish_non_exhaustive()
    }
}

const AGAIN: Duration = Duration::from_secs(1);
/// How long a caller with a valid token waits for the next one.
const MOMENT: Duration = Duration::from_secs(1);
/// How long a caller waits for another's pass.
const PATIENCE: Duration = Duration::from_secs(60);
