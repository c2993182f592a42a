//! Keys and signatures: the vectors of RFC 6979, and ring's opinion.

use proofkey_p256::{InvalidKey, Key};
use rand_core::{TryCryptoRng, TryRng};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use std::convert::Infallible;

/// RFC 6979 appendix A.2.5, with SHA-256.
const PRIVATE: &str = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
const PUBLIC: &str = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6\
                      7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
const SIGNED: [(&str, &str); 2] = [
    (
        "sample",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
         F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        "test",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367\
         019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
];
/// The order of the curve, FIPS 186-5 and SP 800-186 section 3.2.1.3.
const ORDER: &str = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";

#[test]
fn signatures_are_those_of_rfc_6979() {
    let key = Key::from_bytes(&bytes(PRIVATE)).expect("a key");
    assert_eq!(key.public_key(), bytes(PUBLIC));
    assert_eq!(*key.to_bytes(), bytes(PRIVATE));
    for (message, signature) in SIGNED {
        let digest = ring::digest::digest(&ring::digest::SHA256, message.as_bytes());
        assert_eq!(key.sign(message.as_bytes()), bytes(signature), "{message}");
        assert_eq!(key.sign_digest(digest.as_ref().try_into().expect("32 bytes")), bytes(signature), "{message}");
    }
}

#[test]
fn ring_takes_the_signatures_of_new_keys() {
    for seed in 1..50 {
        let key = Key::generate(&mut Counting(seed)).expect("a key");
        let message = seed.to_be_bytes();
        let mut point = vec![4];
        point.extend(key.public_key());
        let ring = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        ring.verify(&message, &key.sign(&message)).expect("ring takes it");
        ring.verify(b"another message", &key.sign(&message)).expect_err("it is for this message only");
        let loaded = Key::from_bytes(&key.to_bytes()).expect("its bytes");
        assert_eq!(loaded.public_key(), key.public_key());
        assert_eq!(loaded.sign(&message), key.sign(&message));
    }
}

#[test]
fn a_key_is_between_zero_and_the_order() {
    let order: [u8; 32] = bytes(ORDER);
    let mut below = order;
    below[31] -= 1;
    Key::from_bytes(&below).expect("the greatest key");
    for wrong in [[0; 32], order, [0xff; 32]] {
        assert_eq!(Key::from_bytes(&wrong).expect_err("no key"), InvalidKey);
    }
    assert_eq!(InvalidKey.to_string(), "the bytes are not a P-256 private key");
}

#[test]
fn a_generator_that_fails_gives_no_key() {
    assert_eq!(Key::generate(&mut Broken).expect_err("no key"), Fault);
}

#[test]
fn debug_does_not_show_the_key() {
    assert_eq!(format!("{:?}", Key::from_bytes(&bytes(PRIVATE)).expect("a key")), "Key(..)");
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let digit = |at| hex.as_bytes().get(at..at + 2).and_then(|pair| std::str::from_utf8(pair).ok());
    assert_eq!(hex.len(), 2 * N);
    std::array::from_fn(|at| u8::from_str_radix(digit(2 * at).expect("a pair"), 16).expect("a byte"))
}

struct Counting(u64);

impl TryRng for Counting {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Ok(self.0 ^ (self.0 >> 32))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.try_next_u64()? as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counting {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it is broken")
    }
}

impl std::error::Error for Fault {}

struct Broken;

impl TryRng for Broken {
    type Error = Fault;

    fn try_next_u32(&mut self) -> Result<u32, Fault> {
        Err(Fault)
    }

    fn try_next_u64(&mut self) -> Result<u64, Fault> {
        Err(Fault)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Fault> {
        Err(Fault)
    }
}

impl TryCryptoRng for Broken {}
