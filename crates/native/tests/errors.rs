//! Messages and causes of the errors.

use proofkey_native::old::{Store, StoreError};
use proofkey_native::{Access, FolderError, OpenError};
use std::error::Error;
use std::io::ErrorKind;

#[test]
fn every_error_says_what_it_is_and_keeps_its_cause() {
    let insecure = || FolderError::Insecure { path: "folder".into(), fault: "this is a link" };
    let io = || FolderError::Io { path: "folder".into(), source: ErrorKind::NotFound.into(), access: None };
    let errors: [(Box<dyn Error>, &str, bool); 11] = [
        (Box::new(insecure()), "folder: this is a link", false),
        (Box::new(io()), "folder: entity not found", true),
        (Box::new(StoreError::Folder(insecure())), "token store: folder: this is a link", true),
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
        (
            Box::new(StoreError::Newer { name: "name".into(), format: 3 }),
            "sign-in name was written by a newer proofkey (it has format 3, and this version reads formats up to 2)",
            false,
        ),
        (Box::new(StoreError::NoHome), "set HOME", false),
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
fn what_is_denied_says_whose_it_is_and_what_to_do() {
    let access = |owner, mode, user| Access { path: "/home/a b".into(), owner, mode, user };
    let io = |kind: ErrorKind, access| FolderError::Io { path: "/home/a b/x".into(), source: kind.into(), access };
    for (error, said) in [
        (
            FolderError::Exposed { access: access(1000, 0o755, 1000), wanted: 0o700 },
            "others have access: /home/a b belongs to you (mode 755); run `chmod 700 '/home/a b'`",
        ),
        (
            FolderError::Foreign(access(1000, 0o700, 0)),
            "/home/a b belongs to user 1000 and you are user 0 (mode 700); run this as user 1000, \
             or use a folder of your own",
        ),
        (
            io(ErrorKind::PermissionDenied, Some(access(1000, 0o500, 1000))),
            "/home/a b/x: permission denied; /home/a b belongs to you (mode 500); run `chmod u+rwX '/home/a b'`",
        ),
        (
            io(ErrorKind::PermissionDenied, Some(access(0, 0o700, 1000))),
            "/home/a b/x: permission denied; /home/a b belongs to user 0 and you are user 1000 (mode 700); \
             run `sudo chown -R 1000 '/home/a b'`, or use a folder of your own",
        ),
        (
            io(ErrorKind::ReadOnlyFilesystem, Some(access(1000, 0o700, 1000))),
            "/home/a b/x: read-only filesystem or storage medium; /home/a b belongs to you (mode 700); \
             use a folder on a file system that can be written",
        ),
        (io(ErrorKind::StorageFull, None), "/home/a b/x: no storage space; free some space"),
        (io(ErrorKind::QuotaExceeded, None), "/home/a b/x: quota exceeded; free some space"),
        (io(ErrorKind::FileTooLarge, None), "/home/a b/x: file too large; raise the limit for files (`ulimit -f`)"),
    ] {
        assert_eq!(error.to_string(), said);
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
