//! The proofkey command-line tool.
#![allow(unreachable_pub, reason = "a program has no public API; `pub` says that other modules use it")]

mod args;
mod call;
mod config;
mod demo;
mod errors;
mod failure;
mod harden;
mod hosts;
mod interrupt;
mod login;
mod logins;
mod logout;
mod man;
mod output;
mod parameter;
mod session;
mod settings;
mod status;
mod time;
mod token;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use config::Config;
use failure::{Failure, Kind};
use std::process::ExitCode;

fn main() -> ExitCode {
    harden::apply();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let as_json = cli.command.is_json();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::report(&failure, as_json);
            ExitCode::from(&failure)
        }
    }
}

fn run(Cli { select, command }: Cli) -> Result<(), Failure> {
    let config = || Config::load(select.config.as_deref());
    match command {
        Command::Call(args) => call::run(&args, &select, &config()?),
        Command::Completions(args) => completions(args.shell),
        Command::Demo(args) => demo::run(&args),
        Command::Login(args) => login::run(&args, &select, &config()?),
        Command::Logout(args) => logout::run(&args, &select, &config()?),
        Command::Man => man::run(),
        Command::Status(args) => status::run(&args, &select, &config()?),
        Command::Token(args) => token::run(&args, &select, &config()?),
    }
}

/// Help and version go to the standard output; an error is JSON where that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().skip(1).take_while(|arg| arg != "--").any(|arg| arg == "--json");
    if !(error.use_stderr() && wants_json) {
        error.exit();
    }
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let failure = Kind::Configuration.because(message).advise("see `proofkey --help`");
    output::report(&failure, true);
    ExitCode::from(&failure)
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "proofkey", &mut script);
    output::print(&script)
}
