//! What to do about a failure.

/// What to do now about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Something is configured or programmed wrongly, here or at the server: trying again changes nothing.
    Fix,
    /// The user has to sign in again, with a fresh [`Client::authorize`](crate::Client::authorize).
    Reauthorize,
    /// The server is busy or down. Try again after so many seconds, or after a pause of your own if it names none.
    Retry {
        /// Seconds, from the `Retry-After` header; at most a day.
        after: Option<u32>,
    },
}

impl Advice {
    /// What a status without an OAuth error calls for.
    pub(super) const fn of_status(status: u16, retry_after: Option<u32>) -> Self {
        match status {
            429 | 500..=599 => Self::Retry { after: retry_after },
            _ => Self::Fix,
        }
    }

    /// What an error code of the server calls for.
    pub(super) fn of_code(code: &str, status: u16, retry_after: Option<u32>) -> Self {
        match code {
            "access_denied"
            | "account_selection_required"
            // Entra's for a device.
            | "authorization_declined"
            | "consent_required"
            | "expired_token"
            | "interaction_required"
            | "invalid_grant"
            // What was pushed has expired.
            | "invalid_request_uri"
            | "login_required" => Self::Reauthorize,
            "server_error" | "temporarily_unavailable" => Self::Retry { after: retry_after },
            _ => Self::of_status(status, retry_after),
        }
    }
}
