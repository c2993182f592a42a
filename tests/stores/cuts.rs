//! Connections that are cut at each operation, before the server has it and after; what is done again does no harm.

use crate::{A, B, FIRST, VALUE, claim, login, new_key, one_server, signed_in, write};
use proofkey_postgres::Postgres;
use proofkey_redis::Redis;
use proofkey_store::{Answer, AsyncStore, Op, StoreError, StoreFault};
use proofkey_tests::servers::{self, Fault, Relay, connect};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_asked_again() -> Result<(), StoreError> {
    let server = servers::Redis::start();
    let relay = Relay::start(server.socket()).await;
    let direct = Redis::new(server.connect().await);
    let address = format!("redis://{}", relay.address());
    for fault in FAULTS {
        for case in cases() {
            let client = redis::Client::open(address.as_str()).expect("a URL");
            let config = redis::AsyncConnectionConfig::new()
                .set_connection_timeout(Some(TIMEOUT))
                .set_response_timeout(Some(TIMEOUT));
            let connect = async || client.get_multiplexed_async_connection_with_config(&config).await.expect("a relay");
            let broken = Redis::new(connect().await);
            case.check(fault, &relay, &direct, &broken, async || Redis::new(connect().await), true).await?;
        }
    }
    println!("Redis: {} cuts, each operation repeated", FAULTS.len() * cases().len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_be_asked_again() -> Result<(), StoreError> {
    let server = one_server();
    let relay = Relay::start(server.socket().join(".s.PGSQL.5432")).await;
    let config = server.new_database().await;
    let direct = Postgres::new(Arc::new(connect(&config).await));
    direct.create_table().await?;
    let mut relayed = Config::new();
    relayed
        .host("127.0.0.1")
        .port(relay.address().port())
        .user("postgres")
        .dbname(config.get_dbname().expect("a name"));
    for fault in FAULTS {
        for case in cases() {
            let open = async || Postgres::new(Arc::new(connect(&relayed).await));
            let broken = open().await;
            case.check(fault, &relay, &direct, &broken, open, false).await?;
        }
    }
    println!("PostgreSQL: {} cuts, each operation repeated", FAULTS.len() * cases().len());
    Ok(())
}

/// An operation on a row that `before` makes, what it answers, and what it answers if it was done before.
struct Case {
    before: Vec<Op<'static>>,
    op: Op<'static>,
    first: fn(&Answer) -> bool,
    again: fn(&Answer) -> bool,
}

fn cases() -> Vec<Case> {
    let is_done = |answer: &Answer| *answer == Answer::Done;
    let has_first = |answer: &Answer| matches!(answer, Answer::Row(row) if row.version == FIRST && *row.value == VALUE);
    let second = FIRST.next(A);
    let later = login(1_800_000_000);
    let case = |before: &[Op<'static>], op, first, again| Case { before: before.to_vec(), op, first, again };
    vec![
        case(&[], Op::Load, has_first, has_first),
        case(&[], claim(FIRST, A), is_claimed, is_claimed),
        case(&[claim(FIRST, A)], Op::Release { id: A, pause: 60 }, is_done, is_done),
        case(&[claim(FIRST, A)], write(Some((FIRST, A)), second, VALUE), is_done, is_done),
        case(
            &[claim(FIRST, A)],
            write(None, later, VALUE),
            |answer| matches!(answer, Answer::Displaced(row) if row.version == FIRST),
            |answer| matches!(answer, Answer::Changed(row) if row.version == login(1_800_000_000)),
        ),
        case(
            &[],
            Op::Write { expect: None, version: later, value: None },
            |answer| matches!(answer, Answer::Displaced(row) if row.version == FIRST),
            |answer| *answer == Answer::SignedOut { version: login(1_800_000_000) },
        ),
    ]
}

fn is_claimed(answer: &Answer) -> bool {
    matches!(answer, Answer::Claimed(row) if row.version == FIRST && *row.value == VALUE)
}

impl Case {
    async fn check<S: AsyncStore>(
        &self,
        fault: Fault,
        relay: &Relay,
        direct: &dyn AsyncStore,
        broken: &S,
        open: impl AsyncFn() -> S,
        has_limit: bool,
    ) -> Result<(), StoreError> {
        let key = signed_in(direct).await?;
        for op in &self.before {
            direct.run(&key, *op).await?;
        }
        // The driver's own questions at the start are asked, and the script is known.
        broken.run(&new_key(), self.op).await?;
        relay.fail_next(fault);
        if fault == Fault::AnswerSwallowed {
            // The answer never comes: a caller does not wait for ever, or his connection does not.
            let mut running = broken.run(&key, self.op);
            tokio::select! {
                answer = &mut running => panic!("{answer:?}"),
                () = relay.failed() => {}
            }
            if has_limit {
                assert_eq!(running.await.expect_err("no answer").fault(), StoreFault::Unavailable);
            }
        } else {
            let error = broken.run(&key, self.op).await.expect_err("a cut connection");
            assert_eq!(error.fault(), StoreFault::Unavailable, "{error}");
            assert!(error.source().is_some() && !error.to_string().contains(QUOTED), "{error}");
            relay.failed().await;
        }
        let answer = open().await.run(&key, self.op).await?;
        let expected = if fault == Fault::RequestCut { self.first } else { self.again };
        assert!(expected(&answer), "{:?} after {fault:?}: {answer:?}", self.op);
        // The claim of one who was cut off still keeps others out.
        if let Op::Claim { .. } = self.op {
            assert!(matches!(direct.run(&key, claim(FIRST, B)).await?, Answer::Busy { .. }));
        }
        Ok(())
    }
}

const FAULTS: [Fault; 3] = [Fault::RequestCut, Fault::AnswerCut, Fault::AnswerSwallowed];
const QUOTED: &str = "no error quotes";
const TIMEOUT: Duration = Duration::from_secs(2);
