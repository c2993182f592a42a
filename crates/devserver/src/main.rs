//! `proofkey-devserver`: the development server on its own.

use clap::Parser;
use proofkey_devserver::{DevServer, Options};
use std::io;

/// A local OAuth 2.0 authorization server and protected API, for development only.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 9400)]
    port: u16,
    /// The lifetime of access tokens in seconds.
    #[arg(long, default_value_t = 3600)]
    access_token_ttl: u32,
    /// The lifetime of authorization codes in seconds.
    #[arg(long, default_value_t = 60)]
    code_ttl: u32,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let options = Options {
        port: args.port,
        access_token_ttl: args.access_token_ttl,
        code_ttl: args.code_ttl,
        ..Options::default()
    };
    let server = DevServer::start(options)?;
    println!("For development only: any password is right, and nothing is kept.");
    println!("Issuer  {}", server.issuer());
    println!("Client  demo-native, with http://127.0.0.1/callback on any port");
    println!("API     {}", server.api("/api/me"));
    println!("Ctrl-C ends it.");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())
}
