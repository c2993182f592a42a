//! Stored sign-ins of an older and of a newer version.

use crate::desk::{Desk, TOKEN, browse, is_hidden};
use base64ct::{Base64UrlUnpadded, Encoding};
use proofkey_devserver::user_agent::Decision;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

const NEWER: &str = "proofkey record 4 sealed\n{}";
const REFUSED: &[&str] = &[
    "state/proofkey/",
    "was written by a newer proofkey (it has format 4): upgrade proofkey",
    "or, to sign in again with this version, first discard it with `proofkey logout --forget-anyway`",
];
const REVOCATION: &str = "/connect/revocation";

#[test]
fn a_newer_sign_in_is_refused_by_each_command_and_left_as_it_is() {
    let desk = Desk::signed_in();
    fs::write(desk.file(), NEWER).unwrap();
    let (before, asked) = (stored(&desk), desk.server.log().len());
    let api = desk.server.api("/api/me");
    for args in [
        &["token"][..],
        &["token", "--refresh"],
        &["token", "--min-valid", "1"],
        &["call", &api],
        &["status"],
        &["logout"],
        &["logout", "--forget-settings"],
        &["login", "--no-browser", "--timeout", "1"],
        &["login", "--paste", "--timeout", "1"],
        &["login", "--no-browser", "--client-id", "demo-web", "--timeout", "1"],
        &["login", "--no-browser", "--revoke-previous", "--save", "--timeout", "1"],
    ] {
        let run = desk.run(args);
        run.fails(2, REFUSED);
        assert_eq!(run.stdout, "", "{args:?}");
        assert_eq!(stored(&desk), before, "{args:?}");
    }
    let run = desk.run(&["token", "--json"]);
    assert_eq!((run.error()["error"].as_str(), run.code), (Some("outdated"), Some(2)), "{run:?}");
    let run = desk.run(&["status", "--all"]);
    run.fails(3, &["was written by a newer proofkey (it has format 4"]);
    assert_eq!((stored(&desk), desk.server.log().len()), (before, asked), "nothing was sent");
}

#[test]
fn a_newer_sign_in_without_its_note_is_not_overwritten() {
    let desk = Desk::signed_in();
    fs::write(desk.file(), NEWER).unwrap();
    desk.files(".note").iter().for_each(|note| fs::remove_file(note).unwrap());
    let before = stored(&desk);
    desk.run(&["login", "--no-browser", "--timeout", "1"]).fails(2, REFUSED);
    for args in [&["token"][..], &["logout"], &["logout", "--forget-anyway"]] {
        desk.run(args).fails(3, &["not signed in", "was written by a newer proofkey (it has format 4"]);
    }
    assert_eq!(stored(&desk), before);
}

#[test]
fn a_sign_in_that_becomes_newer_during_a_login_is_left_as_it_is() {
    let desk = Desk::signed_in();
    let waiting = desk.begin_login(&["--scope", "itwin-platform"]);
    fs::write(desk.file(), NEWER).unwrap();
    let before = stored(&desk);
    browse(&waiting.url, Decision::Allow);
    let run = waiting.end();
    assert_eq!((run.error()["error"].as_str(), run.code), (Some("outdated"), Some(2)), "{run:?}");
    assert_eq!(stored(&desk), before, "neither the record nor the settings");
    assert_eq!(desk.requests(REVOCATION).len(), 1, "the new access token is given back");
}

#[cfg(target_os = "linux")]
#[test]
fn a_sign_in_that_becomes_newer_before_a_refresh_costs_no_token() {
    for args in [&["token", "--refresh"][..], &["logout"]] {
        let desk = Desk::signed_in();
        let (claim, asked) = (desk.claim(), desk.server.log().len());
        let child = desk.command(args).spawn().unwrap();
        crate::desk::waits(child.id());
        fs::write(desk.file(), NEWER).unwrap();
        let before = stored(&desk);
        drop(claim);
        crate::desk::Run::from(child.wait_with_output().unwrap()).fails(2, REFUSED);
        assert_eq!((stored(&desk), desk.server.log().len()), (before, asked), "{args:?}");
    }
}

