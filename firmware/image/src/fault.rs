//! A panic ends the run. Built for size it has no handler to call: it is an instruction that the processor does not know.

#![allow(unsafe_code, reason = "the handler of a fault is declared unsafe")]

use crate::exit;
use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, exception};

#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    exit(false)
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    exit(false)
}
