//! oauth2 with its own reqwest, over rustls.
//: oauth2 = { version = "5.0", features = ["reqwest", "rustls-tls"], default-features = false }
//: tokio = { version = "1.54", features = ["rt"], default-features = false }

use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse, TokenUrl,
    reqwest, url,
};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorize, token, client_id, redirect_uri] = args.as_slice() else { return Err("four arguments".into()) };
    let client = BasicClient::new(ClientId::new(client_id.clone()))
        .set_auth_uri(AuthUrl::new(authorize.clone())?)
        .set_token_uri(TokenUrl::new(token.clone())?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.clone())?);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scope = Scope::new("openid".to_owned());
    let (url, state) =
        client.authorize_url(CsrfToken::new_random).add_scope(scope).set_pkce_challenge(challenge).url();
    println!("{url}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let redirect = url::Url::parse(line.trim())?;
    let find = |wanted| redirect.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    if find("state").as_ref() != Some(state.secret()) {
        return Err("another state".into());
    }
    let code = AuthorizationCode::new(find("code").ok_or("no code")?);
    let http = reqwest::ClientBuilder::new().redirect(reqwest::redirect::Policy::none()).build()?;
    let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&http).await?;
    println!("{}", tokens.access_token().secret());
    Ok(())
}
