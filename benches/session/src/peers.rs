//! Other crates that keep a token: each hands out the one that it has. None asks the network for it a second time.

use crate::contender::Contender;
use crate::endpoint::{GRANTED, access_token};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use google_cloud_auth::credentials::user_account;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rmcp::transport::auth::{AuthorizationManager, CredentialStore, InMemoryCredentialStore, StoredCredentials};
use serde_json::json;
use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::runtime::Runtime;
use yup_oauth2::{CustomHyperClientBuilder, ExternalAccountAuthenticator};

/// `google-cloud-auth`: the token of a user account, which a task of its own keeps valid.
///
/// # Panics
/// If it gets no token.
#[must_use]
pub fn google_cloud_auth(runtime: &Runtime, endpoint: &str) -> Contender {
    let account =
        json!({ "type": "authorized_user", "client_id": "id", "client_secret": "secret", "refresh_token": "refresh" });
    let credentials = runtime.block_on(async {
        let credentials = user_account::Builder::new(account).with_token_uri(endpoint).build_access_token_credentials();
        let credentials = credentials.expect("credentials");
        assert_eq!(credentials.access_token().await.expect("a token").token, access_token());
        credentials
    });
    Contender::future("google-cloud-auth", async move |_| credentials.access_token().await.expect("a token"))
}

/// `azure_identity`: the token of a service, from its cache by scope.
///
/// # Panics
/// If it gets no token.
#[must_use]
pub fn azure_identity(runtime: &Runtime) -> Contender {
    let client_options = ClientOptions { transport: Some(Transport::new(Arc::new(Granting))), ..Default::default() };
    let options = ClientSecretCredentialOptions { client_options };
    let secret = Secret::new("secret".to_owned());
    let credential =
        ClientSecretCredential::new("tenant", "id".to_owned(), secret, Some(options)).expect("a credential");
    let first = runtime.block_on(credential.get_token(&SCOPES, None)).expect("a token");
    assert_eq!(first.token.secret(), access_token());
    Contender::future("azure_identity", async move |_| credential.get_token(&SCOPES, None).await.expect("a token"))
}

/// Grants tokens without a network.
#[derive(Debug)]
struct Granting;

#[async_trait::async_trait]
impl HttpClient for Granting {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), GRANTED))
    }
}

/// `yup-oauth2`: the token of an external account, from its storage in memory.
///
/// # Panics
/// If it gets no token.
#[must_use]
pub fn yup_oauth2(runtime: &Runtime, endpoint: &str) -> Contender {
    let mut subject = tempfile::NamedTempFile::new().expect("a file");
    subject.write_all(b"subject").expect("a file");
    let secret = serde_json::from_value(json!({
        "type": "external_account", "audience": "audience", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": endpoint, "credential_source": { "file": subject.path() },
    }));
    let authenticator = runtime.block_on(async {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let client = CustomHyperClientBuilder::from(client);
        let builder = ExternalAccountAuthenticator::with_client(secret.expect("a secret"), client);
        let authenticator = builder.build().await.expect("an authenticator");
        let first = authenticator.token(&SCOPES).await.expect("a token");
        assert_eq!(first.token(), Some(access_token().as_str()));
        authenticator
    });
    Contender::future("yup-oauth2", async move |_| authenticator.token(&SCOPES).await.expect("a token"))
}

/// `rmcp`: the token of a login, from its store in memory.
///
/// # Panics
/// If it gets no token.
#[must_use]
pub fn rmcp(runtime: &Runtime) -> Contender {
    let manager = runtime.block_on(async {
        let mut manager = AuthorizationManager::new("http://127.0.0.1:1").await.expect("a manager");
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let granted = serde_json::from_str(GRANTED).expect("tokens");
        let store = InMemoryCredentialStore::new();
        let stored = StoredCredentials::new("id".to_owned(), Some(granted), Vec::new(), Some(now));
        store.save(stored).await.expect("a store");
        manager.set_credential_store(store);
        assert_eq!(manager.get_access_token().await.expect("a token"), access_token());
        manager
    });
    Contender::future("rmcp", async move |_| manager.get_access_token().await.expect("a token"))
}

const SCOPES: [&str; 1] = ["openid"];
