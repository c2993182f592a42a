//! Saves one record in the folder of the first argument, with the access token of the second: to be killed on the way.

use proofkey_native::{Key, Record, Secret, Store, StoreError};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, folder, token] = arguments.as_slice() else { return ExitCode::from(2) };
    match save(Path::new(folder), token) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn save(folder: &Path, token: &str) -> Result<(), StoreError> {
    let key = Key { issuer: "https://as.example".into(), client_id: "app".into(), account: "default".into() };
    let store = Store::files_in(folder)?;
    let lock = store.lock(&key, Duration::from_secs(5))?;
    lock.save(&Record::new(key, Secret::new(token.into())))
}
