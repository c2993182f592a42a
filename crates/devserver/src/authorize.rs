//! The authorization endpoint (RFC 6749 section 3.1): sign-in, consent, and the way back to the client.

use crate::app::{App, CONSENT, LOGIN};
use crate::oidc::{self, SignIn};
use crate::options::{CallbackFault, ClientRegistration};
use crate::pages;
use crate::params::Params;
use crate::push;
use crate::state::{Grant, Session};
use crate::token::Refused;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use url::{Host, Url};

pub(crate) async fn authorize(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    if let Err(text) = push::open(&app, &query) {
        return pages::error(StatusCode::BAD_REQUEST, text);
    }
    let request = match AuthorizationRequest::read(&app, &query) {
        Ok(request) => request,
        Err(response) => return response,
    };
    let (id, session) = app.grants().session(session_id(&headers));
    let prompt = request.params.text("prompt");
    if prompt == "none" && session.user.is_none() {
        return request.refuse(&app, "login_required", "nobody is signed in");
    }
    let is_too_old = oidc::is_too_old(&request.params, session.auth_time);
    if prompt == "none" && is_too_old {
        return request.refuse(&app, "login_required", "the user signed in too long ago");
    }
    if session.user.is_some() && !is_too_old && !prompt.split(' ').any(|word| word == "login") {
        return consent_page(&app, &request, &query, &id, &session);
    }
    with_session(&id, pages::login(&request.client.name, LOGIN, &query, &session.csrf, &request.origin(), false))
}

pub(crate) async fn login(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let (form, query, id) = match form(&app, &headers, &body) {
        Ok(form) => form,
        Err(response) => return response,
    };
    let request = match AuthorizationRequest::read(&app, &query) {
        Ok(request) => request,
        Err(response) => return response,
    };
    if form.text("action") == "cancel" {
        return request.refuse(&app, "access_denied", "the user cancelled the sign-in");
    }
    let user = form.text("username").trim();
    if user.is_empty() || user.chars().count() > 64 || user.chars().any(char::is_control) {
        let (id, session) = app.grants().session(Some(&id));
        return with_session(
            &id,
            pages::login(&request.client.name, LOGIN, &query, &session.csrf, &request.origin(), true),
        );
    }
    let id = app.grants().sign_in(&id, user);
    with_session(&id, see_other(&format!("{CONSENT}?{query}")))
}

pub(crate) async fn consent(State(app): State<Arc<App>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    match AuthorizationRequest::read(&app, &query) {
        Ok(request) => {
            let (id, session) = app.grants().session(session_id(&headers));
            consent_page(&app, &request, &query, &id, &session)
        }
        Err(response) => response,
    }
}

pub(crate) async fn decide(State(app): State<Arc<App>>, headers: HeaderMap, body: String) -> Response {
    let (form, query, id) = match form(&app, &headers, &body) {
        Ok(form) => form,
        Err(response) => return response,
    };
    let request = match AuthorizationRequest::read(&app, &query) {
        Ok(request) => request,
        Err(response) => return response,
    };
    let (_, session) = app.grants().session(Some(&id));
    match (form.text("action"), session.user) {
        ("allow", Some(user)) => {
            app.grants().remember_consent(&id, &request.client.client_id, &request.scope);
            request.grant(&app, user, session.auth_time)
        }
        (_, None) => pages::error(StatusCode::BAD_REQUEST, "Nobody is signed in."),
        _ => request.refuse(&app, "access_denied", "the user denied the request"),
    }
}

fn consent_page(app: &App, request: &AuthorizationRequest<'_>, query: &str, id: &str, session: &Session) -> Response {
    let Some(user) = &session.user else {
        return pages::error(StatusCode::BAD_REQUEST, "Nobody is signed in. Start again in the application.");
    };
    let ask = request.params.text("prompt").split(' ').any(|word| word == "consent");
    if !ask && session.has_consented(&request.client.client_id, &request.scope) {
        return request.grant(app, user.clone(), session.auth_time);
    }
    if request.params.text("prompt") == "none" {
        return request.refuse(app, "consent_required", "the user has not consented yet");
    }
    let consent = pages::Consent { app_name: &request.client.name, user, scope: &request.scope, code: None };
    let page = pages::consent(&consent, CONSENT, query, &session.csrf, &request.origin());
    with_session(id, page)
}

