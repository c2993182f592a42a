//! `proofkey completions`.

use crate::desk::Desk;
#[cfg(unix)]
use std::process::Command;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

#[test]
fn every_shell_has_a_script() {
    let desk = Desk::new();
    for shell in SHELLS {
        let script = desk.run(&["completions", shell]);
        assert!(script.code == Some(0) && script.stdout.contains("proofkey"), "{shell}");
    }
    desk.run(&["completions", "tcsh"]).fails(2, &["bash, elvish, fish, powershell, zsh]"]);
}

#[test]
fn the_known_profiles_are_those_of_the_file_and_of_the_sign_ins() {
    let desk = Desk::signed_in();
    desk.configure("[profile.work]\nprovider = 'itwin'\n");
    let run = desk.run(&["completions", "profiles"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "default\nwork\n", ""));
    desk.configure("[profile.work");
    assert_eq!(desk.run(&["completions", "profiles"]).stdout, "default\n", "a broken file is no matter here");
}

#[test]
fn scripts_ask_for_the_profiles_wherever_the_option_may_stand() {
    let desk = Desk::new();
    // Before a subcommand, and after login, token, call, status and logout.
    for (shell, count) in [("bash", 6), ("fish", 6), ("zsh", 6)] {
        let script = desk.run(&["completions", shell]).stdout;
        assert_eq!(
            script.matches("$(proofkey completions profiles 2>/dev/null)").count(),
            count * usize::from(shell != "fish")
        );
        assert_eq!(
            script.matches("'(proofkey completions profiles 2>/dev/null)'").count(),
            count * usize::from(shell == "fish")
        );
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_names_and_no_files() {
    let desk = Desk::signed_in();
    desk.configure("[profile.work]\nprovider = 'itwin'\n[profile.wonder]\nprovider = 'itwin'\n");
    std::fs::write(desk.home("wo-file"), "").unwrap();
    let script = desk.run(&["completions", "bash"]).stdout;
    let complete = |words: &str| {
        let script = format!(
            "{script}\nproofkey() {{ '{}' \"$@\"; }}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _proofkey proofkey \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\" 2>/dev/null\n\
             printf '%s ' \"${{COMPREPLY[@]}}\"",
            env!("CARGO_BIN_EXE_proofkey")
        );
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).env_clear().current_dir(desk.home("")).env("HOME", desk.home(""));
        bash.env("PATH", std::env::var_os("PATH").unwrap());
        bash.env("XDG_CONFIG_HOME", desk.home("config")).env("XDG_STATE_HOME", desk.home("state"));
        String::from_utf8(bash.output().unwrap().stdout).unwrap()
    };
    assert_eq!(complete("proofkey status --profile wo"), "wonder work ");
    assert_eq!(complete("proofkey --profile d"), "default ");
    assert_eq!(complete("proofkey status --account wo"), "wo ");
    assert_eq!(complete("proofkey completions z"), "zsh ");
    for command in ["demo", "completions", "man"] {
        let options = complete(&format!("proofkey {command} --"));
        assert!(options.contains("--help") && !options.contains("--profile"), "{command}: {options}");
    }
    for (command, talks) in
        [("call", true), ("demo", false), ("login", true), ("logout", true), ("status", false), ("token", true)]
    {
        let options = complete(&format!("proofkey {command} --"));
        let known = ["--proxy ", "--cacert "].map(|option| options.contains(option));
        assert_eq!(known, [talks; 2], "{command}: {options}");
    }
    assert_eq!(complete("proofkey token --cacert wo"), "wo-file ");
}
