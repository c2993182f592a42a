//! `HTTP-date` and `Retry-After` (RFC 9110 sections 5.6.7 and 10.2.3).

/// The seconds from 1970 to an `IMF-fixdate` such as `Sun, 06 Nov 1994 08:49:37 GMT`; none if it is anything else.
pub(crate) fn http_date(text: &str) -> Option<u64> {
    let [w0, w1, w2, b',', b' ', d0, d1, b' ', m0, m1, m2, b' ', y0, y1, y2, y3, b' ', rest @ ..] = text.as_bytes()
    else {
        return None;
    };
    let [h0, h1, b':', i0, i1, b':', s0, s1, b' ', b'G', b'M', b'T'] = rest else { return None };
    let month = MONTHS.iter().position(|(name, _)| *name == [*m0, *m1, *m2])?;
    let days = days(number(&[*y0, *y1, *y2, *y3])?, month, number(&[*d0, *d1])?)?;
    let (hour, minute, second) = (number(&[*h0, *h1])?, number(&[*i0, *i1])?, number(&[*s0, *s1])?);
    // The second 60 is a leap second.
    let fits = WEEKDAYS.get((days % 7) as usize)? == &[*w0, *w1, *w2] && hour < 24 && minute < 60 && second <= 60;
    let of_day = hour.saturating_mul(3_600).saturating_add(minute.saturating_mul(60)).saturating_add(second);
    fits.then(|| u64::from(days).saturating_mul(86_400).saturating_add(of_day.into()))
}

/// The seconds of a `Retry-After`, at most a day. A date counts from `date`, the `Date` of the same response.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<u32> {
    if let Some(seconds) = number(value.as_bytes())
        && !value.is_empty()
    {
        return Some(seconds.min(DAY));
    }
    // A date in the past is no wait.
    let wait = http_date(value)?.saturating_sub(http_date(date?)?);
    Some(u32::try_from(wait).map_or(DAY, |seconds| seconds.min(DAY)))
}

/// The days from 1970 to this day; none if there is no such day.
fn days(year: u32, month: usize, day: u32) -> Option<u32> {
    let leap_before = leap_years(year.checked_sub(1)?);
    let leap_day = leap_years(year).saturating_sub(leap_before);
    let mut before = 0_u32;
    for (index, (_, length)) in MONTHS.iter().enumerate() {
        let length = u32::from(*length).saturating_add(if index == 1 { leap_day } else { 0 });
        if index == month {
            let fits = (1..=length).contains(&day);
            let years = year.checked_sub(1970)?.saturating_mul(365);
            let leap_days = leap_before.saturating_sub(leap_years(1969));
            return fits
                .then(|| years.saturating_add(leap_days).saturating_add(before).saturating_add(day).saturating_sub(1));
        }
        before = before.saturating_add(length);
    }
    None
}

/// The leap years from year 1 up to and with `year`.
const fn leap_years(year: u32) -> u32 {
    (year / 4).saturating_sub(year / 100).saturating_add(year / 400)
}

/// The value of a few digits; none if one is something else.
fn number(digits: &[u8]) -> Option<u32> {
    let digit = |byte: u8| char::from(byte).to_digit(10);
    digits.iter().try_fold(0_u32, |value, byte| Some(value.saturating_mul(10).saturating_add(digit(*byte)?)))
}

const DAY: u32 = 86_400;

const MONTHS: [([u8; 3], u8); 12] = [
    (*b"Jan", 31),
    (*b"Feb", 28),
    (*b"Mar", 31),
    (*b"Apr", 30),
    (*b"May", 31),
    (*b"Jun", 30),
    (*b"Jul", 31),
    (*b"Aug", 31),
    (*b"Sep", 30),
    (*b"Oct", 31),
    (*b"Nov", 30),
    (*b"Dec", 31),
];

/// From the first day of 1970 on.
const WEEKDAYS: [[u8; 3]; 7] = [*b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Tue, 19 Jan 2038 03:14:08 GMT", 2_147_483_648),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ] {
            assert_eq!(http_date(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn a_date_with_a_wrong_or_missing_byte_is_none() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(http_date(date), Some(784_111_777));
        for at in 0..date.len() {
            assert_eq!(http_date(&date[..at]), None, "{at} bytes");
            for wrong in ["#", "é"] {
                assert_eq!(http_date(&[&date[..at], wrong, &date[at + 1..]].concat()), None, "byte {at}");
            }
        }
    }

    #[test]
    fn other_dates_are_none() {
        for text in [
            "",
            "Sun",
            "Sun, 06 Nov 1994 08:49:37 GM",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 gmt",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun,  6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Thu, 31 Nov 1994 08:49:37 GMT",
            "Tue, 29 Feb 1994 08:49:37 GMT",
            "Mon, 29 Feb 2100 00:00:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08-49-37 GMT",
            "Wed, 31 Dec 1969 23:59:59 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sün, 06 Nov 1994 08:49:37 GMT",
            "Sun, 0é Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_has_no_gap() {
        let mut next = 0;
        for year in 1970..=2401 {
            for month in 0..12 {
                for day in 0..=32 {
                    if let Some(found) = days(year, month, day) {
                        assert_eq!(found, next, "{year}-{month}-{day}");
                        next += 1;
                    }
                }
            }
        }
        assert_eq!(next, 432 * 365 + 105);
    }

    #[test]
    fn retry_after_is_digits_or_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, date, seconds) in [
            ("0", None, Some(0)),
            ("120", None, Some(120)),
            ("0007", None, Some(7)),
            ("86401", None, Some(86_400)),
            ("1000000000", None, Some(86_400)),
            ("99999999999999999999999", None, Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", date, Some(60)),
            ("Sun, 06 Nov 1994 08:49:36 GMT", date, Some(0)),
            ("Tue, 08 Nov 1994 08:49:37 GMT", date, Some(86_400)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", date, Some(86_400)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, None),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("yesterday"), None),
            ("Sunday, 06-Nov-94 08:50:37 GMT", date, None),
            ("-1", date, None),
            ("+1", date, None),
            ("1.5", date, None),
            ("1 ", date, None),
            ("", date, None),
            ("soon", date, None),
        ] {
            assert_eq!(retry_after(value, date), seconds, "{value}");
        }
    }
}
