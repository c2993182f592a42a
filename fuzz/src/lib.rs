//! What the targets share: one login to send redirects to, short ways to ask the core, and readings by other libraries.

pub mod answer;
pub mod head;
pub mod login;
pub mod shelf;
pub mod spelling;

use std::convert::Infallible;

/// The values of each field `name` in a query or body, as another library reads it.
#[must_use]
pub fn values(form: &str, name: &str) -> Vec<String> {
    let fields = form_urlencoded::parse(form.as_bytes());
    fields.filter(|(found, _)| found == name).map(|(_, value)| value.into_owned()).collect()
}

/// Whether a text is safe to log and to print on a terminal.
#[must_use]
pub fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A generator that counts: it never repeats itself, and always draws the same.
#[derive(Debug, Default)]
pub struct Counter(u32);

impl rand_core::TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0 += 1;
        Ok(self.0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.try_next_u32().map(u64::from)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_exact_mut(4) {
            chunk.copy_from_slice(&self.try_next_u32()?.to_be_bytes());
        }
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Counter {}
