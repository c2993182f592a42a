//! Every step of every flow, with the values of the specifications where they have some.

use crate::more;
use core::convert::Infallible;
use core::fmt::{self, Write};
use core::hint::black_box;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use heapless::String;
use proofkey_core::loopback::{self, Connection, Loopback, Reply};
use proofkey_core::{
    AccessToken, Advice, AuthorizeError, CallbackError, Client, CodeChallenge, CodeVerifier, ConfigError, Endpoint,
    Feature, Lifetime, MetadataRequest, Method, Pending, Redirect, RefreshToken, Refusal, Request, Response,
    ResponseError, Revocable, Server, TokenRequest, UriFault, WellKnown, challenges,
};
use rand_core::{TryCryptoRng, TryRng};
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer};
use serde::ser::Serialize;

/// All of them. A step gives nothing where something is not as it must be.
pub(crate) const ALL: [(&str, Step); 13] = [
    ("PKCE (RFC 7636 appendix B)", pkce),
    ("a configuration that cannot be (RFC 6749 section 3.1.2)", configuration),
    ("login on loopback (RFC 8252 section 7.3)", login),
    ("redirects that are refused (RFC 6749 section 10.12)", refused),
    ("refresh (RFC 6749 section 6)", refresh),
    ("revocation (RFC 7009)", revocation),
    ("metadata (RFC 8414)", metadata),
    ("refusals of an API (RFC 6750 section 3)", refusals),
    ("a pending login that is written down", stored),
    ("a device (RFC 8628)", more::device),
    ("a pushed login (RFC 9126)", more::push),
    ("a proof of possession (RFC 9449)", more::proof),
    ("who signed in (OpenID Connect Core 1.0 section 3.1.3.7)", more::user),
];

pub(crate) type Step = fn() -> Option<()>;

fn pkce() -> Option<()> {
    let verifier = CodeVerifier::generate(&mut Fixed::verifier()).ok()?;
    is(verifier.expose() == VERIFIER && verifier.challenge().as_str() == CHALLENGE)?;
    is(CodeChallenge::s256(black_box(VERIFIER)).ok()? == verifier.challenge())?;
    is(CodeChallenge::s256(black_box("short")) == Err(ConfigError::CodeVerifier))
}

fn configuration() -> Option<()> {
    let error = Client::new("app", black_box("http://app.example/callback"), SERVER).err()?;
    is(error == ConfigError::RedirectUri(UriFault::Scheme))?;
    is(shown(error)?.starts_with("redirect URI: it must start with https://"))?;
    let error = client()?.authorize(black_box(&["a b"]), &mut Fixed::login()).err()?;
    is(error == AuthorizeError::Config(ConfigError::Scope(0)))?;
    let same = client()?.authorize(&[], &mut Fixed([0; 64], 0)).err()?;
    is(same == AuthorizeError::RandomRepeats)
}

fn login() -> Option<()> {
    let listener = Loopback::of(black_box("http://127.0.0.1/callback"))?;
    is(listener.addresses().eq([IpAddr::V4(Ipv4Addr::LOCALHOST)]) && listener.port().is_none())?;
    let redirect_uri = shown(listener.at(SocketAddr::from((Ipv4Addr::LOCALHOST, 51004))))?;
    let client = client()?.with_redirect_uri(&redirect_uri).ok()?;
    let (url, pending) = client.authorize(&["read", "write"], &mut Fixed::login()).ok()?;
    let url = url.with(&[("prompt", "consent")]).ok()?;
    let text = shown(url)?;
    is(text.len() == url.len() && text.contains(CHALLENGE) && text.ends_with("&prompt=consent"))?;

    let mut head = Text::new();
    let state = pending.state().expose();
    write!(head, "GET /callback?code=a%2Bb&state={state}&iss={ISSUER} HTTP/1.1\r\nhost: 127.0.0.1:51004\r\n\r\n")
        .ok()?;
    let mut connection = Connection::new();
    is(matches!(connection.read(head.get(..40)?.as_bytes(), client, &pending), loopback::Verdict::More))?;
    let loopback::Verdict::Callback(redirect) = connection.read(head.as_bytes(), client, &pending) else { return None };
    is(pending.matches(client, redirect))?;
    let page = shown(Reply::SignedIn)?;
    is(page.len() == Reply::SignedIn.len() && Reply::SignedIn.status() == 200)?;

    let request = pending.accept(client, redirect).ok()?.with(&[("resource", "https://api.example/")]).ok()?;
    let body = body(request.request())?;
    is(body.starts_with("grant_type=authorization_code&client_id=app&code=a%2Bb&code_verifier=")
        && body.contains(VERIFIER))?;
    let mut body = *br#"{"access_token":"2Yot\u006eFZ","token_type":"Bearer","expires_in":36e2,"scope":"read"}"#;
    let tokens = request.read(json(black_box(&mut body))).ok()?;
    is(tokens.access_token().expose() == "2YotnFZ" && tokens.refresh_token().is_none())?;
    is(tokens.compare_scope(&["read", "write"])?.narrowed && tokens.scope().granted() == Some("read"))?;

    let mut header = Text::new();
    let authorization = tokens.access_token().authorization();
    authorization.write(&mut header).ok()?;
    is(header == "Bearer 2YotnFZ" && header.len() == authorization.len())?;
    let lifetime = Lifetime::new(1000, tokens.expires_in());
    is(lifetime.expires_at() == Some(4600) && lifetime.remaining(4500) == Some(100))?;
    is(lifetime.is_due(4540) && !lifetime.is_due(4539) && lifetime.is_expired(4600))
}

