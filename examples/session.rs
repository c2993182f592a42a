//! A login that stays, in a script and in its threads: `session ISSUER CLIENT_ID FOLDER API_URL`.

use proofkey_native::Store;
use proofkey_ureq::proofkey_core::Client;
use proofkey_ureq::{Http, Key, Login, Session, http::Request};
use std::{env, error, io, path::Path, thread};

type Result<T> = std::result::Result<T, Box<dyn error::Error>>;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    let [_, issuer, client_id, folder, api] = args.as_slice() else {
        return Err("usage: session ISSUER CLIENT_ID FOLDER API_URL".into());
    };
    let http = Http::new();
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let session = open(&http, client.as_client(), Store::files_in(Path::new(folder))?)?;
    println!("{}", session.call(Request::get(api).body(Vec::new())?)?.status);
    threads(&session)?;
    if let Some(why) = session.access_token()?.trouble() {
        eprintln!("the token is valid, but: {why}");
    }
    Ok(session.settle()?)
}

fn open(http: &Http, client: Client<'_>, store: Store) -> Result<Session> {
    let session = Session::new(http, client, store, Key::of(client, "default"));
    if session.peek()?.is_none() {
        let login = Login::new(client, &["itwin-platform", "offline_access"]);
        session.begin(&http.login(login, |url| proofkey_native::open(url).map_err(io::Error::other))?)?;
    }
    Ok(session)
}

/// Clones share one token and one refresh.
fn threads(session: &Session) -> Result<()> {
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let session = session.clone();
            thread::spawn(move || session.access_token().map(|token| token.expose().len()))
        })
        .collect();
    for worker in workers {
        let length = worker.join().map_err(|_| "a worker panicked")??;
        println!("an access token of {length} bytes");
    }
    Ok(())
}
