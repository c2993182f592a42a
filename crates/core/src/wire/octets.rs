//! Octets, looked at sixteen at a time where the processor compares so many at once.

/// The place of the first octet that is wanted.
#[inline]
pub(crate) fn find(octets: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let (blocks, rest) = if AT_ONCE { octets.as_chunks() } else { (&[][..], octets) };
    let mut start = 0_usize;
    for block in blocks {
        if let Some(at) = find_in_block(*block, &wanted) {
            return Some(start.wrapping_add(at));
        }
        start = start.wrapping_add(block.len());
    }
    match octets.last_chunk() {
        // Those of them that stand in the last block are known to be unwanted.
        Some(last) if AT_ONCE && !rest.is_empty() => {
            find_in_block(*last, &wanted).map(|at| octets.len().wrapping_sub(last.len()).wrapping_add(at))
        }
        _ => rest.iter().position(|octet| wanted(*octet)).map(|at| start.wrapping_add(at)),
    }
}

/// Elsewhere it would only be more code.
const AT_ONCE: bool =
    cfg!(any(target_feature = "neon", target_feature = "simd128", target_feature = "sse2", target_feature = "v"));

#[expect(clippy::inline_always, reason = "a call would cost as much as it does")]
#[inline(always)]
fn find_in_block(mut block: [u8; 16], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    for octet in &mut block {
        *octet = if wanted(*octet) { 0xff } else { 0 };
    }
    // Told apart from where it is, since that takes longer.
    let any = block.iter().fold(false, |any, octet| any | (*octet != 0));
    any.then(|| u128::from_le_bytes(block).trailing_zeros() as usize / 8)
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
                    assert_eq!(find(&octets, |octet| octet == b'y'), expected, "{length} {first} {others}");
                }
            }
        }
    }
}
