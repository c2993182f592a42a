//! [`Sessions`]: the logins of a service.

use crate::adapter::Http;
use crate::session::{Service, Session, Shared};
use proofkey_core::Client;
use proofkey_core::session::Policy;
use proofkey_http::session::{Cell, SessionError, uptime};
use proofkey_store::{AsyncStore, Key};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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
    capacity: usize,
}

#[derive(Default)]
struct Shard {
    /// Of each account: its login, and those for a resource.
    cells: HashMap<String, Vec<Arc<Shared>>>,
    /// How many accounts there may be before the idle ones go.
    sweep_at: usize,
    /// When they went last, in seconds of uptime.
    swept: u64,
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
        let now = uptime();
        let make = || {
            let key = Key::of(self.service.client.as_client(), account);
            let cell = Cell::new(key, Arc::clone(&self.service.client), self.policy, resource);
            Shared::new(Arc::clone(&self.service), cell, now)
        };
        Session { shared: self.users.find(now, account, resource, make) }
    }
}

impl Users {
    fn new(capacity: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { hasher: RandomState::new(), shards, capacity: capacity.div_ceil(SHARDS) }
    }

    fn find(&self, now: u64, account: &str, resource: Option<&str>, make: impl FnOnce() -> Shared) -> Arc<Shared> {
        let place = self.hasher.hash_one(account) % SHARDS as u64;
        let mut shard = lock(&self.shards[usize::try_from(place).unwrap_or_default()]);
        if now.saturating_sub(shard.swept) >= IDLE {
            shard.sweep(now, self.capacity);
        }
        if let Some(cells) = shard.cells.get(account)
            && let Some(found) = cells.iter().find(|shared| shared.cell.resource() == resource)
        {
            found.use_at(now);
            return Arc::clone(found);
        }
        let is_new = !shard.cells.contains_key(account);
        if is_new && shard.cells.len() >= shard.sweep_at {
            shard.sweep(now, self.capacity);
        }
        let shared = Arc::new(make());
        shard.cells.entry(account.to_owned()).or_default().push(Arc::clone(&shared));
        shared
    }
}

impl Shard {
    /// Drops who is idle; and if there is no room, those that were asked for least lately, until a quarter is free.
    fn sweep(&mut self, now: u64, capacity: usize) {
        let mut limit = IDLE;
        let mut enough = capacity.saturating_sub(1);
        loop {
            self.cells.retain(|_, cells| {
                cells.retain(|shared| shared.is_in_use() || shared.idle(now) < limit);
                !cells.is_empty()
            });
            if self.cells.len() <= enough || limit == 0 {
                break;
            }
            enough = capacity.saturating_sub(capacity.div_ceil(4));
            limit /= 2;
        }
        let present = self.cells.len();
        self.cells.shrink_to(present.saturating_mul(2));
        // Those that are in use may be more than there is room for: then not each new one is to look at all of them.
        let least = SWEEP_LEAST.min(capacity);
        self.sweep_at = present.saturating_mul(2).clamp(least, capacity).max(present.saturating_add(present / 8));
        self.swept = now;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proofkey_core::Server;
    use proofkey_store::Memory;
    use std::sync::LazyLock;

    #[test]
    fn who_is_idle_for_ten_minutes_is_forgotten() {
        let users = Users::new(100_000);
        for account in 0..1_000 {
            find(&users, 0, account);
        }
        assert_eq!(count(&users), 1_000);
        let held = find(&users, 0, 7);
        (1_000..2_000).for_each(|account| drop(find(&users, 599, account)));
        assert_eq!(count(&users), 2_000);
        (1_000..2_000).for_each(|account| drop(find(&users, 700, account)));
        (2_000..3_000).for_each(|account| drop(find(&users, 1_200, account)));
        // The first thousand is gone, but for the one that somebody has.
        assert_eq!(count(&users), 2_001);
        assert!(Arc::ptr_eq(&held, &find(&users, 10_000, 7)));
    }

    #[test]
    fn the_idle_are_forgotten_although_nobody_new_comes() {
        let users = Users::new(100_000);
        (0..1_000).for_each(|account| drop(find(&users, 1, account)));
        // A shard is looked through when one of its accounts is asked for: these are enough to reach each of them.
        (0..500).for_each(|account| drop(find(&users, 400, account)));
        (0..500).for_each(|account| drop(find(&users, 700, account)));
        assert_eq!(count(&users), 500);
    }

    #[test]
    fn the_capacity_is_a_bound() {
        for capacity in [1, 16, 100, 1_600] {
            let users = Users::new(capacity);
            for account in 0..10_000 {
                find(&users, account / 100, account);
                assert!(count(&users) <= capacity.max(SHARDS) + SHARDS, "{capacity}: {}", count(&users));
            }
        }
    }

    #[test]
    fn those_that_were_asked_for_lately_stay() {
        let users = Users::new(1_600);
        let often: Vec<_> = (0..100).collect();
        for account in 1_000..20_000 {
            let now = account / 10;
            for account in &often {
                if account % 10 == now % 10 {
                    find(&users, now, *account);
                }
            }
            find(&users, now, account);
        }
        let present = often.iter().filter(|account| is_there(&users, **account)).count();
        assert!(present >= 90, "{present}");
    }

    #[test]
    fn handles_that_are_in_use_stay() {
        let users = Users::new(160);
        let held: Vec<_> = (0..5_000).map(|account| find(&users, 0, account)).collect();
        for (account, shared) in (0..).zip(&held) {
            assert!(Arc::ptr_eq(shared, &find(&users, 100_000, account)));
        }
        assert_eq!(count(&users), 5_000);
        drop(held);
        (20_000..20_500).for_each(|account| drop(find(&users, 200_000, account)));
        assert!(count(&users) <= 200, "{}", count(&users));
    }

    #[test]
    fn a_resource_has_a_login_of_its_own_and_goes_with_its_account() {
        let users = Users::new(100);
        let wide = find(&users, 0, 1);
        let narrow = users.find(0, "1", Some("https://api.example"), || shared(1, Some("https://api.example"), 0));
        assert!(!Arc::ptr_eq(&wide, &narrow));
        assert_eq!(count(&users), 1);
    }

    fn find(users: &Users, now: u64, account: u64) -> Arc<Shared> {
        users.find(now, &account.to_string(), None, || shared(account, None, now))
    }

    fn is_there(users: &Users, account: u64) -> bool {
        users.shards.iter().any(|shard| lock(shard).cells.contains_key(&account.to_string()))
    }

    fn count(users: &Users) -> usize {
        users.shards.iter().map(|shard| lock(shard).cells.len()).sum()
    }

    fn shared(account: u64, resource: Option<&str>, now: u64) -> Shared {
        static SERVICE: LazyLock<Arc<Service>> = LazyLock::new(|| {
            let client = Client::new("client", "http://127.0.0.1/callback", Server::ITWIN).unwrap();
            Sessions::new(&Http::new().unwrap(), client, Memory::new()).service
        });
        let key = Key::of(SERVICE.client.as_client(), account.to_string());
        let cell = Cell::new(key, Arc::clone(&SERVICE.client), Policy::new(), resource);
        Shared::new(Arc::clone(&SERVICE), cell, now)
    }
}
