//! Logins that the user confirms on another device (RFC 8628), at the development server.

use crate::adapter::{DeviceLogin, DiscoverError, ExchangeError, LoginError, TransportKind, Wait, http};
use proofkey_core::{Advice, Client, ClientBuf, ConfigError, Endpoint, Prompt, ResponseError, Server, UriFault};
use proofkey_devserver::user_agent::{Decision, UserAgent};
use proofkey_devserver::{DevServer, EndpointFault, Faults, MetadataFault, Options, RefreshFault, When};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

#[test]
fn a_device_login_ends_with_tokens() {
    // This server never forgives a poll that is too early.
    let server = start(Options { device_interval: 1, unforgiving_polls: true, ..Options::default() });
    let (http, client, before) = (http(), client(&server), SystemTime::now());
    let mut shown = None;
    let signed_in = http.login_device(DeviceLogin::new(client.as_client(), SCOPE), |prompt| {
        shown = Some(SystemTime::now());
        confirm(prompt, Decision::Allow)
    });
    let signed_in = signed_in.wait().unwrap();
    assert!(signed_in.tokens.refresh_token().is_some());
    let (requested_at, shown) = (signed_in.requested_at, shown.unwrap());
    assert!(before < shown && shown + Duration::from_secs(1) < requested_at && requested_at <= SystemTime::now());
    let refreshed = http.refresh(client.as_client(), signed_in.tokens.refresh_token().unwrap());
    assert!(refreshed.wait().is_ok());
    let counts = server.counts();
    assert_eq!((counts.polls, counts.early_polls), (1, 0));
    let log = server.log();
    let begun = log.iter().find(|entry| entry.path == "/connect/deviceauthorization").unwrap();
    assert_eq!(begun.body, "client_id=demo-native&scope=itwin-platform+offline_access");
}

#[test]
fn polls_go_on_while_nothing_says_that_the_login_has_ended() {
    let down = EndpointFault::Respond { status: 503, headers: Vec::new(), body: String::new() };
    let faults = [
        EndpointFault::HangupBefore,
        down,
        EndpointFault::page(200),
        EndpointFault::page(403),
        EndpointFault::error(200, "authorization_pending"),
    ];
    each(faults, |fault| {
        let server = start(patient());
        server.set_faults(polls(When::Next(1), fault.clone()));
        let tokens = login(&server, Decision::Allow);
        assert!(tokens.is_ok(), "{fault:?}: {tokens:?}");
        assert_eq!(server.counts().token_requests, 2, "{fault:?}");
    });
}

#[test]
fn any_other_refusal_ends_a_device_login() {
    let faults = [
        (None, "access_denied", Advice::Reauthorize),
        (Some(EndpointFault::error(200, "access_denied")), "access_denied", Advice::Reauthorize),
        (Some(EndpointFault::error(400, "expired_token")), "expired_token", Advice::Reauthorize),
        (Some(EndpointFault::error(400, "device_not_found")), "device_not_found", Advice::Fix),
    ];
    each(faults, |(fault, code, advice)| {
        let server = start(patient());
        if let Some(fault) = fault {
            server.set_faults(polls(When::Every(1), fault));
        }
        let error = login(&server, Decision::Deny).unwrap_err();
        assert_eq!(error.advice(), Some(advice), "{error}");
        let LoginError::Exchange(ExchangeError::Response(ResponseError::Server { error, .. })) = error else {
            panic!("{error}")
        };
        assert_eq!((error.code(), server.counts().token_requests), (code, 1));
    });
}

#[test]
fn a_device_login_ends_with_its_code() {
    each([None, Some(EndpointFault::HangupBefore)], |fault| {
        let (polled, device_code_ttl) = (fault.is_some(), if fault.is_some() { 9 } else { 1 });
        let server = start(Options { device_code_ttl, ..patient() });
        if let Some(fault) = fault {
            server.set_faults(polls(When::Every(1), fault));
        }
        let error = login(&server, Decision::Allow).unwrap_err();
        assert_eq!(error.advice(), Some(Advice::Reauthorize));
        assert_eq!(server.counts().token_requests > 0, polled, "no poll comes after the end");
        let LoginError::Expired { expired, last } = &error else { panic!("{error}") };
        assert!(error.to_string().starts_with(&expired.to_string()), "{error}");
        assert_eq!(last.as_ref().map(|error| error.kind()), polled.then_some(TransportKind::Closed), "{error}");
    });
}

