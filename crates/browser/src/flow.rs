//! [`Flow`]: how JavaScript drives every flow. What differs from flow to flow is in the modules below.

mod discovery;
mod grant;
mod refresh;
mod revocation;

pub(crate) use grant::Grant;
pub(crate) use refresh::Refresh;
pub(crate) use revocation::Revocation;

use crate::failure::Failure;
use crate::message::{Request, Response};
use crate::opaque::opaque;
use crate::outcome::Outcome;
use crate::owner::Owner;
use crate::values;
use discovery::Discovery;
use proofkey_core::Unanswered;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A flow of one request or several. Times are in seconds since 1970.
#[wasm_bindgen]
pub struct Flow(Box<dyn Owner>);

#[wasm_bindgen]
impl Flow {
    /// Searches for an issuer's metadata.
    ///
    /// # Errors
    /// `config` if this is not an issuer.
    pub fn discovery(issuer: String) -> Result<Self, Failure> {
        Ok(Self::of(Discovery::new(issuer)?))
    }

    /// What to do next. Undefined if the flow has ended without a response to read.
    ///
    /// # Errors
    /// `config` if an input cannot be used.
    pub fn step(&mut self, now: f64) -> Result<JsValue, Failure> {
        Ok(match self.next(now)? {
            Some(Step::Send(request)) => request.into(),
            Some(Step::Wait(seconds)) => values::wait(seconds),
            None => JsValue::UNDEFINED,
        })
    }

    /// Takes a response, and says whether it is the last one.
    ///
    /// # Errors
    /// `config` if an input cannot be used.
    pub fn hear(&mut self, response: &mut Response, now: f64) -> Result<bool, Failure> {
        let mut is_last = true;
        self.0.with(&mut |flow| is_last = flow.hear(&response.as_core(), now as u64))?;
        Ok(is_last)
    }

    /// Takes the news that a request got no response, and says whether to go on. `is_closed`: the connection failed or was
    /// closed.
    ///
    /// # Errors
    /// `config` if an input cannot be used.
    pub fn unanswered(&mut self, is_closed: bool, now: f64) -> Result<bool, Failure> {
        let why = if is_closed { Unanswered::Closed } else { Unanswered::Lost };
        let mut goes_on = false;
        self.0.with(&mut |flow| goes_on = flow.unanswered(why, now as u64))?;
        Ok(goes_on)
    }

    /// Reads the last response.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub fn read(&self, response: &mut Response) -> Result<JsValue, Failure> {
        self.outcome(response).map(JsValue::from)
    }

    /// Why there is no response to read, if the flow has ended without one.
    #[must_use]
    pub fn over(&self) -> JsValue {
        self.why_over().into()
    }
}

impl Flow {
    pub(crate) fn of(owner: impl Owner + 'static) -> Self {
        Self(Box::new(owner))
    }

    /// [`step`](Self::step) for Rust.
    ///
    /// # Errors
    /// `config` if an input cannot be used.
    pub fn next(&mut self, now: f64) -> Result<Option<Step>, Failure> {
        let mut next = None;
        self.0.with(&mut |flow| {
            next = match flow.step(now as u64) {
                proofkey_core::Step::Send(request) => Some(Step::Send(request.into())),
                proofkey_core::Step::Wait(seconds) => Some(Step::Wait(seconds)),
                _ => None,
            }
        })?;
        Ok(next)
    }

    /// [`read`](Self::read) for Rust.
    ///
    /// # Errors
    /// `response`, `server`, `status`.
    pub fn outcome(&self, response: &mut Response) -> Result<Outcome, Failure> {
        self.0.read(response.as_core())
    }

    /// [`over`](Self::over) for Rust.
    #[must_use]
    pub fn why_over(&self) -> Failure {
        self.0.over()
    }
}

/// What a flow needs next.
#[derive(Debug)]
pub enum Step {
    /// A request sent.
    Send(Request),
    /// A pause, in seconds.
    Wait(u32),
}

opaque!(Flow);
