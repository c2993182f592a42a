//! A script that calls an API for its user: `script ISSUER CLIENT_ID API_URL`.

use proofkey_ureq::{Http, Login, http::Request};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, issuer, client_id, api] = args.as_slice() else {
        return Err("usage: script ISSUER CLIENT_ID API_URL".into());
    };
    let http = Http::new();
    let client = http.discover(issuer, client_id, "http://127.0.0.1/callback")?;
    let login = Login::new(client.as_client(), &["itwin-platform", "offline_access"]);
    let tokens = http.login(login, |url| proofkey_native::open(url).map_err(std::io::Error::other))?.tokens;
    let answer = http.call(Request::get(api).body(Vec::new())?, tokens.access_token())?;
    println!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    Ok(())
}
