//! The real binary against a real server: one module for each subcommand.

mod call;
mod config;
mod desk;
mod login;
mod logout;
mod paste;
mod secrets;
mod status;
mod token;
