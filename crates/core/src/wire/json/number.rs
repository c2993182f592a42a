//! Numbers as integers, without floats.

use crate::wire::form::split_once;

/// The value of a valid number, truncated and at most `u32::MAX`; none if it is negative.
pub(crate) fn integer(number: &str) -> Option<u32> {
    let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
    let end = number.bytes().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = number.split_at_checked(end.unwrap_or(number.len()))?;
    let (whole, fraction) = split_once(mantissa, b'.');
    if whole.is_empty() {
        return None;
    }
    // How many digits are before the point once the exponent has moved it.
    let before = i64::try_from(whole.len()).ok()?.saturating_add(power(exponent)?);
    let (mut value, mut place, mut is_zero) = (0_u32, 0_i64, true);
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = digit_of(digit)?;
        is_zero &= digit == 0;
        if place < before {
            value = value.saturating_mul(10).saturating_add(digit);
        }
        place = place.saturating_add(1);
    }
    if is_zero {
        return Some(0);
    }
    // Zeros follow the last digit; ten of them saturate any value.
    for _ in place..before.min(place.saturating_add(10)) {
        value = value.saturating_mul(10);
    }
    (!is_negative).then_some(value)
}

/// The exponent with its letter. It saturates: far past the last digit, one place is like any other.
fn power(exponent: &str) -> Option<i64> {
    let (sign, digits) = match exponent.as_bytes() {
        [] => return Some(0),
        [_, b'-', digits @ ..] => (-1, digits),
        [_, b'+', digits @ ..] | [_, digits @ ..] => (1, digits),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i64, |power, digit| {
        Some(power.saturating_mul(10).saturating_add(i64::from(digit_of(*digit)?).saturating_mul(sign)))
    })
}

fn digit_of(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(10)
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::format;

    #[test]
    fn numbers_are_truncated_and_saturate() {
        const MOST: Option<u32> = Some(u32::MAX);
        for (number, value) in [
            ("3600", Some(3600)),
            ("3600.0", Some(3600)),
            ("3600.9", Some(3600)),
            ("3.6e3", Some(3600)),
            ("36e2", Some(3600)),
            ("0.0036E+6", Some(3600)),
            ("360000e-2", Some(3600)),
            ("3609.99e-1", Some(360)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.0e9", Some(0)),
            ("0e99", Some(0)),
            ("0e999999999999999999999", Some(0)),
            ("0.9", Some(0)),
            ("1e-400", Some(0)),
            ("1e-999999999999999999999", Some(0)),
            ("99e-2", Some(0)),
            ("4294967294", Some(4_294_967_294)),
            ("4294967295", MOST),
            ("4294967295.5", MOST),
            ("4294967296", MOST),
            ("429496729.4e1", Some(4_294_967_294)),
            ("18446744073709551616", MOST),
            ("1000000000000000000000000000000", MOST),
            ("1e9", Some(1_000_000_000)),
            ("1e10", MOST),
            ("1e400", MOST),
            ("1e999999999", MOST),
            ("1e99999999999999999999999999", MOST),
            ("0.00000000000000000001e21", Some(10)),
            ("-1", None),
            ("-3600", None),
            ("-0.1", None),
            ("-1e-400", None),
            ("", None),
            ("-", None),
            ("+1", None),
            ("1e", None),
            ("1x", None),
            ("1e1x", None),
        ] {
            assert_eq!(integer(number), value, "{number}");
        }
        assert_eq!(integer(&format!("1{}e-100000", "0".repeat(100_001))), Some(10));
    }
}
