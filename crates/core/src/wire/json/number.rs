//! Numbers as integers, without floats.

/// The value of a valid number, truncated and at most `u32::MAX`; none if it is negative.
pub(crate) fn integer(number: &str) -> Option<u32> {
    if let Some(value) = decimal(number.bytes())
        && !number.is_empty()
    {
        return Some(value);
    }
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if digits().all(|digit| digit == b'0') {
        return Some(0);
    }
    // How many digits are before the point once the exponent has moved it. Zeros follow the last digit; ten of them saturate
    // any value.
    let before = i64::try_from(whole.len()).ok()?.saturating_add(power(exponent)?);
    let before = usize::try_from(before.max(0)).unwrap_or(usize::MAX);
    let zeros = before.saturating_sub(digits().count()).min(10);
    let value = decimal(digits().take(before).chain(core::iter::repeat_n(b'0', zeros)));
    if negative { None } else { value }
}

/// It saturates: nothing that is read here needs more than `u32::MAX`.
fn decimal(mut digits: impl Iterator<Item = u8>) -> Option<u32> {
    digits.try_fold(0_u32, |value, digit| {
        let digit = char::from(digit).to_digit(10)?;
        Some(value.saturating_mul(10).saturating_add(digit))
    })
}

/// The exponent. It saturates: far past the last digit, one place is like any other.
fn power(exponent: &str) -> Option<i64> {
    let (sign, digits) = match exponent.as_bytes() {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] | digits => (1, digits),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_i64, |power, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(power.saturating_mul(10).saturating_add(i64::from(digit).saturating_mul(sign)))
    })
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
