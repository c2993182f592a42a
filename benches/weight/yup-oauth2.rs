//! yup-oauth2 over hyper and rustls. It makes no challenge and no state, and is given the code alone.
//: rustls = { version = "0.23.46", features = ["ring"], default-features = false }
//: tokio = { version = "1.54", features = ["rt"], default-features = false }
//: yup-oauth2 = { version = "12.1.2", features = ["hyper-rustls", "ring"], default-features = false }

use std::error::Error;
use yup_oauth2::{ApplicationSecret, InstalledFlowAuthenticator, InstalledFlowReturnMethod};

fn main() -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorize, token, client_id, redirect_uri] = args.as_slice() else { return Err("four arguments".into()) };
    let secret = ApplicationSecret {
        auth_uri: authorize.clone(),
        token_uri: token.clone(),
        client_id: client_id.clone(),
        redirect_uris: vec![redirect_uri.clone()],
        ..ApplicationSecret::default()
    };
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider")?;
    let flow = InstalledFlowAuthenticator::builder(secret, InstalledFlowReturnMethod::Interactive).build().await?;
    println!("{}", flow.token(&["openid"]).await?.token().ok_or("no token")?);
    Ok(())
}
