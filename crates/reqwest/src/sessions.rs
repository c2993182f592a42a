//! [`Sessions`]: the logins of a service.

use crate::adapter::Http;
use crate::session::{Service, Session, Shared};
use proofkey_core::Client;
use proofkey_core::session::Policy;
use proofkey_http::session::{Cell, SessionError};
use proofkey_store::{AsyncStore, Key};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync;
use tokio::time::timeout;

/// The logins of a service with many users, in one store that its replicas share.
///
/// A login is loaded when its user comes, and forgotten by this process when he has not come for ten minutes. Nothing is refreshed
/// for a user who is not there. It is cheap to clone.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use proofkey_reqwest::proofkey_core::{Client, Redirect, Server};
/// use proofkey_reqwest::{Http, Memory, Sessions, SysRng};
///
/// let http = Http::new()?;
/// let client = Client::new("my-client-id", "https://app.example/callback", Server::ITWIN)?;
/// // `proofkey_redis` and `proofkey_postgres` are stores for a fleet.
/// let sessions = Sessions::new(&http, client, Memory::new());
///
/// // When alice comes back from signing in:
/// # let (target, pending) = ("", client.authorize(&[], &mut SysRng)?.1);
/// let tokens = http.exchange(pending.accept(client, Redirect::Target(target))?).await?;
/// sessions.of("alice").begin(&tokens.into()).await?;
///
/// // Whenever she needs the API:
/// let request = http::Request::get("https://api.bentley.com/itwins/").body(Vec::new())?;
/// let answer = sessions.of("alice").call(request).await?;
///
/// // Before the runtime ends:
/// sessions.settle().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions {
    service: Arc<Service>,
    policy: Policy,
    users: Arc<Users>,
}

struct Users {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    begun: Instant,
    capacity: usize,
}

#[derive(Default)]
struct Shard {
    /// Of each account: its login, and those for a resource.
    cells: HashMap<String, Vec<Arc<Shared>>>,
    /// How many accounts there may be before the idle ones go.
    sweep_at: usize,
}

impl Sessions {
    /// The logins of a client in a store.
    #[must_use]
    pub fn new(http: &Http, client: Client<'_>, store: impl AsyncStore + 'static) -> Self {
        let service = Service {
            http: http.clone(),
            client: Arc::new(client.into()),
            store: Arc::new(store),
            tasks: sync::watch::Sender::new(0),
        };
        Self { service: Arc::new(service), policy: Policy::new(), users: Arc::new(Users::new(CAPACITY)) }
    }

    /// The same with rules of your own, such as the server's grace for refresh tokens that were used before. Set them before the
    /// first [`of`](Self::of).
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// The same with room for so many accounts in this process; 100,000 by default. Those that were not asked for lately go
    /// first, and are loaded again when they are.
    #[must_use]
    pub fn with_capacity(self, accounts: usize) -> Self {
        Self { users: Arc::new(Users::new(accounts)), ..self }
    }

    /// The login of an account, such as a user's id.
    #[must_use]
    pub fn of(&self, account: &str) -> Session {
        self.find(account, None)
    }

    /// The login of an account for one resource (RFC 8707): with an access token of its own, and the same refresh token.
    #[must_use]
    pub fn of_resource(&self, account: &str, resource: &str) -> Session {
        self.find(account, Some(resource))
    }

    /// How many accounts this process has in memory.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        self.users.shards.iter().map(|shard| lock(shard).cells.len()).sum()
    }

    /// Waits until every refresh is done and saved. Call it before the runtime ends: what is under way then is lost.
    ///
    /// # Errors
    /// [`SessionError::Busy`] if that takes longer than half a minute.
    pub async fn settle(&self) -> Result<(), SessionError> {
        let mut tasks = self.service.tasks.subscribe();
        match timeout(PATIENCE, tasks.wait_for(|tasks| *tasks == 0)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(SessionError::Busy),
        }
    }

    fn find(&self, account: &str, resource: Option<&str>) -> Session {
        let make = || {
            let key = Key::of(self.service.client.as_client(), account);
            Cell::new(key, Arc::clone(&self.service.client), self.policy, resource)
        };
        Session { service: Arc::clone(&self.service), shared: self.users.find(account, resource, make) }
    }
}

impl Users {
    fn new(capacity: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { hasher: RandomState::new(), shards, begun: Instant::now(), capacity: capacity.div_ceil(SHARDS) }
    }

    fn find(&self, account: &str, resource: Option<&str>, make: impl FnOnce() -> Cell) -> Arc<Shared> {
        let now = self.begun.elapsed().as_secs();
        let place = self.hasher.hash_one(account) % SHARDS as u64;
        let mut shard = lock(&self.shards[usize::try_from(place).unwrap_or_default()]);
        if let Some(cells) = shard.cells.get(account)
            && let Some(found) = cells.iter().find(|shared| shared.cell.resource() == resource)
        {
            found.use_at(now);
            return Arc::clone(found);
        }
        if shard.cells.len() >= shard.sweep_at {
            shard.sweep(now, self.capacity);
        }
        let shared = Arc::new(Shared::new(make(), now));
        shard.cells.entry(account.to_owned()).or_default().push(Arc::clone(&shared));
        shared
    }
}

impl Shard {
    /// Drops who is idle; and of too many who are not, the half that was asked for least lately.
    fn sweep(&mut self, now: u64, capacity: usize) {
        let mut limit = IDLE;
        loop {
            self.cells.retain(|_, cells| {
                cells.retain(|shared| shared.is_in_use() || shared.idle(now) < limit);
                !cells.is_empty()
            });
            if self.cells.len() < capacity || limit == 0 {
                break;
            }
            limit /= 2;
        }
        self.cells.shrink_to(self.cells.len().saturating_mul(2));
        self.sweep_at = self.cells.len().saturating_mul(2).clamp(SWEEP_LEAST, capacity.max(SWEEP_LEAST));
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("client", &self.service.client).finish_non_exhaustive()
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

const CAPACITY: usize = 100_000;
/// In seconds.
const IDLE: u64 = 600;
const PATIENCE: Duration = Duration::from_secs(30);
const SHARDS: usize = 16;
const SWEEP_LEAST: usize = 64;
