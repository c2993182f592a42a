//! What PostgreSQL does under locks, as a standby, after a restart, and what errors say.

use crate::{A, B, FIRST, VALUE, claim, login, new_key, one_server, postgres_store, signed_in, write};
use proofkey_postgres::{Postgres, sql};
use proofkey_store::{Answer, AsyncStore, Op, StoreError, StoreFault};
use proofkey_tests::servers::{self, connect};
use std::error::Error;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

/// The server says what a trigger tells it to.
#[tokio::test]
async fn each_error_of_the_server_has_its_fault_and_quotes_no_value() -> Result<(), Box<dyn Error>> {
    let (store, client, _server) = postgres_store().await;
    let key = signed_in(&store).await?;
    client.batch_execute(TRIGGER).await?;
    for (code, fault) in [
        ("08006", StoreFault::Unavailable),
        ("22000", StoreFault::Setup),
        ("23514", StoreFault::Setup),
        ("25006", StoreFault::Unavailable),
        ("40001", StoreFault::Unavailable),
        ("40P01", StoreFault::Unavailable),
        ("42501", StoreFault::Setup),
        ("53100", StoreFault::Setup),
        ("53200", StoreFault::Unavailable),
        ("53300", StoreFault::Unavailable),
        ("54000", StoreFault::TooBig),
        ("55P03", StoreFault::Unavailable),
        ("57P01", StoreFault::Unavailable),
        ("58030", StoreFault::Unavailable),
        ("XX000", StoreFault::Setup),
        ("XX001", StoreFault::Corrupt),
    ] {
        client.batch_execute(&format!("SET test.code = '{code}'")).await?;
        let error = store.run(&key, write(Some((FIRST, A)), FIRST.next(A), VALUE)).await.expect_err(code);
        assert_eq!(error.fault(), fault, "{error}");
        assert!(error.to_string().contains("the trigger says no"), "{error}");
        assert!(!format!("{error} {error:?}").contains("quotes"), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_table_it_is_a_fault_of_the_setup() -> Result<(), StoreError> {
    let server = one_server();
    let store = Postgres::new(Arc::new(connect(&server.new_database().await).await));
    let error = store.run(&new_key(), Op::Load).await.expect_err("no table");
    assert_eq!(error.fault(), StoreFault::Setup);
    let text = error.to_string();
    assert_eq!(text.matches("\"proofkey_logins\" does not exist").count(), 1, "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_can_be_read_and_refuses_claims() -> Result<(), Box<dyn Error>> {
    let server = servers::Postgres::start();
    let store = Postgres::new(Arc::new(connect(&server.config()).await));
    store.create_table().await?;
    let key = signed_in(&store).await?;
    let standby = server.standby();
    let standby = Postgres::new(Arc::new(connect(&standby.config()).await));
    assert!(matches!(standby.run(&key, Op::Load).await?, Answer::Row(row) if *row.value == VALUE));
    for op in [claim(FIRST, A), write(None, login(1_800_000_000), VALUE)] {
        let error = standby.run(&key, op).await.expect_err("a standby");
        assert_eq!(error.fault(), StoreFault::Unavailable, "{error}");
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_pool_a_restart_is_survived() -> Result<(), Box<dyn Error>> {
    let mut server = servers::Postgres::start();
    let config = server.config();
    let pooled = Postgres::from_pool(move || open(config.clone()), |client| client);
    pooled.create_table().await?;
    let single = Postgres::new(Arc::new(connect(&server.config()).await));
    let key = signed_in(&pooled).await?;
    assert!(matches!(single.run(&key, claim(FIRST, A)).await?, Answer::Claimed(_)));
    server.restart();
    assert!(matches!(pooled.run(&key, claim(FIRST, B)).await?, Answer::Busy { .. }));
    assert_eq!(pooled.run(&key, write(Some((FIRST, A)), FIRST.next(A), VALUE)).await?, Answer::Done);
    for _ in 0..2 {
        assert_eq!(single.run(&key, Op::Load).await.expect_err("a lost connection").fault(), StoreFault::Unavailable);
    }
    drop(server);
    assert_eq!(pooled.run(&key, Op::Load).await.expect_err("no server").fault(), StoreFault::Unavailable);
    Ok(())
}

#[tokio::test]
async fn a_refused_user_is_a_fault_of_the_setup() -> Result<(), StoreError> {
    let server = one_server();
    let mut config = server.config();
    config.user("nobody-by-this-name");
    let pooled = Postgres::from_pool(move || open(config.clone()), |client| client);
    let error = pooled.run(&new_key(), Op::Load).await.expect_err("a refused user");
    assert_eq!(error.fault(), StoreFault::Setup, "{error}");
    Ok(())
}

#[tokio::test]
async fn a_tombstone_is_over_after_a_day() -> Result<(), Box<dyn Error>> {
    let (store, client, _server) = postgres_store().await;
    let later = login(1_800_000_000);
    let sign_out = Op::Write { expect: None, version: later, value: None };
    let (kept, over, login) = (signed_in(&store).await?, signed_in(&store).await?, signed_in(&store).await?);
    for key in [&kept, &over] {
        store.run(key, sign_out).await?;
    }
    let age = "UPDATE proofkey_logins SET written = written - $2::text::interval WHERE key = $1";
    client.execute(age, &[&kept.digest(), &"23 hours 59 minutes"]).await?;
    client.execute(age, &[&login.digest(), &"1 year"]).await?;
    let release = Op::Release { id: A, pause: 0 };
    for (key, answer) in [(&kept, Answer::SignedOut { version: later }), (&over, Answer::Absent)] {
        if *key == over {
            client.execute(age, &[&over.digest(), &"1 day"]).await?;
        }
        for op in [Op::Load, claim(later, A), release, write(Some((later, A)), later.next(A), VALUE)] {
            assert_eq!(store.run(key, op).await?, answer);
        }
    }
    assert_eq!(store.run(&over, write(None, FIRST, VALUE)).await?, Answer::Done, "nothing is older than what is over");
    store.run(&over, sign_out).await?;
    client.execute(age, &[&over.digest(), &"1 day"]).await?;
    assert_eq!((store.purge().await?, store.purge().await?), (1, 0));
    assert_eq!(store.run(&kept, Op::Load).await?, Answer::SignedOut { version: later });
    assert!(matches!(store.run(&login, Op::Load).await?, Answer::Row(row) if row.age > 300 * 86_400));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_can_be_made_by_many_at_once() -> Result<(), StoreError> {
    let server = one_server();
    for _ in 0..5 {
        let config = server.new_database().await;
        let mut stores = Vec::new();
        for _ in 0..8 {
            stores.push(Postgres::new(Arc::new(connect(&config).await)));
        }
        let mut making = JoinSet::new();
        for store in stores {
            making.spawn(async move { store.create_table().await });
        }
        making.join_all().await.into_iter().collect::<Result<(), _>>()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_damaged_row_is_left_as_it_is() -> Result<(), Box<dyn Error>> {
    let (store, client, _server) = postgres_store().await;
    let key = signed_in(&store).await?;
    client.execute("UPDATE proofkey_logins SET version = 'short'", &[]).await?;
    for op in [Op::Load, claim(FIRST, A), write(Some((FIRST, A)), FIRST.next(A), VALUE)] {
        let error = store.run(&key, op).await.expect_err("a damaged row");
        assert_eq!(error.fault(), StoreFault::Corrupt);
    }
    let row = client.query_one("SELECT version, value, claim FROM proofkey_logins", &[]).await?;
    assert_eq!(
        (row.get::<_, &[u8]>(0), row.get::<_, &[u8]>(1), row.get::<_, Option<&[u8]>>(2)),
        (&b"short"[..], VALUE, None)
    );
    Ok(())
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_lengthen_a_claim_for_long() -> Result<(), Box<dyn Error>> {
    let (store, client, _server) = postgres_store().await;
    let key = signed_in(&store).await?;
    assert!(matches!(store.run(&key, claim(FIRST, A)).await?, Answer::Claimed(_)));
    let later = "claimed = '2100-01-01 00:00:00', claim_ends = '2100-01-01 00:00:25',
        paused = '2100-01-01 00:00:00', pause_ends = '2100-01-01 00:01:00', written = '2100-01-01'";
    client.batch_execute(&format!("UPDATE proofkey_logins SET {later}")).await?;
    assert_eq!(store.run(&key, claim(FIRST, B)).await?, Answer::Busy { left: Some(25) });
    let question =
        "SELECT claim_ends - claimed = interval '25 seconds' AND claimed <= clock_timestamp() FROM proofkey_logins";
    assert!(client.query_one(question, &[]).await?.get::<_, bool>(0));
    assert!(matches!(store.run(&key, Op::Load).await?, Answer::Row(row) if row.pause == 0 && row.age == 0));
    Ok(())
}

/// What a pooler in front of the server cannot share.
#[tokio::test]
async fn no_statement_and_no_lock_is_left_behind() -> Result<(), Box<dyn Error>> {
    let (store, client, _server) = postgres_store().await;
    let key = signed_in(&store).await?;
    store.run(&key, claim(FIRST, A)).await?;
    store.run(&key, Op::Load).await?;
    let of_pooler = "SELECT (SELECT count(*) FROM pg_prepared_statements) + (SELECT count(*) FROM pg_locks
        WHERE pid = pg_backend_pid() AND (locktype = 'advisory' OR relation = 'proofkey_logins'::regclass))";
    let found = client.simple_query(of_pooler).await?;
    assert!(
        found
            .iter()
            .any(|message| matches!(message, tokio_postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some("0")))
    );
    Ok(())
}

/// Another driver finds out the types of the parameters by itself.
#[tokio::test]
async fn the_statements_say_the_types_of_their_parameters() -> Result<(), Box<dyn Error>> {
    let (_store, client, _server) = postgres_store().await;
    for (statement, types) in [
        (sql::LOAD, "text"),
        (sql::CLAIM, "text bytea bytea int4 bytea"),
        (sql::RELEASE, "text bytea int8"),
        (sql::WRITE_EXPECTED, "text bytea bytea bytea bytea"),
        (sql::WRITE_NEWER, "text bytea bytea"),
    ] {
        let statement = client.prepare(statement).await?;
        let found: Vec<_> = statement.params().iter().map(|kind| kind.name()).collect();
        let columns: Vec<_> = statement.columns().iter().map(|column| (column.name(), column.type_().name())).collect();
        assert_eq!(found.join(" "), types);
        assert_eq!(columns, COLUMNS);
    }
    Ok(())
}

/// A new connection each time, as a pool would give it.
async fn open(config: Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

const COLUMNS: [(&str, &str); 8] = [
    ("answer", "text"),
    ("version", "bytea"),
    ("value", "bytea"),
    ("age", "int8"),
    ("pause", "int8"),
    ("claim", "bytea"),
    ("claim_age", "int8"),
    ("claim_left", "int8"),
];
const TRIGGER: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the trigger says no' USING ERRCODE = current_setting('test.code'),
            DETAIL = 'Failing row contains ' || convert_from(NEW.value, 'UTF8');
    END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON proofkey_logins FOR EACH ROW EXECUTE FUNCTION refuse()";
