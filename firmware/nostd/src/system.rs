//! The entry point, and the two system calls that there is a use for.

#![allow(unsafe_code, reason = "without a library all of this is assembly")]

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "and rsp, -16",
    "call {main}",
    "ud2",
    main = sym crate::main,
);

/// Writes to standard output.
pub(crate) fn say(text: &str) {
    // SAFETY: `write` reads the text and no further; the kernel overwrites rax, rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") 1_usize => _,
            in("rdi") 1_usize,
            in("rsi") text.as_ptr(),
            in("rdx") text.len(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
}

/// Ends the process.
pub(crate) fn exit(status: u32) -> ! {
    // SAFETY: `exit_group` does not return.
    unsafe { asm!("syscall", in("rax") 231_usize, in("rdi") status, options(noreturn, nostack)) }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    say("panic\n");
    exit(101)
}