#[test]
fn a_newer_sign_in_can_be_discarded_on_purpose() {
    for (written, why) in [(NEWER, "newer proofkey (it has format 4"), ("proofkey record 2 x\n{}", "damaged")] {
        let desk = Desk::signed_in();
        fs::write(desk.file(), written).unwrap();
        let run = desk.run(&["logout", "--forget-anyway"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        for said in ["the tokens were not revoked and may still be valid", why, "The tokens are forgotten"] {
            assert!(run.stderr.contains(said), "no `{said}` in {run:?}");
        }
        assert_eq!(desk.files(".note").len(), 1, "the settings are remembered");
        desk.run(&["token"]).fails(3, &["sign in with `proofkey login`"]);
        desk.sign_in(&[]);
        assert_eq!(desk.run(&["token"]).code, Some(0));
        desk.run(&["logout", "--forget-anyway", "--forget-settings"]);
        assert!(desk.files("").is_empty());
    }
    let desk = Desk::signed_in();
    fs::write(desk.file(), NEWER).unwrap();
    let run = desk.run(&["logout", "--forget-anyway", "--forget-settings", "--json"]);
    assert_eq!((&run.json()["revocation"], run.code), (&"failed".into(), Some(0)), "{run:?}");
    assert!(desk.files("").is_empty(), "{:?}", desk.files(""));
}

#[test]
fn a_sign_in_of_format_1_is_used_and_saved_in_the_present_one() {
    let desk = Desk::signed_in();
    let record = desk.record();
    write_format_1(&desk);
    let old = fs::read_to_string(desk.file()).unwrap();
    assert_eq!(desk.run(&["token"]).stdout, format!("{}\n", record.access_token.expose()));
    assert_eq!(desk.run(&["call", &desk.server.api("/api/me")]).code, Some(0));
    assert_eq!(desk.run(&["status"]).code, Some(0));
    assert_eq!(fs::read_to_string(desk.file()).unwrap(), old, "it is only read");
    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    assert_eq!(desk.requests(TOKEN).len(), 2, "a login and a refresh");
    let new = fs::read_to_string(desk.file()).unwrap();
    assert!(new.starts_with("proofkey record 3 "), "{new}");
    assert_eq!(
        (desk.record().server().issuer(), &desk.record().notes["settings"]),
        (Some(&*desk.server.issuer()), &record.notes["settings"])
    );

    write_format_1(&desk);
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    assert_eq!(desk.requests(REVOCATION).len(), 2, "both tokens");
    desk.sign_in(&[]);
    write_format_1(&desk);
    desk.sign_in(&[]);
    assert!(fs::read_to_string(desk.file()).unwrap().starts_with("proofkey record 3 "));
}

#[test]
fn what_a_newer_version_added_to_a_sign_in_is_kept() {
    let desk = Desk::signed_in();
    let mut json = json_of(&desk);
    json["further"] = "member".into();
    let mut settings: Value = serde_json::from_str(json["notes"]["settings"].as_str().unwrap()).unwrap();
    settings["further"] = "setting".into();
    json["notes"]["settings"] = settings.to_string().into();
    write(&desk, 2, &json);
    fs::write(&desk.files(".note")[0], settings.to_string()).unwrap();

    assert_eq!(desk.run(&["token", "--refresh"]).code, Some(0));
    let after = json_of(&desk);
    assert_ne!(after["access_token"], json["access_token"]);
    assert_eq!((&after["further"], &after["notes"]["settings"]), (&json["further"], &json["notes"]["settings"]));
    assert_eq!(fs::read_to_string(&desk.files(".note")[0]).unwrap(), settings.to_string());
}

/// Writes the record as the version before format 2 did.
fn write_format_1(desk: &Desk) {
    let mut json = json_of(desk);
    let members = json.as_object_mut().unwrap();
    members.remove("issuer");
    members.remove("features");
    members.remove("rotates");
    let endpoints = members.remove("endpoints").unwrap();
    for name in ["authorization_endpoint", "revocation_endpoint", "token_endpoint"] {
        members.insert(name.to_owned(), endpoints[name].clone());
    }
    write(desk, 1, &json);
}

fn json_of(desk: &Desk) -> Value {
    let text = fs::read_to_string(desk.file()).unwrap();
    serde_json::from_str(text.rsplit_once('\n').unwrap().1).unwrap()
}

fn write(desk: &Desk, format: u32, json: &Value) {
    let checksum = Base64UrlUnpadded::encode_string(&Sha256::digest(json.to_string()));
    fs::write(desk.file(), format!("proofkey record {format} {checksum}\n{json}")).unwrap();
}

/// Each file of the store with its bytes, without locks and what is being written, which come and go.
fn stored(desk: &Desk) -> BTreeMap<PathBuf, Vec<u8>> {
    let stays = |path: &PathBuf| path.extension() != Some("lock".as_ref()) && !is_hidden(path);
    let files = desk.files("").into_iter().filter(stays);
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}
