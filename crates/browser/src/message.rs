//! [`Request`] and [`Response`]: the HTTP messages that JavaScript sends and receives.

use crate::opaque::opaque;
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroize;

/// A request to send.
#[wasm_bindgen(js_name = HttpRequest)]
pub struct Request {
    method: &'static str,
    url: String,
    headers: Vec<String>,
    body: Option<String>,
}

#[wasm_bindgen(js_class = HttpRequest)]
impl Request {
    /// The method.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn method(&self) -> String {
        self.method.to_owned()
    }

    /// The URL.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The header fields: names and values alternate.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn headers(&self) -> Vec<String> {
        self.headers.clone()
    }

    /// The form to post, which holds secrets. A GET has none.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn body(&self) -> Option<String> {
        self.body.clone()
    }
}

impl From<proofkey_core::Request<'_>> for Request {
    fn from(request: proofkey_core::Request<'_>) -> Self {
        // Browsers set this one themselves.
        let headers = request.headers().filter(|header| header.name() != "accept-encoding");
        Self {
            method: request.method().as_str(),
            url: request.url().to_string(),
            headers: headers.flat_map(|header| [header.name().to_owned(), header.value()]).collect(),
            body: Some(request.body()).filter(|body| !body.is_empty()),
        }
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
    headers: Vec<String>,
    body: Vec<u8>,
    is_cut: bool,
}

#[wasm_bindgen(js_class = HttpResponse)]
impl Response {
    /// A response with all its header fields: names and values alternate. `is_cut` says that the body is not whole.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(status: u16, headers: Vec<String>, body: Vec<u8>, is_cut: bool) -> Self {
        Self { status, headers, body, is_cut }
    }
}

impl Response {
    /// The response as the core reads it. Reading overwrites the body.
    pub(crate) fn as_core(&mut self) -> proofkey_core::Response<'_> {
        let (headers, _) = self.headers.as_chunks();
        let response = proofkey_core::Response::new(self.status, &mut self.body);
        let response = headers.iter().fold(response, |response, [name, value]| response.with_header(name, value));
        if self.is_cut { response.cut_off() } else { response }
    }
}

impl Drop for Response {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

opaque!(Request Response);
