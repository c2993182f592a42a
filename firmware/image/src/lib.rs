//! What the board gives to both images: a console, a line to the server, a clock, a generator, and the depth of the stack.

#![no_std]

pub mod clock;
mod fault;
pub mod host;
pub mod http;
pub mod stack;
pub mod uart;

use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use cortex_m_semihosting::debug;

/// A generator whose seed is the host's.
#[must_use]
pub fn generator() -> Option<ChaCha20Rng> {
    let mut seed = [0; 32];
    host::random(&mut seed).then(|| ChaCha20Rng::from_seed(seed))
}

/// Ends the run, and tells the host whether all went well.
pub fn exit(well: bool) -> ! {
    debug::exit(if well { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        core::hint::spin_loop();
    }
}
