//! No secret in what is printed, in the arguments of a process, or in what others can read.

use crate::desk::{Desk, TOKEN, browse};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{EndpointFault, Faults};

#[test]
fn only_token_prints_a_token() {
    let desk = Desk::new();
    let mut printed = format!("{:?}", desk.sign_in());
    let mut secrets = Vec::new();
    let mut collect = || {
        let record = desk.record();
        secrets.push(record.access_token.expose().to_owned());
        secrets.push(record.refresh_token.unwrap().expose().to_owned());
    };
    collect();
    desk.expire();
    let url = desk.server.api("/api/admin");
    for args in [&["call", &url, "-i"][..], &["status"], &["status", "--all", "--json"], &["logout", "--json"]] {
        printed += &format!("{:?}", desk.run(args));
        if args[0] == "call" {
            collect();
        }
    }
    for entry in desk.requests(TOKEN) {
        for field in entry.body.split('&') {
            if let Some((_, secret)) =
                field.split_once('=').filter(|(name, _)| ["code", "code_verifier"].contains(name))
            {
                secrets.push(secret.to_owned());
            }
        }
    }
    assert_eq!(secrets.len(), 6);
    for secret in &secrets {
        assert!(secret.len() > 30 && !printed.contains(secret.as_str()), "{printed}");
    }
}

#[test]
fn a_failed_login_prints_no_code() {
    let desk = Desk::new();
    let fault = EndpointFault::Respond {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: r#"{"access_token":"CANARY-ACCESS","refresh_token":"CANARY-REFRESH","token_type":"mac"}"#.to_owned(),
    };
    desk.server.set_faults(Faults { token: Some(fault), ..Faults::default() });
    let waiting = desk.begin_login(&[]);
    browse(&waiting.url, Decision::Allow);
    let run = waiting.end();
    run.fails(5, &["Bearer"]);
    let body = desk.requests(TOKEN).pop().unwrap().body;
    let code = body.split('&').find_map(|field| field.strip_prefix("code=")).unwrap();
    let printed = format!("{run:?}");
    assert!(!printed.contains("CANARY") && !printed.contains(code), "{printed}");
}

#[cfg(target_os = "linux")]
#[test]
fn arguments_and_environment_hold_no_token() {
    let desk = Desk::signed_in();
    desk.server.set_faults(Faults { api: Some(EndpointFault::Stall { millis: 2_000 }), ..Faults::default() });
    let url = desk.server.api("/api/me");
    let child = desk.command(&["call", &url]).spawn().unwrap();
    let token = desk.record().access_token;
    for file in ["cmdline", "environ"] {
        let text = std::fs::read(format!("/proc/{}/{file}", child.id())).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&text).contains(token.expose()), "{file}");
    }
    assert!(child.wait_with_output().unwrap().status.success());
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::signed_in();
    for entry in std::fs::read_dir(desk.home("state/proofkey")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}
