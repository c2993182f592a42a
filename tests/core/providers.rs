//! Presets of known servers, and what they do otherwise than the specifications say.

use crate::device::START;
use proofkey_core::{
    Advice, Client, ClientBuf, ConfigError, Discovery, Endpoint, Flow, IdToken, IdTokenError, MetadataRequest, Quirk,
    RefreshToken, Response, ResponseError, Server, Step, WellKnown,
};
use proofkey_core_tests::{Counter, REDIRECT_URI};

const PRESETS: [(&str, Server<'static>, &[Quirk]); 9] = [
    ("discord.com", Server::DISCORD, &[]),
    ("microsoftonline.com", Server::ENTRA, &[Quirk::TenantIssuer]),
    ("github.com", Server::GITHUB, &[]),
    ("gitlab.com", Server::GITLAB, &[]),
    ("google", Server::GOOGLE, &[]),
    ("ims.bentley.com", Server::ITWIN, &[]),
    ("slack.com", Server::SLACK, &[Quirk::UserToken]),
    ("spotify.com", Server::SPOTIFY, &[]),
    ("twitch.tv", Server::TWITCH, &[Quirk::ErrorInMessage]),
];

#[test]
fn each_preset_can_be_used_and_has_the_quirks_of_its_server_alone() {
    for (host, server, quirks) in PRESETS {
        let device = Client::without_redirect("client", server).expect(host);
        let login = Client::new("client", REDIRECT_URI, server);
        assert_eq!(login.is_ok(), host != "twitch.tv", "{host}");
        if let Ok(login) = login {
            let (url, _) = login.authorize(&["a"], &mut Counter::default()).expect("a login begins");
            assert!(url.to_string().starts_with("https://"), "{url}");
        }
        let devices = ["microsoftonline.com", "github.com", "gitlab.com", "google", "twitch.tv"];
        assert_eq!(device.device(&["a"]).is_ok(), devices.contains(&host), "{host}");
        let on: Vec<_> = Quirk::ALL.iter().copied().filter(|quirk| server.has_quirk(*quirk)).collect();
        assert_eq!(on, quirks, "{host}");
        assert_eq!(ClientBuf::from(device).as_client(), device, "{host}: the owned form keeps them");
        for url in Endpoint::ALL.iter().filter_map(|endpoint| server.endpoint(*endpoint)) {
            assert!(url.split('/').nth(2).is_some_and(|authority| authority.contains(host)), "{host}: {url}");
        }
    }
}

#[test]
fn names_of_quirks_are_their_own() {
    let names: std::collections::BTreeSet<_> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
    assert_eq!(names.len(), Quirk::ALL.len());
}

#[test]
fn the_template_of_a_tenant_is_taken_for_the_issuers_that_stand_for_many() {
    const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    for (asked, named, expected) in [
        ("https://login.microsoftonline.com/common/v2.0", TEMPLATE, true),
        ("https://login.microsoftonline.com/organizations/v2.0", TEMPLATE, true),
        ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/common/v2.0", true),
        ("https://login.microsoftonline.com/contoso/v2.0", TEMPLATE, false),
        ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenant}/v2.0", false),
        ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenantid}/v2.0/", false),
        ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/{tenantid}", false),
        ("https://login.microsoftonline.com/common/v2.0", "https://evil.example/{tenantid}/v2.0", false),
        ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/9188040d/v2.0", false),
    ] {
        let body = format!(
            r#"{{"issuer":"{named}","authorization_endpoint":"https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "token_endpoint":"https://login.microsoftonline.com/common/oauth2/v2.0/token"}}"#
        );
        let request = || MetadataRequest::new(asked, WellKnown::OpenIdAppended).expect("an issuer");
        let mut answer = body.clone().into_bytes();
        let strict = request().read(Response::new(200, &mut answer)).map(drop);
        assert_eq!(strict.is_ok(), asked == named, "without the quirk: {named}");
        let mut answer = body.clone().into_bytes();
        let read = request().with_quirk(Quirk::TenantIssuer).read(Response::new(200, &mut answer));
        match read {
            Ok(metadata) => {
                assert!(expected && metadata.server().has_quirk(Quirk::TenantIssuer), "{named}");
                assert_eq!(metadata.server().issuer(), Some(asked));
            }
            Err(error) => assert!(!expected && matches!(error, ResponseError::Issuer { .. }), "{named}: {error}"),
        }
        let mut discovery = Discovery::new(asked).expect("an issuer").with_quirk(Quirk::TenantIssuer);
        let mut answer = body.into_bytes();
        let Step::Send(_) = discovery.step(0) else { panic!("an address") };
        let response = Response::new(200, &mut answer);
        assert!(discovery.hear(&response, 0));
        assert_eq!(discovery.read(response).is_ok(), expected, "{named}");
    }
}

