//! [`Endpoint`] and [`Feature`]: the names that checks, metadata, owned forms and texts share.

use core::fmt;

/// An endpoint of an authorization server (RFC 6749 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// Where the user signs in, in the browser (RFC 6749 section 3.1).
    Authorization,
    /// Where a device without a browser begins a login (RFC 8628 section 3.1).
    DeviceAuthorization,
    /// Where the browser signs the user out (OpenID Connect RP-Initiated Logout 1.0 section 2).
    EndSession,
    /// Where the parameters of a login are sent before the browser is (RFC 9126 section 2).
    PushedAuthorization,
    /// Where tokens are revoked (RFC 7009 section 2).
    Revocation,
    /// Where tokens are granted (RFC 6749 section 3.2).
    Token,
    /// Where the user's name and address are read (OpenID Connect Core 1.0 section 5.3).
    UserInfo,
}

impl Endpoint {
    /// Every endpoint, in the order of the variants.
    pub const ALL: &'static [Self] = &[
        Self::Authorization,
        Self::DeviceAuthorization,
        Self::EndSession,
        Self::PushedAuthorization,
        Self::Revocation,
        Self::Token,
        Self::UserInfo,
    ];

    /// Its name in metadata, which configuration files and records use as well (RFC 8414 section 2).
    ///
    /// ```
    /// assert_eq!(proofkey_core::Endpoint::Token.name(), "token_endpoint");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorization => "authorization_endpoint",
            Self::DeviceAuthorization => "device_authorization_endpoint",
            Self::EndSession => "end_session_endpoint",
            Self::PushedAuthorization => "pushed_authorization_request_endpoint",
            Self::Revocation => "revocation_endpoint",
            Self::Token => "token_endpoint",
            Self::UserInfo => "userinfo_endpoint",
        }
    }

    /// Whether no login in a browser is possible without it.
    pub(crate) const fn is_required(self) -> bool {
        matches!(self, Self::Authorization | Self::Token)
    }
}

/// The words of the name, such as `token endpoint`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.name().split('_').enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            f.write_str(word)?;
        }
        Ok(())
    }
}

/// Something that an authorization server says it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// Tokens can be bound to a key that signs with ES256 (RFC 9449 section 5.1).
    Es256Proofs,
    /// Every redirect has an `iss`: one without it is refused (RFC 9207 section 3).
    IssParameter,
    /// Every login is pushed: one whose parameters are in the URL is refused (RFC 9126 section 5).
    PushRequired,
}

impl Feature {
    /// Every feature, in the order of the variants.
    pub const ALL: &'static [Self] = &[Self::Es256Proofs, Self::IssParameter, Self::PushRequired];

    /// Its name in metadata, which configuration files and records use as well.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256Proofs => "dpop_signing_alg_values_supported",
            Self::IssParameter => "authorization_response_iss_parameter_supported",
            Self::PushRequired => "require_pushed_authorization_requests",
        }
    }
}

pub(crate) const ENDPOINTS: usize = Endpoint::ALL.len();
pub(crate) const FEATURES: usize = Feature::ALL.len();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_the_order_of_the_variants() {
        assert!(Endpoint::ALL.iter().enumerate().all(|(index, endpoint)| *endpoint as usize == index));
        assert!(Feature::ALL.iter().enumerate().all(|(index, feature)| *feature as usize == index));
    }
}
