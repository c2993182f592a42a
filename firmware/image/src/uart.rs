//! The board's first serial port (Arm CMSDK APB UART).

#![allow(unsafe_code, reason = "a register is an address")]

use core::{fmt, ptr};

/// The port. Its other end is a TCP connection.
pub struct Uart(());

impl Uart {
    /// Switches the port on.
    #[must_use]
    pub fn new() -> Self {
        write(BAUD_DIVISOR, 16);
        write(CONTROL, TRANSMIT | RECEIVE);
        Self(())
    }

    /// The next byte; none where none has arrived.
    pub fn read(&mut self) -> Option<u8> {
        if read(STATE) & RECEIVED == 0 { None } else { read(DATA).to_le_bytes().first().copied() }
    }

    fn send(&mut self, byte: u8) {
        while read(STATE) & SENDING != 0 {}
        write(DATA, byte.into());
    }
}

impl Default for Uart {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Write for Uart {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.send(byte));
        Ok(())
    }
}

fn read(register: usize) -> u32 {
    // SAFETY: the board has this register at this address.
    unsafe { ptr::with_exposed_provenance::<u32>(BASE + register).read_volatile() }
}

fn write(register: usize, value: u32) {
    // SAFETY: the board has this register at this address.
    unsafe { ptr::with_exposed_provenance_mut::<u32>(BASE + register).write_volatile(value) }
}

const BASE: usize = 0x4000_4000;
const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const BAUD_DIVISOR: usize = 0x10;

const SENDING: u32 = 1 << 0;
const RECEIVED: u32 = 1 << 1;

const TRANSMIT: u32 = 1 << 0;
const RECEIVE: u32 = 1 << 1;
