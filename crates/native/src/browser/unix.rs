//! The launchers of Linux, the BSDs and WSL, tried one after the other.

use base64ct::{Base64, Encoding};
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{env, fs, thread};

pub(super) fn open(url: &str) -> io::Result<()> {
    let mut failure = io::Error::new(ErrorKind::NotFound, "no browser was found");
    for (program, args) in launchers(url) {
        match launch(&program, &args) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

pub(super) fn is_available() -> bool {
    is_set("BROWSER") || has_display() || (is_wsl() && of_windows("").iter().any(|(program, _)| exists(program)))
}

type Launcher = (String, Vec<String>);

fn launchers(url: &str) -> Vec<Launcher> {
    let mut all: Vec<Launcher> =
        env::var("BROWSER").unwrap_or_default().split(':').filter_map(|e| entry(e, url)).collect();
    let desktop = DESKTOP.map(|(program, args)| with_url(program, args, url));
    let windows = if is_wsl() { of_windows(url) } else { Vec::new() };
    // Without a display, those of the desktop can only fail.
    if has_display() {
        all.extend(desktop);
        all.extend(windows);
    } else {
        all.extend(windows);
        all.extend(desktop);
    }
    all
}

/// An entry of `BROWSER`: a program with arguments, in which `%s` is the URL, `%c` a colon and `%%` a percent sign. The URL
/// comes last if no argument has it.
fn entry(text: &str, url: &str) -> Option<Launcher> {
    let mut words = text.split_ascii_whitespace();
    let program = words.next()?.to_owned();
    let mut has_url = false;
    let mut args: Vec<String> = words.map(|word| expand(word, url, &mut has_url)).collect();
    if !has_url {
        args.push(url.to_owned());
    }
    Some((program, args))
}

fn expand(word: &str, url: &str, has_url: &mut bool) -> String {
    let mut expanded = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('%') {
        expanded += before;
        let (value, length) = match after.bytes().next() {
            Some(b's') => (url, 1),
            Some(b'c') => (":", 1),
            Some(b'%') => ("%", 1),
            _ => ("%", 0),
        };
        *has_url |= after.starts_with('s');
        expanded += value;
        rest = after.get(length..).unwrap_or_default();
    }
    expanded + rest
}

/// The programs that open a URL in the browser of Windows, from inside WSL. Windows' command line needs no quotes for a
/// clean URL, and no shell reads it: PowerShell gets a script in Base64, which the URL cannot leave.
fn of_windows(url: &str) -> Vec<Launcher> {
    let script: Vec<u8> =
        format!("Start-Process -FilePath '{url}'").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let script = Base64::encode_string(&script);
    let powershell = ["-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand"];
    let rundll32 = ["url.dll,FileProtocolHandler"];
    vec![
        with_url("wslview", &[], url),
        with_url("rundll32.exe", &rundll32, url),
        with_url("/mnt/c/Windows/System32/rundll32.exe", &rundll32, url),
        with_url("powershell.exe", &powershell, &script),
        with_url("/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe", &powershell, &script),
    ]
}

fn with_url(program: &str, args: &[&str], url: &str) -> Launcher {
    (program.to_owned(), args.iter().copied().chain([url]).map(str::to_owned).collect())
}

/// Starts a program, and sees whether it fails at once.
fn launch(program: &str, args: &[String]) -> io::Result<()> {
    let mut command = Command::new(program);
    // It was tried already, and `xdg-open` would try it again.
    command.args(args).env_remove("BROWSER");
    let name = Path::new(program).file_name().unwrap_or_default();
    if !TEXT_BROWSERS.iter().any(|text_browser| name == *text_browser) {
        // A group of its own: Ctrl-C here does not end the browser.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    }
    let mut child = command.spawn()?;
    let (sender, ended) = mpsc::channel();
    let wait = move || {
        // Nobody listens any more if it took longer than the wait below.
        let _ = sender.send(child.wait());
    };
    thread::Builder::new().name("browser".to_owned()).spawn(wait)?;
    match ended.recv_timeout(LAUNCH_MAX) {
        Ok(Ok(status)) if !status.success() => Err(io::Error::other(format!("`{program}` failed with {status}"))),
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
    }
}

fn has_display() -> bool {
    is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_wsl() -> bool {
    let is_windows_kernel =
        || fs::read_to_string("/proc/version").is_ok_and(|version| version.to_ascii_lowercase().contains("microsoft"));
    cfg!(target_os = "linux") && (is_set("WSL_DISTRO_NAME") || is_set("WSL_INTEROP") || is_windows_kernel())
}

fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // An absolute path replaces the folder that it is joined to.
    env::split_paths(&path).chain([Path::new("/").to_owned()]).any(|folder| folder.join(program).is_file())
}

const DESKTOP: [(&str, &[&str]); 5] =
    [("xdg-open", &[]), ("gio", &["open"]), ("kde-open", &[]), ("x-www-browser", &[]), ("sensible-browser", &[])];
const LAUNCH_MAX: Duration = Duration::from_secs(1);
/// They need the terminal.
const TEXT_BROWSERS: [&str; 10] =
    ["curl", "elinks", "eww", "links", "links2", "lynx", "netrik", "retawq", "w3m", "www-browser"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_browser_is_expanded() {
        let url = "https://as.example/?a=%s%cc";
        for (text, expected) in [
            ("firefox", Some(vec!["firefox", url])),
            (" firefox  --new-window ", Some(vec!["firefox", "--new-window", url])),
            ("chromium --app=%s --x", Some(vec!["chromium", "--app=https://as.example/?a=%s%cc", "--x"])),
            ("b %s %s", Some(vec!["b", url, url])),
            ("b %c%% %%s 100% %z", Some(vec!["b", ":%", "%s", "100%", "%z", url])),
            ("", None),
            ("  ", None),
        ] {
            let words = entry(text, url).map(|(program, args)| [vec![program], args].concat());
            assert_eq!(words, expected.map(|words| words.into_iter().map(str::to_owned).collect()), "{text:?}");
        }
    }
}
