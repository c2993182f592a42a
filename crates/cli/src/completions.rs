//! `proofkey completions`: scripts that complete options, and the names of profiles.

use crate::args::{Cli, Script, config_of_environment};
use crate::config::Config;
use crate::failure::Failure;
use crate::{logins, output};
use clap::CommandFactory;
use clap_complete::Shell;
use std::collections::BTreeSet;

/// Prints the script.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(script: Script) -> Result<(), Failure> {
    let script = match script {
        Script::Bash => generate(Shell::Bash).replace(BASH.0, BASH.1),
        Script::Elvish => generate(Shell::Elvish),
        Script::Fish => generate(Shell::Fish).replace(FISH.0, FISH.1),
        Script::PowerShell => generate(Shell::PowerShell),
        Script::Zsh => zsh(&generate(Shell::Zsh)),
        Script::Profiles => profiles().into_iter().map(|name| name + "\n").collect(),
    };
    output::print(script.as_bytes())
}

fn generate(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "proofkey", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The profiles in the configuration file, and those with a sign-in that is kept in a file.
fn profiles() -> BTreeSet<String> {
    let config = Config::load(config_of_environment().as_deref()).unwrap_or_default();
    let stored = logins::names_in_files().into_iter().map(|name| name.profile);
    stored.chain(config.names().map(str::to_owned)).collect()
}

/// In zsh, the action of an option is the last part of its line.
fn zsh(script: &str) -> String {
    let lines = script
        .split_inclusive('\n')
        .map(|line| if line.starts_with("'--profile=") { line.replace(ZSH.0, ZSH.1) } else { line.to_owned() });
    lines.collect()
}

/// The generated completion of `--profile`, and its replacement.
const BASH: (&str, &str) = (
    r#"--profile)
                    COMPREPLY=("${cur}")
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o nospace
                    fi"#,
    r#"--profile)
                    COMPREPLY=($(compgen -W "$(proofkey completions profiles 2>/dev/null)" -- "${cur}"))"#,
);
const FISH: (&str, &str) = ("-l profile ", "-l profile -f -a '(proofkey completions profiles 2>/dev/null)' ");
const ZSH: (&str, &str) = (":NAME:' \\", ":NAME:($(proofkey completions profiles 2>/dev/null))' \\");
