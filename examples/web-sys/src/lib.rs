//! A single-page sign-in: the protocol is `proofkey-core`, the rest is `web-sys`. The tokens live in memory only.
//!
//! ```text
//! cargo build --release --target wasm32-unknown-unknown
//! wasm-bindgen --target web --out-dir pkg target/wasm32-unknown-unknown/release/proofkey_web_sys.wasm
//! ```
//!
//! Then serve this folder, with `index.html` at `/` and at `/callback`, and a policy like that of `examples/spa`.

use getrandom::SysRng;
use js_sys::{Date, Object, Uint8Array};
use proofkey_core::{Client, ClientBuf, Feature, Pending, Redirect, ResponseBuf, Server, TokensBuf};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AbortSignal, Element, Headers, ReadableStreamDefaultReader, ReadableStreamReadResult, ReferrerPolicy, RequestCache,
    RequestCredentials, RequestInit, RequestRedirect, Response, Storage, Window,
};

/// Where the login waits, for this tab alone.
const WAITING: &str = "proofkey pending";
const WAIT_MAX_MS: f64 = 600_000.0;
const DEADLINE_MS: u32 = 30_000;
const BODY_MAX: usize = 1024 * 1024;

struct App {
    window: Window,
    client: ClientBuf,
    api: String,
    tokens: RefCell<Option<TokensBuf>>,
}

/// Runs the page, which was loaded from `address`.
///
/// # Errors
/// Where it is no page of this app.
#[wasm_bindgen]
pub async fn start(address: String) -> Result<(), JsValue> {
    let app = Rc::new(App::new(web_sys::window().ok_or("not a page")?)?);
    let clicked = Rc::clone(&app);
    let on_click = Closure::<dyn FnMut()>::new(move || {
        let app = Rc::clone(&clicked);
        spawn_local(async move { app.show(app.go().await) });
    });
    app.element("#go")?.add_event_listener_with_callback("click", on_click.into_js_value().unchecked_ref())?;
    app.show(app.finish(&address).await);
    Ok(())
}

impl App {
    fn new(window: Window) -> Result<Self, JsValue> {
        let page = window.document().and_then(|document| document.document_element()).ok_or("no page")?;
        let setting = |name| page.get_attribute(name).ok_or(name);
        let (issuer, client_id) = (setting("data-issuer")?, setting("data-client-id")?);
        let (authorize, token) = (format!("{issuer}/connect/authorize"), format!("{issuer}/connect/token"));
        let redirect_uri = format!("{}/callback", window.location().origin()?);
        let server = Server::new(&authorize, &token).with_issuer(&issuer).with_feature(Feature::IssParameter);
        let client = Client::new(&client_id, &redirect_uri, server).map_err(JsError::from)?.into();
        Ok(Self { window, client, api: setting("data-api")?, tokens: RefCell::default() })
    }

    /// Ends the login where this page is the redirect of it.
    async fn finish(&self, address: &str) -> Result<String, JsValue> {
        let (client, redirect) = (self.client.as_client(), Redirect::Url(address));
        let waiting: Option<(f64, Pending)> =
            self.storage()?.get_item(WAITING)?.and_then(|text| serde_json::from_str(&text).ok());
        let Some((begun, pending)) = waiting.filter(|(_, pending)| pending.matches(client, redirect)) else {
            return Ok("You are not signed in.".to_owned());
        };
        self.storage()?.remove_item(WAITING)?;
        if !(0.0..WAIT_MAX_MS).contains(&(Date::now() - begun)) {
            return Err("this login was not finished in time".into());
        }
        let grant = pending.accept(client, redirect).map_err(JsError::from)?;
        let request = grant.request();
        let headers: Vec<_> = request.headers().map(|header| (header.name(), header.value())).collect();
        let mut answer = self.send(&request.url().to_string(), &headers, Some(&request.body())).await?;
        let tokens = grant.read(answer.as_response()).map_err(JsError::from)?.into();
        *self.tokens.borrow_mut() = Some(tokens);
        self.element("#go")?.set_text_content(Some("Ask again"));
        self.go().await
    }

    /// Asks the API, or goes to the sign-in page where there is no token to ask with.
    async fn go(&self) -> Result<String, JsValue> {
        let authorization = self.tokens.borrow().as_ref().map(|tokens| tokens.access_token().authorization().value());
        if let Some(authorization) = authorization {
            let answer = self.send(&self.api, &[("authorization", authorization)], None).await?;
            return Ok(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)));
        }
        let (url, pending) =
            self.client.as_client().authorize(&["itwin-platform"], &mut SysRng).map_err(JsError::from)?;
        let waiting = serde_json::to_string(&(Date::now(), pending)).map_err(JsError::from)?;
        self.storage()?.set_item(WAITING, &waiting)?;
        self.window.location().assign(&url.to_string())?;
        Ok("Going to the sign-in page …".to_owned())
    }

    async fn send(&self, url: &str, fields: &[(&str, String)], body: Option<&str>) -> Result<ResponseBuf, JsValue> {
        let headers = Headers::new()?;
        fields.iter().try_for_each(|(name, value)| headers.append(name, value))?;
        let options = RequestInit::new();
        options.set_method(if body.is_some() { "POST" } else { "GET" });
        options.set_headers_headers(&headers);
        options.set_body_opt_str(body);
        options.set_cache(RequestCache::NoStore);
        options.set_credentials(RequestCredentials::Omit);
        options.set_redirect(RequestRedirect::Error);
        options.set_referrer_policy(ReferrerPolicy::NoReferrer);
        options.set_signal(Some(&AbortSignal::timeout_with_u32(DEADLINE_MS)));
        let response: Response =
            JsFuture::from(self.window.fetch_with_str_and_init(url, &options)).await?.unchecked_into();
        let field = |name: &str| Some((name.to_owned(), response.headers().get(name).ok()??));
        let headers = ["content-type", "date", "retry-after"].into_iter().filter_map(field).collect();
        Ok(ResponseBuf { status: response.status(), headers, body: read(&response).await? })
    }

    fn show(&self, outcome: Result<String, JsValue>) {
        let text = outcome.unwrap_or_else(|error| {
            let error: &Object = error.unchecked_ref();
            format!("This did not work: {}", error.to_string())
        });
        if let Ok(status) = self.element("#status") {
            status.set_text_content(Some(&text));
        }
    }

    fn element(&self, selector: &str) -> Result<Element, JsValue> {
        let document = self.window.document().ok_or("no page")?;
        Ok(document.query_selector(selector)?.ok_or(selector)?)
    }

    fn storage(&self) -> Result<Storage, JsValue> {
        Ok(self.window.session_storage()?.ok_or("no session storage")?)
    }
}

/// The body, counted after decompression.
async fn read(response: &Response) -> Result<Vec<u8>, JsValue> {
    let mut body = Vec::new();
    let Some(stream) = response.body() else { return Ok(body) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    loop {
        let part: ReadableStreamReadResult = JsFuture::from(reader.read()).await?.unchecked_into();
        if part.get_done() == Some(true) {
            return Ok(body);
        }
        body.extend(Uint8Array::new(&part.get_value()).to_vec());
        if body.len() > BODY_MAX {
            return Err("the answer is too long".into());
        }
    }
}
