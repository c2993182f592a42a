//! The scripts, one for each operation, and how they are called.

use proofkey_store::Op;
use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};
use std::time::Duration;

pub(crate) struct Scripts {
    pub(crate) load: Script,
    pub(crate) claim: Script,
    pub(crate) release: Script,
    pub(crate) write_expected: Script,
    pub(crate) write_newer: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        const EXISTING: &str = include_str!("lua/existing.lua");
        Self {
            load: Script::new(EXISTING, include_str!("lua/load.lua")),
            claim: Script::new(EXISTING, include_str!("lua/claim.lua")),
            release: Script::new(EXISTING, include_str!("lua/release.lua")),
            write_expected: Script::new(EXISTING, include_str!("lua/write_expected.lua")),
            write_newer: Script::new("", include_str!("lua/write_newer.lua")),
        }
    }
}

pub(crate) struct Script {
    text: String,
    hash: String,
}

impl Script {
    fn new(guard: &str, body: &str) -> Self {
        let head = include_str!("lua/head.lua");
        let text = format!("local TOMBSTONE_SECONDS = {}\n{head}{guard}{body}", Op::TOMBSTONE_SECONDS);
        Self { hash: redis::Script::new(&text).get_hash().to_owned(), text }
    }

    pub(crate) fn call<'a>(&'a self, name: &'a str, args: &'a [&'a [u8]]) -> Call<'a> {
        Call { script: self, name, args }
    }
}

/// A script with what it is called with.
pub(crate) struct Call<'a> {
    script: &'a Script,
    name: &'a str,
    args: &'a [&'a [u8]],
}

impl Call<'_> {
    pub(crate) async fn run(&self, connection: &mut impl ConnectionLike) -> RedisResult<Value> {
        match self.by_hash().query_async(connection).await {
            Err(error) if is_unknown(&error) => self.in_full().query_async(connection).await,
            reply => reply,
        }
    }

    /// The reply, and how many replicas have what was written. In one go: over another connection, `WAIT` would not know of it.
    pub(crate) async fn run_and_wait(
        &self,
        connection: &mut impl ConnectionLike,
        replicas: u32,
        timeout: Duration,
    ) -> RedisResult<(Value, u32)> {
        // Zero would be without end.
        let timeout = timeout.as_millis().clamp(1, u128::from(u32::MAX)).to_string();
        let both = |script: Cmd| {
            let mut pipeline = redis::pipe();
            pipeline.add_command(script).cmd("WAIT").arg(replicas).arg(&timeout);
            pipeline
        };
        match both(self.by_hash()).query_async(connection).await {
            Err(error) if is_unknown(&error) => both(self.in_full()).query_async(connection).await,
            reply => reply,
        }
    }

    fn by_hash(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// Each script at its first call after the server was started.
    fn in_full(&self) -> Cmd {
        self.command("EVAL", &self.script.text)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(1).arg(self.name);
        for arg in self.args {
            command.arg(*arg);
        }
        command
    }
}

fn is_unknown(error: &redis::RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
