//! The pages: sign-in, consent and errors. They have no scripts, and little of them varies.

use crate::app::{AUTHORIZE, App, DEVICE, DEVICE_PAGE, END_SESSION, REVOCATION, TOKEN, USERINFO};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64ct::{Base64, Encoding};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// `request` is the query of the authorization request, or the code of a device, which the form carries along to `action`.
pub(crate) fn login(app_name: &str, action: &str, request: &str, csrf: &str, origin: &str, again: bool) -> Response {
    let body = html! {
        h1 { "Sign in" }
        p.lead { "to continue to " strong { (app_name) } }
        form method="post" action=(action) {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="request" value=(request);
            label for="username" { "User name" }
            input #username name="username" autocomplete="username" maxlength="64" autofocus aria-describedby="hint"
                aria-invalid=(again);
            label for="password" { "Password" }
            input #password name="password" type="password" autocomplete="current-password" aria-describedby="hint";
            p #hint .hint .wrong[again] {
                @if again { "Enter a user name. " }
                "Any name and any password will do: this server is for development."
            }
            div.buttons {
                button #sign-in .primary name="action" value="sign-in" { "Sign in" }
                button #cancel name="action" value="cancel" { "Cancel" }
            }
        }
    };
    page(StatusCode::OK, "Sign in", origin, &body)
}

/// What a user is asked.
pub(crate) struct Consent<'a> {
    pub(crate) app_name: &'a str,
    pub(crate) user: &'a str,
    pub(crate) scope: &'a [String],
    /// The code that a device shows.
    pub(crate) code: Option<&'a str>,
}

pub(crate) fn consent(consent: &Consent<'_>, action: &str, request: &str, csrf: &str, origin: &str) -> Response {
    let Consent { app_name, user, scope, code } = consent;
    let body = html! {
        h1 { (app_name) " asks for access" }
        p.lead { "You are signed in as " strong { (user) } "." }
        @if let Some(code) = code {
            p { "Your device shows the code " strong { (code) } ". If it shows another one, or if you did not start this yourself, press Deny." }
        }
        form method="post" action=(action) {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="request" value=(request);
            @if scope.is_empty() {
                p { "It wants to know that you signed in, and nothing else." }
            } @else {
                p #wants { "It wants to:" }
                ul aria-labelledby="wants" {
                    @for scope in *scope { li { (in_words(scope)) " " code { (scope) } } }
                }
            }
            div.buttons {
                button #allow .primary name="action" value="allow" { "Allow" }
                button #deny name="action" value="deny" { "Deny" }
            }
        }
    };
    page(StatusCode::OK, "Allow access", origin, &body)
}

/// Where the user types the code that a device shows.
pub(crate) fn device_code(code: &str, csrf: &str, again: bool) -> Response {
    let body = html! {
        h1 { "Connect a device" }
        p.lead { "Go on only if you started this on your own device." }
        form method="post" action=(DEVICE_PAGE) {
            input type="hidden" name="csrf" value=(csrf);
            label for="user-code" { "Code on the device" }
            input #user-code name="user_code" value=(code) autocomplete="off" autocapitalize="characters" spellcheck="false"
                maxlength="64" autofocus aria-describedby="hint" aria-invalid=(again);
            p #hint .hint .wrong[again] {
                @if again { "This code is unknown or has expired. " }
                "Never enter a code that somebody sent you."
            }
            div.buttons { button #continue .primary name="action" value="continue" { "Continue" } }
        }
    };
    page(StatusCode::OK, "Connect a device", "", &body)
}

pub(crate) fn device_done(title: &str, text: &str) -> Response {
    let body = html! {
        h1 { (title) }
        p.lead role="status" { (text) }
    };
    page(StatusCode::OK, title, "", &body)
}

pub(crate) fn error(status: StatusCode, text: &str) -> Response {
    let body = html! {
        h1 { "This request failed" }
        p.lead role="alert" { (text) }
    };
    page(status, "Error", "", &body)
}

pub(crate) fn signed_out() -> Response {
    let body = html! {
        h1 { "You are signed out" }
        p.lead role="status" { "You can close this page." }
    };
    page(StatusCode::OK, "Signed out", "", &body)
}

