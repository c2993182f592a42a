//! The board's own clock (Arm v7-M SysTick), which needs no host.

#![allow(unsafe_code, reason = "a register is an address, and waiting is an instruction")]

use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use cortex_m_rt::exception;

/// Starts the clock at 0.
pub fn start() {
    for (register, value) in [(RELOAD, CYCLES / HERTZ - 1), (CURRENT, 0), (CONTROL, PROCESSOR | INTERRUPT | ENABLE)] {
        // SAFETY: the processor has this register at this address.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(BASE + register).write_volatile(value) }
    }
}

/// Whole seconds since the start.
#[must_use]
pub fn seconds() -> u64 {
    (TICKS.load(Relaxed) / HERTZ).into()
}

/// Sleeps for so many seconds.
pub fn wait(wanted: u32) {
    let end = seconds() + u64::from(wanted);
    while seconds() < end {
        // SAFETY: it changes nothing; the next tick ends it.
        unsafe { asm!("wfi", options(nomem, nostack, preserves_flags)) }
    }
}

#[exception]
fn SysTick() {
    TICKS.fetch_add(1, Relaxed);
}

static TICKS: AtomicU32 = AtomicU32::new(0);

const CYCLES: u32 = 25_000_000;
const HERTZ: u32 = 10;

const BASE: usize = 0xe000_e010;
const CONTROL: usize = 0x0;
const RELOAD: usize = 0x4;
const CURRENT: usize = 0x8;

const ENABLE: u32 = 1 << 0;
const INTERRUPT: u32 = 1 << 1;
const PROCESSOR: u32 = 1 << 2;