fn refused() -> Option<()> {
    let client = client()?;
    let accept = |query: &str| begun(client)?.accept(client, Redirect::Query(black_box(query))).err();
    let error = accept("code=a&state=another")?;
    is(error == CallbackError::State && error.advice() == Advice::Reauthorize)?;
    is(shown(&error)?.starts_with("the redirect does not belong to this login"))?;
    is(accept("code=a&code=b")? == CallbackError::Duplicate("code"))?;
    let mut query = Text::new();
    write!(
        query,
        "error=access_denied&error_description=no%1B[2J&state={}&iss={ISSUER}",
        begun(client)?.state().expose()
    )
    .ok()?;
    let CallbackError::Server(error) = accept(&query)? else { return None };
    is(error.code() == "access_denied" && error.description() == Some("no?[2J"))?;
    let stranger = begun(client)?;
    let mut connection = Connection::new();
    let loopback::Verdict::Refuse(reply) =
        connection.read(b"GET /other HTTP/1.1\r\nhost: app.example\r\n\r\n", client, &stranger)
    else {
        return None;
    };
    is(reply.status() >= 400 && shown(reply)?.starts_with("HTTP/1.1 4"))
}

fn refresh() -> Option<()> {
    let client = client()?;
    let request = || Some(client.refresh(RefreshToken::new(black_box("tGzv3JOk")).ok()?));
    is(body(request()?.request())? == "grant_type=refresh_token&client_id=app&refresh_token=tGzv3JOk")?;
    let mut granted = *br#"{"token_type":"bearer","access_token":"new"}"#;
    let tokens = request()?.read(json(&mut granted)).ok()?;
    is(tokens.refresh_token()?.expose() == "tGzv3JOk" && tokens.access_token().expose() == "new")?;

    let read = |request: TokenRequest<'_>, response| request.read(response).err();
    let mut mac = *br#"{"token_type":"mac","access_token":"new"}"#;
    is(read(request()?, json(black_box(&mut mac)))? == ResponseError::TokenType(Some("mac")))?;
    let mut broken = *br#"{"token_type":"Bearer""#;
    let error = read(request()?, json(black_box(&mut broken)))?;
    is(matches!(error, ResponseError::Json(22)) && shown(error)?.contains("byte 22"))?;
    let mut busy = *b"<p>Later.</p>";
    let response = Response::new(503, &mut busy)
        .with_header("content-type", "text/html")
        .with_header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .with_header("retry-after", black_box("Sun, 06 Nov 1994 08:50:07 GMT"));
    is(read(request()?, response)?.advice() == Advice::Retry { after: Some(30) })
}

fn revocation() -> Option<()> {
    let client = client()?;
    let request = client.revoke(Revocable::Refresh(RefreshToken::new(black_box("tGzv3JOk")).ok()?)).ok()?;
    is(body(request.request())? == "token=tGzv3JOk&token_type_hint=refresh_token&client_id=app")?;
    request.read(json(&mut [])).ok()?;
    let access = AccessToken::new(black_box("2YotnFZ")).ok()?;
    let request = client.revoke(Revocable::Access(access)).ok()?;
    let mut error = *br#"{"error":"unsupported_token_type"}"#;
    let response = answered(400, black_box(&mut error));
    let Err(ResponseError::Server { error, .. }) = request.read(response) else { return None };
    is(error.code() == "unsupported_token_type")
}