#[test]
fn an_id_token_names_a_tenant_of_the_many() {
    for (token, expected) in [
        // 9188040d-6c67-4c5b-b112-36a304b66dad/v2.0
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vOTE4ODA0MGQtNmM2Ny00YzViLWIxMTItMzZhMzA0YjY2ZGFkL3YyLjAiLCJhdWQiOiJjbGllbnQiLCJzdWIiOiJBQUFBIiwiZXhwIjoxNzAwMDAzNjAwfQ.c2ln",
            true,
        ),
        // common/v2.0
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vY29tbW9uL3YyLjAiLCJhdWQiOiJjbGllbnQiLCJzdWIiOiJBQUFBIiwiZXhwIjoxNzAwMDAzNjAwfQ.c2ln",
            true,
        ),
        // organizations/v2.0
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vb3JnYW5pemF0aW9ucy92Mi4wIiwiYXVkIjoiY2xpZW50Iiwic3ViIjoiQUFBQSIsImV4cCI6MTcwMDAwMzYwMH0.c2ln",
            false,
        ),
        // {tenantid}/v2.0
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20ve3RlbmFudGlkfS92Mi4wIiwiYXVkIjoiY2xpZW50Iiwic3ViIjoiQUFBQSIsImV4cCI6MTcwMDAwMzYwMH0.c2ln",
            false,
        ),
        // 9188040d-6c67-4c5b-b112-36a304b66dad/v2.0/
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vOTE4ODA0MGQtNmM2Ny00YzViLWIxMTItMzZhMzA0YjY2ZGFkL3YyLjAvIiwiYXVkIjoiY2xpZW50Iiwic3ViIjoiQUFBQSIsImV4cCI6MTcwMDAwMzYwMH0.c2ln",
            false,
        ),
        // 9188040d-6c67-4c5b-b112-36a304b66dad/v1.0
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20vOTE4ODA0MGQtNmM2Ny00YzViLWIxMTItMzZhMzA0YjY2ZGFkL3YxLjAiLCJhdWQiOiJjbGllbnQiLCJzdWIiOiJBQUFBIiwiZXhwIjoxNzAwMDAzNjAwfQ.c2ln",
            false,
        ),
        // x/9188040d-6c67-4c5b-b112-36a304b66d/v2.0
        (
            "e30.eyJpc3MiOiJodHRwczovL2xvZ2luLm1pY3Jvc29mdG9ubGluZS5jb20veC85MTg4MDQwZC02YzY3LTRjNWItYjExMi0zNmEzMDRiNjZkL3YyLjAiLCJhdWQiOiJjbGllbnQiLCJzdWIiOiJBQUFBIiwiZXhwIjoxNzAwMDAzNjAwfQ.c2ln",
            false,
        ),
        // at another host
        (
            "e30.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZS85MTg4MDQwZC02YzY3LTRjNWItYjExMi0zNmEzMDRiNjZkYWQvdjIuMCIsImF1ZCI6ImNsaWVudCIsInN1YiI6IkFBQUEiLCJleHAiOjE3MDAwMDM2MDB9.c2ln",
            false,
        ),
    ] {
        let check = |server: Server<'static>| {
            let client = Client::without_redirect("client", server).expect("a client");
            let mut buffer = [0; 512];
            let token = IdToken::new(token).expect("a token");
            token.check(&client.id_token_rules(), 1_700_000_000, &mut buffer).map(|claims| claims.sub().to_owned())
        };
        let checked = check(Server::ENTRA);
        match &checked {
            Ok(sub) => assert!(expected && sub == "AAAA", "{token}"),
            Err(error) => assert!(!expected && matches!(error, IdTokenError::Issuer { .. }), "{token}: {error}"),
        }
        let strict =
            Server::new("https://a/a", "https://a/t").with_issuer("https://login.microsoftonline.com/common/v2.0");
        assert_eq!(check(strict).is_ok(), token.contains("Y29tbW9u"), "without the quirk: {token}");
        let one = Server::ENTRA.with_issuer("https://login.microsoftonline.com/contoso/v2.0");
        assert!(matches!(check(one), Err(IdTokenError::Issuer { .. })), "one tenant is not many: {token}");
    }
}

#[test]
fn twitch_says_in_the_message_that_a_device_has_to_wait() {
    let pending = r#"{"status":400,"message":"authorization_pending"}"#;
    for (server, waits) in [(Server::TWITCH, true), (without_quirks(), false)] {
        let client = Client::without_redirect("client", server).expect("a client");
        let mut prompt = *br#"{"device_code":"ike3GM8QIdYZs43KdrWPIO36LofILoCyFEzjlQ91","expires_in":1800,"interval":5,
            "user_code":"ABCDEFGH","verification_uri":"https://www.twitch.tv/activate?public=true&device-code=ABCDEFGH"}"#;
        let request = client.device(&[]).and_then(|request| request.with(&[("scopes", "channel:manage:polls")]));
        let request = request.expect("a device");
        assert_eq!(request.request().body(), "client_id=client&scopes=channel%3Amanage%3Apolls");
        let (_, mut poll) = request.read(Response::new(200, &mut prompt), START).expect("a prompt");
        let mut answer = pending.as_bytes().to_vec();
        let is_last = poll.hear(&Response::new(400, &mut answer), START + 6);
        assert_eq!(is_last, !waits);
        let mut answer = br#"{"status":400,"message":"invalid device code"}"#.to_vec();
        assert!(poll.hear(&Response::new(400, &mut answer), START + 12), "anything else is the end");
        let error = poll.read(Response::new(400, &mut answer)).expect_err("refused");
        assert_eq!(error.advice(), Advice::Fix, "{error}");
    }
}

#[test]
fn google_gets_its_embedded_secret_with_the_code_and_on_a_device() {
    let client = google("my-app", "GOCSPX-x").expect("a client");
    let refresh = client.refresh(RefreshToken::new("RT1").expect("a token"));
    assert!(refresh.request().body().ends_with("&client_secret=GOCSPX-x"));
    let device = client.device(&["email"]).expect("an endpoint");
    assert_eq!(device.request().url().to_string(), "https://oauth2.googleapis.com/device/code");
}

fn google<'a>(id: &'a str, embedded_secret: &'a str) -> Result<Client<'a>, ConfigError> {
    Client::new(id, "http://127.0.0.1/callback", Server::GOOGLE)?.with_embedded_secret(embedded_secret)
}

fn without_quirks() -> Server<'static> {
    let endpoint = |endpoint| Server::TWITCH.endpoint(endpoint).expect("an endpoint");
    Server::device(endpoint(Endpoint::DeviceAuthorization), endpoint(Endpoint::Token))
}
