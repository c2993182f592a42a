//! `proofkey demo --spa`: a single-page app that signs in at a server in this process, until Ctrl-C.
//!
//! Its files are in `app/`. `crates/browser/build` puts them there, and `.ci/run browser` checks that they are up to date.

use crate::args;
use crate::demo::story::Story;
use crate::failure::{Failure, Kind};
use crate::interrupt::{self, INTERRUPTED};
use proofkey_devserver::{DevServer, Entry, File, Options, Site};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Serves the app, and shows the requests that the server gets.
///
/// # Errors
/// If a server does not start, or standard output cannot be written.
pub fn run(args: &args::Demo) -> Result<(), Failure> {
    let start = |error| Kind::Unexpected.because(format_args!("the development server did not start: {error}"));
    let server = DevServer::start(Options::default()).map_err(start)?;
    let site = Site::start(0, &server.issuer(), files(&server.issuer())).map_err(start)?;
    let story = Story::new(args.json);
    story.title("A single-page app against a development server on this machine")?;
    story.step("server", "Start an authorization server and an API", &[("issuer", &server.issuer())])?;
    let url = format!("{}/", site.url());
    let opened = !args.no_browser && proofkey_native::is_available() && proofkey_native::open(&url).is_ok();
    let how = if opened { "Open the app in your browser" } else { "Open this address in a browser on this machine" };
    story.app(&format!("{how}, and sign in (any name and password will do); press Ctrl-C to stop"), &url, opened)?;
    let followed = interrupt::deferred(|| follow(&server, &story));
    if INTERRUPTED.load(Ordering::SeqCst) { story.end("Ended.") } else { followed }
}

fn follow(server: &DevServer, story: &Story) -> Result<(), Failure> {
    while !INTERRUPTED.load(Ordering::SeqCst) {
        for Entry { method, path, status, .. } in server.take_log().iter().filter(|entry| entry.method != "OPTIONS") {
            story.step("request", &format!("{method} {path}"), &[("status", &status.to_string())])?;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn files(issuer: &str) -> Vec<File> {
    let config = format!(
        "export const issuer = '{issuer}';\nexport const clientId = 'demo-native';\n\
         export const redirectUri = location.origin + '/callback';\nexport const api = '{issuer}';\n"
    );
    let mut files = vec![File { path: "/config.js".to_owned(), media_type: SCRIPT, body: config.into_bytes().into() }];
    files.extend(FILES.iter().map(|(path, media_type, body)| File {
        path: (*path).to_owned(),
        media_type,
        body: (*body).into(),
    }));
    files
}

const PAGE: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript";

macro_rules! app {
    ($name:literal) => {
        include_bytes!(concat!("../../app/", $name)).as_slice()
    };
}

/// The app is also served at the redirect URI.
const FILES: [(&str, &str, &[u8]); 18] = [
    ("/", PAGE, app!("index.html")),
    ("/callback", PAGE, app!("index.html")),
    ("/app.css", "text/css", app!("app.css")),
    ("/app.js", SCRIPT, app!("app.js")),
    ("/proofkey/dpop.js", SCRIPT, app!("proofkey/dpop.js")),
    ("/proofkey/drive.js", SCRIPT, app!("proofkey/drive.js")),
    ("/proofkey/error.js", SCRIPT, app!("proofkey/error.js")),
    ("/proofkey/handover.js", SCRIPT, app!("proofkey/handover.js")),
    ("/proofkey/http.js", SCRIPT, app!("proofkey/http.js")),
    ("/proofkey/index.js", SCRIPT, app!("proofkey/index.js")),
    ("/proofkey/keep.js", SCRIPT, app!("proofkey/keep.js")),
    ("/proofkey/popup.js", SCRIPT, app!("proofkey/popup.js")),
    ("/proofkey/session.js", SCRIPT, app!("proofkey/session.js")),
    ("/proofkey/values.js", SCRIPT, app!("proofkey/values.js")),
    ("/proofkey/waiting.js", SCRIPT, app!("proofkey/waiting.js")),
    ("/proofkey/worker.js", SCRIPT, app!("proofkey/worker.js")),
    ("/proofkey/wasm/proofkey_browser.js", SCRIPT, app!("proofkey/wasm/proofkey_browser.js")),
    ("/proofkey/wasm/proofkey_browser_bg.wasm", "application/wasm", app!("proofkey/wasm/proofkey_browser_bg.wasm")),
];
