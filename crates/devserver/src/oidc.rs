//! OpenID Connect: ID tokens, the userinfo endpoint, and signing out (RP-Initiated Logout 1.0).

use crate::api;
use crate::app::{App, JWKS};
use crate::authorize::{is_registered, see_other, session_id};
use crate::options::IdTokenFault;
use crate::pages;
use crate::params::Params;
use crate::state::{Grant, random};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use base64ct::{Base64UrlUnpadded, Encoding};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The key that signs ID tokens with ES256.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    id: String,
}

impl Key {
    pub(crate) fn new() -> Self {
        let random_of_ring = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random_of_ring);
        let pkcs8 = pkcs8.expect("the system has randomness");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random_of_ring);
        Self { pair: pair.expect("a key that was just made"), id: random() }
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.id, "typ": "JWT"});
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).expect("the system has randomness");
        format!("{message}.{}", Base64UrlUnpadded::encode_string(signature.as_ref()))
    }

    /// The claims of a token of this server, also if it has expired.
    fn verify(&self, token: &str) -> Option<Value> {
        let (message, signature) = token.rsplit_once('.')?;
        let (_, claims) = message.split_once('.')?;
        let signature = Base64UrlUnpadded::decode_vec(signature).ok()?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        key.verify(message.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(claims).ok()?).ok()
    }

    /// RFC 7517: the public key, whose point is a byte, x and y.
    fn to_jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let part = |from, to| Base64UrlUnpadded::encode_string(point.get(from..to).unwrap_or_default());
        json!({"kty": "EC", "crv": "P-256", "x": part(1, 33), "y": part(33, 65), "alg": "ES256", "use": "sig", "kid": self.id})
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// How the user of a grant signed in.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignIn {
    pub(crate) nonce: Option<String>,
    /// In seconds since 1970.
    pub(crate) auth_time: u64,
    pub(crate) acr: String,
}

impl SignIn {
    /// What an authorization request asks for. Any way to sign in that it names is taken for done.
    pub(crate) fn of(params: &Params, auth_time: u64) -> Self {
        let acr = params.text("acr_values").split(' ').find(|word| !word.is_empty()).unwrap_or(PASSWORD);
        Self { nonce: params.find("nonce").map(str::to_owned), auth_time, acr: acr.to_owned() }
    }
}

/// Whether a sign-in is older than an authorization request wants it.
pub(crate) fn is_too_old(params: &Params, auth_time: u64) -> bool {
    let max_age = params.find("max_age").and_then(|seconds| seconds.parse::<u64>().ok());
    max_age.is_some_and(|most| now().saturating_sub(auth_time) >= most)
}

/// The ID token of a grant with the scope `openid`. After a refresh it has no nonce (OpenID Connect Core 1.0 section 12.2).
pub(crate) fn id_token(app: &App, grant: &Grant, is_refresh: bool) -> Option<String> {
    if !grant.has("openid") {
        return None;
    }
    let mut claims = user_claims(grant);
    let mut set = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    set("iss", json!(app.issuer));
    set("aud", json!(grant.client_id));
    set("iat", json!(now()));
    set("exp", json!(now() + 3600));
    // A device does not know how its user signed in.
    if grant.sign_in.auth_time > 0 {
        set("auth_time", json!(grant.sign_in.auth_time));
        set("acr", json!(grant.sign_in.acr));
    }
    if let Some(nonce) = grant.sign_in.nonce.as_ref().filter(|_| !is_refresh) {
        set("nonce", json!(nonce));
    }
    match app.faults().id_token {
        Some(IdTokenFault::Audience) => set("aud", json!(["another-client", "api"])),
        Some(IdTokenFault::Encrypted) => return Some("e30.a.b.c.d".to_owned()),
        Some(IdTokenFault::Expired) => set("exp", json!(now() - 3600)),
        Some(IdTokenFault::Issuer) => set("iss", json!("https://as.example")),
        Some(IdTokenFault::NoAuthTime) => set("auth_time", Value::Null),
        Some(IdTokenFault::NoNonce) => set("nonce", Value::Null),
        Some(IdTokenFault::Nonce) => set("nonce", json!("another")),
        Some(IdTokenFault::OldSignIn) => set("auth_time", json!(now() - 86_400)),
        Some(IdTokenFault::Party) => {
            set("aud", json!([grant.client_id, "api"]));
            set("azp", json!("api"));
        }
        Some(IdTokenFault::Subject) => set("sub", json!("mallory")),
        None => {}
    }
    Some(app.key.sign(&Value::Object(claims)))
}

pub(crate) async fn jwks(State(app): State<Arc<App>>) -> Response {
    api::ok(&json!({"keys": [app.key.to_jwk()]}))
}

pub(crate) async fn userinfo(State(app): State<Arc<App>>, method: Method, url: Uri, headers: HeaderMap) -> Response {
    let claims = |grant: &Grant| api::ok(&Value::Object(user_claims(grant)));
    api::guarded_with(&app, app.faults().userinfo, method, url, headers, "openid", claims).await
}

/// Signs the browser out that a hint of this server names, and goes back only to where the client is registered.
pub(crate) async fn end_session(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let page = |text: &str| pages::error(StatusCode::BAD_REQUEST, text);
    let Ok(params) = Params::parse(&query.unwrap_or_default()) else {
        return page("A parameter was sent twice.");
    };
    let Some(hint) = params.find("id_token_hint").and_then(|token| app.key.verify(token)) else {
        return page("The id_token_hint is missing, or is not of this server.");
    };
    let client = app.options.clients.iter().find(|client| hint["aud"] == json!(client.client_id));
    let Some(client) = client.filter(|client| params.find("client_id").is_none_or(|id| id == client.client_id)) else {
        return page("The id_token_hint is of another client.");
    };
    let back = params.find("post_logout_redirect_uri");
    if back.is_some_and(|back| !client.redirect_uris.iter().any(|registered| is_registered(registered, back))) {
        return page("This post_logout_redirect_uri is not registered for this application.");
    }
    if let Some(id) = session_id(&headers) {
        app.grants().sign_out(id, hint["sub"].as_str().unwrap_or_default());
    }
    let Some(back) = back else { return pages::signed_out() };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(params.find("state").map(|state| ("state", state)));
    let separator = if back.contains('?') { '&' } else { '?' };
    see_other(&format!("{back}{separator}{}", query.finish()))
}

/// The claims of the scopes `profile` and `email` (OpenID Connect Core 1.0 section 5.4).
fn user_claims(grant: &Grant) -> Map<String, Value> {
    let user = &grant.user;
    let mut claims = Map::from_iter([("sub".to_owned(), json!(user))]);
    if grant.has("profile") {
        let mut letters = user.chars();
        let name: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        claims.insert("name".to_owned(), json!(name));
        claims.insert("preferred_username".to_owned(), json!(user));
    }
    if grant.has("email") {
        claims.insert("email".to_owned(), json!(format!("{user}@example.test")));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    claims
}

/// The members of the metadata (OpenID Connect Discovery 1.0 section 3).
pub(crate) fn describe(app: &App, document: &mut Value) {
    let members = json!({
        "userinfo_endpoint": app.at(crate::app::USERINFO),
        "end_session_endpoint": app.at(crate::app::END_SESSION),
        "jwks_uri": app.at(JWKS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "acr_values_supported": [PASSWORD, SECOND_FACTOR],
    });
    if let (Value::Object(document), Value::Object(members)) = (document, members) {
        document.extend(members);
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

const PASSWORD: &str = "pwd";
/// What the API wants for a payment.
pub(crate) const SECOND_FACTOR: &str = "mfa";
