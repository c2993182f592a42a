//! Who signed in: the ID token, its checks one by one, and what it is checked against.

use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_core::{
    AuthorizeError, Claims, ClaimsBuf, Client, ConfigError, IdToken, IdTokenError, ParameterFault, Redirect,
    RefreshToken, Response, Server, TokenRequest, TokensArray, TokensBuf,
};
use proofkey_core_tests::{Counter, ISSUER, client, good_query, values};
use sha2::{Digest, Sha256};

#[test]
fn the_nonce_is_made_of_the_verifier_and_sent_with_the_scope_openid() {
    let (url, pending) = client().authorize(&["a", "openid"], &mut Counter::default()).expect("a login begins");
    let (url, query) = (url.to_string(), good_query(&pending));
    let body = pending.accept(client(), Redirect::Query(&query)).expect("ours").request().body();
    let verifier = values(&body, "code_verifier")[0];
    let hash = Sha256::digest(format!("nonce{verifier}"));
    assert_eq!(values(&url, "nonce"), [Base64UrlUnpadded::encode_string(&hash)]);
    for scope in [&["a"][..], &[], &["openid2", "Openid"]] {
        let (url, _) = client().authorize(scope, &mut Counter::default()).expect("a login begins");
        assert!(!url.to_string().contains("nonce"), "{url}");
    }
}

#[test]
fn nobody_else_sets_the_nonce() {
    let (url, _) = client().authorize(&["openid"], &mut Counter::default()).expect("a login begins");
    let error = url.with(&[("nonce", "mine")]).expect_err("a parameter of the protocol");
    let fault = ParameterFault::Protocol("nonce");
    assert_eq!(error, ConfigError::ExtraParameter { index: 0, fault });
    assert_eq!(AuthorizeError::<ConfigError>::from(error), AuthorizeError::Config(error));
}

#[test]
fn only_a_login_that_asks_who_signs_in_insists_on_an_answer() {
    assert!(!client().id_token_rules().is_asked());
    assert!(client().id_token_rules().of_user("alice").is_asked(), "the user is known");
    assert!(request(&client()).0.id_token_rules().is_asked(), "the scope has openid");
}