/// A request that can be answered with a redirect.
pub(crate) struct AuthorizationRequest<'a> {
    client: &'a ClientRegistration,
    params: Params,
    redirect_uri: String,
    scope: Vec<String>,
}

impl<'a> AuthorizationRequest<'a> {
    /// An unknown client or redirect URI gets a page and never a redirect (RFC 6749 section 4.1.2.1).
    fn read(app: &'a App, query: &str) -> Result<Self, Response> {
        let page = |text: &str| pages::error(StatusCode::BAD_REQUEST, text);
        let pushed = push::find(app, query).map_err(page)?;
        let request = Self::parse(app, pushed.as_deref().unwrap_or(query)).map_err(|text| page(&text))?;
        match request.fault() {
            Some((code, description)) => Err(request.refuse(app, code, description)),
            None => Ok(request),
        }
    }

    /// The error is the text of a page.
    pub(crate) fn parse(app: &'a App, query: &str) -> Result<Self, String> {
        let params = Params::parse(query).map_err(|name| format!("The parameter “{name}” was sent twice."))?;
        let known = app.options.clients.iter().find(|client| client.client_id == params.text("client_id"));
        let client = known.ok_or("This client_id is not registered here.")?;
        let redirect_uri = params.text("redirect_uri").to_owned();
        if !client.redirect_uris.iter().any(|registered| is_registered(registered, &redirect_uri)) {
            return Err("This redirect_uri is not registered for this application.".to_owned());
        }
        let words = params.text("scope").split(' ').filter(|word| !word.is_empty());
        let scope: Vec<String> = words.map(str::to_owned).collect();
        Ok(Self { client, params, redirect_uri, scope })
    }

    pub(crate) fn fault(&self) -> Option<Refused> {
        let challenge = self.params.text("code_challenge");
        let is_s256 = challenge.len() == 43
            && challenge.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
        match self.params.text("response_type") {
            "code" => {}
            "" => return Some(("invalid_request", "response_type is missing")),
            _ => return Some(("unsupported_response_type", "only response_type=code is supported")),
        }
        if !matches!(self.params.text("response_mode"), "" | "query") {
            return Some(("invalid_request", "only response_mode=query is supported"));
        }
        if self.params.text("code_challenge_method") != "S256" {
            return Some(("invalid_request", "code_challenge_method must be S256"));
        }
        if !is_s256 {
            return Some(("invalid_request", "code_challenge must be 43 characters of base64url"));
        }
        let unknown = self.scope.iter().any(|word| !self.client.scopes.contains(word));
        unknown.then_some(("invalid_scope", "a scope is unknown, or not allowed for this client"))
    }

    fn grant(&self, app: &App, user: String, auth_time: u64) -> Response {
        let mut grant = Grant::new(&self.client.client_id, self.scope.clone(), user);
        grant.sign_in = SignIn::of(&self.params, auth_time);
        grant.key = self.params.find("dpop_jkt").map(str::to_owned);
        let ttl = app.options.code_ttl;
        let code = app.grants().issue_code(grant, &self.redirect_uri, self.params.text("code_challenge"), ttl);
        self.redirect(app, &[("code", &code)])
    }

    fn refuse(&self, app: &App, code: &str, description: &str) -> Response {
        self.redirect(app, &[("error", code), ("error_description", description)])
    }

    /// Always 303, so that no form is sent on (RFC 9700 section 4.12), and always with `iss` (RFC 9207).
    fn redirect(&self, app: &App, answer: &[(&str, &str)]) -> Response {
        let fault = app.faults().callback;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        match fault {
            Some(CallbackFault::DuplicateCode) => drop(query.append_pair("code", "another")),
            Some(CallbackFault::CodeAndError) => drop(query.append_pair("error", "access_denied")),
            _ => {}
        }
        match (self.params.find("state"), fault) {
            (_, Some(CallbackFault::MissingState)) | (None, _) => {}
            (Some(_), Some(CallbackFault::WrongState)) => drop(query.append_pair("state", "another")),
            (Some(state), Some(CallbackFault::DuplicateState)) => {
                query.append_pair("state", state).append_pair("state", "another");
            }
            (Some(state), _) => drop(query.append_pair("state", state)),
        }
        match fault {
            Some(CallbackFault::MissingIss) => {}
            Some(CallbackFault::WrongIss) => drop(query.append_pair("iss", "https://as.example")),
            _ => drop(query.append_pair("iss", &app.issuer)),
        }
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        see_other(&format!("{}{separator}{}", self.redirect_uri, query.finish()))
    }

