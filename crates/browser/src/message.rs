//! [`Request`] and [`Response`]: the HTTP messages that JavaScript sends and receives.

use crate::opaque::opaque;
use crate::parts::Parts;
use crate::values;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroize;

/// A request to send.
pub struct Request {
    method: &'static str,
    url: String,
    headers: String,
    body: Option<String>,
}

impl Request {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The header fields, each as `name:value` and a line feed.
    #[must_use]
    pub fn headers(&self) -> &str {
        &self.headers
    }

    /// The form to post, which holds secrets. A GET has none.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

impl From<proofkey_core::Request<'_>> for Request {
    fn from(request: proofkey_core::Request<'_>) -> Self {
        let mut headers = String::new();
        for header in request.headers() {
            // Browsers set this one themselves.
            if header.name() != "accept-encoding" {
                for part in [header.name(), ":", &header.value(), "\n"] {
                    headers.push_str(part);
                }
            }
        }
        Self {
            method: request.method().as_str(),
            url: request.url().to_string(),
            headers,
            body: Some(request.body()).filter(|body| !body.is_empty()),
        }
    }
}

impl From<Request> for JsValue {
    fn from(request: Request) -> Self {
        values::send(request.method, &request.url, &request.headers, request.body())
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.headers.zeroize();
        self.body.zeroize();
    }
}

/// A response, whatever its status.
#[wasm_bindgen(js_name = HttpResponse)]
pub struct Response {
    status: u16,
    headers: String,
    body: Vec<u8>,
    is_cut: bool,
}

#[wasm_bindgen(js_class = HttpResponse)]
impl Response {
    /// A response with all its header fields: names and values alternate, each in a line of its own. `is_cut` says that the
    /// body is not whole.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(status: u16, headers: String, body: Vec<u8>, is_cut: bool) -> Self {
        Self { status, headers, body, is_cut }
    }
}

impl Response {
    /// The response as the core reads it. Reading overwrites the body.
    pub(crate) fn as_core(&mut self) -> proofkey_core::Response<'_> {
        let mut response = proofkey_core::Response::new(self.status, &mut self.body);
        let mut lines = Parts::of(&self.headers, b'\n');
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            response = response.with_header(name, value);
        }
        if self.is_cut { response.cut_off() } else { response }
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

opaque!(Request Response);
