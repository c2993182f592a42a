//! The surroundings of an image: the server, the user and the console, and what must come of them.
//!
//! `proofkey-firmware-host baseline|login|proof|user IMAGE` starts the image in QEMU and panics if anything is not as it must be.
//! QEMU joins the image's serial port to a TCP connection with a modem; the image's console is ours.

mod baseline;
mod device;
mod login;
mod lost;
mod machine;
mod modem;
mod proof;
mod refused;
mod user;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [which, image] = args.as_slice() else { return usage() };
    let image = Path::new(image);
    match which.as_str() {
        "baseline" => baseline::run(image),
        "login" => {
            login::run(image);
            device::run(image);
            lost::run(image);
        }
        "proof" => proof::run(image),
        "user" => user::run(image),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: proofkey-firmware-host baseline|login|proof|user IMAGE");
    ExitCode::from(2)
}
