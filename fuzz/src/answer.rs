//! Answers of a server: how they are written in a seed, and what the core and another library read in them.

use crate::login::{ISSUER, STATE, client, login};
use crate::{Counter, is_printable};
use proofkey_core::{
    MetadataRequest, Redirect, RefreshToken, Response, ResponseBuf, ResponseError, Revocable, Scope, TokenRequest,
    Tokens, WellKnown,
};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::time::UNIX_EPOCH;

/// An answer as a seed holds it: the status, header fields line by line, an empty line, the body.
#[must_use]
pub fn parse(text: &str) -> ResponseBuf {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|status| status.parse().ok()).unwrap_or(200);
    let fields = lines.filter_map(|line| line.split_once(": "));
    let headers = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    ResponseBuf { status, headers, body: body.into() }
}

/// What the token endpoint granted, to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The access token.
    pub access_token: String,
    /// The `Authorization` header that carries it.
    pub authorization: String,
    /// The refresh token.
    pub refresh_token: Option<String>,
    /// The lifetime.
    pub expires_in: Option<u32>,
    /// The scope: none if it is the one that was requested, an error if it is unknown.
    pub scope: Result<Option<String>, Unknown>,
}

/// The server says something that is not a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// What the core reads in an answer to a token request with a code.
pub fn read_tokens(answer: &ResponseBuf) -> Result<Granted, ResponseError> {
    exchange(answer.clone().as_response())
}

/// The same, of an answer as the core has it.
pub fn exchange(response: Response<'_>) -> Result<Granted, ResponseError> {
    let query = format!("code=C&state={STATE}&iss={ISSUER}");
    let request = login().accept(client(), Redirect::Query(&query)).expect("a good redirect");
    request.read(response).map(granted)
}

/// The URL that the core makes of an answer to a push, and its lifetime.
pub fn read_push(answer: &ResponseBuf) -> Result<(String, u32), ResponseError> {
    let (push, _) = client().push(&[], &mut Counter::default()).expect("a login begins");
    let mut answer = answer.clone();
    push.read(answer.as_response()).map(|url| (url.to_string(), url.expires_in()))
}

/// What the core reads in a body alone, of a success.
pub fn read_body(body: &[u8]) -> Result<Granted, ResponseError> {
    read_tokens(&json(body))
}

/// The new refresh token in an answer to a refresh. What comes of the rest is the same for both ways to read it.
#[must_use]
pub fn kept(answer: &ResponseBuf) -> Option<String> {
    let refresh = || client().refresh(RefreshToken::new("R").expect("a refresh token"));
    let mut kept = answer.clone();
    let (new, rest) = refresh().read_keeping(kept.as_response());
    assert_eq!(rest.map(granted), read(refresh(), answer));
    new.map(|token| token.expose().to_owned())
}

/// How much of a body is JSON.
#[must_use]
pub fn readable(body: &[u8]) -> usize {
    match read_body(body) {
        Err(ResponseError::Json(at)) => at,
        _ => body.len(),
    }
}

/// A success with a body that calls itself JSON.
#[must_use]
pub fn json(body: &[u8]) -> ResponseBuf {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    ResponseBuf { status: 200, headers, body: body.to_vec() }
}

/// A number of seconds, as many as fit.
#[must_use]
pub fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The wait that an answer of a busy server asks for, with these `Retry-After` and `Date` header fields.
#[must_use]
pub fn wait(retry_after: &str, date: &str) -> Option<u32> {
    let headers = [("retry-after", retry_after), ("date", date)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    match read_tokens(&ResponseBuf { status: 503, headers, body: Vec::new() }) {
        Err(ResponseError::Status { retry_after, .. }) => retry_after,
        other => panic!("{other:?} is no wait"),
    }
}

/// The seconds since 1970 of a date as another library writes it. It knows no leap seconds.
#[must_use]
pub fn seconds(date: &str) -> Option<u64> {
    if let Some(minute) = date.strip_suffix(":60 GMT") {
        return seconds(&format!("{minute}:59 GMT")).map(|last| last + 1);
    }
    let time = httpdate::parse_http_date(date).ok().filter(|time| httpdate::fmt_http_date(*time) == date)?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// The errors that all readers make of an answer.
#[must_use]
pub fn errors(answer: &ResponseBuf) -> Vec<ResponseError> {
    let refresh_token = RefreshToken::new("R").expect("a refresh token");
    let refreshed = read(client().refresh(refresh_token), answer).map(drop);
    let revoked = client().revoke(Revocable::Refresh(refresh_token)).expect("a revocation endpoint");
    let metadata = MetadataRequest::new(ISSUER, WellKnown::OAuth).expect("an issuer");
    let revoked = revoked.read(answer.clone().as_response());
    let discovered = metadata.read(answer.clone().as_response()).map(drop);
    let pushed = read_push(answer).map(drop);
    let all = [read_tokens(answer).map(drop), refreshed, revoked, discovered, pushed];
    all.into_iter().filter_map(Result::err).collect()
}

fn read(request: TokenRequest<'_>, answer: &ResponseBuf) -> Result<Granted, ResponseError> {
    let mut answer = answer.clone();
    request.read(answer.as_response()).map(granted)
}

fn granted(tokens: Tokens<'_>) -> Granted {
    Granted {
        access_token: tokens.access_token().expose().to_owned(),
        authorization: tokens.access_token().authorization().value(),
        refresh_token: tokens.refresh_token().map(|token| token.expose().to_owned()),
        expires_in: tokens.expires_in(),
        scope: match tokens.scope() {
            Scope::Granted(text) => Ok(Some(text.to_owned())),
            Scope::Requested => Ok(None),
            Scope::Unknown => Err(Unknown),
        },
    }
}

/// The members of a JSON object, as another library reads them.
#[derive(Debug)]
pub struct Members<'b>(Vec<(Vec<u8>, &'b RawValue)>);

