//! No secret in what is printed, in the arguments of a process, or in what others can read.

use crate::desk::{Desk, TOKEN, browse};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{EndpointFault, Faults};
#[cfg(target_os = "linux")]
use std::net::TcpListener;

#[test]
fn only_token_prints_a_token() {
    let desk = Desk::new();
    let mut printed = format!("{:?}", desk.sign_in(&[]));
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
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = api.local_addr().unwrap().to_string();
    let child = desk.command(&["call", &format!("http://{host}/"), "--api-host", &host]).spawn().unwrap();
    let called = api.accept().unwrap();
    let token = desk.record().access_token;
    for (file, known) in [("cmdline", "\0call\0"), ("environ", "XDG_STATE_HOME=")] {
        match std::fs::read(format!("/proc/{}/{file}", child.id())) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                assert!(text.contains(known) && !text.contains(token.expose()), "{file}: {text}");
            }
            // The program lets nobody but root look into it.
            Err(error) => assert_eq!((file, error.kind()), ("environ", std::io::ErrorKind::PermissionDenied)),
        }
    }
    drop(called);
    assert!(!child.wait_with_output().unwrap().status.success(), "it was never answered");
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_memory_behind() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command};
    let crash = |mut child: Child| {
        assert!(Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(6));
        status.core_dumped()
    };
    let desk = Desk::signed_in();
    let with_core = |command: &Command| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"])
            .arg(command.get_program())
            .args(command.get_args());
        shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(desk.home("")).spawn().unwrap()
    };
    let other = with_core(Command::new("sleep").arg("60"));
    // Not before it is the other program.
    let name = format!("/proc/{}/comm", other.id());
    while std::fs::read_to_string(&name).unwrap() != "sleep\n" {
        std::thread::yield_now();
    }
    if !crash(other) {
        return eprintln!("this system keeps no core of anybody, so that this test sees nothing");
    }
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = api.local_addr().unwrap().to_string();
    let child = with_core(&desk.command(&["call", &format!("http://{host}/"), "--api-host", &host]));
    let _called = api.accept().unwrap();
    assert!(!crash(child));
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
