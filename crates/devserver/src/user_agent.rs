//! A user and a browser in one: presses the buttons of the real sign-in and consent pages without a browser.

use std::collections::BTreeMap;
use std::time::Duration;
use std::{error, fmt};
use ureq::Agent;
use ureq::http::{Response, header};
use url::{Host, Url};

/// The user's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Signs in and allows.
    Allow,
    /// Cancels the sign-in, or denies if already signed in.
    Cancel,
    /// Signs in and denies.
    Deny,
}

/// How a visit ended.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The redirect URI with the answer. None if the server did not redirect there.
    pub callback: Option<String>,
    /// The status of the last page.
    pub status: u16,
    /// The last page. Empty if the redirect URI is not on loopback and so was not visited.
    pub page: String,
    /// The user's actions, in plain words.
    pub steps: Vec<String>,
}

/// Why the visit could not be finished.
#[derive(Debug)]
pub enum UserAgentError {
    /// A request failed.
    Http(ureq::Error),
    /// A page led away from loopback, or to something that is not a URL.
    Led(String),
    /// There were more than 20 pages and redirects.
    TooMany,
}

/// A browser with cookies. It goes to loopback addresses only.
///
/// ```
/// use proofkey_devserver::user_agent::{Decision, UserAgent};
/// use proofkey_devserver::{ClientRegistration, DevServer, Options};
///
/// let redirect_uris = vec!["https://app.example/callback".to_owned()];
/// let client = ClientRegistration { client_id: "my-app".to_owned(), redirect_uris, ..ClientRegistration::default() };
/// let server = DevServer::start(Options { clients: vec![client], ..Options::default() })?;
/// let url = format!(
///     "{}?response_type=code&client_id=my-app&redirect_uri=https://app.example/callback&state=xyz\
///      &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
///     server.authorization_endpoint(),
/// );
/// let visit = UserAgent::new().run(&url, Decision::Allow)?;
/// assert!(visit.callback.is_some_and(|url| url.starts_with("https://app.example/callback?code=")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct UserAgent {
    agent: Agent,
    cookies: BTreeMap<(String, String), String>,
    user: String,
}

impl Default for UserAgent {
    fn default() -> Self {
        Self::new()
    }
}

