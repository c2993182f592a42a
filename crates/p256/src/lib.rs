//! P-256 signing keys in software, without `std` and without an allocator.
//!
//! A client proves with such a key that tokens are its own (DPoP, RFC 9449). This crate is for devices that have no secure
//! element and cannot use `ring`: [`Key`] is made by the device's random generator, kept as 32 bytes, and signs (ES256, RFC 7518
//! section 3.4). It costs about 15 KB of flash. On a computer the adapters sign with `ring`, which is ten times as fast.
//!
//! ```
//! use proofkey_p256::Key;
//! # use core::convert::Infallible;
//! # struct Hardware(u64);
//! # impl rand_core::TryRng for Hardware {
//! #     type Error = Infallible;
//! #     fn try_next_u32(&mut self) -> Result<u32, Infallible> { self.0 += 1; Ok(self.0 as u32) }
//! #     fn try_next_u64(&mut self) -> Result<u64, Infallible> { self.0 += 1; Ok(self.0) }
//! #     fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> { self.0 += 1; out.fill(self.0 as u8); Ok(()) }
//! # }
//! # impl rand_core::TryCryptoRng for Hardware {}
//! # let mut rng = Hardware(0);
//!
//! // Once: make a key, and keep its bytes where only this device can read them.
//! let key = Key::generate(&mut rng)?;
//! let kept = key.to_bytes();
//!
//! // Later: load it, and sign.
//! let key = Key::from_bytes(&kept)?;
//! let signature: [u8; 64] = key.sign(b"header.claims");
//! # assert_eq!(signature, Key::from_bytes(&kept)?.sign(b"header.claims"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

mod key;

pub use key::{InvalidKey, Key};