pub(crate) async fn index(State(app): State<Arc<App>>) -> Response {
    let body = html! {
        h1 { "proofkey dev server" }
        p.lead { "An OAuth 2.0 authorization server and a protected API, on this machine only, for development only." }
        dl {
            dt { "Issuer" } dd { code { (app.issuer) } }
            dt { "Authorization" } dd { code { (AUTHORIZE) } }
            dt { "Token" } dd { code { (TOKEN) } }
            dt { "Devices" } dd { code { (DEVICE) } br; a href=(DEVICE_PAGE) { (DEVICE_PAGE) } }
            dt { "Revocation" } dd { code { (REVOCATION) } }
            dt { "Metadata" } dd { a href="/.well-known/oauth-authorization-server" { "/.well-known/oauth-authorization-server" } }
            dt { "Userinfo" } dd { code { (USERINFO) } }
            dt { "Sign-out" } dd { code { (END_SESSION) } }
            dt { "API" } dd { code { "/api/me" } " " code { "/api/itwins" } " " code { "/api/admin" } " " code { "/api/forbidden" } " " code { "/api/payments" } }
            @for client in &app.options.clients {
                dt { "Client" }
                dd { code { (client.client_id) } @for uri in &client.redirect_uris { br; code { (uri) } } }
            }
        }
    };
    page(StatusCode::OK, "proofkey dev server", "", &body)
}

fn page(status: StatusCode, title: &str, origin: &str, body: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main { (body) }
                footer { "Development only" }
            }
        }
    };
    let hash = Base64::encode_string(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, &policy)];
    (status, headers, markup.into_string()).into_response()
}

fn in_words(scope: &str) -> &str {
    match scope {
        "admin" => "Manage everything in your name",
        "email" => "See your email address",
        "itwin-platform" => "See and change your iTwins and your profile",
        "offline_access" => "Stay signed in when you are away",
        "openid" => "See who you are",
        "profile" => "See your name",
        _ => "Use",
    }
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:light-dark(#17202b,#e9edf2);--soft:light-dark(#566273,#a3afbd);
--line:light-dark(#d5dce4,#39434f);--edge:light-dark(#7d8a99,#6f7d8c);
--card:light-dark(#fff,#1a2129);--accent:light-dark(#0a66c2,#5aa9f5);
--on-accent:light-dark(#fff,#0b1620)}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;grid-template-rows:1fr auto;place-items:center;padding:1rem;
font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:light-dark(#eef2f6,#10151b)}
main{width:min(27rem,100%);padding:clamp(1.25rem,6vw,2.25rem);border-radius:1rem;background:var(--card);
box-shadow:0 0 0 1px var(--line),0 12px 40px #0000001a}
h1{margin:0 0 .25rem;font-size:1.625rem;line-height:1.25;letter-spacing:-.01em;overflow-wrap:anywhere;text-wrap:balance}
.lead{margin:0 0 1.5rem;color:var(--soft);overflow-wrap:anywhere}
.lead strong{color:var(--ink)}
label{display:block;margin:1rem 0 .25rem;font-weight:600;font-size:.9375rem}
input:not([type=hidden]){width:100%;padding:.625rem .75rem;font:inherit;color:inherit;background:transparent;
border:1px solid var(--edge);border-radius:.5rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:1px}
.hint{margin:.75rem 0 0;font-size:.875rem;color:var(--soft)}
.wrong{color:light-dark(#a3271b,#ff9d90)}
ul{margin:.5rem 0 0;padding:0;list-style:none;border:1px solid var(--line);border-radius:.5rem}
li{padding:.75rem 1rem}li code{display:block}li+li{border-top:1px solid var(--line)}
code{font-size:.8125rem;color:var(--soft);overflow-wrap:anywhere}
.buttons{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.75rem}
button{flex:1;padding:.7rem 1rem;font:inherit;font-weight:600;color:inherit;background:transparent;cursor:pointer;
border:1px solid var(--edge);border-radius:.5rem;white-space:nowrap}
.primary{color:var(--on-accent);background:var(--accent);border-color:transparent}
button:hover{filter:brightness(1.08)}
dl{margin:0}dt{margin-top:.75rem;font-weight:600;font-size:.9375rem}dd{margin:0}a{color:var(--accent)}
footer{padding:1rem;font-size:.8125rem;color:var(--soft)}
";
