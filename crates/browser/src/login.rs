//! [`Login`]: a login that waits for its redirect, and its text form.

use crate::failure::Failure;
use crate::opaque::opaque;
use crate::values;
use proofkey_core::Pending;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Serialize};
use std::fmt;
use wasm_bindgen::JsValue;
use zeroize::Zeroize;

/// A login that has begun.
pub struct Login {
    url: String,
    pending: String,
}

impl Login {
    pub(crate) fn new(url: String, pending: &Pending) -> Self {
        Self { url, pending: Written(pending).to_string() }
    }

    /// The URL to send the browser to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The secret that the redirect is checked against. Keep it for this login only.
    #[must_use]
    pub fn pending(&self) -> &str {
        &self.pending
    }
}

impl From<Login> for JsValue {
    fn from(login: Login) -> Self {
        values::login(&login.url, &login.pending)
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        self.pending.zeroize();
    }
}

opaque!(Login);

/// Reads the text of [`Login::pending`].
pub(crate) fn read_pending(text: &str) -> Result<Pending, Failure> {
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    Pending::deserialize(text).map_err(|_| Failure::Stored)
}

/// A formatter is serde's smallest serializer: it writes the one string that a pending login is.
struct Written<'a>(&'a Pending);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}
