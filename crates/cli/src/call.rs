//! `proofkey call`: an API request with the access token.

mod body;

use crate::args::{self, Select};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::hosts::Target;
use crate::logins::Login;
use crate::network::Network;
use crate::provider::Provider;
use crate::session::InUse;
use crate::settings::Choice;
use crate::{output, time};
use body::Body;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};
use proofkey_core::{Refusal, ResponseBuf, challenges};
use proofkey_ureq::{StepUp, Token, is_stale};
use serde::Serialize;
use std::fmt::{self, Write as _};
use std::io::{Read, Write};
use std::time::Duration;

/// Calls the API, and explains a refusal.
///
/// # Errors
/// [`Kind::ApiRefused`] for a status of 400 or more, once the body is written.
pub fn run(args: &args::Call, select: &Select, config: &Config) -> Result<(), Failure> {
    if args.json && (args.include || args.output.is_some()) {
        return Err(Kind::Configuration.because("--json cannot be combined with --include or --output"));
    }
    let network = &Network::of(&args.network, config, &select.profile)?;
    let login = Login::load(&config.name(select), config)?;
    check_target(args, &login, config)?;
    let request = request(args)?;
    let mut login = InUse::new(login, network)?;
    let token = login.token(0)?;
    let http = login.login.signing(network.http_within(Duration::from_secs(args.timeout.into())))?;
    let send = |token: &Token, request| {
        http.call(request, token.access_token()).map_err(|error| Failure::from(error).at(&args.url))
    };
    let mut response = send(&token, request.clone())?;
    if is_stale(&response)
        && let Some(newer) = login.renewed(&token)?
    {
        response = send(&newer, request)?;
    }
    write(args, &response)?;
    explain(&response, &login.login)
}

/// A token that was issued a moment ago is not renewed: the next one would be refused too.
fn is_new(login: &Login) -> bool {
    time::now().checked_sub(login.record.requested_at).is_some_and(|age| age < NEW)
}

/// The token goes only to hosts that were allowed, and over no connection that others can read.
fn check_target(args: &args::Call, login: &Login, config: &Config) -> Result<(), Failure> {
    let url = &args.url;
    let target = Target::of(url).ok_or_else(|| {
        Kind::Configuration.because(format_args!("`{url}` is not a full URL")).advise("write https://HOST/PATH")
    })?;
    if !target.is_private() {
        return Err(Kind::Configuration
            .because(format_args!("`{url}` is plain http: anyone on the network could read the token"))
            .advise("write https://"));
    }
    let profile = &login.name.profile;
    let configured = config.profile(profile).api_hosts;
    let allowed = login.settings.api_hosts.iter().chain(&configured).chain(&args.api_host);
    if target.is_allowed(allowed, login.token_endpoint()) {
        return Ok(());
    }
    let host = target.api_host();
    Err(Kind::Configuration.because(format_args!("profile `{profile}` does not send its token to {host}")).advise(
        format_args!(
            "if you trust {host} with it, add --api-host {host} this once, or for good:\n  \
             `api_hosts = [\"{host}\"]` under [profile.{profile}] in {}",
            config.place()
        ),
    ))
}

fn request(args: &args::Call) -> Result<Request<Vec<u8>>, Failure> {
    let mut headers = HeaderMap::new();
    for header in &args.header {
        let (name, value) = header_of(header)?;
        headers.append(name, value);
    }
    let method = match args.method.as_deref() {
        Some(method) => {
            method.parse().map_err(|_| Kind::Configuration.because(format_args!("`{method}` is not an HTTP method")))?
        }
        None if args.data.is_some() => Method::POST,
        None => Method::GET,
    };
    let body = args.data.as_deref().map(body_of).transpose()?;
    if body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let mut request = Request::builder()
        .method(method)
        .uri(&args.url)
        .body(body.unwrap_or_default())
        .map_err(|error| Kind::Configuration.because(error))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn header_of(text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let fault = |what: &str| Kind::Configuration.because(format_args!("--header: {what}"));
    let (name, value) = text.split_once(':').ok_or_else(|| fault("write `Name: value`"))?;
    let name: HeaderName = name.trim().parse().map_err(|_| fault("this is not the name of a header"))?;
    if OURS.contains(&name.as_str()) {
        return Err(fault(&format!("`{name}` is set by proofkey itself")));
    }
    let value =
        value.trim().parse().map_err(|_| fault(&format!("the value of `{name}` cannot be sent in a header")))?;
    Ok((name, value))
}

fn body_of(data: &str) -> Result<Vec<u8>, Failure> {
    let fault = |place: &str, error| Kind::Configuration.because(format_args!("--data {place}: {error}"));
    match data.strip_prefix('@') {
        None => Ok(data.as_bytes().to_vec()),
        Some("-") => {
            let mut body = Vec::new();
            std::io::stdin().lock().read_to_end(&mut body).map_err(|error| fault("@-", error))?;
            Ok(body)
        }
        Some(file) => std::fs::read(file).map_err(|error| fault(data, error)),
    }
}

fn write(args: &args::Call, response: &ResponseBuf) -> Result<(), Failure> {
    if args.json {
        return output::json(&Answer::of(response));
    }
    if args.include {
        let mut head = format!("HTTP {}\n", response.status);
        for (name, value) in &response.headers {
            head.extend([name, ": ", &value.replace(char::is_control, "?"), "\n"]);
        }
        output::line(head)?;
    }
    match &args.output {
        None => output::body(&response.body),
        Some(path) => std::fs::File::create(path)
            .and_then(|mut file| file.write_all(&response.body))
            .map_err(|error| Kind::Unexpected.because(format_args!("{}: {error}", path.display()))),
    }
}

#[derive(Serialize)]
struct Answer<'r> {
    status: u16,
    /// Names and values in the order of arrival.
    headers: &'r [(String, String)],
    #[serde(flatten)]
    body: Body<'r>,
}

