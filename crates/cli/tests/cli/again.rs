//! A second `proofkey login` over a name, and `--save`.

use crate::desk::{Desk, Run, TOKEN, browse, refresh};
use proofkey_devserver::user_agent::Decision;
use proofkey_devserver::{EndpointFault, Faults};

const REVOCATION: &str = "/connect/revocation";

fn signed_in(run: &Run) -> serde_json::Value {
    serde_json::from_str(run.stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn the_refresh_token_before_stays_alive_and_is_told() {
    let desk = Desk::new();
    let first = desk.sign_in(&[]);
    assert_eq!(signed_in(&first)["previous_refresh_token"], serde_json::Value::Null);
    let second = desk.sign_in(&[]);
    assert_eq!(signed_in(&second)["previous_refresh_token"], "alive");
    assert!(desk.requests(REVOCATION).is_empty());

    let child = desk.with_browser(&["login"]).spawn().unwrap();
    browse(desk.opened().lines().last().unwrap(), Decision::Allow);
    let run: Run = child.wait_with_output().unwrap().into();
    assert!(
        run.stderr.contains("may still be valid at the server") && run.stderr.contains("--revoke-previous"),
        "{run:?}"
    );
    // A login that has ended has nothing to revoke.
    desk.edit(|record| record.refresh_token = None);
    assert_eq!(signed_in(&desk.sign_in(&[]))["previous_refresh_token"], serde_json::Value::Null);
}

#[test]
fn the_refresh_token_before_is_revoked_if_that_is_asked_for() {
    let desk = Desk::signed_in();
    let old = desk.record().refresh_token.unwrap();
    let run = desk.sign_in(&["--revoke-previous"]);
    assert_eq!(signed_in(&run)["previous_refresh_token"], "revoked");
    let log: Vec<_> =
        desk.server.log().into_iter().filter(|entry| [TOKEN, REVOCATION].contains(&entry.path.as_str())).collect();
    let last = log.last().unwrap();
    assert!(last.path == REVOCATION && last.body.contains(old.expose()), "after the new one is there: {log:?}");
    assert_eq!(log.iter().filter(|entry| entry.path == REVOCATION).count(), 1);
    assert_ne!(refresh(&desk.record()), Some(old.expose().to_owned()));
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn a_revocation_that_fails_costs_no_login() {
    let desk = Desk::signed_in();
    let fault = EndpointFault::Respond { status: 503, headers: Vec::new(), body: String::new() };
    desk.server.set_faults(Faults { revocation: Some(fault), ..Faults::default() });
    let run = desk.sign_in(&["--revoke-previous"]);
    assert_eq!(signed_in(&run)["previous_refresh_token"], "alive");
    assert!(
        run.stderr.contains("warning: the previous refresh token could not be revoked") && run.stderr.contains("503"),
        "{run:?}"
    );
    assert_eq!(desk.run(&["token"]).code, Some(0));
}

#[test]
fn a_refresh_token_that_comes_again_is_not_revoked() {
    let desk = Desk::signed_in();
    let same = desk.record().refresh_token.unwrap();
    let body =
        format!(r#"{{"access_token":"x","token_type":"Bearer","refresh_token":"{}","expires_in":60}}"#, same.expose());
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let fault = EndpointFault::Respond { status: 200, headers, body };
    desk.server.set_faults(Faults { token: Some(fault), ..Faults::default() });
    let run = desk.sign_in(&["--revoke-previous"]);
    assert_eq!(signed_in(&run)["previous_refresh_token"], serde_json::Value::Null);
    assert!(desk.requests(REVOCATION).is_empty());
}

#[test]
fn settings_can_be_saved_and_the_file_keeps_the_rest() {
    let desk = Desk::new();
    let before = "# mine\n[profile.itwin] # too\nprovider = 'itwin'";
    desk.configure(before);
    let issuer = desk.server.issuer();
    let options = ["--issuer", &issuer, "--client-id", "demo-native", "--scope", "itwin-platform offline_access"];
    let args =
        [&["--profile", "work", "--save", "--api-host", "api.example.com", "--extra", "prompt=consent"], &options[..]]
            .concat();
    desk.sign_in(&args);
    let text = std::fs::read_to_string(desk.config()).unwrap();
    let section = format!(
        "[profile.work]\nissuer = \"{issuer}\"\nclient_id = \"demo-native\"\nredirect_uri = \"http://127.0.0.1/callback\"\n\
         scope = [\"itwin-platform\", \"offline_access\"]\napi_hosts = [\"api.example.com\"]\nextra = {{ \"prompt\" = \"consent\" }}\n"
    );
    assert_eq!(text, format!("{before}\n\n{section}"));
    assert_eq!(std::fs::read_dir(desk.config().parent().unwrap()).unwrap().count(), 1, "nothing else is left there");

    // It is enough for the next login, which changes nothing.
    desk.run(&["logout", "--profile", "work"]);
    std::fs::remove_dir_all(desk.home("state")).unwrap();
    desk.sign_in(&["--profile", "work", "--save"]);
    assert_eq!(std::fs::read_to_string(desk.config()).unwrap(), text);
}

#[test]
fn a_profile_that_says_otherwise_is_not_overwritten() {
    let desk = Desk::new();
    let before = std::fs::read_to_string(desk.config()).unwrap();
    let run = desk.run(&["login", "--no-browser", "--save", "--scope", "openid", "--store", "keyring"]);
    run.fails(2, &["store `file` instead of `keyring`"]);
    let run = desk.run(&["login", "--no-browser", "--save", "--scope", "openid"]);
    run.fails(
        2,
        &[
            "already has a profile `default` with scope `itwin-platform offline_access` instead of `openid`",
            "\n[profile.default]\n",
            "scope = [\"openid\"]",
        ],
    );
    assert!(run.stderr.contains(&desk.config().display().to_string()));
    assert_eq!(std::fs::read_to_string(desk.config()).unwrap(), before);
    assert!(desk.requests("/connect/authorize").is_empty(), "told before the user signs in");
    desk.configure("[profile.default]\naccount = 'default'\n");
    let issuer = desk.server.issuer();
    desk.run(&["login", "--no-browser", "--save", "--issuer", &issuer, "--client-id", "x"])
        .fails(2, &["with no server or no client id"]);
}

#[test]
fn a_file_is_made_if_there_is_none_and_a_link_stays_one() {
    let desk = Desk::new();
    std::fs::remove_dir_all(desk.home("config")).unwrap();
    let issuer = desk.server.issuer();
    let options = ["--save", "--issuer", &issuer, "--client-id", "demo-native"];
    let child = desk.with_browser(&[&["login"], &options[..]].concat()).spawn().unwrap();
    browse(desk.opened().lines().last().unwrap(), Decision::Allow);
    let run: Run = child.wait_with_output().unwrap().into();
    let said = format!("The settings are now in {}.\n", desk.config().display());
    assert!(run.code == Some(0) && run.stderr.ends_with(&said), "{run:?}");
    assert!(std::fs::read_to_string(desk.config()).unwrap().starts_with("\n[profile.default]\n"));

    #[cfg(unix)]
    {
        std::fs::rename(desk.config(), desk.home("elsewhere.toml")).unwrap();
        std::os::unix::fs::symlink(desk.home("elsewhere.toml"), desk.config()).unwrap();
        desk.sign_in(&[&["--profile", "me@example.com"], &options[..]].concat());
        assert!(std::fs::symlink_metadata(desk.config()).unwrap().is_symlink());
        let text = std::fs::read_to_string(desk.home("elsewhere.toml")).unwrap();
        assert!(text.contains("[profile.default]") && text.contains("[profile.\"me@example.com\"]"), "{text}");
    }
}

#[test]
fn a_file_that_cannot_take_a_profile_is_told_before_the_user_signs_in() {
    let desk = Desk::new();
    desk.configure("profile = {}\n");
    let issuer = desk.server.issuer();
    let run = desk.run(&["login", "--no-browser", "--save", "--issuer", &issuer, "--client-id", "demo-native"]);
    run.fails(2, &["config.toml: the profile cannot be added"]);
}

#[test]
fn a_profile_that_differs_from_the_sign_in_names_both() {
    let desk = Desk::signed_in();
    let other = desk.run(&["login", "--client-id", "another", "--no-browser"]);
    other.fails(2, &["client `demo-native` at ", "client `another` at "]);
}
