//! The real binary against a real server: one module for each subcommand.
#![allow(unreachable_pub, reason = "a test has no public API; `pub` says that other modules use it")]

mod again;
mod bound;
mod call;
#[cfg(unix)]
mod company;
mod completions;
mod config;
mod demo;
mod desk;
mod device;
mod embedded;
#[cfg(target_os = "linux")]
mod folders;
mod formats;
#[cfg(target_os = "linux")]
mod freshness;
mod guide;
mod identity;
mod localhost;
mod login;
mod logout;
#[cfg(target_os = "linux")]
mod lost;
#[cfg(unix)]
mod network;
mod paste;
mod remembered;
mod rotation;
mod secrets;
#[cfg(target_os = "linux")]
mod signals;
mod status;
#[cfg(unix)]
mod terminal;
mod token;
mod trouble;
