//! The proofkey command-line tool.
#![allow(unreachable_pub, reason = "a program has no public API; `pub` says that other modules use it")]

mod args;
mod call;
mod completions;
mod config;
mod demo;
mod endpoints;
mod errors;
mod failure;
mod harden;
mod hosts;
mod interrupt;
mod login;
mod logins;
mod logout;
mod man;
mod name;
mod network;
mod output;
mod parameter;
mod provider;
mod secret;
mod session;
mod settings;
mod status;
mod time;
mod token;
mod who;

use args::{Cli, Command, Select, Which};
use clap::Parser;
use config::Config;
use failure::{Failure, Kind};
use std::process::ExitCode;

fn main() -> ExitCode {
    harden::apply();
    let mut cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Some(json) = cli.command.json() {
        // It may also stand before the subcommand.
        *json |= cli.json;
        cli.json = *json;
    }
    if let Some(network) = cli.command.network() {
        *network = network.clone().or(cli.network.clone());
    }
    let as_json = cli.json;
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::report(&failure, as_json);
            ExitCode::from(&failure)
        }
    }
}

fn run(Cli { which, command, .. }: Cli) -> Result<(), Failure> {
    match command {
        Command::Call(args) => with_login(which, args.which.clone(), |select, config| call::run(&args, select, config)),
        Command::Completions(args) => completions::run(args.shell),
        Command::Demo(args) => demo::run(&args).map_err(Failure::without_command),
        Command::Login(args) => {
            with_login(which, args.which.clone(), |select, config| login::run(&args, select, config))
        }
        Command::Logout(args) => {
            with_login(which, args.which.clone(), |select, config| logout::run(&args, select, config))
        }
        Command::Man => man::run(),
        Command::Status(args) => {
            with_login(which, args.which.clone(), |select, config| status::run(&args, select, config))
        }
        Command::Token(args) => {
            with_login(which, args.which.clone(), |select, config| token::run(&args, select, config))
        }
    }
}

/// Runs a command that is about a login. Advice that names a command names that login.
fn with_login(
    before: Which,
    after: Which,
    run: impl FnOnce(&Select, &Config) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let select = Select::of(before, after)?;
    let config = Config::load(select.config.as_deref())?;
    run(&select, &config).map_err(|failure| failure.for_login(&config.name(&select)))
}

/// Prints help and version to standard output, and an error as JSON if that was asked for.
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
