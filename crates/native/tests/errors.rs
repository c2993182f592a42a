//! What the errors say, and what they keep of their cause.

use proofkey_native::{FolderError, OpenError, Store, StoreError};
use std::error::Error;
use std::io::ErrorKind;

#[test]
fn every_error_says_what_it_is_and_keeps_its_cause() {
    let insecure = || FolderError::Insecure { path: "folder".into(), fault: "others can read it" };
    let io = || FolderError::Io { path: "folder".into(), source: ErrorKind::NotFound.into() };
    let errors: [(Box<dyn Error>, &str, bool); 10] = [
        (Box::new(insecure()), "folder: others can read it", false),
        (Box::new(io()), "folder: entity not found", true),
        (Box::new(StoreError::Folder(insecure())), "token store: folder: others can read it", true),
        (
            Box::new(StoreError::Corrupt { name: "name".into(), fault: "cut short" }),
            "sign-in name cannot be used: cut short",
            false,
        ),
        (
            Box::new(StoreError::Locked { name: "name".into() }),
            "another process is using the stored sign-in name",
            false,
        ),
        (Box::new(StoreError::NoHome), "set HOME or XDG_STATE_HOME", false),
        (Box::new(StoreError::OtherKey), "belongs to another account than the lock", false),
        (Box::new(StoreError::TooBig), "too long for this store", false),
        (Box::new(OpenError::Failed(ErrorKind::NotFound.into())), "(entity not found); open the URL yourself", true),
        (Box::new(OpenError::Refused), "not safe to open", false),
    ];
    for (error, said, caused) in errors {
        let text = error.to_string();
        assert!(text.contains(said) && !text.ends_with('.'), "{text}");
        assert_eq!(error.source().is_some(), caused, "{text}");
    }
}

#[test]
fn what_the_system_refuses_is_told_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::files_in(&file.join("proofkey")).unwrap_err();
    assert!(matches!(error, StoreError::Folder(FolderError::Io { .. })), "{error:?}");
    assert!(error.to_string().contains("file/proofkey: ") || !cfg!(unix), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_made_is_not_said_to_be_missing() {
    let error = Store::files_in(std::path::Path::new("/sys/proofkey")).unwrap_err();
    let StoreError::Folder(FolderError::Io { source, .. }) = error else { panic!("{error:?}") };
    assert_ne!(source.kind(), ErrorKind::NotFound, "{source}");
}
