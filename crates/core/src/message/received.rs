//! [`Received`]: a response as its bytes came, for a device without an HTTP library.

use crate::message::Response;

/// Where a response of HTTP/1.x is in the buffer that it was received in: what answers
/// [`Request::write_head`](crate::Request::write_head) (RFC 9112).
///
/// Read from the socket until the server closes the connection, or until all of the [`total`](Self::total) is there.
///
/// ```
/// use proofkey_core::Received;
///
/// let mut buffer = *b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
/// assert!(Received::of(&buffer[..40]).is_none(), "more must come");
/// let received = Received::of(&buffer).ok_or("this is not HTTP")?;
/// assert_eq!(received.total(), Some(buffer.len()));
/// assert_eq!(received.response(&mut buffer).status(), 200);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    status: u16,
    head: usize,
    came: usize,
    total: Option<usize>,
}

impl Received {
    /// Reads the head of what came so far. None if the head is not whole yet; and if it is not of HTTP/1.x, is an interim
    /// response, has a body in chunks, or says a length twice: that is never an answer to a request of HTTP/1.0.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let head = bytes.windows(END.len()).position(|bytes| bytes == END)?.checked_add(END.len())?;
        let mut lines = str::from_utf8(bytes.get(..head)?).ok()?.lines();
        let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
        let status = number(status)?.try_into().ok().filter(|status| (200..600).contains(status))?;
        let mut total = None;
        for (name, value) in pairs(lines) {
            if name.eq_ignore_ascii_case("transfer-encoding") {
                return None;
            }
            if name.eq_ignore_ascii_case("content-length") && total.replace(head.checked_add(number(value)?)?).is_some()
            {
                return None;
            }
        }
        Some(Self { status, head, came: bytes.len(), total })
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The length of the whole response in bytes, head and body. None if the server does not say it: the response ends with the
    /// connection then.
    #[must_use]
    pub const fn total(&self) -> Option<usize> {
        self.total
    }

    /// The response, in the buffer that begins with the bytes it was received in. If some are missing, it is
    /// [cut off](Response::cut_off).
    #[must_use]
    pub fn response<'b>(&self, buffer: &'b mut [u8]) -> Response<'b> {
        let end = self.total.unwrap_or(self.came).min(self.came);
        let bytes = buffer.get_mut(..end).unwrap_or_default();
        let (head, body) = bytes.split_at_mut_checked(self.head).unwrap_or_default();
        let lines = str::from_utf8(head).unwrap_or_default().lines();
        let response = pairs(lines)
            .fold(Response::new(self.status, body), |response, (name, value)| response.with_header(name, value));
        if self.total.is_some_and(|total| total > self.came) { response.cut_off() } else { response }
    }
}

/// Names and values. The status line is not a field that anybody knows.
fn pairs<'b>(lines: core::str::Lines<'b>) -> impl Iterator<Item = (&'b str, &'b str)> {
    let pairs = lines.filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name, value.trim_ascii()))
}

fn number(digits: &str) -> Option<usize> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

const END: &[u8] = b"\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_found_in_what_came() {
        for (bytes, status, total, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, Some(40), "{}"),
            ("HTTP/1.0 404 \r\n\r\nno", 404, None, "no"),
            ("HTTP/1.1 204\r\n\r\n", 204, None, ""),
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}more", 200, Some(40), "{}"),
        ] {
            let received = Received::of(bytes.as_bytes()).expect(bytes);
            assert_eq!((received.status(), received.total()), (status, total), "{bytes}");
            let mut buffer = [0; 64];
            buffer[..bytes.len()].copy_from_slice(bytes.as_bytes());
            let response = received.response(&mut buffer);
            assert!(!response.is_cut());
            assert_eq!((response.status(), &*response.body), (status, body.as_bytes()));
        }
    }

    #[test]
    fn a_head_that_says_two_things_is_no_response() {
        for bytes in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
            "HTTP/1.1 200 OK\n\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 600 Much\r\n\r\n",
            "HTTP/1.1 +200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        ] {
            assert_eq!(Received::of(bytes.as_bytes()), None, "{bytes}");
        }
        assert_eq!(Received::of(b"HTTP/1.1 200 OK\r\nx: \xff\r\n\r\n"), None);
    }

    #[test]
    fn a_response_that_ends_early_is_cut_off() {
        let mut bytes = *b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}";
        let received = Received::of(&bytes).expect("the head is whole");
        assert_eq!(received.total(), Some(bytes.len() + 1));
        assert!(received.response(&mut bytes).is_cut());
        // A buffer that the response did not come in.
        assert_eq!(received.response(&mut []).body, []);
    }

    #[test]
    fn the_fields_are_those_of_the_response() {
        let mut bytes = *b"HTTP/1.1 429 Slow\r\nRetry-After:  7 \r\nno field\r\n\r\n";
        let received = Received::of(&bytes).expect("the head is whole");
        assert_eq!(received.response(&mut bytes).retry_after(), Some(7));
    }
}