fn metadata() -> Option<()> {
    for (well_known, expected) in WellKnown::ALL.into_iter().zip([
        "https://as.example/.well-known/oauth-authorization-server/t1",
        "https://as.example/.well-known/openid-configuration/t1",
        "https://as.example/t1/.well-known/openid-configuration",
    ]) {
        let request = MetadataRequest::new(black_box("https://as.example/t1/"), well_known).ok()?;
        is(request.request().method() == Method::Get && shown(request.request().url())? == expected)?;
    }
    let request = MetadataRequest::new(ISSUER, WellKnown::OAuth).ok()?;
    let mut body = *br#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize",
        "token_endpoint":"https://as.example/token","code_challenge_methods_supported":["plain","S256"],
        "scopes_supported":["read","write"],"authorization_response_iss_parameter_supported":true,"other":[{}]}"#;
    let metadata = request.read(json(black_box(&mut body))).ok()?;
    is(metadata.pkce_advertised()
        && metadata.scopes() == Some("read write")
        && metadata.server().has(Feature::IssParameter))?;
    let client = Client::new("app", REDIRECT_URI, metadata.server()).ok()?;
    is(client.server().endpoint(Endpoint::Token).unwrap_or_default()
        == SERVER.endpoint(Endpoint::Token).unwrap_or_default()
        && client.id() == "app")
}

fn refusals() -> Option<()> {
    let field = black_box(r#"Basic realm="a, b", bearer error="insufficient_scope", scope="read \"write\"""#);
    let mut found = challenges(field);
    is(found.next()?.scheme() == "Basic")?;
    let bearer = found.next()?;
    is(bearer.is_bearer() && bearer.param("SCOPE")?.words().count() == 2 && found.next().is_none())?;
    let Some(Refusal::InsufficientScope { scope: Some(scope) }) = Refusal::of(403, [field]) else { return None };
    is(shown(scope)? == "read \"write\"")?;
    is(matches!(Refusal::of(401, []), Some(Refusal::InvalidToken)) && Refusal::of(200, []).is_none())
}

fn stored() -> Option<()> {
    let client = client()?;
    let pending = begun(client)?;
    let text = shown(Stored(&pending))?;
    let deserializer: StrDeserializer<'_, ValueError> = text.as_str().into_deserializer();
    let read = Pending::deserialize(deserializer).ok()?;
    is(read.state().expose() == pending.state().expose())?;
    let mut redirect = Text::new();
    write!(redirect, "{REDIRECT_URI}?code=c&state={}&iss={ISSUER}", read.state().expose()).ok()?;
    is(body(read.accept(client, Redirect::Url(&redirect)).ok()?.request())?.contains(VERIFIER))
}

pub(crate) fn client() -> Option<Client<'static>> {
    Client::new(black_box("app"), black_box(REDIRECT_URI), black_box(SERVER)).ok()
}

fn begun(client: Client<'_>) -> Option<Pending> {
    client.authorize(&[], &mut Fixed::login()).ok().map(|(_, pending)| pending)
}

pub(crate) fn body(request: Request<'_>) -> Option<Text> {
    let mut body = Text::new();
    request.write_body(&mut body).ok()?;
    is(body.len() == request.body_len() && request.headers().count() == 3)?;
    Some(body)
}

pub(crate) fn json(body: &mut [u8]) -> Response<'_> {
    answered(200, body)
}

pub(crate) fn answered(status: u16, body: &mut [u8]) -> Response<'_> {
    Response::new(status, body).with_header("content-type", "application/json")
}

pub(crate) fn shown(value: impl fmt::Display) -> Option<Text> {
    let mut text = Text::new();
    write!(text, "{value}").ok()?;
    Some(text)
}

pub(crate) fn is(so: bool) -> Option<()> {
    so.then_some(())
}

type Text = String<4096>;

/// A formatter is a serializer.
struct Stored<'p>(&'p Pending);

impl fmt::Display for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

/// Bytes that are known beforehand, and how many of them are drawn.
pub(crate) struct Fixed([u8; 64], usize);

impl Fixed {
    /// A state of zeros, then the verifier of RFC 7636 appendix B.
    pub(crate) const fn login() -> Self {
        Self(OCTETS, 0)
    }

    /// That verifier alone.
    const fn verifier() -> Self {
        Self(OCTETS, 32)
    }
}

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for (to, from) in out.iter_mut().zip(self.0.iter().skip(self.1)) {
            *to = *from;
        }
        self.1 += out.len();
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

const ISSUER: &str = "https://as.example";
const REDIRECT_URI: &str = "com.example.app:/callback";
const SERVER: Server<'_> = Server::new("https://as.example/authorize", "https://as.example/token")
    .with_issuer(ISSUER)
    .with_feature(Feature::IssParameter)
    .with(Endpoint::Revocation, "https://as.example/revoke");
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OCTETS: [u8; 64] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
    116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240,
    91, 88, 5, 88, 83, 132, 141, 121,
];
