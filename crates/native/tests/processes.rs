//! What needs a process of its own: the umask, and the launcher that a browser is opened with.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

const CHILD: &str = "PROOFKEY_TEST_CHILD";

#[test]
fn x15_modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077", "277"] {
        let home = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let script = format!("umask {umask} && exec \"$0\" --exact child_saves_a_record --nocapture");
        let status = Command::new("sh").args(["-c", &script]).arg(program).env(CHILD, home.path()).status().unwrap();
        assert!(status.success(), "{umask}");
        let folder = home.path().join("proofkey");
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o7777, 0o700, "{umask}");
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{umask}: {:?}", entry.path());
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "{umask}");
    }
}

#[test]
fn child_saves_a_record() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let store = proofkey_native::Store::files_in(&std::path::Path::new(&home).join("proofkey")).unwrap();
    let key = proofkey_native::Key { issuer: "i".into(), client_id: "c".into(), account: "a".into() };
    let record = proofkey_native::Record::new(key.clone(), proofkey_native::Secret::new("AT".into()));
    store.lock(&key, std::time::Duration::from_secs(5)).unwrap().save(&record).unwrap();
}

#[test]
fn x11_the_launcher_gets_the_url_as_one_argument() {
    let home = tempfile::tempdir().unwrap();
    let (launcher, seen) = (home.path().join("launcher"), home.path().join("seen"));
    fs::write(
        &launcher,
        format!("#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > '{}.part'\nmv '{0}.part' '{0}'\n", seen.display()),
    )
    .unwrap();
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o700)).unwrap();
    let url = "https://as.example/a?x=$(id)&y=;touch+z&state=%20*";
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_opens_a_url", "--nocapture"])
        .env(CHILD, url)
        .env("BROWSER", &launcher)
        .status()
        .unwrap();
    assert!(status.success());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !seen.exists() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(fs::read_to_string(&seen).unwrap(), format!("1\n{url}\n"));
}

#[test]
fn x11_a_browser_in_the_terminal_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let (launcher, leave, left) = (home.path().join("lynx"), home.path().join("leave"), home.path().join("left"));
    assert!(Command::new("mkfifo").arg(&leave).status().unwrap().success());
    fs::write(
        &launcher,
        format!("#!/bin/sh\ntimeout 20 cat '{}' > /dev/null\n: > '{}'\n", leave.display(), left.display()),
    )
    .unwrap();
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o700)).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_opens_a_url"])
        .env(CHILD, "https://as.example/")
        .env("BROWSER", &launcher)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success() && !left.exists());
    fs::write(&leave, "").unwrap();
}

#[test]
fn a_browser_needs_a_display_or_a_launcher() {
    if cfg!(target_os = "macos") {
        return;
    }
    let available = |variable: Option<&str>| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "child_looks_for_a_browser"]).env(CHILD, variable.unwrap_or_default());
        for name in ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"] {
            child.env_remove(name);
        }
        child.envs(variable.map(|name| (name, "x"))).stdout(Stdio::null()).stderr(Stdio::null());
        child.status().unwrap().success()
    };
    assert!(!available(None));
    assert!(["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"].into_iter().all(|name| available(Some(name))));
}

#[test]
fn child_looks_for_a_browser() {
    if std::env::var_os(CHILD).is_some() {
        assert!(proofkey_native::is_available());
    }
}

#[cfg(all(feature = "keyring", target_os = "linux"))]
#[test]
fn without_a_keyring_the_error_names_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "child_finds_no_keyring"])
        .env(CHILD, "")
        .env("XDG_STATE_HOME", home.path())
        .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", home.path().join("no-bus").display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("keep the sign-ins in files"), "{said}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is made for a store that is not there");
}

#[cfg(all(feature = "keyring", target_os = "linux"))]
#[test]
fn child_finds_no_keyring() {
    if std::env::var_os(CHILD).is_some() {
        let error = proofkey_native::Store::keyring().unwrap_err();
        assert!(matches!(error, proofkey_native::StoreError::NoKeyring(_)), "{error:?}");
        println!("{error}");
    }
}

#[test]
fn child_opens_a_url() {
    let Some(url) = std::env::var_os(CHILD) else { return };
    if let Some(url) = url.to_str().filter(|url| url.starts_with("https://")) {
        proofkey_native::open(url).unwrap();
    }
}
