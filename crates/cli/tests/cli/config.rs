//! The configuration file, the help, and the other ways to get usage wrong.

use crate::desk::Desk;

#[test]
fn a_fault_is_told_with_file_and_line() {
    let desk = Desk::new();
    desk.configure("[profile.default]\nclient_id = 'x'\nredirect-uri = 'http://127.0.0.1/cb'\n");
    let place = format!("{}:3: unknown field `redirect-uri`", desk.config().display());
    for args in [&["login"][..], &["token"], &["call", "https://api.example.com"], &["status"], &["logout"]] {
        desk.run(args).fails(2, &[&place]);
    }
    let run = desk.run(&["token", "--json"]);
    assert_eq!((run.error()["error"].as_str(), run.error()["exit"].as_u64()), (Some("configuration"), Some(2)));
}

#[test]
fn another_file_can_be_named() {
    let desk = Desk::new();
    std::fs::write(desk.home("other.toml"), "[profile.default]\nclient_id = ''").unwrap();
    desk.run(&["token", "--config", "other.toml"]).fails(2, &["other.toml:2: client id"]);
    desk.run(&["token", "--config", "missing.toml"]).fails(2, &["missing.toml"]);
    let output = desk.command(&["token"]).env("PROOFKEY_CONFIG", desk.home("other.toml")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    std::fs::write(desk.home("latin1.toml"), b"# \xe9").unwrap();
    desk.run(&["token", "--config", "latin1.toml"]).fails(2, &["latin1.toml", "UTF-8"]);
}

#[test]
fn no_file_is_needed_but_one_that_is_there_is_read() {
    let desk = Desk::new();
    std::fs::remove_file(desk.config()).unwrap();
    desk.run(&["token"]).fails(3, &["not signed in"]);
    desk.run(&["login"]).fails(2, &["no server is known", &desk.config().display().to_string()]);
    std::fs::create_dir(desk.config()).unwrap();
    desk.run(&["token"]).fails(2, &["config.toml"]);
}

#[test]
fn the_profile_can_stand_in_the_environment() {
    let desk = Desk::new();
    let output = desk.command(&["token"]).env("PROOFKEY_PROFILE", "work").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("profile `work`"));
}

#[test]
fn a_profile_names_one_server() {
    let desk = Desk::new();
    let endpoints = "authorization_endpoint = 'https://as.example/a'\ntoken_endpoint = 'https://as.example/t'\n";
    for server in ["provider = 'itwin'", "issuer = 'https://as.example'"] {
        desk.configure(&format!("[profile.default]\nclient_id = 'x'\n{server}\n{endpoints}"));
        desk.run(&["token"]).fails(2, &["config.toml:1: profile `default`: give only one of `provider`, `issuer`"]);
    }
    desk.configure("[profile.default]\nprovider = 'itwin'\nissuer = 'https://as.example'\n");
    desk.run(&["token"]).fails(2, &["give only one of `provider`, `issuer`"]);
    desk.configure(&format!("[profile.default]\nclient_id = 'x'\n{endpoints}"));
    desk.run(&["token"]).fails(3, &["not signed in"]);
}

#[test]
fn options_may_stand_before_the_subcommand_or_after_it() {
    let desk = Desk::signed_in();
    let token = desk.record().access_token;
    let run = desk.run(&["--json", "token"]);
    assert_eq!(run.json()["access_token"], token.expose());
    desk.run(&["--profile", "work", "token"]).fails(3, &["profile `work`", "`proofkey login --profile work`"]);
    desk.run(&["--profile", "work", "token", "--profile", "home"]).fails(3, &["profile `home`"]);
    let run = desk.run(&["--json", "--account", "me", "token"]);
    assert_eq!((run.code, run.error()["exit"].as_u64()), (Some(3), Some(3)), "{run:?}");
    std::fs::write(desk.home("broken.toml"), "x").unwrap();
    desk.run(&["--config", "broken.toml", "token"]).fails(2, &["broken.toml:1"]);
    let url = desk.server.api("/api/me");
    for option in [&["-i"][..], &["-o", "file"]] {
        desk.run(&[&["--json", "call", &url], option].concat()).fails(2, &["--json"]);
        desk.run(&[&["call", "--json", &url], option].concat()).fails(2, &["--json"]);
    }
    // The option wins over the environment, wherever it stands.
    for args in [&["--profile", "work", "token"][..], &["token", "--profile", "work"]] {
        let output = desk.command(args).env("PROOFKEY_PROFILE", "home").output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("profile `work`"), "{output:?}");
    }
    let output = desk.command(&["token"]).env("PROOFKEY_PROFILE", "a/b").output().unwrap();
    assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("PROOFKEY_PROFILE"));
}