impl UserAgent {
    /// A browser without cookies.
    #[must_use]
    pub fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { agent: config.new_agent(), cookies: BTreeMap::new(), user: "alice".to_owned() }
    }

    /// The same browser with another user in front of it, who signs in with this name.
    #[must_use]
    pub fn as_user(self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self }
    }

    /// Opens the authorization URL, signs in as `alice` or as the [user](Self::as_user) who was given, and goes on to the
    /// redirect URI that it names, also that of a sign-out. If its parameters were pushed, that is the first URL at another origin.
    ///
    /// # Errors
    /// [`UserAgentError`].
    pub fn run(&mut self, authorization_url: &str, decision: Decision) -> Result<Visit, UserAgentError> {
        let mut url = parse(authorization_url)?;
        let redirect_uri = url
            .query_pairs()
            .find(|(name, _)| name == "redirect_uri" || name == "post_logout_redirect_uri")
            .map(|(_, uri)| uri.into_owned());
        let redirect_uri = redirect_uri.and_then(|uri| Url::parse(&uri).ok()).map(String::from).unwrap_or_default();
        let server = url.origin();
        let is_pushed = url.query_pairs().any(|(name, _)| name == "request_uri");
        let arrives = |url: &Url| match redirect_uri.as_str() {
            "" => is_pushed && url.origin() != server,
            redirect_uri => url
                .as_str()
                .strip_prefix(redirect_uri)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '&'])),
        };
        self.visit(&mut url, arrives, decision, None)
    }

    /// Opens the page where a device's user confirms, types the code that the device shows, and decides as the user `alice`.
    /// A code that is not taken is not typed again.
    ///
    /// # Errors
    /// [`UserAgentError`].
    pub fn confirm(
        &mut self,
        verification_uri: &str,
        user_code: &str,
        decision: Decision,
    ) -> Result<Visit, UserAgentError> {
        self.visit(&mut parse(verification_uri)?, |_| false, decision, Some(user_code))
    }

    fn visit(
        &mut self,
        url: &mut Url,
        arrives: impl Fn(&Url) -> bool,
        decision: Decision,
        mut code: Option<&str>,
    ) -> Result<Visit, UserAgentError> {
        let (mut form, mut steps) = (None, Vec::new());
        for _ in 0..STEPS_MAX {
            let arrived = arrives(url);
            let callback = arrived.then(|| url.to_string());
            if callback.is_some() {
                steps.push("back to the application".to_owned());
                if !is_loopback(url) {
                    return Ok(Visit { callback, status: 0, page: String::new(), steps });
                }
            }
            let mut response = self.fetch(url, form.take())?;
            let status = response.status().as_u16();
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            if let Some(location) = location.filter(|_| (300..400).contains(&status)) {
                *url = url.join(location).map_err(|_| UserAgentError::Led(location.to_owned()))?;
                continue;
            }
            let page = response.body_mut().read_to_string().map_err(UserAgentError::Http)?;
            let pressed = if arrived { None } else { press(&page, decision, &self.user, &mut code) };
            let Some(pressed) = pressed else { return Ok(Visit { callback, status, page, steps }) };
            steps.push(pressed.step);
            *url = url.join(&pressed.action).map_err(|_| UserAgentError::Led(pressed.action))?;
            form = pressed.fields;
        }
        Err(UserAgentError::TooMany)
    }

    fn fetch(
        &mut self,
        url: &Url,
        form: Option<Vec<(String, String)>>,
    ) -> Result<Response<ureq::Body>, UserAgentError> {
        if !is_loopback(url) {
            return Err(UserAgentError::Led(url.to_string()));
        }
        let origin = url.origin().ascii_serialization();
        let cookies = self.cookies.range((origin.clone(), String::new())..).take_while(|((of, _), _)| *of == origin);
        let cookies: Vec<_> = cookies.map(|((_, name), value)| format!("{name}={value}")).collect();
        let response = match form {
            None => self.agent.get(url.as_str()).header("cookie", cookies.join("; ")).call(),
            Some(fields) => self.agent.post(url.as_str()).header("cookie", cookies.join("; ")).send_form(fields),
        };
        let response = response.map_err(UserAgentError::Http)?;
        for cookie in response.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            if let Some((name, value)) = cookie.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies.insert((origin.clone(), name.trim().to_owned()), value.trim().to_owned());
            }
        }
        Ok(response)
    }
}

/// The user's next action on a page: to send its form, or to follow a link.
struct Pressed {
    step: String,
    action: String,
    fields: Option<Vec<(String, String)>>,
}

/// Reads the first form of a page: ours, or a development page of npm's `oidc-provider`. The code of a device is typed once.
fn press(page: &str, decision: Decision, user: &str, code: &mut Option<&str>) -> Option<Pressed> {
    let form = page.split("<form").nth(1)?.split("</form>").next()?;
    let (head, body) = form.split_once('>')?;
    let tags = || body.split('<').filter_map(|tag| tag.split('>').next());
    let asks_code = tags().any(|tag| attribute(tag, "name").as_deref() == Some("user_code") && !is_hidden(tag));
    let sign_in = body.contains("type=\"password\"");
    let cancel = !asks_code && if sign_in { decision == Decision::Cancel } else { decision != Decision::Allow };
    let (place, buttons) = match (asks_code, sign_in) {
        (true, _) => ("code page", ["continue", "continue"]),
        (_, true) => ("sign-in page", ["sign-in", "cancel"]),
        _ => ("consent page", ["allow", "deny"]),
    };
    let mut links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let abort =
        links.find(|link| link.ends_with("/abort")).filter(|_| decision != Decision::Allow && (cancel || !sign_in));
    if let Some(link) = abort {
        return Some(Pressed { step: format!("{place}: pressed cancel"), action: unescape(link), fields: None });
    }
    let mut fields = Vec::new();
    let mut step = format!("{place}: pressed the button");
    for tag in tags() {
        let name = attribute(tag, "name").unwrap_or_default();
        let value = attribute(tag, "value").unwrap_or_default();
        let wanted = buttons.get(usize::from(cancel)).is_some_and(|button| *button == value);
        if tag.starts_with("button") && wanted && !name.is_empty() {
            step = format!("{place}: pressed “{value}”");
            fields.push((name, value));
        } else if tag.starts_with("input") && !name.is_empty() {
            let value = match attribute(tag, "type").as_deref() {
                Some("hidden") => value,
                Some("password") => "any password".to_owned(),
                _ if name == "user_code" => code.take()?.to_owned(),
                _ => user.to_owned(),
            };
            fields.push((name, value));
        }
    }
    // The button stands outside of the form, at the end of the page.
    if cancel && page.contains("name=\"abort\"") {
        step = format!("{place}: pressed cancel");
        fields.push(("abort".to_owned(), "yes".to_owned()));
    }
    let action = attribute(head, "action").unwrap_or_default();
    Some(Pressed { step, action, fields: Some(fields) })
}

