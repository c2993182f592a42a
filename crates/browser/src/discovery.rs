//! From an issuer to its endpoints.

use crate::failure::Failure;
use crate::wire::{Answer, Request, opaque};
use proofkey_core::{Endpoint, Feature, Flow, NoMetadata, Step, Unanswered};
use std::fmt;
use wasm_bindgen::prelude::wasm_bindgen;

/// The search for an issuer's metadata, from one well-known address to the next.
#[wasm_bindgen]
pub struct Discovery {
    issuer: String,
    tried: NoMetadata,
}

#[wasm_bindgen]
impl Discovery {
    /// Begins with the first address.
    ///
    /// # Errors
    /// `config` if the issuer cannot be one.
    #[wasm_bindgen(constructor)]
    pub fn new(issuer: String) -> Result<Self, Failure> {
        let tried = proofkey_core::Discovery::new(&issuer)?.tried();
        Ok(Self { issuer, tried })
    }

    /// The next request; none if all addresses were asked.
    ///
    /// # Errors
    /// None that the constructor did not have.
    pub fn request(&self) -> Result<Option<Request>, Failure> {
        Ok(match self.step()?.step(0) {
            Step::Send(request) => Some(request.into()),
            _ => None,
        })
    }

    /// Reads the answer: none if there is no metadata at this address.
    ///
    /// # Errors
    /// `response` if what is found cannot be used; `server`, `status` if the server is busy or down.
    pub fn read(&mut self, mut answer: Answer) -> Result<Option<Server>, Failure> {
        let mut step = self.step()?;
        let response = answer.as_response();
        if step.hear(&response, 0) {
            return Ok(Some(step.read(response)?.server().into()));
        }
        self.tried = step.tried();
        Ok(None)
    }

    /// There was no answer.
    ///
    /// # Errors
    /// None that the constructor did not have.
    pub fn unanswered(&mut self) -> Result<(), Failure> {
        let mut step = self.step()?;
        step.unanswered(Unanswered::Closed, 0);
        self.tried = step.tried();
        Ok(())
    }

    /// What was tried, in words.
    #[must_use]
    pub fn tried(&self) -> String {
        self.tried.at(&self.issuer).to_string()
    }
}

impl Discovery {
    fn step(&self) -> Result<proofkey_core::Discovery<'_>, Failure> {
        Ok(proofkey_core::Discovery::after(&self.issuer, self.tried.clone())?)
    }
}

/// What an issuer says of itself.
#[wasm_bindgen(getter_with_clone)]
pub struct Server {
    /// The authorization endpoint.
    #[wasm_bindgen(js_name = authorizationEndpoint)]
    pub authorization_endpoint: String,
    /// The token endpoint.
    #[wasm_bindgen(js_name = tokenEndpoint)]
    pub token_endpoint: String,
    /// The revocation endpoint, if there is one.
    #[wasm_bindgen(js_name = revocationEndpoint)]
    pub revocation_endpoint: Option<String>,
    /// Whether every redirect carries `iss`.
    #[wasm_bindgen(js_name = issParameter)]
    pub iss_parameter: bool,
}

impl From<proofkey_core::Server<'_>> for Server {
    fn from(server: proofkey_core::Server<'_>) -> Self {
        Self {
            authorization_endpoint: server.endpoint(Endpoint::Authorization).unwrap_or_default().to_owned(),
            token_endpoint: server.endpoint(Endpoint::Token).unwrap_or_default().to_owned(),
            revocation_endpoint: server.endpoint(Endpoint::Revocation).map(str::to_owned),
            iss_parameter: server.has(Feature::IssParameter),
        }
    }
}

opaque!(Discovery Server);

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer::new(status, Some("application/json".to_owned()), None, None, body.as_bytes().to_vec(), None)
    }

    #[test]
    fn discovery_goes_on_if_there_is_nothing() {
        let found = r#"{"issuer":"https://as.example/t","authorization_endpoint":"https://as.example/a",
            "token_endpoint":"https://as.example/t"}"#;
        let mut discovery = Discovery::new("https://as.example/t".to_owned()).unwrap();
        let first = discovery.request().unwrap().unwrap().url();
        assert!(discovery.read(answer(404, "")).unwrap().is_none());
        assert_ne!(discovery.request().unwrap().unwrap().url(), first);
        discovery.unanswered().unwrap();
        assert_eq!(discovery.read(answer(200, found)).unwrap().unwrap().token_endpoint, "https://as.example/t");
        assert!(discovery.read(answer(200, "{}")).unwrap().is_none());
        assert!(discovery.request().unwrap().is_none());
        assert!(discovery.tried().contains(&format!("{first} answered 404")), "{}", discovery.tried());
        let mut discovery = Discovery::new("https://as.example/t".to_owned()).unwrap();
        assert_eq!(discovery.read(answer(503, "")).unwrap_err().code(), "status");
        assert_eq!(Discovery::new("http://as.example".to_owned()).unwrap_err().code(), "config");
    }
}
