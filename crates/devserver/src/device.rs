//! The device grant (RFC 8628): the endpoint where a device asks for a code, the pages where its user confirms it, and the polls.

use crate::app::{App, DEVICE, DEVICE_PAGE};
use crate::authorize::{form, see_other, session_id, with_session};
use crate::options::{ClientRegistration, Options};
use crate::pages;
use crate::params::Params;
use crate::state::{Grant, random, random_bytes};
use crate::token::{Refused, answer, client, with_fault};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What devices call.
pub(crate) fn called() -> Router<Arc<App>> {
    Router::new().route(DEVICE, post(begin))
}

/// The pages for their users.
pub(crate) fn pages() -> Router<Arc<App>> {
    Router::new().route(DEVICE_PAGE, get(open).post(press))
}

async fn begin(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let begin = |params: &Params| {
        let client = client(&app, params)?;
        let scope: Vec<String> = params.text("scope").split_whitespace().map(str::to_owned).collect();
        if scope.iter().any(|word| !client.scopes.contains(word)) {
            return Err(("invalid_scope", "a scope is unknown, or not allowed for this client"));
        }
        let (device_code, user_code) = app.grants().devices.begin(&app.options, client, scope);
        let page = app.at(DEVICE_PAGE);
        Ok(json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "verification_uri": page,
            "expires_in": app.options.device_code_ttl,
            "interval": app.options.device_interval,
        }))
    };
    with_fault(app.faults().device, || answer(&headers, &body, begin)).await
}

/// The page to type a code into. An address with the code in it saves the typing, and nothing else: the user still compares.
async fn open(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let params = Params::parse(&query.unwrap_or_default()).unwrap_or_default();
    let (id, session) = app.grants().session(session_id(&headers));
    with_session(&id, pages::device_code(params.text("user_code"), &session.csrf, false))
}

/// A button of one of the pages: each leads to the next one.
async fn press(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let (form, carried, mut id) = match form(&app, &headers, &body) {
        Ok(form) => form,
        Err(response) => return response,
    };
    let code = if carried.is_empty() { form.text("user_code") } else { &carried };
    let (_, session) = app.grants().session(Some(&id));
    let Some(asked) = app.grants().devices.asked(code) else {
        return with_session(&id, pages::device_code(code, &session.csrf, true));
    };
    match form.text("action") {
        "sign-in" => {
            let user = form.text("username").trim();
            if user.is_empty() || user.chars().count() > 64 || user.chars().any(char::is_control) {
                return pages::login(&name(&app, &asked), DEVICE_PAGE, code, &session.csrf, "", true);
            }
            id = app.grants().sign_in(&id, user);
        }
        "cancel" | "deny" => {
            app.grants().devices.decide(code, None);
            return pages::device_done("The device gets no access", "You can close this page.");
        }
        "allow" => {
            let Some(user) = session.user else { return pages::error(StatusCode::BAD_REQUEST, "Nobody is signed in.") };
            app.grants().devices.decide(code, Some(user));
            return pages::device_done("The device is connected", "Go back to it: it goes on by itself.");
        }
        "continue" => {}
        _ => return see_other(DEVICE_PAGE),
    }
    let (_, session) = app.grants().session(Some(&id));
    let page = match &session.user {
        None => pages::login(&name(&app, &asked), DEVICE_PAGE, code, &session.csrf, "", false),
        Some(user) => {
            let consent = pages::Consent {
                app_name: &name(&app, &asked),
                user,
                scope: &asked.scope,
                code: Some(&asked.user_code),
            };
            pages::consent(&consent, DEVICE_PAGE, code, &session.csrf, "")
        }
    };
    with_session(&id, page)
}

fn name(app: &App, asked: &Device) -> String {
    let known = app.options.clients.iter().find(|client| client.client_id == asked.client_id);
    known.map_or_else(|| asked.client_id.clone(), |client| client.name.clone())
}

/// The devices that wait for their users, by device code.
#[derive(Debug, Default)]
pub(crate) struct Devices(HashMap<String, Device>);