#[test]
fn a_device_login_is_given_up_between_two_polls() {
    let server = start(patient());
    let (http, client, cancel) = (http(), client(&server), AtomicBool::new(false));
    let login = DeviceLogin::new(client.as_client(), SCOPE);
    let error = http.login_device(login.with_cancel(&cancel), |_| {
        cancel.store(true, Ordering::Relaxed);
        Ok(())
    });
    assert!(matches!(error.wait(), Err(LoginError::Cancelled)));
    let error = http.login_device(login.with_timeout(Duration::from_millis(300)), |_| Ok(()));
    assert!(matches!(error.wait(), Err(LoginError::TimedOut)));
    let begun = server.log().len();
    let error = http.login_device(login.with_cancel(&cancel), |_| panic!("it is shown"));
    assert!(matches!(error.wait(), Err(LoginError::Cancelled)));
    let error = http.login_device(login.with_timeout(Duration::ZERO), |_| panic!("it is shown"));
    assert!(matches!(error.wait(), Err(LoginError::TimedOut)));
    assert_eq!((server.log().len(), server.counts().polls), (begun, 0), "nothing was sent");

    // A poll that is under way is read: the flag is set while the server holds its answer back.
    cancel.store(false, Ordering::Relaxed);
    server.set_faults(polls(When::Every(1), EndpointFault::Delay { millis: 300 }));
    let tokens = thread::scope(|scope| {
        scope.spawn(|| {
            while server.counts().polls == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            cancel.store(true, Ordering::Relaxed);
        });
        http.login_device(login.with_cancel(&cancel), |prompt| confirm(prompt, Decision::Allow)).wait()
    });
    assert!(tokens.is_ok(), "{tokens:?}");
}

#[test]
fn a_server_without_an_authorization_endpoint_is_for_devices_alone() {
    let server = start(patient());
    server.set_faults(Faults { metadata: Some(MetadataFault::NoAuthorization), ..Faults::default() });
    assert!(login(&server, Decision::Allow).is_ok());
    let refused = http().discover(&server.issuer(), "demo-native", "http://127.0.0.1/cb").wait();
    let absent = ConfigError::Endpoint(Endpoint::Authorization, UriFault::Absent);
    assert!(matches!(refused, Err(DiscoverError::Config(error)) if error == absent), "{refused:?}");
}

#[test]
fn a_device_login_that_cannot_begin_shows_nothing() {
    let (server, http) = (start(patient()), http());
    let failed = |client: Client<'_>, scope: &[&str], fault: Option<EndpointFault>| {
        server.set_faults(Faults { device: fault, ..Faults::default() });
        http.login_device(DeviceLogin::new(client, scope), |_| panic!("it is shown")).wait().unwrap_err()
    };
    let client = client(&server);
    let client = client.as_client();
    let busy = EndpointFault::Respond {
        status: 503,
        headers: vec![("retry-after".to_owned(), "120".to_owned())],
        body: String::new(),
    };
    let error = failed(client, SCOPE, Some(busy));
    assert_eq!(error.advice(), Some(Advice::Retry { after: Some(120) }), "{error}");
    let error = failed(client, &["nobody-has-it"], None);
    assert!(error.to_string().contains("invalid_scope") && error.advice() == Some(Advice::Fix), "{error}");
    let error = failed(client, SCOPE, Some(EndpointFault::HangupBefore));
    assert!(matches!(error, LoginError::Device(ExchangeError::Transport(_))), "{error}");
    assert_eq!(error.advice(), Some(Advice::Retry { after: None }));
    let error = failed(client, &["a b"], None);
    assert!(matches!(error, LoginError::Config(ConfigError::Scope(0))), "{error}");
    let other = Client::new("app", "http://127.0.0.1/cb", Server::ITWIN).unwrap();
    let error = failed(other, SCOPE, None);
    let unknown = ConfigError::Endpoint(Endpoint::DeviceAuthorization, UriFault::Absent);
    assert!(matches!(error, LoginError::Config(error) if error == unknown));
    let with_scope = DeviceLogin::new(client, SCOPE).with_extra(&[("scope", "x")]);
    let error = http.login_device(with_scope, |_| panic!("it is shown")).wait();
    assert!(matches!(error, Err(LoginError::Config(ConfigError::ExtraParameter { .. }))));
    server.set_faults(Faults::default());
    let shown = |_: &Prompt<'_>| Err(io::ErrorKind::BrokenPipe.into());
    let error = http.login_device(DeviceLogin::new(client, SCOPE), shown).wait().unwrap_err();
    assert!(matches!(error, LoginError::Show(_)) && error.advice() == Some(Advice::Fix), "{error}");
    assert_eq!(server.counts().polls, 0);
}

/// A server whose devices may poll at any time.
fn patient() -> Options {
    Options { device_interval: 0, ..Options::default() }
}

fn start(options: Options) -> DevServer {
    DevServer::start(options).unwrap()
}

fn client(server: &DevServer) -> ClientBuf {
    http().discover_device(&server.issuer(), "demo-native").wait().unwrap()
}

fn polls(when: When, fault: EndpointFault) -> Faults {
    Faults { polls: vec![RefreshFault { when, fault }], ..Faults::default() }
}

/// Signs in with a user who decides as soon as the code is shown.
fn login(server: &DevServer, decision: Decision) -> Result<(), LoginError> {
    let client = client(server);
    let login = DeviceLogin::new(client.as_client(), SCOPE);
    http().login_device(login, |prompt| confirm(prompt, decision)).wait().map(drop)
}

fn confirm(prompt: &Prompt<'_>, decision: Decision) -> io::Result<()> {
    let visit = UserAgent::new().confirm(prompt.verification_uri(), prompt.user_code(), decision);
    assert_eq!(visit.unwrap().steps.len(), 3);
    Ok(())
}

/// All at the same time, since each poll has to wait.
fn each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    let test = &test;
    thread::scope(|scope| cases.into_iter().for_each(|case| drop(scope.spawn(move || test(case)))));
}

const SCOPE: &[&str] = &["itwin-platform", "offline_access"];
