//! The body of a request: given once, wiped, and known to have been sent or not.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use zeroize::Zeroizing;

/// Whether a request may have left: its body was asked for. Of a request without a body nobody can tell.
pub(crate) struct Sent(Option<Arc<AtomicBool>>);

impl Sent {
    /// It was sent, or may have been.
    pub(crate) const YES: Self = Self(None);

    pub(crate) fn is_possible(&self) -> bool {
        self.0.as_ref().is_none_or(|taken| taken.load(Ordering::Relaxed))
    }
}

/// A body that can be neither cloned nor given twice: whatever a client is set to, it cannot send it again.
pub(crate) fn one_shot(body: Zeroizing<Vec<u8>>) -> (reqwest::Body, Sent) {
    if body.is_empty() {
        return (reqwest::Body::default(), Sent::YES);
    }
    let taken = Arc::new(AtomicBool::new(false));
    let body = OneShot { body: Some(Bytes::from_owner(body)), taken: Arc::clone(&taken) };
    (reqwest::Body::wrap(body), Sent(Some(taken)))
}

struct OneShot {
    body: Option<Bytes>,
    taken: Arc<AtomicBool>,
}

impl Body for OneShot {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.store(true, Ordering::Relaxed);
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX)))
    }
}
