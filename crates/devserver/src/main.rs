//! `proofkey-devserver`: the development server on its own.

use clap::Parser;
use proofkey_devserver::{DevServer, Options};
use std::io::{self, Write};
use std::process::ExitCode;

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

fn main() -> ExitCode {
    let args = Args::parse();
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proofkey-devserver: port {}: {error}", args.port);
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> io::Result<()> {
    let options = Options {
        port: args.port,
        access_token_ttl: args.access_token_ttl,
        code_ttl: args.code_ttl,
        ..Options::default()
    };
    let server = DevServer::start(options)?;
    let text = format!(
        "For development only: any password is right, and nothing is kept.\n\
         Issuer  {}\n\
         Client  demo-native, with http://127.0.0.1/callback on any port\n\
         API     {}\n\
         Ctrl-C ends it.\n",
        server.issuer(),
        server.api("/api/me")
    );
    io::stdout().write_all(text.as_bytes())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())
}