#[test]
fn a_good_token_says_who_signed_in() {
    for (token, sub, name) in [
        (good(&[]), "alice", None),
        (good(&[("name", r#""Alice \u00c9""#)]), "alice", Some("Alice É")),
        (good(&[("sub", "\"!~ \""), ("email", "7")]), "!~ ", None),
        (good(&[("aud", r#"["client"]"#)]), "alice", None),
        (good(&[("aud", r#"["other","client"]"#), ("azp", "\"client\"")]), "alice", None),
        (good(&[("exp", "1.7e9"), ("nbf", "[{}]")]), "alice", None),
    ] {
        let mut buffer = vec![0; token.claims_len()];
        let claims = checked(&token, NOW, &mut buffer).unwrap_or_else(|error| panic!("{}: {error}", token.claims));
        assert_eq!((claims.sub(), claims.name()), (sub, name), "{}", token.claims);
    }
}

#[test]
fn the_issuer_is_the_servers_byte_for_byte() {
    for found in ["https://as.example/", "https://AS.example", "https://as.example:443", "as.example", " "] {
        let error = refused(&good(&[("iss", &format!("\"{found}\""))]));
        assert_eq!(error, IdTokenError::Issuer { expected: ISSUER.into(), found: found.into() });
    }
    assert_eq!(refused(&good(&[("iss", "null")])), IdTokenError::Missing("iss"));
    assert_eq!(refused(&good(&[("iss", r#"["https://as.example"]"#)])), IdTokenError::Malformed("iss"));
    let nameless =
        Client::new("client", "http://127.0.0.1/cb", Server::new("https://as.example/a", "https://as.example/t"));
    let rules = nameless.expect("a client").id_token_rules();
    assert!(!rules.has_issuer() && client().id_token_rules().has_issuer());
    let token = good(&[]);
    assert_eq!(token.id().check(&rules, NOW, &mut [0; 999]).map(drop), Err(IdTokenError::UnknownIssuer));
}

#[test]
fn the_audience_is_this_client_and_no_other() {
    for (aud, found) in [
        ("\"other\"", "other"),
        ("\"client other\"", "client other"),
        ("\"Client\"", "Client"),
        ("\"clien\"", "clien"),
        (r#"["other","clients"]"#, "other clients"),
        ("[]", ""),
    ] {
        let error = refused(&good(&[("aud", aud), ("azp", "\"client\"")]));
        assert_eq!(error, IdTokenError::Audience { expected: "client".into(), found: found.into() }, "{aud}");
    }
    for (aud, error) in [
        ("null", IdTokenError::Missing("aud")),
        ("\"\"", IdTokenError::Missing("aud")),
        ("7", IdTokenError::Malformed("aud")),
        (r#"["client",7]"#, IdTokenError::Malformed("aud")),
        (r#"["client other"]"#, IdTokenError::Malformed("aud")),
        (r#"{"client":1}"#, IdTokenError::Malformed("aud")),
    ] {
        assert_eq!(refused(&good(&[("aud", aud)])), error, "{aud}");
    }
}

#[test]
fn a_client_id_with_a_space_is_compared_whole() {
    let client = Client::new("my client", "http://127.0.0.1/cb", client().server()).expect("a client");
    let token = |aud| Token::of(&[("aud", aud)], None);
    let check = |token: &Token| token.id().check(&client.id_token_rules(), NOW, &mut [0; 999]).map(drop);
    assert_eq!(check(&token("\"my client\"")), Ok(()));
    assert!(matches!(check(&token(r#"["my","client"]"#)), Err(IdTokenError::Audience { .. })));
}

#[test]
fn several_audiences_need_this_client_as_the_party() {
    let both = ("aud", r#"["client","api"]"#);
    let party = |found: &str| IdTokenError::Party { expected: "client".into(), found: found.into() };
    assert_eq!(refused(&good(&[both])), party(""));
    assert_eq!(refused(&good(&[both, ("azp", "\"api\"")])), party("api"));
    assert_eq!(refused(&good(&[("azp", "\"other\"")])), party("other"));
    assert_eq!(refused(&good(&[("azp", "[\"client\"]")])), IdTokenError::Malformed("azp"));
    assert_eq!(refused(&good(&[("aud", r#"["client","client"]"#)])), party(""));
}

#[test]
fn a_token_has_expired_a_minute_late() {
    let token = good(&[("exp", "1000")]);
    for now in [0, 999, 1000, 1059] {
        assert!(checked(&token, now, &mut [0; 999]).is_ok(), "{now}");
    }
    for now in [1060, 1061, u64::MAX] {
        let error = checked(&token, now, &mut [0; 999]).map(drop);
        assert_eq!(error, Err(IdTokenError::Expired { at: 1000, now }));
    }
    for (exp, error) in [
        ("null", IdTokenError::Missing("exp")),
        ("\"1700000000\"", IdTokenError::Malformed("exp")),
        ("-1", IdTokenError::Malformed("exp")),
        ("true", IdTokenError::Malformed("exp")),
    ] {
        assert_eq!(refused(&good(&[("exp", exp)])), error, "{exp}");
    }
}

#[test]
fn the_nonce_that_was_sent_is_required() {
    for (nonce, error) in [
        ("null", IdTokenError::Missing("nonce")),
        ("\"\"", IdTokenError::Missing("nonce")),
        ("[]", IdTokenError::Malformed("nonce")),
        ("\"another\"", IdTokenError::Nonce),
        ("\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", IdTokenError::Nonce),
    ] {
        assert_eq!(refused(&good(&[("nonce", nonce)])), error, "{nonce}");
    }
    // None was sent: a device, or a refresh.
    for nonce in ["null", "\"another\"", "7"] {
        let token = Token::of(&[("nonce", nonce)], None);
        assert!(token.id().check(&client().id_token_rules(), NOW, &mut [0; 999]).is_ok(), "{nonce}");
    }
}

#[test]
fn the_user_signed_in_within_the_age_that_was_asked_for() {
    let check = |auth_time: &str, max_age, began| {
        let (request, nonce) = request(&client());
        let token = Token::of(&[("auth_time", auth_time)], Some(&nonce));
        let rules = request.with_max_age(max_age, began).id_token_rules();
        token.id().check(&rules, NOW, &mut [0; 999]).map(|claims| claims.auth_time())
    };
    for (auth_time, max_age, began) in
        [("1000", 0, 1060), ("1000", 300, 1360), ("1000", 0, 500), ("1000", u32::MAX, 9999), ("1e3", 1, 1000)]
    {
        assert_eq!(check(auth_time, max_age, began), Ok(Some(1000)), "{auth_time} {max_age} {began}");
    }
    assert_eq!(check("1000", 0, 1061), Err(IdTokenError::Stale { age: 61, max_age: 0 }));
    assert_eq!(check("1000", 300, 1361), Err(IdTokenError::Stale { age: 361, max_age: 300 }));
    assert_eq!(check("null", 300, 1000), Err(IdTokenError::Missing("auth_time")));
    assert_eq!(check("\"1000\"", 300, 1000), Err(IdTokenError::Malformed("auth_time")));
}

#[test]
fn a_refresh_and_a_second_login_are_of_the_same_user() {
    let refresh = client().refresh(RefreshToken::new("RT1").expect("a token")).of_user("alice");
    let of = |sub: &str| Token::of(&[("sub", &format!("\"{sub}\"")), ("nonce", "null")], None);
    assert!(of("alice").id().check(&refresh.id_token_rules(), NOW, &mut [0; 999]).is_ok());
    for other in ["bob", "Alice", "alice ", "alic"] {
        let subject = Err(IdTokenError::Subject { expected: "alice".into(), found: other.into() });
        assert_eq!(of(other).id().check(&refresh.id_token_rules(), NOW, &mut [0; 999]).map(drop), subject);
        let rules = client().id_token_rules().of_user("alice");
        assert_eq!(of(other).id().check(&rules, NOW, &mut [0; 999]).map(drop), subject);
    }
    assert!(!refresh.request().body().contains("alice"), "it is not sent");
}

#[test]
fn a_user_has_a_short_printable_name() {
    for (sub, error) in [
        ("null", IdTokenError::Missing("sub")),
        ("\"\"", IdTokenError::Missing("sub")),
        ("7", IdTokenError::Malformed("sub")),
        ("\"a\\u0000\"", IdTokenError::Malformed("sub")),
        ("\"\u{e9}\"", IdTokenError::Malformed("sub")),
        (&*format!("\"{}\"", "a".repeat(256)), IdTokenError::Malformed("sub")),
    ] {
        assert_eq!(refused(&good(&[("sub", sub)])), error, "{sub}");
    }
    assert!(checked(&good(&[("sub", &format!("\"{}\"", "a".repeat(255)))]), NOW, &mut [0; 999]).is_ok());
    let twice = Token::raw(&good(&[]).claims.replacen('{', "{\"sub\":\"bob\",", 1));
    assert_eq!(
        twice.id().check(&client().id_token_rules(), NOW, &mut [0; 999]).map(drop),
        Err(IdTokenError::Malformed("sub"))
    );
}

#[test]
fn only_a_token_of_three_parts_is_read() {
    let check = |token: &str| {
        let id = IdToken::new(token)?;
        id.check(&client().id_token_rules(), NOW, &mut [0; 999]).map(drop)
    };
    for bad in [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e.f",
        "é.b.c",
        ".!.",
        "..",
        "e30.e3 0.e30",
        "e30.e30=.e30",
        "a.e31.c",
        "a.W10.c",
    ] {
        assert_eq!(check(bad), Err(IdTokenError::Format), "{bad}");
    }
    assert_eq!(check("a.b.c.d.e"), Err(IdTokenError::Encrypted));
    let Token { token, .. } = Token::of(&[], None);
    // Neither the header nor the signature is looked at.
    let (_, rest) = token.split_once('.').expect("a header");
    let (payload, _) = rest.split_once('.').expect("a signature");
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, "nonsense"] {
        let header = Base64UrlUnpadded::encode_string(header.as_bytes());
        assert_eq!(check(&format!("{header}.{payload}.")), Ok(()));
    }
}

#[test]
fn a_buffer_is_as_long_as_it_says() {
    for length in 0..9 {
        let token = good(&[("name", &format!("\"{}\"", "n".repeat(length)))]);
        let needed = token.claims.len();
        assert_eq!(token.id().claims_len(), needed);
        assert!(checked(&token, NOW, &mut vec![0; needed]).is_ok(), "{length}");
        let error = checked(&token, NOW, &mut vec![0; needed - 1]).map(drop);
        assert_eq!(error, Err(IdTokenError::NoRoom { needed }));
    }
    assert_eq!(IdToken::new("no").expect("a text").claims_len(), 0);
}

#[test]
fn claims_that_only_inform_are_absent_if_they_cannot_be_used() {
    let mut buffer = [0; 999];
    let token = good(&[
        ("name", "[]"),
        ("preferred_username", "\"\""),
        ("email", "\"a@b.example\""),
        ("email_verified", "1"),
        ("acr", "{}"),
        ("auth_time", "\"x\""),
    ]);
    let claims = checked(&token, NOW, &mut buffer).expect("nothing that protects is wrong");
    assert_eq!(
        (claims.name(), claims.preferred_username(), claims.acr(), claims.auth_time()),
        (None, None, None, None)
    );
    assert_eq!((claims.email(), claims.email_verified()), (Some("a@b.example"), None));
    for (verified, says) in [("true", true), ("false", false), ("\"true\"", true), ("\"false\"", false)] {
        let claims = good(&[("email_verified", verified)]);
        let says_it = checked(&claims, NOW, &mut buffer).map(|claims| claims.email_verified());
        assert_eq!(says_it, Ok(Some(says)), "{verified}");
    }
}

#[test]
fn further_claims_are_found_by_name() {
    let token = good(&[
        ("groups", r#"["a","b\/c"]"#),
        ("locale", "\"d\\u0065\""),
        ("updated_at", "17"),
        ("address", r#"{"country":"DE"}"#),
        ("mixed", r#"["a",1]"#),
        ("nothing", "null"),
    ]);
    let names = ["groups", "updated_at", "address", "mixed", "nothing", "absent", "sub", "", "locale"];
    let expected =
        [Some("a b/c"), Some("17"), Some(r#"{"country":"DE"}"#), None, None, None, Some("alice"), None, Some("de")];
    let rules = request(&client()).0.id_token_rules();
    let mut buffer = [0; 999];
    let (claims, found) = token.id().check_with(&rules, NOW, &mut buffer, &names).expect("a good token");
    assert_eq!((claims.sub(), found), ("alice", expected));
    let owned = ClaimsBuf::of_id_token(token.id(), &rules, NOW).expect("a good token");
    assert_eq!(names.map(|name| owned.get(name)), expected.map(|text| text.map(str::to_owned)));
    assert_eq!((owned.sub(), owned.as_json()), ("alice", token.claims.as_bytes()));
    assert_eq!(format!("{owned:?}"), format!("{claims:?}"));
}

#[test]
fn the_token_goes_where_the_tokens_go() {
    let (request, nonce) = request(&client());
    let token = Token::of(&[], Some(&nonce));
    let rules = request.id_token_rules();
    let mut body = format!(r#"{{"access_token":"AT","id_token":"{}"}}"#, token.token).into_bytes();
    let tokens = request.read(Response::new(200, &mut body)).expect("tokens");
    let kept = TokensBuf::from(tokens);
    let array = TokensArray::<1024>::try_from(tokens).expect("room");
    for id in [tokens.id_token(), kept.id_token(), array.as_tokens().id_token()] {
        let id = id.expect("an ID token");
        assert_eq!(id.expose(), token.token);
        assert_eq!(id.check(&rules, NOW, &mut [0; 999]).map(|claims| claims.sub().to_owned()).as_deref(), Ok("alice"));
        assert_eq!(format!("{id:?}"), "IdToken(..)");
    }
}

#[test]
fn an_id_token_that_was_not_asked_for_ends_no_login() {
    for id_token in ["7", "null", "\"\"", "[\"a\"]", "\"\\ud800\"", "{}"] {
        let mut body = format!(r#"{{"access_token":"AT","id_token":{id_token}}}"#).into_bytes();
        let tokens = request(&client()).0.read(Response::new(200, &mut body)).expect("tokens");
        assert!(tokens.id_token().is_none(), "{id_token}");
        assert!(TokensArray::<8>::try_from(tokens).expect("room").as_tokens().id_token().is_none());
    }
}

#[test]
fn a_login_that_was_written_down_still_knows_its_nonce() {
    let (url, pending) = client().authorize(&["openid"], &mut Counter::default()).expect("a login begins");
    let (nonce, query) = (values(&url.to_string(), "nonce")[0].to_owned(), good_query(&pending));
    let written = serde_json::to_string(&pending).expect("it is written");
    let pending: proofkey_core::Pending = serde_json::from_str(&written).expect("it is read");
    let rules = pending.accept(client(), Redirect::Query(&query)).expect("ours").id_token_rules();
    let of = |nonce: &str| Token::of(&[], Some(nonce)).id().check(&rules, NOW, &mut [0; 999]).map(drop);
    assert_eq!((of(&nonce), of("another")), (Ok(()), Err(IdTokenError::Nonce)));
}

/// The claims of a good token, and the token.
struct Token {
    claims: String,
    token: String,
}

impl Token {
    /// The claims of a good token with some replaced or added, and with this nonce.
    fn of(changes: &[(&str, &str)], nonce: Option<&str>) -> Self {
        let nonce = format!("\"{}\"", nonce.unwrap_or("none"));
        let start = [
            ("iss", "\"https://as.example\""),
            ("aud", "\"client\""),
            ("sub", "\"alice\""),
            ("exp", "1700000000"),
            ("nonce", nonce.as_str()),
        ];
        let changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
        let kept = start.iter().filter(|(name, _)| !changed(name)).chain(changes);
        let members: Vec<_> = kept.map(|(name, value)| format!("\"{name}\":{value}")).collect();
        Self::raw(&format!("{{{}}}", members.join(",")))
    }

    fn raw(claims: &str) -> Self {
        let token = format!("e30.{}.c2ln", Base64UrlUnpadded::encode_string(claims.as_bytes()));
        Self { claims: claims.to_owned(), token }
    }

    fn id(&self) -> IdToken<'_> {
        IdToken::new(&self.token).expect("a text")
    }

    fn claims_len(&self) -> usize {
        self.id().claims_len()
    }
}

/// A good token of [`request`] with some claims replaced.
fn good(changes: &[(&str, &str)]) -> Token {
    Token::of(changes, Some(&request(&client()).1))
}

/// Checks a token against the rules of [`request`].
fn checked<'c>(token: &Token, now: u64, buffer: &'c mut [u8]) -> Result<Claims<'c>, IdTokenError> {
    token.id().check(&request(&client()).0.id_token_rules(), now, buffer)
}

fn refused(token: &Token) -> IdTokenError {
    checked(token, NOW, &mut [0; 999]).map(drop).expect_err(&token.claims)
}

/// A request with a code of a login with the scope `openid`, and its nonce, which is always the same.
fn request<'a>(client: &Client<'a>) -> (TokenRequest<'a>, String) {
    let (url, pending) = client.authorize(&["openid"], &mut Counter::default()).expect("a login begins");
    let nonce = values(&url.to_string(), "nonce")[0].to_owned();
    let query = good_query(&pending);
    (pending.accept(*client, Redirect::Query(String::leak(query))).expect("a good redirect"), nonce)
}

const NOW: u64 = 1_700_000_000;
