//! Tests that need a process of their own: the umask, and the launcher of the browser.
#![cfg(unix)]

use proofkey_native::{Key, Store};
use proofkey_store::{Answer, ClaimId, LoginId, Op, Store as _, Version};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

const CHILD: &str = "PROOFKEY_TEST_CHILD";

#[test]
fn modes_do_not_depend_on_the_umask() {
    for umask in ["000", "022", "077", "277"] {
        let home = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let script = format!("umask {umask} && exec \"$0\" --exact child_stores_a_login --nocapture");
        let status = run(Command::new("sh").args(["-c", &script]).arg(program).env(CHILD, home.path()));
        assert!(status.success(), "{umask}");
        let folder = home.path().join("proofkey");
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o7777, 0o700, "{umask}");
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o7777, 0o600, "{umask}: {:?}", entry.path());
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 5, "a row, its lock and claim, room, a note: {umask}");
    }
}

#[test]
fn child_stores_a_login() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let store = Store::files_in(&Path::new(&home).join("proofkey")).unwrap();
    let (key, version) = (Key::new("i", "c", "a"), Version::first(LoginId::new(1, None, 7)));
    assert_eq!(store.run(&key, Op::Write { expect: None, version, value: Some(b"login") }).unwrap(), Answer::Done);
    let claim = Op::Claim { version, id: ClaimId([1; 16]), seconds: 25, over: None };
    assert!(matches!(store.run(&key, claim), Ok(Answer::Claimed(_))));
    store.set_note("name", Some("text")).unwrap();
    // The room for the next row is there until then.
    std::mem::forget(store);
}

#[test]
fn the_launcher_gets_the_url_as_one_argument() {
    let home = tempfile::tempdir().unwrap();
    let (launcher, seen) = (home.path().join("launcher"), home.path().join("seen"));
    let script = format!("printf '%s\\n' \"$#\" \"$@\" > '{}.part'\nmv '{0}.part' '{0}'\n", seen.display());
    write_program(&launcher, &script);
    let url = "https://as.example/a?x=$(id)&y=;touch+z&state=%20*";
    let status = run(Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_opens_a_url", "--nocapture"])
        .env(CHILD, url)
        .env("BROWSER", &launcher));
    assert!(status.success());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !seen.exists() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(fs::read_to_string(&seen).unwrap(), format!("1\n{url}\n"));
}

#[test]
fn a_browser_in_the_terminal_is_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let (launcher, leave, left) = (home.path().join("lynx"), home.path().join("leave"), home.path().join("left"));
    assert!(run(Command::new("mkfifo").arg(&leave)).success());
    let script = format!("timeout 20 cat '{}' > /dev/null\n: > '{}'\n", leave.display(), left.display());
    write_program(&launcher, &script);
    let status = run(Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_opens_a_url"])
        .env(CHILD, "https://as.example/")
        .env("BROWSER", &launcher)
        .stdout(Stdio::null()));
    assert!(status.success() && !left.exists());
    fs::write(&leave, "").unwrap();
}

/// A folder for `PATH` with programs that write down how they were called.
struct Programs {
    folder: tempfile::TempDir,
}

impl Programs {
    fn new(names: &[&str]) -> Self {
        let programs = Self { folder: tempfile::tempdir().unwrap() };
        names.iter().for_each(|name| programs.add(name, ""));
        programs
    }

    /// Adds a program that then runs `more`.
    fn add(&self, name: &str, more: &str) {
        let (file, seen) = (self.folder.path().join(name), self.folder.path().join("seen"));
        write_program(&file, &format!("echo {name} \"$#\" \"$*\" >> '{}'\n{more}\n", seen.display()));
    }

    /// Runs a test in a process that finds only these programs.
    fn child(&self, test: &str, environment: &[(&str, &str)]) -> bool {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", test]).env_clear().env("PATH", self.folder.path()).envs(environment.iter().copied());
        run(child.stdout(Stdio::null()).stderr(Stdio::null())).success()
    }

    fn open(&self, environment: &[(&str, &str)]) -> (bool, String) {
        let opened = self.child("child_opens_a_url", &[environment, &[(CHILD, URL)]].concat());
        (opened, fs::read_to_string(self.folder.path().join("seen")).unwrap_or_default())
    }

    fn available(&self, environment: &[(&str, &str)]) -> bool {
        self.child("child_looks_for_a_browser", &[environment, &[(CHILD, "")]].concat())
    }
}

fn write_program(file: &Path, script: &str) {
    let _writing = FORK.lock().unwrap_or_else(PoisonError::into_inner);
    fs::write(file, format!("#!/bin/sh\n{script}")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o700)).unwrap();
}

fn run(command: &mut Command) -> ExitStatus {
    let child = {
        let _forking = FORK.lock().unwrap_or_else(PoisonError::into_inner);
        command.spawn()
    };
    child.unwrap().wait().unwrap()
}

