//! base64url without padding (RFC 4648 section 5), in a time that depends on lengths only, and base64 with padding (section 4). The
//! tests hold them against the crate `base64ct`, which would add 0.5 KB to what a web app loads and 0.3 KB to the flash of a login.

use core::fmt::{self, Write};

/// Writes the characters of these bytes to the start of `out`; none if it has no room for them.
pub(crate) fn encode<'o>(bytes: &[u8], out: &'o mut [u8]) -> Option<&'o str> {
    let length = bytes.len().checked_mul(8)?.div_ceil(6);
    let out = out.get_mut(..length)?;
    let (mut bytes, mut held, mut bits) = (bytes.iter(), 0_u16, 0_u32);
    for to in out.iter_mut() {
        if bits < 6 {
            held = held << 8 | bytes.next().copied().map_or(0, u16::from);
            bits = bits.saturating_add(8);
        }
        bits = bits.saturating_sub(6);
        *to = (held >> bits) as u8 & 63;
    }
    // A loop of its own, so that a processor can do many at once.
    for to in out.iter_mut() {
        *to = character(*to);
    }
    core::str::from_utf8(out).ok()
}

/// Writes text as base64 with padding, piece by piece. Characters are lost if it is not [`end`](Self::end)ed.
pub(crate) struct Padded<'w> {
    out: &'w mut dyn Write,
    held: [u8; 3],
    length: usize,
}

impl<'w> Padded<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self { out, held: [0; 3], length: 0 }
    }

    pub(crate) fn end(mut self) -> fmt::Result {
        if self.length > 0 { self.put() } else { Ok(()) }
    }

    fn put(&mut self) -> fmt::Result {
        let mut four = [b'='; 4];
        encode(self.held.get(..self.length).unwrap_or_default(), &mut four).ok_or(fmt::Error)?;
        self.length = 0;
        four.iter().try_for_each(|character| {
            self.out.write_char(match character {
                b'-' => '+',
                b'_' => '/',
                other => char::from(*other),
            })
        })
    }
}

impl Write for Padded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if let Some(free) = self.held.get_mut(self.length) {
                *free = byte;
                self.length = self.length.saturating_add(1);
            }
            if self.length == self.held.len() {
                self.put()?;
            }
        }
        Ok(())
    }
}

/// Reads characters into the start of `out`; none if they are not those that [`encode`] writes, or there is no room.
pub(crate) fn decode<'o>(text: &str, out: &'o mut [u8]) -> Option<&'o mut [u8]> {
    let out = out.get_mut(..decoded_len(text))?;
    let (mut to, mut held, mut bits, mut is_wrong) = (out.iter_mut(), 0_u16, 0_u32, text.len() % 4 == 1);
    for byte in text.bytes() {
        let six = value(byte);
        is_wrong |= six > 63;
        held = held << 6 | u16::from(six & 63);
        bits = bits.saturating_add(6);
        if bits >= 8 {
            bits = bits.saturating_sub(8);
            if let Some(to) = to.next() {
                *to = (held >> bits) as u8;
            }
        }
    }
    // What is left of the last character is zero.
    is_wrong |= held & !(u16::MAX << bits) != 0;
    (!is_wrong).then_some(out)
}

pub(crate) const fn decoded_len(text: &str) -> usize {
    text.len().saturating_mul(3) / 4
}

/// The character of six bits. The comparisons become masks: nothing branches, and no table is read.
const fn character(six: u8) -> u8 {
    six.wrapping_add(b'A')
        .wrapping_add(mask(25, six) & 6)
        .wrapping_sub(mask(51, six) & 75)
        .wrapping_sub(mask(61, six) & 13)
        .wrapping_add(mask(62, six) & 49)
}

/// The six bits of a character; more than 63 for any other byte.
fn value(byte: u8) -> u8 {
    let (mut six, mut known) = (0, 0);
    for (first, last, begin) in
        [(b'A', b'Z', 0), (b'a', b'z', 26), (b'0', b'9', 52), (b'-', b'-', 62), (b'_', b'_', 63_u8)]
    {
        let is_here = !(mask(byte, first) | mask(last, byte));
        six |= is_here & byte.wrapping_sub(first).wrapping_add(begin);
        known |= is_here;
    }
    six | !known
}

/// All ones if `number` is more than `most`, else zeros.
const fn mask(most: u8, number: u8) -> u8 {
    ((most as i16).wrapping_sub(number as i16) >> 8) as u8
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;
    use base64ct::{Base64, Base64UrlUnpadded, Encoding};

    #[test]
    fn every_byte_comes_back_and_is_written_as_elsewhere() {
        let bytes: Vec<u8> = (0..=255).chain((0..=255).map(|byte: u8| byte.wrapping_mul(167))).collect();
        for length in (0..70).chain([bytes.len()]) {
            for start in (0..=bytes.len() - length).step_by(7) {
                let bytes = &bytes[start..start + length];
                let expected = Base64UrlUnpadded::encode_string(bytes);
                let mut text = vec![0; expected.len()];
                assert_eq!(encode(bytes, &mut text), Some(expected.as_str()));
                assert_eq!(encode(bytes, &mut vec![0; expected.len().saturating_sub(1)]).is_some(), length == 0);
                assert_eq!(decode(&expected, &mut vec![0; length + 1]).as_deref(), Some(bytes));
                assert_eq!(decode(&expected, &mut vec![0; length.saturating_sub(1)]).is_some(), length == 0);
            }
        }
    }

    #[test]
    fn padded_text_is_written_as_elsewhere_whatever_its_pieces() {
        let text: String = (0..70).map(|at: u8| char::from(at.wrapping_mul(29) & 127)).collect();
        for length in 0..text.len() {
            for cut in 0..=length {
                let mut out = String::new();
                let mut padded = Padded::new(&mut out);
                let pieces = [&text[..cut], &text[cut..length]];
                assert!(pieces.into_iter().all(|piece| padded.write_str(piece).is_ok()) && padded.end().is_ok());
                assert_eq!(out, Base64::encode_string(&text.as_bytes()[..length]));
            }
        }
    }

    #[test]
    fn what_is_read_is_what_is_read_elsewhere() {
        for text in
            ["", "A", "AA", "AAA", "AAAA", "AAAAA", "_-_-", "+/+/", "AA==", "AB", "AAB", "AAE", "AQ", "A A", "é", "AAé"]
        {
            let expected = Base64UrlUnpadded::decode_vec(text).ok();
            assert_eq!(decode(text, &mut [0; 16]).map(|bytes| bytes.to_vec()), expected, "{text}");
        }
        for byte in 0..128_u8 {
            for place in 0..4 {
                let mut text = [b'A'; 4];
                text[place] = byte;
                let text = core::str::from_utf8(&text).unwrap();
                let expected = Base64UrlUnpadded::decode_vec(text).ok();
                assert_eq!(decode(text, &mut [0; 3]).map(|bytes| bytes.to_vec()), expected, "{text:?}");
            }
        }
    }
}
