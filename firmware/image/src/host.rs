//! What the host lends through semihosting: a keyboard and a screen, random bytes, the time.

#![allow(unsafe_code, reason = "a semihosting call takes addresses")]

use core::ffi::CStr;
use core::fmt;
use cortex_m_semihosting::hio::{self, HostStream};
use cortex_m_semihosting::{nr, syscall};

/// A keyboard and a screen.
pub struct Console {
    keyboard: File,
    screen: HostStream,
}

impl Console {
    /// None where the host has none.
    #[must_use]
    pub fn open() -> Option<Self> {
        Some(Self { keyboard: File::open(c":tt")?, screen: hio::hstdout().ok()? })
    }

    /// Waits for a line, and gives it without its end. None where it is too long, no text, or will never come.
    pub fn read_line<'l>(&mut self, line: &'l mut [u8]) -> Option<&'l str> {
        let mut length = 0;
        loop {
            let mut byte = [0];
            if !self.keyboard.read(&mut byte) {
                return None;
            }
            if byte == *b"\n" {
                return str::from_utf8(line.get(..length)?).ok();
            }
            *line.get_mut(length)? = byte[0];
            length += 1;
        }
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.screen.write_str(text)
    }
}

/// Fills `bytes` from the host's own generator. False where it cannot be read.
#[must_use]
pub fn random(bytes: &mut [u8]) -> bool {
    File::open(c"/dev/urandom").is_some_and(|source| source.read(bytes))
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    // SAFETY: the call takes no argument.
    let seconds = unsafe { syscall!(TIME) };
    seconds as u64
}

/// A file of the host's, open for reading.
struct File(usize);

impl File {
    fn open(name: &CStr) -> Option<Self> {
        // SAFETY: the name is as long as it says, and a zero ends it.
        let handle = unsafe { syscall!(OPEN, name.as_ptr(), nr::open::R_BINARY, name.count_bytes()) };
        (handle != usize::MAX).then_some(Self(handle))
    }

    /// Whether all of `buffer` could be filled.
    fn read(&self, buffer: &mut [u8]) -> bool {
        // SAFETY: the host writes to `buffer` and no further.
        let missing = unsafe { syscall!(READ, self.0, buffer.as_mut_ptr(), buffer.len()) };
        missing == 0
    }
}