impl<'b> Members<'b> {
    /// None where the body is no JSON object.
    #[must_use]
    pub fn read(body: &'b [u8]) -> Option<Self> {
        let text = str::from_utf8(body).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // Names are read as bytes, and bytes are not checked.
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        serde_json::from_str(text).ok()
    }

    /// Those in the first bytes of a body.
    #[must_use]
    pub fn read_first(body: &'b [u8], bytes: usize) -> Self {
        let first = body.get(..bytes).unwrap_or(body);
        let text = first.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let mut members = Vec::new();
        let mut reader = serde_json::Deserializer::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        // That it breaks off is no matter here.
        drop(reader.deserialize_map(Reader(&mut members)));
        Self(members)
    }

    /// A member as it is written, if it stands there once.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'b str> {
        self.member::<&RawValue>(name).map(RawValue::get)
    }

    /// A member that stands there once.
    #[must_use]
    pub fn member<T: Deserialize<'b>>(&self, name: &str) -> Option<T> {
        let mut found = self.0.iter().filter(|(found, _)| found == name.as_bytes());
        let (_, value) = found.next().filter(|_| found.next().is_none())?;
        serde_json::from_str(value.get()).ok()
    }

    /// A member that is a number: infinity if it is greater than any float.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        let written: &RawValue = self.member(name)?;
        written.get().parse().ok()
    }

    /// A member that is a text and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.member(name).filter(|text: &String| !text.is_empty())
    }

    /// A member that is an array of words, joined by a space.
    #[must_use]
    pub fn words(&self, name: &str) -> Option<String> {
        let words: Vec<String> = self.member(name)?;
        let are_words = words.iter().all(|word| !word.is_empty() && !word.contains(' '));
        are_words.then(|| words.join(" "))
    }

    /// Whether there is no such member, or it is null.
    #[must_use]
    pub fn lacks(&self, name: &str) -> bool {
        !self.0.iter().any(|(found, _)| found == name.as_bytes())
            || matches!(self.member(name), Some(None::<IgnoredAny>))
    }

    /// Whether this is what was granted.
    #[must_use]
    pub fn grant(&self, granted: &Granted) -> bool {
        let is_bearer = |kind: String| kind.is_empty() || kind.eq_ignore_ascii_case("bearer");
        self.text("access_token").is_some_and(|token| token == granted.access_token)
            && (self.lacks("token_type") || self.member("token_type").is_some_and(is_bearer))
            && self.text("refresh_token") == granted.refresh_token
            && self.scope(&granted.scope)
            && self.lifetime(granted.expires_in)
            && self.text("error").is_none()
    }

    /// Whether this is the scope that was read.
    fn scope(&self, read: &Result<Option<String>, Unknown>) -> bool {
        let said = self.words("scope").or_else(|| self.member("scope"));
        match read {
            Ok(Some(scope)) => said.as_ref() == Some(scope),
            Ok(None) => self.lacks("scope"),
            Err(Unknown) => {
                !self.lacks("scope") && !said.is_some_and(|said| said.len() <= 256 * 1024 && is_printable(&said))
            }
        }
    }

    /// Whether this is the lifetime that was read. One that is no number of seconds is unknown.
    fn lifetime(&self, read: Option<u32>) -> bool {
        let raw = self.raw("expires_in");
        let said = self.text("expires_in").or_else(|| raw.map(str::to_owned));
        let said = said.and_then(|said| said.trim_ascii().parse::<f64>().ok()).map(|seconds| seconds as u32);
        match read {
            // A float may have been rounded to the next whole number.
            Some(read) => said.is_some_and(|said| said.abs_diff(read) <= 1),
            None => !raw.is_some_and(|raw| raw.starts_with(|first: char| first.is_ascii_digit())),
        }
    }
}

impl<'b> Deserialize<'b> for Members<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Vec::new();
        deserializer.deserialize_map(Reader(&mut members))?;
        Ok(Self(members))
    }
}

struct Reader<'m, 'b>(&'m mut Vec<(Vec<u8>, &'b RawValue)>);

impl<'b> Visitor<'b> for Reader<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Name(name), value)) = map.next_entry()? {
            self.0.push((name, value));
        }
        Ok(())
    }
}

/// A name as bytes: half of a surrogate pair may stand alone in it.
struct Name(Vec<u8>);

impl<'b> Deserialize<'b> for Name {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
                Ok(Name(name.to_owned()))
            }
        }
        deserializer.deserialize_bytes(Reader)
    }
}
