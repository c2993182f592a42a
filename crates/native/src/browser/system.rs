//! The launcher of Windows and macOS.

use std::io;

pub(super) fn open(url: &str) -> io::Result<()> {
    webbrowser::open(url)
}

pub(super) const fn is_available() -> bool {
    true
}
