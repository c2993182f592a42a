//! Messages and causes of the errors.

use proofkey_native::{Access, FolderError, OpenError, StoreCause};
use std::error::Error;
use std::io::ErrorKind;

#[test]
fn every_error_says_what_it_is_and_keeps_its_cause() {
    let insecure = || FolderError::Insecure { path: "folder".into(), fault: "this is a link" };
    let io = || FolderError::Io { path: "folder".into(), source: ErrorKind::NotFound.into(), access: None };
    let errors: [(Box<dyn Error>, &str, bool); 4] = [
        (Box::new(insecure()), "folder: this is a link", false),
        (Box::new(io()), "folder: entity not found", true),
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
fn every_cause_says_what_it_is() {
    let path = || "folder/file".into();
    for (cause, said) in [
        (StoreCause::App("a/b".into()), "\"a/b\" cannot name the app's folder; use letters, digits, -, _ and ."),
        (StoreCause::Corrupt { path: path(), fault: "it is cut short" }, "folder/file: it is cut short"),
        (
            StoreCause::Folder(FolderError::Insecure { path: path(), fault: "this is a link" }),
            "folder/file: this is a link",
        ),
        (
            StoreCause::KeyLost { path: path() },
            "folder/file cannot be opened with the key in the system keyring: the key was lost, or the file was changed",
        ),
        (StoreCause::KeyNotKept, "the system keyring does not keep what it is given; keep the logins in files"),
        (StoreCause::Locked { path: path() }, "another process does not let go of folder/file"),
        (StoreCause::ManyClaims, "this process holds too many claims"),
        (
            StoreCause::Newer { path: path(), format: 7 },
            "folder/file has format 7, and this version reads formats up to 3",
        ),
        (StoreCause::NoHome, "the system names no home folder; set HOME"),
    ] {
        assert_eq!(cause.to_string(), said);
        assert!(cause.source().is_none(), "what the system says is part of the text: {said}");
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
