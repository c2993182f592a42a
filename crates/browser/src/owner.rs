//! [`Owner`]: a flow that JavaScript can keep.

use crate::failure::Failure;
use crate::outcome::Outcome;
use proofkey_core::{Flow, Response, Step, TokenRequest};

/// A flow of the core borrows its inputs, and JavaScript cannot keep a borrow. So an owner holds the inputs, and makes the flow
/// of the core anew for each call.
pub(crate) trait Owner {
    /// Makes the flow for this work, and keeps its place afterwards.
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn Flow)) -> Result<(), Failure>;

    /// Reads the last response.
    fn read(&self, response: Response<'_>) -> Result<Outcome, Failure>;

    /// Why there is no response to read, if the flow has ended without one.
    fn over(&self) -> Failure {
        Failure::Over("the request was already sent".to_owned())
    }
}

/// Does this work with a token request that was made anew. Takes and returns whether it is already sent.
pub(crate) fn once(mut request: TokenRequest<'_>, is_sent: bool, work: &mut dyn FnMut(&mut dyn Flow)) -> bool {
    if is_sent {
        request.step(0);
    }
    work(&mut request);
    matches!(request.step(0), Step::Over)
}
