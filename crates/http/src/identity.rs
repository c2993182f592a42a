//! Who signed in: [`SignedIn`], the userinfo endpoint, and how to sign in again ([`StepUp`]).

use crate::drive::DriveError;
use crate::error::ExchangeError;
use crate::send::{Received, now};
use proofkey_core::{ClaimsBuf, IdTokenRules, Refusal, ResponseBuf, TokensBuf, UserInfoError, UserInfoRequest};
use std::time::SystemTime;

/// The result of a login.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignedIn {
    /// What the server granted.
    pub tokens: TokensBuf,
    /// When the tokens were asked for: their lifetime counts from then on (see [`Lifetime`](proofkey_core::Lifetime)).
    pub requested_at: SystemTime,
    /// Who signed in, by an ID token that was checked. None if the server sent none, as it does unless the scope `openid` is
    /// granted, or if its issuer is not known.
    pub user: Option<ClaimsBuf>,
}

impl SignedIn {
    /// Tokens, and when they were asked for.
    #[must_use]
    pub const fn new(tokens: TokensBuf, requested_at: SystemTime) -> Self {
        Self { tokens, requested_at, user: None }
    }

    /// Adds who signed in.
    #[must_use]
    pub fn with_user(self, user: Option<ClaimsBuf>) -> Self {
        Self { user, ..self }
    }
}

/// Tokens of an exchange that has just been made.
impl From<TokensBuf> for SignedIn {
    fn from(tokens: TokensBuf) -> Self {
        Self::new(tokens, SystemTime::now())
    }
}

/// Tokens that were asked for at this time, and who signed in, if there is an ID token and the issuer is known. An ID token that
/// nobody asked for ends no login.
pub(crate) fn signed_in(
    tokens: TokensBuf,
    rules: &IdTokenRules<'_>,
    is_asked: bool,
    requested_at: SystemTime,
) -> Result<SignedIn, ExchangeError> {
    let token = tokens.id_token().filter(|_| rules.has_issuer());
    let user = match token.map(|token| ClaimsBuf::of_id_token(token, rules, now())).transpose() {
        Err(error) if is_asked => return Err(ExchangeError::IdToken(error)),
        checked => checked.ok().flatten(),
    };
    Ok(SignedIn::new(tokens, requested_at).with_user(user))
}

/// Reads what came of a userinfo request, as [`read_tokens`](crate::read_tokens) does for a token request.
///
/// # Errors
/// [`ExchangeError::UserInfo`], or that there was no answer.
pub fn read_userinfo(
    request: UserInfoRequest<'_>,
    driven: Result<Received, DriveError>,
) -> Result<ClaimsBuf, ExchangeError> {
    let (mut answer, whole) = driven?;
    whole.map_err(ExchangeError::Transport)?;
    ClaimsBuf::of_userinfo(request, answer.as_response()).map_err(|error| match error {
        UserInfoError::Response(error) => ExchangeError::Response(error),
        error => ExchangeError::UserInfo(error),
    })
}

/// How an API wants the user to sign in again (RFC 9470): better, or more recently.
///
/// ```no_run
/// # fn example(step_up: proofkey_http::StepUp, client: proofkey_core::Client<'_>) {
/// let extra = step_up.extra();
/// let login = proofkey_http::Login::new(client, &["openid"]).with_extra(&extra);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    acr_values: Option<String>,
    max_age: Option<String>,
}

impl StepUp {
    /// What a response of an API says; none if it is about something else.
    #[must_use]
    pub fn of(response: &ResponseBuf) -> Option<Self> {
        match Refusal::of(response.status, response.headers("www-authenticate")) {
            Some(Refusal::InsufficientAuthentication { acr_values, max_age }) => Some(Self {
                acr_values: acr_values.map(|values| values.to_string()).filter(|values| !values.is_empty()),
                max_age: max_age.map(|seconds| seconds.to_string()),
            }),
            _ => None,
        }
    }

    /// The ways to sign in that the API takes, the preferred one first, separated by spaces. Check the
    /// [`acr`](proofkey_core::Claims::acr) of the next login: a server may do less.
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.acr_values.as_deref()
    }

    /// How many seconds ago the user may have signed in.
    #[must_use]
    pub fn max_age(&self) -> Option<u32> {
        self.max_age.as_ref().and_then(|seconds| seconds.parse().ok())
    }

    /// The parameters for the next login: `acr_values` and `max_age`, as far as the API names them.
    #[must_use]
    pub fn extra(&self) -> Vec<(&str, &str)> {
        let parts = [("acr_values", &self.acr_values), ("max_age", &self.max_age)];
        parts.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}
