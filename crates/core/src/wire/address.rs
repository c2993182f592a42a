//! IP addresses as hosts, as the standard library reads them, in a third of its code.

use crate::wire::uri::cut;
use core::net::IpAddr;

/// The address that a host names literally.
pub(crate) fn ip_literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => groups(rest.strip_suffix(']')?).map(|groups| IpAddr::V6(groups.into())),
        None => octets(host).map(|octets| IpAddr::V4(octets.into())),
    }
}

/// An IPv6 address (RFC 4291 section 2.2).
fn groups(text: &str) -> Option<[u16; 8]> {
    let (mut groups, mut count, mut gap) = ([0; 8], 0_usize, None);
    let mut rest = text;
    if let Some(behind) = text.strip_prefix("::") {
        (gap, rest) = (Some(0), behind);
    }
    while !rest.is_empty() || gap.is_none() {
        let (part, behind) = cut(rest, b':');
        if let (None, Some([a, b, c, d])) = (behind, octets(part)) {
            *groups.get_mut(count)? = u16::from_be_bytes([a, b]);
            count = count.checked_add(1)?;
            *groups.get_mut(count)? = u16::from_be_bytes([c, d]);
        } else {
            *groups.get_mut(count)? = u16::try_from(number(part, 16, 4)?).ok()?;
        }
        count = count.checked_add(1)?;
        let Some(behind) = behind else { break };
        rest = behind;
        if let Some(behind) = behind.strip_prefix(':') {
            if gap.is_some() {
                return None;
            }
            (gap, rest) = (Some(count), behind);
        } else if behind.is_empty() {
            return None;
        }
    }
    let left_out = groups.len().checked_sub(count)?;
    match gap {
        Some(gap) if left_out > 0 => groups.get_mut(gap..)?.rotate_right(left_out),
        None if left_out == 0 => {}
        _ => return None,
    }
    Some(groups)
}

/// An IPv4 address in dotted decimal, without leading zeros.
fn octets(text: &str) -> Option<[u8; 4]> {
    let (mut octets, mut rest) = ([0; 4], Some(text));
    for octet in &mut octets {
        let (part, behind) = cut(rest?, b'.');
        rest = behind;
        let is_short = part == "0" || !part.starts_with('0');
        *octet = number(part, 10, 3).filter(|_| is_short).and_then(|value| u8::try_from(value).ok())?;
    }
    rest.is_none().then_some(octets)
}

fn number(digits: &str, radix: u32, most: usize) -> Option<u32> {
    let fits = (1..=most).contains(&digits.len());
    let digit = |byte: u8| char::from(byte).to_digit(radix);
    digits
        .bytes()
        .try_fold(0_u32, |value, byte| Some(value.saturating_mul(radix).saturating_add(digit(byte)?)))
        .filter(|_| fits)
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        const PIECES: [&str; 14] =
            [":", "::", "0", "1", "f", "00fF", "12345", "g", ".", "1.2.3.4", "255.0.0.10", "256", "01", ""];
        // Every text of up to four pieces, and many of up to twenty.
        let mut seed = 1_u64;
        let mut at = |most: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % most
        };
        let few =
            (0..14_usize.pow(4)).map(|number| (0..4).map(|place| PIECES[number / 14_usize.pow(place) % 14]).collect());
        let many: Vec<String> = (0..200_000)
            .map(|_| {
                let count = at(20);
                (0..count)
                    .map(|place| {
                        if place % 2 == 0 {
                            ["1", "0", "ab", "1.2.3.4", "9"][at(5)]
                        } else {
                            [":", ":", ":", "::", "."][at(5)]
                        }
                    })
                    .collect()
            })
            .collect();
        let mut good = 0;
        for text in few.chain(many) {
            let six: Option<IpAddr> = text.parse().ok().map(IpAddr::V6);
            assert_eq!(ip_literal(&format!("[{text}]")), six, "{text}");
            assert_eq!(ip_literal(&text), text.parse().ok().map(IpAddr::V4), "{text}");
            good += usize::from(six.is_some());
        }
        assert!(good > 1000, "{good}");
    }

    #[test]
    fn only_literal_addresses_are_addresses() {
        assert!(ip_literal("127.0.0.1").is_some_and(|ip| ip.is_loopback()));
        assert!(ip_literal("[::1]").is_some_and(|ip| ip.is_loopback()));
        for bad in
            ["localhost", "127.1", "0x7f000001", "2130706433", "::1", "[127.0.0.1]", "127.0.0.01", "[fe80::1%25lo]"]
        {
            assert_eq!(ip_literal(bad), None, "{bad}");
        }
    }
}
