//! The login of a device (RFC 8628): what is asked for, and what the user is shown. The polls are in `poll.rs`.

use proofkey_core::{
    Advice, Client, ConfigError, DeviceRequest, Endpoint, Flow, ParameterFault, Poll, Prompt, Response, ResponseError,
    Server, Step, Unanswered, UriFault,
};
use proofkey_core_tests::client;

#[test]
fn the_device_request_byte_for_byte() {
    let request = device().request().body();
    assert_eq!(request, "client_id=1406020730&scope=a+b");
    assert_eq!(device().request().url().to_string(), "https://as.example/device");
    let plain = Client::without_redirect("a b", SERVER).and_then(|client| client.device(&[])).expect("a request");
    assert_eq!(plain.request().body(), "client_id=a+b");
    let secret =
        Client::without_redirect("c", SERVER).and_then(|client| client.with_embedded_secret("s&")).expect("fits");
    let more = [("audience", "https://api.example"), ("resource", "r1"), ("resource", "r2")];
    let full = secret.device(&["a"]).and_then(|request| request.with(&more)).expect("a request");
    let expected = "client_id=c&scope=a&client_secret=s%26&audience=https%3A%2F%2Fapi.example&resource=r1&resource=r2";
    assert_eq!(full.request().body(), expected);
    let (_, poll) = full.read(Response::new(200, &mut good().into_bytes()), 0).map(owned).expect("a prompt");
    assert!(poll.ends_with("&client_id=c&device_code=GmRh%2B&client_secret=s%26"), "{poll}");
}

#[test]
fn a_device_request_that_cannot_be_right_is_not_made() {
    let unknown = ConfigError::Endpoint(Endpoint::DeviceAuthorization, UriFault::Absent);
    assert_eq!(client().device(&[]).map(drop), Err(unknown));
    let of = |scope| Client::without_redirect("c", SERVER).and_then(|client| client.device(scope)).map(drop);
    assert_eq!(of(&["a", "b c"]), Err(ConfigError::Scope(1)));
    for (name, fault) in [("scope", Some("scope")), ("device_code", Some("device_code")), ("", None)] {
        let fault = fault.map_or(ParameterFault::Empty, ParameterFault::Protocol);
        let extra = [(name, "x")];
        let refused = Err(ConfigError::ExtraParameter { index: 0, fault });
        assert_eq!(device().with(&extra).map(drop), refused);
        let mut body = good().into_bytes();
        assert_eq!(begin(&mut body).1.with(&extra).map(drop), refused);
    }
    let twice = device().with(&[("a", "b")]).and_then(|request| request.with(&[("c", "d")]));
    assert_eq!(twice.map(drop), Err(ConfigError::ExtraParametersTwice));
}

