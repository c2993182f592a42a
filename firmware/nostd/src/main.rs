//! A static program for Linux on x86-64 that goes through the whole core, with an entry point of its own.
//!
//! There is no std, no allocator and no libc to link with: that it links is the proof that the core asks for none of them.

#![no_std]
#![no_main]

mod memory;
mod more;
mod steps;
mod system;

extern "C" fn main() -> ! {
    for (name, step) in steps::ALL {
        let done = step().is_some();
        system::say(if done { "ok      " } else { "FAILED  " });
        system::say(name);
        system::say("\n");
        if !done {
            system::exit(1);
        }
    }
    system::exit(0)
}
