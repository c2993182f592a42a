//! What the image must refuse: redirects of strangers, and token responses that lie.

use crate::login::{Stage, field};
use proofkey_devserver::user_agent::Decision::{Allow, Deny};
use proofkey_devserver::{CallbackFault, EndpointFault, Faults};

pub(crate) fn callbacks(stage: &mut Stage, earlier: &str) {
    for (name, fault, reason) in [
        ("a wrong state", CallbackFault::WrongState, "state"),
        ("no state", CallbackFault::MissingState, "state"),
        ("two states", CallbackFault::DuplicateState, "redirect"),
        ("another issuer", CallbackFault::WrongIss, "issuer"),
        ("no issuer", CallbackFault::MissingIss, "issuer"),
        ("two codes", CallbackFault::DuplicateCode, "redirect"),
        ("a code and an error", CallbackFault::CodeAndError, "redirect"),
    ] {
        let faults = Faults { callback: Some(fault), ..Faults::default() };
        stage.refuse_callback(name, faults, Allow, |callback| callback, reason);
    }
    let honest = Faults::default;
    stage.refuse_callback("the user says no", honest(), Deny, |callback| callback, "server access_denied");
    stage.refuse_callback("an earlier redirect", honest(), Allow, |_| earlier.to_owned(), "state");
    let elsewhere = |callback: String| callback.replace("app.example", "app.example.test");
    stage.refuse_callback("a redirect to elsewhere", honest(), Allow, elsewhere, "redirect");
    let altered = |callback: String| {
        let state = field(callback.split_once('?').map_or("", |(_, query)| query), "state");
        let last = if state.ends_with('A') { "B" } else { "A" };
        callback.replace(state, &format!("{}{last}", &state[..state.len() - 1]))
    };
    stage.refuse_callback("a state with one letter changed", honest(), Allow, altered, "state");
}

pub(crate) fn responses(stage: &mut Stage) {
    let long = format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, "a".repeat(8192));
    for (name, status, content_type, body, reason) in [
        (
            "two access tokens",
            200,
            JSON,
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
            "twice access_token",
        ),
        ("a token of another type", 200, JSON, r#"{"access_token":"a","token_type":"mac"}"#, "token type"),
        ("no access token", 200, JSON, r#"{"token_type":"Bearer"}"#, "missing access_token"),
        (
            "a token that ends its header",
            200,
            JSON,
            r#"{"access_token":"a\r\nx: y","token_type":"Bearer"}"#,
            "malformed access_token",
        ),
        ("half a response", 200, JSON, r#"{"access_token":"a","token_type":"Be"#, "json"),
        ("a page", 200, "text/html", r#"{"access_token":"a","token_type":"Bearer"}"#, "response"),
        ("a redirect", 307, JSON, "", "redirected"),
        ("an error", 400, JSON, r#"{"error":"invalid_grant"}"#, "server invalid_grant"),
        ("an error for the terminal", 400, JSON, r#"{"error":"\u001b[2Jx"}"#, "server ?[2Jx"),
        ("a broken server", 500, "text/html", "<p>Sorry.</p>", "response"),
        ("more than its buffer holds", 200, JSON, &long, "too long"),
    ] {
        let headers = [("content-type", content_type), ("location", "/api/me")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let respond = EndpointFault::Respond { status, headers, body: body.to_owned() };
        stage.refuse_response(name, Faults { token: Some(respond), ..Faults::default() }, status, reason);
    }
}

const JSON: &str = "application/json";
