//! Folders and disks as they are on users' machines.

use crate::desk::{Desk, Run, answer, refresh, waits};
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

const NOBODY: u32 = 65_534;

#[test]
fn a_refresh_that_cannot_be_stored_is_not_sent() {
    let folder_500 = |desk: &Desk| {
        fs::set_permissions(desk.home("state/proofkey"), Permissions::from_mode(0o500)).unwrap();
        give(desk, NOBODY);
    };
    let folder_700 = |desk: &Desk| {
        fs::set_permissions(desk.home("state/proofkey"), Permissions::from_mode(0o700)).unwrap();
        give(desk, 0);
    };
    let desk = Desk::signed_in();
    refuses(&desk, folder_500, folder_700, ordinary, &["belongs to you (mode 500)", "run `chmod u+rwX "]);

    let desk = Desk::signed_in();
    for limit in [0, 4_096, 32_767] {
        let limited = |desk: &Desk, args: &[&str]| {
            let mut command = Command::new("prlimit");
            command.arg(format!("--fsize={limit}"));
            wrap(command, desk, args)
        };
        refuses(&desk, |_| {}, |_| {}, limited, &["File too large", "ulimit -f"]);
    }
}

#[test]
fn a_refresh_on_a_full_or_read_only_disk_is_not_sent() {
    let Some((desk, disk)) = on_a_disk_of_its_own() else {
        return eprintln!("only root mounts a disk, so that this test sees nothing");
    };
    let filler = disk.0.join("filler");
    let fill = |_: &Desk| {
        let error = fs::write(&filler, vec![0; 4 << 20]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    };
    let plain = |desk: &Desk, args: &[&str]| desk.command(args);
    refuses(&desk, fill, |_| fs::remove_file(&filler).unwrap(), plain, &["No space left", "free some space"]);

    let remount = |how: &str| {
        assert!(Command::new("mount").args(["-o", how]).arg(&disk.0).status().unwrap().success());
    };
    refuses(
        &desk,
        |_| remount("remount,ro"),
        |_| remount("remount,rw"),
        plain,
        &["Read-only file system", "belongs to you (mode 700)"],
    );
    drop(disk);
}

/// While `hinder` is in force, no token is sent and one that still works is printed; after `mend` all is as before.
fn refuses(
    desk: &Desk,
    hinder: impl Fn(&Desk),
    mend: impl Fn(&Desk),
    command: impl Fn(&Desk, &[&str]) -> Command,
    words: &[&str],
) {
    let run = |args: &[&str]| Run::from(command(desk, args).output().unwrap());
    desk.edit(|record| record.requested_at = now() - 3_560);
    let (before, asked) = (desk.record(), desk.refreshes());
    hinder(desk);
    let bridged = run(&["token"]);
    assert_eq!(bridged.stdout, format!("{}\n", before.access_token.expose()), "{bridged:?}");
    assert_eq!(bridged.code, Some(0));
    for word in words {
        assert!(bridged.stderr.contains(word), "no `{word}` in {bridged:?}");
    }
    mend(desk);
    desk.edit(|record| record.requested_at = now() - 4_000);
    hinder(desk);
    let ended = run(&["token"]);
    ended.fails(1, words);
    assert_eq!((ended.stdout.as_str(), desk.refreshes()), ("", asked), "nothing was sent");
    mend(desk);
    assert_eq!(refresh(&desk.record()), refresh(&before));
    assert_eq!(desk.run(&["token"]).code, Some(0), "nothing was spent");
}

#[test]
fn what_cannot_be_stored_after_all_is_used_and_stored_later() {
    for mended in [true, false] {
        let (desk, server) = (Desk::signed_in(), TcpListener::bind("127.0.0.1:0").unwrap());
        desk.set_token_endpoint(&format!("http://{}/token", server.local_addr().unwrap()));
        desk.expire();
        let child = desk.command(&["token"]).spawn().unwrap();
        let (mut connection, _) = server.accept().unwrap();
        assert_ne!(connection.read(&mut [0; 4096]).unwrap(), 0);
        let record = desk.file();
        let aside = desk.home("aside");
        fs::rename(&record, &aside).unwrap();
        fs::create_dir_all(record.join("in the way")).unwrap();
        let body = r#"{"access_token":"A2","token_type":"Bearer","refresh_token":"R2","expires_in":3600}"#;
        answer(&mut connection, "200 OK", body);
        if mended {
            // It has failed once, and tries again a second later.
            waits(child.id());
            let here = rustix::fs::CWD;
            rustix::fs::renameat_with(here, &aside, here, &record, rustix::fs::RenameFlags::EXCHANGE).unwrap();
        }
        let run: Run = child.wait_with_output().unwrap().into();
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), "A2\n"), "{run:?}");
        if mended {
            assert_eq!((run.stderr.as_str(), desk.record().refresh_token.unwrap().expose()), ("", "R2"));
        } else {
            assert!(run.stderr.contains("could not be stored") && run.stderr.contains("proofkey login"), "{run:?}");
        }
    }
}