fn is_hidden(tag: &str) -> bool {
    attribute(tag, "type").as_deref() == Some("hidden")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    rest.split('"').next().map(unescape)
}

fn unescape(text: &str) -> String {
    let named = [("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter))
}

fn is_loopback(url: &Url) -> bool {
    let host = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    host && url.scheme() == "http"
}

fn parse(url: &str) -> Result<Url, UserAgentError> {
    Url::parse(url).map_err(|_| UserAgentError::Led(url.to_owned()))
}

impl fmt::Display for UserAgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => write!(f, "a page could not be fetched: {error}"),
            Self::Led(url) => write!(f, "the pages led to {url}, which is not on this machine"),
            Self::TooMany => f.write_str("there were too many pages and redirects"),
        }
    }
}

impl error::Error for UserAgentError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Http(error) => Some(error),
            Self::Led(_) | Self::TooMany => None,
        }
    }
}

const STEPS_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_filled_in_and_pressed() {
        let page = r#"<p><form method="post" action="/go?a=1&amp;b=2"><input type="hidden" name="csrf" value="x&quot;y">
            <input name="username"><input type="password" name="password">
            <button name="action" value="sign-in">Sign in</button><button name="action" value="cancel">No</button></form>"#;
        let pressed = press(page, Decision::Allow, "alice", &mut None).unwrap();
        assert_eq!(pressed.action, "/go?a=1&b=2");
        let expected = [("csrf", "x\"y"), ("username", "alice"), ("password", "any password"), ("action", "sign-in")];
        let fields = pressed.fields.unwrap();
        assert!(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
        let cancelled = press(page, Decision::Cancel, "alice", &mut None).unwrap().fields.unwrap();
        assert_eq!(cancelled.last().unwrap().1, "cancel");
        assert!(press("<p>nothing to press</p>", Decision::Allow, "alice", &mut None).is_none());
    }

    #[test]
    fn a_page_can_be_left_by_its_link() {
        let page = |kind: &str| {
            format!(
                r#"<form method="post" action="/go"><input type="{kind}" name="x"><button>Continue</button></form>
                <a href="/elsewhere">Help</a><a href="/go/abort">Cancel</a>"#
            )
        };
        for (kind, decision, step, action) in [
            ("password", Decision::Allow, "sign-in page: pressed the button", "/go"),
            ("password", Decision::Deny, "sign-in page: pressed the button", "/go"),
            ("password", Decision::Cancel, "sign-in page: pressed cancel", "/go/abort"),
            ("hidden", Decision::Allow, "consent page: pressed the button", "/go"),
            ("hidden", Decision::Deny, "consent page: pressed cancel", "/go/abort"),
            ("hidden", Decision::Cancel, "consent page: pressed cancel", "/go/abort"),
        ] {
            let pressed = press(&page(kind), decision, "alice", &mut None).unwrap();
            let fields = pressed.fields.map(|fields| fields.len());
            assert_eq!((pressed.step.as_str(), pressed.action.as_str()), (step, action), "{kind} {decision:?}");
            assert_eq!(fields, (action == "/go").then_some(1), "{kind} {decision:?}");
        }
    }

    #[test]
    fn links_away_from_this_machine_are_not_followed() {
        let led = UserAgent::new().run("https://as.example/?redirect_uri=http://127.0.0.1/callback", Decision::Allow);
        let led = led.unwrap_err();
        assert!(
            matches!(led, UserAgentError::Led(_)) && led.to_string().contains("led to https://as.example/"),
            "{led}"
        );
        for (url, ours) in [
            ("http://localhost:1/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:1/", true),
            ("https://localhost/", false),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
            ("http://[::2]/", false),
            ("http:opaque", false),
            ("data:text", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), ours, "{url}");
        }
    }
}
