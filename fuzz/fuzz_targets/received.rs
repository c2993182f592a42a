//! What is read in the bytes of a response is what `httparse` reads in them, in whatever pieces they come, and nothing behind the
//! length that the head says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proofkey_core::{Received, Response, ResponseBuf, ResponseError};
use proofkey_fuzz::answer::{Granted, digits, exchange};

fuzz_target!(|input: &[u8]| {
    let Some((piece, bytes)) = input.split_first() else { return };
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Response::new(&mut fields);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if is_plain(&bytes[..length]) => length,
        _ => return,
    };
    let status = parsed.code.unwrap_or_default();
    let text = |value: &[u8]| String::from_utf8_lossy(value.trim_ascii()).into_owned();
    let headers = parsed.headers.iter().map(|field| (field.name.to_ascii_lowercase(), text(field.value))).collect();
    let mut theirs = ResponseBuf { status, headers, body: Vec::new() };
    let total = total(&theirs, head);
    let expected = total.map(|total| (status, total));
    assert_eq!(verdict(bytes), expected);

    // Nothing before the head is whole, and the same from then on.
    for end in (0..bytes.len()).step_by(usize::from(*piece).max(1)) {
        assert_eq!(verdict(&bytes[..end]), expected.filter(|_| end >= head));
    }

    let (Some(received), Some(total)) = (Received::of(bytes), total) else { return };
    let end = total.unwrap_or(bytes.len());
    theirs.body = bytes[head..end.min(bytes.len())].to_vec();
    let theirs = theirs.as_response();
    let theirs = read(if end > bytes.len() { theirs.cut_off() } else { theirs });
    assert_eq!(read(received.response(&mut bytes.to_vec())), theirs);
});

fn verdict(bytes: &[u8]) -> Option<(u16, Option<usize>)> {
    Received::of(bytes).map(|received| (received.status(), received.total()))
}

/// None if the head is not that of an answer whose end is known: by its length, or by that of the connection.
fn total(answer: &ResponseBuf, head: usize) -> Option<Option<usize>> {
    let values =
        |name: &str| answer.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value).collect();
    let (lengths, codings): (Vec<_>, Vec<_>) = (values("content-length"), values("transfer-encoding"));
    if !(200..600).contains(&answer.status) || !codings.is_empty() {
        return None;
    }
    match lengths.as_slice() {
        [] => Some(None),
        [length] => digits(length)?.try_into().ok().and_then(|length| head.checked_add(length)).map(Some),
        _ => None,
    }
}

fn read(response: Response<'_>) -> (Option<String>, Result<Granted, ResponseError>) {
    (response.nonce().map(str::to_owned), exchange(response))
}

/// Whether a head is text, from its first byte, and each of its lines ends as RFC 9112 has it.
fn is_plain(head: &[u8]) -> bool {
    let ends = |text: &str, end| text.matches(end).count();
    head.starts_with(b"HTTP/") && str::from_utf8(head).is_ok_and(|text| ends(text, "\n") == ends(text, "\r\n"))
}