impl<'r> Answer<'r> {
    fn of(response: &'r ResponseBuf) -> Self {
        Self { status: response.status, headers: &response.headers, body: Body::of(response) }
    }
}

/// Maps the status of the API to the outcome of the command.
fn explain(response: &ResponseBuf, login: &Login) -> Result<(), Failure> {
    let status = response.status;
    if (300..400).contains(&status) && status != 304 {
        let place = response.header("location").unwrap_or("nowhere");
        output::warn(format_args!(
            "the API redirects ({status}) to {}; proofkey does not follow redirects",
            Word(place)
        ));
    }
    if status < 400 {
        return Ok(());
    }
    let refused = Kind::ApiRefused.because(format_args!("the API refused the call ({status})"));
    let Some(refusal) = Refusal::of(status, response.headers("www-authenticate")) else { return Err(refused) };
    let sign_in = format!("sign in again with `{}", login.name.command("login"));
    Err(refused.advise(match refusal {
        Refusal::InsufficientScope { scope: Some(missing) } => {
            let missing = missing.to_string();
            let mut all = login.scope();
            all.extend(missing.split(' ').filter(|word| !login.scope().contains(word)));
            let all = all.join(" ");
            format!("the token lacks the scope `{}`; {sign_in} --scope '{}'`", Word(&missing), Word(&all))
        }
        Refusal::InsufficientScope { scope: None } => {
            format!("the token lacks a scope, which the API does not name; {sign_in} --scope SCOPE`")
        }
        Refusal::InvalidRequest => "the request is wrong, not the token: see the body of the answer".to_owned(),
        Refusal::InvalidToken if is_new(login) => format!(
            "the API does not accept this token, although it is new: check that the API belongs to {} and that the scope is \
             right",
            login.settings.server.name()
        ),
        Refusal::InvalidToken => format!("the API does not accept this token; {sign_in}`"),
        Refusal::InsufficientAuthentication { .. } => {
            let step_up = StepUp::of(response).unwrap_or_default();
            let extra = |(name, value): &(&str, &str)| match Word(value).to_string() {
                value if value.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._~:/+".contains(c)) => {
                    format!(" --extra '{name}={value}'")
                }
                value => format!(" --extra {name}={value}"),
            };
            let extra: String = step_up.extra().iter().map(extra).collect();
            match extra.as_str() {
                "" => format!("the API wants you to sign in again; {sign_in}`"),
                extra => format!("the API wants you to sign in more recently or in another way; {sign_in}{extra}`"),
            }
        }
        Refusal::Forbidden if login.settings.server == Choice::Provider(Provider::Itwin) => {
            "the API forbids this call; its answer may say why. You may lack a permission: those on an iTwin are managed \
             with the Access Control API"
                .to_owned()
        }
        Refusal::Forbidden => "the API forbids this call; its answer may say why".to_owned(),
        Refusal::OtherScheme => {
            let schemes: Vec<_> = response.headers("www-authenticate").flat_map(challenges).map(|one| one.scheme()).collect();
            format!("the API wants {} authentication here, and no access token", Word(&schemes.join(" or ")))
        }
        other => other.to_string(),
    }))
}

/// Text from an API, without characters that control a terminal or a shell.
struct Word<'t>(&'t str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let harmless = |c: char| if c.is_ascii_graphic() && !matches!(c, '\'' | '\\') { c } else { '?' };
        self.0.chars().take(500).try_for_each(|c| f.write_char(if c == ' ' { c } else { harmless(c) }))
    }
}

/// Seconds.
const NEW: u64 = 60;
const OURS: [&str; 7] =
    ["authorization", "connection", "content-length", "host", "proxy-authorization", "te", "transfer-encoding"];
