//! Signs in once, stays signed in, and calls an API: `script ISSUER CLIENT_ID API_URL`.

use proofkey_native::Store;
use proofkey_ureq::{Http, Key, Login, Session, http::Request};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: script ISSUER CLIENT_ID API_URL".into());
    };
    let http = Http::new();
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let client = client.as_client();
    let session = Session::new(&http, client, Store::files("my-script")?, Key::of(client, "default"));
    if session.peek()?.is_none() {
        let login = Login::new(client, &["itwin-platform", "offline_access"]);
        session.begin(&http.login(login, |url| proofkey_native::open(url).map_err(std::io::Error::other))?)?;
    }
    let answer = session.call(Request::get(api).body(Vec::new())?)?;
    println!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    Ok(())
}
