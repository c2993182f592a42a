//! Saves one record in the folder of the first argument, with the access token of the second, or removes it if there is no
//! second; with a third, in room that is reserved first. To be killed on the way.

use proofkey_native::old::{Store, StoreError};
use proofkey_native::{Key, Record, Secret};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let changed = match arguments.as_slice() {
        [_, folder] => change(Path::new(folder), None, false),
        [_, folder, token] => change(Path::new(folder), Some(token), false),
        [_, folder, token, _] => change(Path::new(folder), Some(token), true),
        _ => return ExitCode::from(2),
    };
    match changed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn change(folder: &Path, token: Option<&String>, reserve: bool) -> Result<(), StoreError> {
    let key = Key { issuer: "https://as.example".into(), client_id: "app".into(), account: "default".into() };
    let store = Store::files_in(folder)?;
    let lock = store.lock(&key, Duration::from_secs(5))?;
    match token {
        Some(token) if reserve => lock.reserve()?.save(&Record::new(key, Secret::new(token.clone()))),
        Some(token) => lock.save(&Record::new(key, Secret::new(token.clone()))),
        None => lock.remove().map(drop),
    }
}
