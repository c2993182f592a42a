//! The server's certificate is checked: its chain, its name and its dates.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use embassy_time::Instant;
use embedded_tls::pki::CertVerifier;
use embedded_tls::{Aes128GcmSha256, Certificate, CryptoProvider, CryptoRngCore, TlsClock, TlsError, TlsVerifier};

/// Tells the time in seconds since 1970, as a clock chip or SNTP has it. Before that no certificate is valid.
pub fn set_clock(now: u64) {
    let started = now.saturating_sub(Instant::now().as_secs());
    STARTED.store(started.try_into().unwrap_or(u32::MAX), Relaxed);
}

pub(crate) struct Provider<'a> {
    rng: &'a mut dyn CryptoRngCore,
    verifier: CertVerifier<'a, Aes128GcmSha256, Clock, CERTIFICATES>,
}

impl<'a> Provider<'a> {
    pub(crate) fn new(trusted: &'a [u8], rng: &'a mut dyn CryptoRngCore) -> Self {
        Self { rng, verifier: CertVerifier::new(Certificate::X509(trusted)) }
    }
}

impl CryptoProvider for Provider<'_> {
    type CipherSuite = Aes128GcmSha256;
    /// Of a client with a certificate: this one has none.
    type Signature = [u8; 0];

    fn rng(&mut self) -> impl CryptoRngCore {
        &mut *self.rng
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Aes128GcmSha256>, TlsError> {
        Ok(&mut self.verifier)
    }
}

/// The time for the dates of certificates.
struct Clock;

impl TlsClock for Clock {
    fn now() -> Option<u64> {
        Some(u64::from(STARTED.load(Relaxed)) + Instant::now().as_secs())
    }
}

/// When the board was started. A small processor has no atomics of 64 bits.
static STARTED: AtomicU32 = AtomicU32::new(0);

/// The most that the server's certificates can be long.
const CERTIFICATES: usize = 4096;
