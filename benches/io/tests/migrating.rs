//! The code of `oauth2` in docs/guide/migrating.md, against the development server. `examples/migrating.rs` does the same with
//! proofkey.

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, CsrfToken, EndpointNotSet, EndpointSet, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse, TokenUrl,
};
use proofkey_benches_io::http::{reqwest, send};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Options};
use url::Url;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

fn client(authorize: &str, token: &str, client_id: &str) -> Result<Client> {
    Ok(BasicClient::new(ClientId::new(client_id.to_owned()))
        .set_auth_uri(AuthUrl::new(authorize.to_owned())?)
        .set_token_uri(TokenUrl::new(token.to_owned())?)
        .set_redirect_uri(RedirectUrl::new("https://app.example/paste".to_owned())?))
}

fn begin(client: &Client) -> (Url, CsrfToken, PkceCodeVerifier) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let request = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
    let (url, state) = request.add_scope(Scope::new("offline_access".to_owned())).url();
    (url, state, verifier)
}

async fn finish(
    http: &reqwest::Client,
    client: &Client,
    (state, verifier): (CsrfToken, PkceCodeVerifier),
    callback: &str,
) -> Result<BasicTokenResponse> {
    let callback = Url::parse(callback)?;
    let find = |wanted| callback.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    if find("state").as_ref() != Some(state.secret()) {
        return Err("another state".into());
    }
    if let Some(error) = find("error") {
        return Err(error.into());
    }
    let code = AuthorizationCode::new(find("code").ok_or("no code")?);
    let request = client.exchange_code(code).set_pkce_verifier(verifier);
    Ok(request.request_async(&|request| send(http, request)).await?)
}

async fn refresh(http: &reqwest::Client, client: &Client, old: &BasicTokenResponse) -> Result<BasicTokenResponse> {
    let token = old.refresh_token().ok_or("no refresh token")?;
    Ok(client.exchange_refresh_token(token).request_async(&|request| send(http, request)).await?)
}

#[test]
fn oauth2_signs_in_and_refreshes() {
    ::rustls::crypto::ring::default_provider().install_default().expect("the first provider");
    let server = DevServer::start(Options::default()).expect("a server");
    let http = reqwest(false);
    let client = client(&server.authorization_endpoint(), &server.token_endpoint(), "demo-native").expect("a client");
    let (url, state, verifier) = begin(&client);
    let visit = UserAgent::new().run(url.as_str(), Decision::Allow).expect("a browser");
    let callback = visit.callback.expect("a redirect");
    let run = async {
        let tokens = finish(&http, &client, (state, verifier), &callback).await.expect("tokens");
        let new = refresh(&http, &client, &tokens).await.expect("new tokens");
        assert_ne!(new.access_token().secret(), tokens.access_token().secret());
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(run);
}
