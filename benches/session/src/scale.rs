//! More and more users in Redis and in PostgreSQL.

use crate::servers::{Postgres, Redis};
use crate::service::{self, POSTGRES, REDIS};
use crate::users::{client, record, version};
use proofkey_core::ClientBuf;
use proofkey_store::Op;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Instant;
use std::{env, io};

/// Puts users into each store, as many as the next number says, and has a service serve them each time. With `idle`, the last
/// service over Redis stays until its users are idle; what they leave behind does not depend on the store.
///
/// # Errors
/// If a server or a service cannot be started.
pub async fn run(numbers: &[usize], idle: bool, origin: &str) -> io::Result<()> {
    let client = client(origin);
    let redis = Redis::start();
    let postgres = Postgres::with(&["-c", "fsync=on", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"]);
    let mut idler = None;
    for (kind, socket) in [(REDIS, redis.socket()), (POSTGRES, postgres.socket())] {
        let mut there = 0;
        for users in numbers {
            let begun = Instant::now();
            let size = load(kind, &socket, &client, there..*users).await.map_err(io::Error::other)?;
            eprintln!("{kind}: {users} logins, {} s to write them, {size} MiB", begun.elapsed().as_secs());
            there = *users;
            let last = idle && kind == REDIS && numbers.last() == Some(users);
            let mut service = start(kind, &socket, *users, origin, last)?;
            if last {
                idler = Some(service);
            } else {
                service.wait()?;
            }
        }
    }
    idler.map_or(Ok(()), |mut service| service.wait().map(drop))
}

/// The argument by which this program is the service.
pub const SERVICE: &str = "--service";

fn start(kind: &str, socket: &Path, users: usize, origin: &str, idle: bool) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.args([SERVICE, kind]).arg(socket).args([&users.to_string(), origin, &idle.to_string()]);
    command.spawn()
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Writes the logins of these users. Only the first goes through the store, and the others are made like it. Returns the size of all in
/// the store in MiB.
async fn load(kind: &str, socket: &Path, client: &ClientBuf, users: Range<usize>) -> Result<u64, Failed> {
    let store = service::connect(kind, socket).await?;
    let first = record(client.as_client(), users.start);
    let value = first.to_bytes().ok_or("a record")?;
    let write = Op::Write { expect: None, version: version(users.start), value: Some(&value) };
    store.run(&first.key, write).await?;
    let rest: Vec<usize> = (users.start + 1..users.end).collect();
    let rows = rest.chunks(5_000).map(|users| {
        users.iter().map(|user| {
            let record = record(client.as_client(), *user);
            (record.key.digest(), record.to_bytes().map(|bytes| bytes.to_vec()).unwrap_or_default())
        })
    });
    if kind == REDIS {
        let client = service::redis(socket)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&service::patient()).await?;
        let first: Vec<(Vec<u8>, Vec<u8>)> =
            redis::cmd("HGETALL").arg(name(&first.key.digest())).query_async(&mut connection).await?;
        for rows in rows {
            let mut pipe = redis::pipe();
            for (key, new) in rows {
                let fields = first.iter().map(|(field, old)| (field, if *old == *value { &new } else { old }));
                pipe.hset_multiple(name(&key), &fields.collect::<Vec<_>>()).ignore();
            }
            pipe.exec_async(&mut connection).await?;
        }
        let info: String = redis::cmd("INFO").arg("memory").query_async(&mut connection).await?;
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap_or_default();
        return Ok(used.trim().parse::<u64>()? >> 20);
    }
    let connection = crate::servers::connect(&service::config(socket)).await;
    for rows in rows {
        let (keys, values): (Vec<String>, Vec<Vec<u8>>) = rows.unzip();
        connection.execute(LIKE, &[&first.key.digest(), &keys, &values]).await?;
    }
    connection.batch_execute("VACUUM ANALYZE proofkey_logins").await?;
    let row = connection.query_one("SELECT pg_total_relation_size('proofkey_logins')", &[]).await?;
    Ok(u64::try_from(row.get::<_, i64>(0))? >> 20)
}

fn name(digest: &str) -> String {
    format!("proofkey:{digest}")
}

const LIKE: &str = "\
    INSERT INTO proofkey_logins (key, version, value, written) \
    SELECT new.key, first.version, new.value, first.written \
    FROM proofkey_logins first, unnest($2::text[], $3::bytea[]) AS new (key, value) WHERE first.key = $1";