/// A process that starts has for a moment all files that are open here, and a program that anybody can write to cannot be run.
static FORK: Mutex<()> = Mutex::new(());

/// On WSL the programs of Windows are found even if `PATH` does not name them.
fn on_wsl() -> bool {
    fs::read_to_string("/proc/version").is_ok_and(|version| version.to_ascii_lowercase().contains("microsoft"))
}

const URL: &str = "https://as.example/a?x=1&y=2";

#[cfg(not(target_os = "macos"))]
#[test]
fn a_browser_needs_a_display_or_a_launcher() {
    if on_wsl() {
        return;
    }
    let none = Programs::new(&[]);
    assert!(!none.available(&[]) && !none.available(&[("DISPLAY", "")]));
    for name in ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY"] {
        assert!(none.available(&[(name, "x")]), "{name}");
    }
}

#[cfg(not(target_os = "macos"))]
#[test]
fn each_entry_of_browser_is_tried_until_one_works() {
    let programs = Programs::new(&["real"]);
    programs.add("false", "exit 1");
    programs.add("never", "");
    let (opened, seen) = programs.open(&[("BROWSER", "missing::false --x:real --url=%s --y:never")]);
    assert_eq!((opened, seen), (true, format!("false 2 --x {URL}\nreal 2 --url={URL} --y\n")));
}

#[cfg(not(target_os = "macos"))]
#[test]
fn the_desktop_comes_after_browser_and_does_not_try_it_again() {
    let programs = Programs::new(&["gio"]);
    programs.add("false", "exit 1");
    programs.add("xdg-open", "[ -z \"$BROWSER\" ] || exit 0; exit 3");
    let (opened, seen) = programs.open(&[("BROWSER", "false"), ("DISPLAY", ":0")]);
    assert_eq!((opened, seen), (true, format!("false 1 {URL}\nxdg-open 1 {URL}\ngio 2 open {URL}\n")));
}

#[cfg(not(target_os = "macos"))]
#[test]
fn what_cannot_be_opened_is_an_error() {
    if on_wsl() {
        return;
    }
    let programs = Programs::new(&[]);
    assert_eq!(programs.open(&[]), (false, String::new()));
    programs.add("false", "exit 1");
    assert_eq!(programs.open(&[("BROWSER", "false")]), (false, format!("false 1 {URL}\n")));
}

#[cfg(target_os = "linux")]
#[test]
fn wsl_opens_the_browser_of_windows() {
    if on_wsl() {
        return;
    }
    for wsl in ["WSL_DISTRO_NAME", "WSL_INTEROP"] {
        let none = Programs::new(&[]);
        assert!(!none.available(&[(wsl, "x")]), "{wsl}: no program of Windows can be started");
        let programs = Programs::new(&["rundll32.exe", "powershell.exe"]);
        assert!(programs.available(&[(wsl, "x")]) && !programs.available(&[]), "{wsl}");
        let (opened, seen) = programs.open(&[(wsl, "x")]);
        assert_eq!((opened, seen), (true, format!("rundll32.exe 2 url.dll,FileProtocolHandler {URL}\n")));

        let programs = Programs::new(&["wslview", "rundll32.exe", "xdg-open"]);
        assert_eq!(programs.open(&[(wsl, "x")]), (true, format!("wslview 1 {URL}\n")));
        let programs = Programs::new(&["wslview", "xdg-open"]);
        assert_eq!(programs.open(&[(wsl, "x"), ("DISPLAY", ":0")]), (true, format!("xdg-open 1 {URL}\n")));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn powershell_does_not_see_the_url_as_code() {
    let programs = Programs::new(&["powershell.exe"]);
    programs.add("wslview", "exit 1");
    programs.add("rundll32.exe", "exit 1");
    let (opened, seen) = programs.open(&[("WSL_DISTRO_NAME", "x")]);
    let script = "UwB0AGEAcgB0AC0AUAByAG8AYwBlAHMAcwAgAC0ARgBpAGwAZQBQAGEAdABoACAAJwBoAHQAdABwAHMAOgAvAC8AYQBzAC4AZQB4AGEAbQBwAGwAZQAvAGEAPwB4AD0AMQAmAHkAPQAyACcA";
    let called = format!("powershell.exe 5 -NoLogo -NoProfile -NonInteractive -EncodedCommand {script}\n");
    assert!(opened && seen.ends_with(&called), "{seen}");
}

#[test]
fn child_looks_for_a_browser() {
    if std::env::var_os(CHILD).is_some() {
        assert!(proofkey_native::is_available());
    }
}

#[test]
fn child_opens_a_url() {
    let Some(url) = std::env::var_os(CHILD) else { return };
    if let Some(url) = url.to_str().filter(|url| url.starts_with("https://")) {
        proofkey_native::open(url).unwrap();
    }
}