    /// The origin of the redirect for `form-action`, since Chromium applies it to redirects as well.
    fn origin(&self) -> String {
        match Url::parse(&self.redirect_uri) {
            // A policy cannot name an IPv6 address.
            Ok(url) if matches!(url.host(), Some(Host::Ipv6(_))) => format!("{}:", url.scheme()),
            Ok(url) if matches!(url.scheme(), "http" | "https") => url.origin().ascii_serialization(),
            Ok(url) => format!("{}:", url.scheme()),
            Err(_) => String::new(),
        }
    }
}

/// Whether two URIs are identical, except for the port of a loopback address or `localhost` (RFC 8252 section 7.3).
pub(crate) fn is_registered(registered: &str, given: &str) -> bool {
    if registered == given {
        return true;
    }
    let (Ok(known), Ok(mut url)) = (Url::parse(registered), Url::parse(given)) else { return false };
    let loopback = match known.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    // A URI that the parser changes was not written as it is registered.
    let exact = url.as_str() == given && url.port().is_some();
    loopback
        && exact
        && known.scheme() == "http"
        && known.port().is_none()
        && url.set_port(None).is_ok()
        && url == known
}

/// The fields of a form that one of our own pages sent, the request it belongs to, and the session id.
pub(crate) fn form(app: &App, headers: &HeaderMap, body: &str) -> Result<(Params, String, String), Response> {
    let form =
        Params::parse(body).map_err(|_| pages::error(StatusCode::BAD_REQUEST, "A form field was sent twice."))?;
    let (id, session) = app.grants().session(session_id(headers));
    if form.text("csrf") != session.csrf {
        return Err(pages::error(
            StatusCode::FORBIDDEN,
            "This form was opened in another browser, or it is too old. Start again in the application.",
        ));
    }
    let query = form.text("request").to_owned();
    Ok((form, query, id))
}

pub(crate) fn session_id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|cookies| cookies.split("; ")).find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))
}

pub(crate) fn with_session(id: &str, response: Response) -> Response {
    ([(header::SET_COOKIE, format!("{COOKIE}={id}; HttpOnly; SameSite=Lax; Path=/connect"))], response).into_response()
}

pub(crate) fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

const COOKIE: &str = "devserver_session";

#[cfg(test)]
mod tests {
    use super::is_registered;

    #[test]
    fn only_the_port_of_a_loopback_redirect_may_differ() {
        let registered = "http://127.0.0.1/callback";
        for good in [registered, "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"] {
            assert!(is_registered(registered, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/callback?x=1",
            "http://127.0.0.1:1/callback#x",
            "http://127.0.0.1:1/x/../callback",
            "http://127.0.0.2:1/callback",
            "http://[::1]:1/callback",
            "http://localhost:1/callback",
            "https://127.0.0.1:1/callback",
            "http://user@127.0.0.1:1/callback",
            "http://127.1:1/callback",
            "http://127.0.0.1:1/Callback",
            "",
        ] {
            assert!(!is_registered(registered, bad), "{bad}");
        }
        let registered = "http://localhost/callback";
        for good in [registered, "http://localhost:1/callback", "http://localhost:65535/callback"] {
            assert!(is_registered(registered, good), "{good}");
        }
        for bad in [
            "http://localhost:1/",
            "http://localhost:1/callback?x=1",
            "http://127.0.0.1:1/callback",
            "http://[::1]:1/callback",
            "http://LOCALHOST:1/callback",
            "http://localhost.:1/callback",
            "http://app.localhost:1/callback",
            "https://localhost:1/callback",
            "http://user@localhost:1/callback",
        ] {
            assert!(!is_registered(registered, bad), "{bad}");
        }
        assert!(!is_registered("http://app.example/callback", "http://app.example:1/callback"));
        assert!(!is_registered("https://app.example/paste", "https://app.example:444/paste"));
    }
}
