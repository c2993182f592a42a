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
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    harden::apply();
    let cli = Cli::parse();
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

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "proofkey", &mut script);
    output::print(&script)
}