#[test]
fn a_prompt_needs_its_members() {
    let prompt = r#""device_code":"D","user_code":"U","verification_uri":"https://a/d","expires_in":9"#;
    for (gone, name) in [
        (r#""device_code":"D","#, "device_code"),
        (r#""user_code":"U","#, "user_code"),
        (r#""verification_uri":"https://a/d","#, "verification_uri"),
        (r#","expires_in":9"#, "expires_in"),
    ] {
        let without = prompt.replace(gone, "");
        assert_ne!(without, prompt);
        assert_eq!(read(&without), Err(ResponseError::Missing(name)), "{without}");
    }
    for (found, other, error) in [
        (r#""D""#, "7", ResponseError::Type("device_code")),
        (r#""D""#, r#""D","device_code":"D""#, ResponseError::Duplicate("device_code")),
        (r#""U""#, r#""""#, ResponseError::Missing("user_code")),
        (r#""https://a/d""#, "null", ResponseError::Missing("verification_uri")),
        ("9", "null", ResponseError::Missing("expires_in")),
        ("9", "-1", ResponseError::Type("expires_in")),
        ("9", r#""soon""#, ResponseError::Type("expires_in")),
        ("9", r#"9,"expires_in":9"#, ResponseError::Duplicate("expires_in")),
    ] {
        assert_eq!(read(&prompt.replace(found, other)), Err(error), "{other}");
    }
    for (number, seconds) in [("9", 9), ("9.7", 9), ("\"9\"", 9), ("\" 9.0 \"", 9), ("1e99", u32::MAX), ("0", 0)] {
        let read = read(&prompt.replace('9', number).replace("\"expires_in\":", "\"expires_in\": "));
        assert_eq!(read.map(|(_, expires_in, _)| expires_in), Ok(seconds), "{number}");
    }
    let google = prompt.replace("verification_uri", "verification_url");
    assert_eq!(read(&google).map(|(uri, ..)| uri).as_deref(), Ok("https://a/d"));
    let both = format!(r#"{prompt},"verification_url":"https://other""#);
    assert_eq!(read(&both).map(|(uri, ..)| uri).as_deref(), Ok("https://a/d"));
}

#[test]
fn what_is_shown_or_opened_is_a_clean_address_and_a_clean_code() {
    let with = |name: &str, value: &str| {
        let rest: String = [("device_code", "D"), ("user_code", "U"), ("verification_uri", "https://a/d")]
            .into_iter()
            .filter(|(other, _)| *other != name)
            .fold(String::new(), |rest, (name, value)| format!("{rest}\"{name}\":\"{value}\","));
        read(&format!(r#"{rest}"expires_in":9,"{name}":"{value}""#)).map(drop)
    };
    for name in ["verification_uri", "verification_uri_complete"] {
        let member = with(name, "javascript:alert(1)").expect_err("a script");
        assert_eq!(
            member,
            ResponseError::Malformed(if name.ends_with('e') { "verification_uri_complete" } else { name })
        );
        for bad in [
            "javascript://a/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://a/d",
            "https:",
            "https://",
            "/d",
            "a/d",
            "https://user@a/d",
            "https://a/d d",
            r"https://a/\u001b[2J",
            r"https://a/\r\nhttps://b",
            "https://a/é",
            "https://a/%zz",
            "https://256.0.0.1/d",
        ] {
            assert_eq!(with(name, bad), Err(member.clone()), "{bad}");
        }
        for fine in
            ["https://a/d", "HTTPS://A/d", "http://intranet/d?x=1", "https://a:8443/#/device", "https://[::1]/d"]
        {
            assert_eq!(with(name, fine), Ok(()), "{fine}");
        }
    }
    for bad in [r"\u001b[2J", r"U\n", r"\u0000", r"U\u007f", r"\u0085", r"\u202eU", r"\u200bU", r"\u2066U"] {
        assert_eq!(with("user_code", bad), Err(ResponseError::Malformed("user_code")), "{bad}");
    }
    for fine in ["WDJB-MJHT", "123 456", "é", "漢字"] {
        assert_eq!(with("user_code", fine), Ok(()), "{fine}");
    }
}

#[test]
fn the_prompt_always_has_the_code_and_the_address() {
    for (more, link) in [
        ("", None),
        (r#","verification_uri_complete":"https://a/d?user_code=U-1""#, Some("https://a/d?user_code=U-1")),
        // It only spares typing: one that is not text is not there.
        (r#","verification_uri_complete":7"#, None),
    ] {
        let mut body =
            format!(r#"{{"device_code":"D","user_code":"U-1","verification_uri":"https://a/d","expires_in":9{more}}}"#)
                .into_bytes();
        let (prompt, _) = begin(&mut body);
        assert_eq!((prompt.user_code(), prompt.verification_uri()), ("U-1", "https://a/d"));
        assert_eq!(prompt.verification_uri_complete(), link);
        let shown = prompt.to_string();
        for part in ["https://a/d ", " U-1\n", "only if you started this"].into_iter().chain(link) {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}

#[test]
fn the_first_answer_may_be_a_refusal() {
    for (status, body) in [(400, r#"{"error":"unauthorized_client"}"#), (200, r#"{"error":"unauthorized_client"}"#)] {
        let mut body = body.as_bytes().to_vec();
        let refused = device().read(Response::new(status, &mut body), 0).map(drop);
        assert!(matches!(refused, Err(ResponseError::Server { error, .. }) if error.code() == "unauthorized_client"));
    }
    let busy = device().read(Response::new(503, &mut []), 0).map(drop).expect_err("busy");
    assert_eq!(busy.advice(), Advice::Retry { after: None });
    assert_eq!(device().read(Response::new(302, &mut []), 0).map(drop), Err(ResponseError::Redirect(302)));
    let mut request = device();
    assert!(matches!(request.step(0), Step::Send(_)) && request.hear(&Response::new(400, &mut []), 0));
    assert!(!request.unanswered(Unanswered::Unsent, 0));
}

#[test]
fn what_is_logged_has_no_code() {
    let mut body = br#"{"device_code":"CANARY1","user_code":"CANARY2","verification_uri":"https://a/d",
        "verification_uri_complete":"https://a/d?user_code=CANARY2","expires_in":600}"#
        .to_vec();
    let request = device();
    let mut shown = format!("{request:?} {:?}", request.request());
    let (prompt, poll) = request.read(Response::new(200, &mut body), 0).expect("a prompt");
    shown += &format!("{prompt:?} {poll:?} {:?} {:?}", poll.request(), poll.over());
    assert!(!shown.contains("CANARY") && shown.contains("1406020730"), "{shown}");
}

/// A server that has no login in a browser.
const SERVER: Server<'_> = Server::device("https://as.example/device", "https://as.example/token");

pub(crate) const START: u64 = 1_700_000_000;

pub(crate) fn device() -> DeviceRequest<'static> {
    let client = Client::without_redirect("1406020730", SERVER).expect("a client");
    client.device(&["a", "b"]).expect("a request")
}

pub(crate) fn good() -> String {
    r#"{"device_code":"GmRh+","user_code":"WDJB-MJHT","verification_uri":"https://as.example/go","expires_in":1800}"#
        .to_owned()
}

pub(crate) fn begin(body: &mut [u8]) -> (Prompt<'_>, Poll<'static, '_>) {
    device().read(Response::new(200, body), START).expect("a prompt")
}

fn owned((prompt, poll): (Prompt<'_>, Poll<'_, '_>)) -> (String, String) {
    (prompt.to_string(), poll.request().body())
}

/// Reads an answer with these members: address, lifetime, link.
fn read(members: &str) -> Result<(String, u32, Option<String>), ResponseError> {
    let mut body = format!("{{{members}}}").into_bytes();
    let (prompt, _) = device().read(Response::new(200, &mut body), START)?;
    let link = prompt.verification_uri_complete().map(str::to_owned);
    Ok((prompt.verification_uri().to_owned(), prompt.expires_in(), link))
}
