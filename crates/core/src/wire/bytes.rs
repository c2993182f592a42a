//! Searches that the compiler turns into comparisons of many bytes at once.

/// The place of the first such byte.
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let blocks = bytes.as_chunks::<16>().0.iter();
    let clear = blocks.take_while(|block| all(*block, |byte| byte != wanted)).count();
    let start = clear.checked_mul(16)?;
    let at = bytes.get(start..)?.iter().position(|&byte| byte == wanted)?;
    start.checked_add(at)
}

/// Whether every byte fits. It looks at all of them, since a loop without an early end is one that the compiler vectorizes.
#[inline]
pub(crate) fn all(bytes: &[u8], fits: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & fits(*byte))
}

/// RFC 6749 appendix A: `VSCHAR`.
pub(crate) fn is_printable(text: &str) -> bool {
    all(text.as_bytes(), |byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::vec;

    #[test]
    fn the_first_one_is_found_wherever_it_stands() {
        for length in 0..70 {
            for first in 0..=length {
                for others in [0, 1, 2, 40] {
                    let mut bytes = vec![b'x'; length];
                    for byte in bytes.iter_mut().skip(first).take(1 + others) {
                        *byte = b'y';
                    }
                    let expected = Some(first).filter(|first| *first < length);
                    assert_eq!(find(&bytes, b'y'), expected, "{length} {first} {others}");
                }
            }
        }
    }
}
