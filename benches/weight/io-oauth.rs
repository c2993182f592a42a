//! io-oauth with its client, over rustls.
//: io-oauth = { version = "0.3", features = ["rustls-ring"], default-features = false }
//: pimalaya-stream = { version = "0.3", default-features = false }
//: secrecy = { version = "0.10", default-features = false }
//: url = "2.5"

use io_oauth::client::Oauth20ClientStd;
use io_oauth::rfc6749::{
    access_token_request::Oauth20AccessTokenRequestParams, auth_request::Oauth20AuthRequestParams,
    auth_response::Oauth20AuthParams, state::Oauth20State,
};
use io_oauth::rfc7636::pkce::Oauth20PkceCodeChallenge;
use pimalaya_stream::tls::Tls;
use secrecy::ExposeSecret;
use std::borrow::Cow;
use std::error::Error;
use url::Url;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, authorize, token, client_id, redirect_uri] = args.as_slice() else { return Err("four arguments".into()) };
    let (state, challenge) = (Oauth20State::default(), Oauth20PkceCodeChallenge::default());
    let params = Oauth20AuthRequestParams {
        client_id: client_id.into(),
        redirect_uri: Some(redirect_uri.into()),
        scope: ["openid".into()].into(),
        state: Some(Cow::Borrowed(&state)),
        pkce_code_challenge: Some(Cow::Borrowed(&challenge)),
        extras: Default::default(),
    };
    println!("{}", params.build_url(&Url::parse(authorize)?));
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let redirect = Url::parse(line.trim())?;
    let code = Oauth20AuthParams::from(&redirect).validate(Some(&state)).map_err(|error| error.to_string())?;
    let mut client = Oauth20ClientStd::connect(Url::parse(token)?, &Tls::default(), client_id)?;
    let params = Oauth20AccessTokenRequestParams {
        code,
        redirect_uri: Some(redirect_uri.into()),
        client_id: client_id.into(),
        client_secret: None,
        pkce_code_verifier: Some(Cow::Borrowed(&challenge.verifier)),
    };
    let tokens = client.request_access_token(params)?.map_err(|error| format!("{error:?}"))?;
    println!("{}", tokens.access_token.expose_secret());
    Ok(())
}
