//! The encodings on the wire. Nothing here knows OAuth.

pub(crate) mod date;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod uri;

/// What stands before and behind the first `delimiter`, which is ASCII; all and nothing where there is none. Blocks without
/// it are passed over whole, since the compiler compares their octets at once.
pub(crate) fn split_once(text: &str, delimiter: u8) -> (&str, &str) {
    let octets = text.as_bytes();
    let blocks = octets.as_chunks::<16>().0.iter();
    let clear = blocks.take_while(|block| block.iter().fold(true, |clear, &octet| clear & (octet != delimiter)));
    let start = clear.count().wrapping_mul(16);
    let rest = octets.get(start..).unwrap_or_default();
    cut(text, rest.iter().position(|&octet| octet == delimiter).map(|at| start.wrapping_add(at)))
}

/// What stands before and behind the octet `at`; all and nothing where there is none.
fn cut(text: &str, at: Option<usize>) -> (&str, &str) {
    let (before, rest) = text.split_at_checked(at.unwrap_or(text.len())).unwrap_or((text, ""));
    (before, rest.get(1..).unwrap_or_default())
}
