//! Random bytes that the page has drawn, as a generator.

use rand_core::{TryCryptoRng, TryRng};
use std::{error, fmt};

/// Each byte is used once.
pub(crate) struct Drawn<'a>(pub(crate) &'a [u8]);

/// The page gave too few random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBytes;

impl TryRng for Drawn<'_> {
    type Error = OutOfBytes;

    fn try_next_u32(&mut self) -> Result<u32, OutOfBytes> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfBytes> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), OutOfBytes> {
        let (drawn, rest) = self.0.split_at_checked(out.len()).ok_or(OutOfBytes)?;
        out.copy_from_slice(drawn);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}

impl fmt::Display for OutOfBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it gave too few bytes")
    }
}

impl error::Error for OutOfBytes {}
