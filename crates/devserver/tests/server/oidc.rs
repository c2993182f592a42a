//! ID tokens, userinfo, and signing out, as a client sees them.

use crate::client::{VERIFIER, agent, call, exchange, get_json, query, refresh, start, text, url};
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, Faults, IdTokenFault};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

#[test]
fn an_id_token_is_signed_by_the_published_key_and_says_who_signed_in() {
    let server = start();
    let tokens = login(&server, &mut UserAgent::new().as_user("bob"), "&nonce=N&acr_values=mfa+pwd");
    let claims = claims(&server, text(&tokens, "id_token"));
    assert_eq!((&claims["sub"], &claims["nonce"], &claims["acr"]), (&json!("bob"), &json!("N"), &json!("mfa")));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.issuer()), &json!("demo-native")));
    let time = |name: &str| claims[name].as_u64().unwrap();
    assert!(time("auth_time") <= time("iat") && time("iat") < time("exp"), "{claims}");
    assert_eq!(claims.get("name"), None, "that is another scope");
    let (_, refreshed) = refresh(&server, text(&tokens, "refresh_token"));
    let again = self::claims(&server, text(&refreshed, "id_token"));
    assert_eq!((&again["sub"], again.get("nonce")), (&json!("bob"), None));
}

#[test]
fn without_the_scope_there_is_no_id_token_and_no_userinfo() {
    let server = start();
    let tokens = crate::client::login(&server);
    assert_eq!(tokens.get("id_token"), None);
    let (status, challenge) = call(&server, "/connect/userinfo", text(&tokens, "access_token"));
    assert_eq!((status, challenge.contains("insufficient_scope")), (403, true));
    let tokens = login(&server, &mut UserAgent::new(), "");
    assert_eq!(call(&server, "/connect/userinfo", text(&tokens, "access_token")).0, 200);
}

#[test]
fn a_user_is_asked_again_if_the_request_wants_it() {
    let server = start();
    let mut browser = UserAgent::new();
    let mut steps = |more: &str| {
        let visit = browser.run(&openid(&server, more), Decision::Allow).unwrap();
        visit.steps.iter().filter(|step| step.contains("sign-in page")).count()
    };
    assert_eq!(
        (steps(""), steps(""), steps("&max_age=3600"), steps("&max_age=0"), steps("&prompt=login")),
        (1, 0, 0, 1, 1)
    );
    let silent = browser.run(&openid(&server, "&max_age=0&prompt=none"), Decision::Allow).unwrap();
    assert_eq!(query(&silent.callback.unwrap(), "error").as_deref(), Some("login_required"));
}

#[test]
fn a_payment_wants_a_second_factor() {
    let server = start();
    let tokens = login(&server, &mut UserAgent::new(), "");
    let (status, challenge) = call(&server, "/api/payments", text(&tokens, "access_token"));
    assert_eq!(status, 401);
    assert_eq!(challenge, "Bearer error=\"insufficient_user_authentication\", acr_values=\"mfa\", max_age=\"300\"");
    let tokens = login(&server, &mut UserAgent::new(), "&acr_values=mfa");
    assert_eq!(call(&server, "/api/payments", text(&tokens, "access_token")).0, 200);
}

#[test]
fn a_browser_is_signed_out_and_sent_only_where_the_client_is_registered() {
    let server = start();
    let mut browser = UserAgent::new();
    let tokens = login(&server, &mut browser, "");
    let end =
        |more: &str| format!("{}?id_token_hint={}{more}", server.end_session_endpoint(), text(&tokens, "id_token"));
    let get = |url: &str| agent().get(url).call().unwrap();
    for (url, status) in [
        (end("&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F"), 400),
        (end("&client_id=another"), 400),
        (format!("{}?client_id=demo-native", server.end_session_endpoint()), 400),
        (format!("{}x", end("")), 400),
        (end(""), 200),
    ] {
        assert_eq!(get(&url).status(), status, "{url}");
    }
    let back = get(&end("&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fpaste&state=S"));
    assert_eq!(back.headers()["location"], "https://app.example/paste?state=S");
    browser.run(&end("&state=S"), Decision::Allow).unwrap();
    let visit = browser.run(&openid(&server, ""), Decision::Allow).unwrap();
    assert!(visit.steps.iter().any(|step| step.contains("sign-in page")), "{:?}", visit.steps);
}

#[test]
fn a_fault_is_in_the_signed_claims() {
    let server = start();
    for (fault, name, value) in [
        (IdTokenFault::Audience, "aud", json!(["another-client", "api"])),
        (IdTokenFault::Issuer, "iss", json!("https://as.example")),
        (IdTokenFault::NoAuthTime, "auth_time", Value::Null),
        (IdTokenFault::NoNonce, "nonce", Value::Null),
        (IdTokenFault::Nonce, "nonce", json!("another")),
        (IdTokenFault::Party, "azp", json!("api")),
        (IdTokenFault::Subject, "sub", json!("mallory")),
    ] {
        server.set_faults(Faults { id_token: Some(fault), ..Faults::default() });
        let tokens = login(&server, &mut UserAgent::new(), "&nonce=N");
        assert_eq!(claims(&server, text(&tokens, "id_token"))[name], value, "{fault:?}");
    }
}

fn login(server: &DevServer, browser: &mut UserAgent, more: &str) -> Value {
    let callback = browser.run(&openid(server, more), Decision::Allow).unwrap().callback.unwrap();
    exchange(server, &query(&callback, "code").unwrap(), VERIFIER).1
}

fn openid(server: &DevServer, more: &str) -> String {
    url(server, more).replace("scope=", "scope=openid+")
}

/// The claims of a token whose signature is good.
fn claims(server: &DevServer, token: &str) -> Value {
    let key = &get_json(&server.api("/connect/jwks"))["keys"][0];
    let decode = |text: &str| Base64UrlUnpadded::decode_vec(text).unwrap();
    let point = [&[4][..], &decode(text(key, "x")), &decode(text(key, "y"))].concat();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message.as_bytes(), &decode(signature)).unwrap();
    serde_json::from_slice(&decode(message.split_once('.').unwrap().1)).unwrap()
}