#[derive(Clone, Debug)]
struct Device {
    client_id: String,
    scope: Vec<String>,
    user_code: String,
    until: Instant,
    answered: Instant,
    interval: Duration,
    decision: Decision,
    /// It polled too early, and the server never forgives it.
    is_spoiled: bool,
}

#[derive(Clone, Debug)]
enum Decision {
    Allowed(String),
    Denied,
    Spent,
    Waiting,
}

/// What a poll comes to.
pub(crate) struct Polled {
    pub(crate) granted: Result<Grant, Refused>,
    pub(crate) is_early: bool,
}

impl Devices {
    fn begin(&mut self, options: &Options, client: &ClientRegistration, scope: Vec<String>) -> (String, String) {
        let now = Instant::now();
        self.0.retain(|_, device| device.until + FORGOTTEN > now);
        let (device_code, user_code) = (random(), user_code());
        let device = Device {
            client_id: client.client_id.clone(),
            scope,
            user_code: user_code.clone(),
            until: now + Duration::from_secs(options.device_code_ttl.into()),
            answered: now,
            interval: Duration::from_secs(options.device_interval.into()),
            decision: Decision::Waiting,
            is_spoiled: false,
        };
        self.0.insert(device_code.clone(), device);
        (device_code, user_code)
    }

    /// The device that shows a code, while its user can decide. Case and punctuation do not matter (section 6.1).
    fn asked(&self, code: &str) -> Option<Device> {
        self.0.values().find(|device| device.is_waiting() && device.shows(code)).cloned()
    }

    fn decide(&mut self, code: &str, user: Option<String>) {
        if let Some(device) = self.0.values_mut().find(|device| device.is_waiting() && device.shows(code)) {
            device.decision = user.map_or(Decision::Denied, Decision::Allowed);
        }
    }

    /// A poll (section 3.5). One that comes before the interval is over makes it longer by 5 seconds; `unforgiving` servers
    /// answer nothing else from then on.
    pub(crate) fn poll(&mut self, device_code: &str, client_id: &str, unforgiving: bool) -> Polled {
        let now = Instant::now();
        let refused = |code, why| Polled { granted: Err((code, why)), is_early: false };
        let Some(device) = self.0.get_mut(device_code).filter(|device| device.client_id == client_id) else {
            return refused("invalid_grant", "the device code is unknown, or another client's");
        };
        if device.until <= now {
            return refused("expired_token", "the device code has expired");
        }
        let is_early = now < device.answered + device.interval;
        device.answered = now;
        device.is_spoiled |= is_early && unforgiving;
        if is_early || device.is_spoiled {
            device.interval += SLOWER;
            return Polled { granted: Err(("slow_down", "poll less often")), is_early };
        }
        match &device.decision {
            Decision::Allowed(user) => {
                let grant = Grant::new(&device.client_id, device.scope.clone(), user.clone());
                device.decision = Decision::Spent;
                Polled { granted: Ok(grant), is_early }
            }
            Decision::Denied => refused("access_denied", "the user denied the request"),
            Decision::Spent => refused("invalid_grant", "the device code was used before"),
            Decision::Waiting => refused("authorization_pending", "the user has not decided yet"),
        }
    }
}

impl Device {
    fn is_waiting(&self) -> bool {
        matches!(self.decision, Decision::Waiting) && self.until > Instant::now()
    }

    fn shows(&self, code: &str) -> bool {
        let letters = |code: &str| code.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        letters(code).eq_ignore_ascii_case(&letters(&self.user_code))
    }
}

/// Eight consonants: no words, and nothing that looks like something else (section 6.1).
fn user_code() -> String {
    let letters = random_bytes::<8>().map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    let (first, second) = letters.split_at(4);
    format!("{}-{}", String::from_iter(first), String::from_iter(second))
}

const FORGOTTEN: Duration = Duration::from_secs(3600);
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const SLOWER: Duration = Duration::from_secs(5);
