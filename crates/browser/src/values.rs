//! What JavaScript gets: plain objects, which need no class and nobody to free them.

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(raw_module = "../values.js")]
extern "C" {
    pub(crate) fn kept(refresh_token: Option<&str>, event: u32, tokens: JsValue, error: JsValue) -> JsValue;
    pub(crate) fn login(url: &str, pending: &str) -> JsValue;
    pub(crate) fn send(method: &str, url: &str, headers: &str, body: Option<&str>) -> JsValue;
    pub(crate) fn server(settings: &str) -> JsValue;
    pub(crate) fn tokens(
        access_token: &str,
        refresh_token: Option<&str>,
        expires_in: Option<u32>,
        scope: Option<&str>,
        id_token: Option<&str>,
    ) -> JsValue;
    pub(crate) fn wait(seconds: u32) -> JsValue;
}