#[test]
fn what_has_no_login_has_no_options_of_one() {
    let desk = Desk::new();
    for command in ["demo", "completions", "man"] {
        let help = desk.run(&[command, "--help"]).stdout;
        assert!(!help.contains("--profile") && !help.contains("--config"), "{help}");
        desk.run(&[command, "--profile", "work"]).fails(2, &["--profile"]);
    }
}

#[test]
fn what_is_missing_is_named() {
    let desk = Desk::new();
    desk.configure("");
    desk.run(&["login"]).fails(2, &["no server is known", "--issuer", "config.toml"]);
    desk.run(&["login", "--provider", "itwin"]).fails(2, &["no client id is known", "--client-id"]);
}

#[test]
fn wrong_usage_is_2() {
    let desk = Desk::new();
    for args in [
        &[][..],
        &["nonsense"],
        &["login", "--provider", "itwin", "--issuer", "https://as.example"],
        &["login", "--authorization-endpoint", "https://as.example/a"],
        &["login", "--timeout", "0"],
        &["login", "--extra", "nothing"],
        &["login", "--extra", "=value"],
        &["login", "--extra", "name="],
        &["login", "--api-host", "https://h"],
        &["login", "--paste", "--no-browser"],
        &["token", "--profile", "a/b"],
        &["token", "--min-valid", "-1"],
    ] {
        let run = desk.run(args);
        assert!(run.code == Some(2) && !run.stderr.contains('{'), "{args:?}: {run:?}");
        let run = desk.run(&[args, &["--json"]].concat());
        assert!(args.is_empty() || run.error()["exit"] == 2, "{args:?}: {run:?}");
    }
    for extra in ["nothing", "=value", "name="] {
        desk.run(&["login", "--extra", extra]).fails(2, &["write NAME=VALUE"]);
    }
    // After `--` there are no options.
    let run = desk.run(&["nonsense", "--", "--json"]);
    assert!(run.code == Some(2) && !run.stderr.contains('{'), "{run:?}");
    let args = ["login", "--no-browser", "--client-id", "x", "--issuer", "http://as.example"];
    desk.run(&args).fails(2, &["issuer"]);
    for mode in ["--no-browser", "--paste"] {
        desk.run(&["login", mode, "--scope", "x a\"b"]).fails(2, &["scope `a\"b`: a scope is"]);
        let extra = |pairs: &[&str]| desk.run(&[&["login", mode], pairs].concat());
        extra(&["--extra", "a=b", "--extra", "state=x"])
            .fails(2, &["error: extra parameter `state` is set by the protocol itself\n"]);
        extra(&["--extra", "a=b", "--extra", "a=c"]).fails(2, &["error: extra parameter `a` is given twice\n"]);
        let (authorize, token) = (desk.server.authorization_endpoint() + "?tenant=t", desk.server.token_endpoint());
        let server = ["--authorization-endpoint", &authorize, "--token-endpoint", &token, "--client-id", "demo-native"];
        extra(&[&server[..], &["--extra", "tenant=x"]].concat())
            .fails(2, &["error: extra parameter `tenant` is already in the query of the authorization endpoint\n"]);
    }
}

#[test]
fn help_is_there_for_people() {
    let desk = Desk::new();
    let help = desk.run(&["--help"]);
    for words in ["Exit codes:", "130  interrupted", "[profile.default]", "PROOFKEY_CONFIG"] {
        assert!(help.stdout.contains(words), "{words}");
    }
    assert!(desk.run(&["man"]).stdout.contains(".SH \"PROOFKEY CALL\""));
}
