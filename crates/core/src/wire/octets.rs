//! Octets, written so that the compiler looks at many of them at once.

/// The place of the first such octet. Blocks without it are passed over whole.
pub(crate) fn find(octets: &[u8], wanted: u8) -> Option<usize> {
    let blocks = octets.as_chunks::<16>().0.iter();
    let clear = blocks.take_while(|block| all(*block, |octet| octet != wanted));
    let start = clear.count().wrapping_mul(16);
    let rest = octets.get(start..).unwrap_or_default();
    rest.iter().position(|&octet| octet == wanted).map(|at| start.wrapping_add(at))
}

/// Whether every octet fits. It goes on to the end in any case.
#[inline]
pub(crate) fn all(octets: &[u8], fits: impl Fn(u8) -> bool) -> bool {
    octets.iter().fold(true, |all, octet| all & fits(*octet))
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
                    let mut octets = vec![b'x'; length];
                    for octet in octets.iter_mut().skip(first).take(1 + others) {
                        *octet = b'y';
                    }
                    let expected = Some(first).filter(|first| *first < length);
                    assert_eq!(find(&octets, b'y'), expected, "{length} {first} {others}");
                }
            }
        }
    }
}
