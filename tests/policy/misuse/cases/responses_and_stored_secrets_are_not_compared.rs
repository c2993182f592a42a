//! Whoever compares secrets byte by byte tells how far they agree.

use proofkey_core::ResponseBuf;
use proofkey_native::Secret;

fn answers(one: &ResponseBuf, other: &ResponseBuf) -> bool {
    one == other
}

fn secrets(one: &Secret, other: &Secret) -> bool {
    one == other
}

fn main() {}