#[test]
fn a_folder_that_is_not_ours_alone_says_whose_it_is_and_what_to_do() {
    let desk = Desk::signed_in();
    let folder = desk.home("state/proofkey");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let place = folder.display().to_string();
    for args in [&["token"][..], &["status"], &["login", "--no-browser"], &["logout"]] {
        let chmod = format!("run `chmod 700 {place}`");
        desk.run(args).fails(1, &["others have access", "belongs to you (mode 755)", &chmod]);
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    assert_eq!(desk.run(&["token"]).code, Some(0));
    if !is_root() {
        return eprintln!("only root gives files away, so that the rest of this test sees nothing");
    }

    // `sudo -E`: root comes to a user's home.
    chown(&folder, Some(1_000), None).unwrap();
    let whose = format!("{place} belongs to user 1000 and you are user 0 (mode 700)");
    desk.run(&["token"]).fails(1, &[&whose, "run this as user 1000", "XDG_STATE_HOME"]);
    // And has left a folder of its own there.
    give(&desk, NOBODY);
    for path in [desk.home("state"), folder] {
        chown(&path, Some(0), None).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        let place = path.display().to_string();
        let run: Run = ordinary(&desk, &["token"]).output().unwrap().into();
        let whose =
            format!("Permission denied (os error 13); {place} belongs to user 0 and you are user 65534 (mode 700)");
        run.fails(1, &[&whose, &format!("run `sudo chown -R 65534 {place}`"), "XDG_STATE_HOME"]);
        chown(&path, Some(NOBODY), None).unwrap();
    }
    let run: Run = ordinary(&desk, &["token"]).output().unwrap().into();
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_home_that_cannot_be_written_is_told_before_anybody_signs_in() {
    let desk = Desk::new();
    fs::create_dir(desk.home("state")).unwrap();
    give(&desk, NOBODY);
    fs::set_permissions(desk.home("state"), Permissions::from_mode(0o555)).unwrap();
    let run: Run = ordinary(&desk, &["login", "--no-browser"]).output().unwrap().into();
    let whose = format!("{} belongs to you (mode 555); run `chmod u+rwX ", desk.home("state").display());
    run.fails(1, &["state/proofkey: Permission denied", &whose, "XDG_STATE_HOME"]);
    assert!(desk.server.log().is_empty());
    fs::set_permissions(desk.home("state"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn one_record_is_opened_however_many_there_are() {
    let desk = Desk::signed_in();
    for account in ["a", "b", "c", "d"] {
        desk.sign_in(&["--account", account]);
    }
    for args in [&["token", "--account", "b"][..], &["status"], &["token", "--refresh"]] {
        let watch = rustix::fs::inotify::init(rustix::fs::inotify::CreateFlags::NONBLOCK).unwrap();
        let flags = rustix::fs::inotify::WatchFlags::OPEN;
        rustix::fs::inotify::add_watch(&watch, desk.home("state/proofkey"), flags).unwrap();
        assert_eq!(desk.run(args).code, Some(0));
        let (mut buffer, mut records) = ([std::mem::MaybeUninit::uninit(); 65_536], std::collections::BTreeSet::new());
        let mut events = rustix::fs::inotify::Reader::new(&watch, &mut buffer);
        while let Ok(event) = events.next() {
            let name = event.file_name().map(|name| name.to_str().unwrap().to_owned());
            records.extend(name.filter(|name| !name.contains('.')));
        }
        assert_eq!(records.len(), 1, "{args:?}");
    }
}

#[test]
fn a_name_that_is_not_known_leaves_no_file() {
    let desk = Desk::new();
    let api = desk.server.api("/api/me");
    for args in [&["token"][..], &["status"], &["logout"], &["call", &api], &["token", "--refresh"]] {
        desk.run(args).fails(3, &["not signed in"]);
    }
    desk.run(&["login", "--no-browser", "--timeout", "1"]).fails(6, &[]);
    assert!(desk.files("").is_empty(), "{:?}", desk.files(""));
    desk.sign_in(&[]);
    assert_eq!(desk.run(&["logout"]).code, Some(0));
    let row = fs::read_to_string(desk.file()).unwrap();
    assert!(row.ends_with(" signed-out\n"), "that somebody signed out, for a refresh that is still under way: {row}");
    let ended = |path: &PathBuf| ["lock", "note"].iter().any(|ending| path.extension() == Some(ending.as_ref()));
    assert!(desk.files("").iter().all(|path| ended(path) || *path == desk.file()), "{:?}", desk.files(""));
    assert_eq!(desk.run(&["logout", "--forget-settings"]).code, Some(0));
    assert!(desk.files("").is_empty(), "{:?}", desk.files(""));
}

/// The command as a user whom the modes of files stop.
fn ordinary(desk: &Desk, args: &[&str]) -> Command {
    if !is_root() {
        return desk.command(args);
    }
    let id = NOBODY.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
    wrap(command, desk, args)
}

/// The command as another program starts it.
fn wrap(mut command: Command, desk: &Desk, args: &[&str]) -> Command {
    let plain = desk.command(args);
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(desk.home(""));
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
}

/// Gives the home to a user, if run by root.
fn give(desk: &Desk, user: u32) {
    if is_root() {
        let given = Command::new("chown").args(["-R", &user.to_string()]).arg(desk.home("")).status();
        assert!(given.unwrap().success());
    }
}

/// Somebody signed in whose store has a disk of one mebibyte.
fn on_a_disk_of_its_own() -> Option<(Desk, Disk)> {
    let desk = Desk::new();
    let folder = desk.home("state/proofkey");
    fs::create_dir_all(&folder).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"]).arg(&folder).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return None;
    }
    let disk = Disk(folder);
    desk.sign_in(&[]);
    Some((desk, disk))
}

struct Disk(PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        assert!(std::thread::panicking() || unmounted.is_ok_and(|status| status.success()));
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
