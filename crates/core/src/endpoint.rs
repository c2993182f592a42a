//! [`Endpoint`], [`Feature`] and [`Quirk`]: the names that checks, metadata, owned forms and texts share.

use core::fmt::{self, Write};

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

    /// Whether metadata with one that cannot be used are refused: it does not count as absent.
    pub(crate) const fn is_of_login(self) -> bool {
        matches!(self, Self::Authorization | Self::Token)
    }
}

/// The words of the name, such as `token endpoint`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.name().chars();
        letters.try_for_each(|letter| f.write_char(if letter == '_' { ' ' } else { letter }))
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
    /// An embedded secret is sent in the header `Authorization: Basic`, and not in the body (RFC 6749 section 2.3.1). In metadata: a
    /// server that takes `client_secret_basic` and not `client_secret_post`.
    SecretInHeader,
}

impl Feature {
    /// Every feature, in the order of the variants.
    pub const ALL: &'static [Self] = &[Self::Es256Proofs, Self::IssParameter, Self::PushRequired, Self::SecretInHeader];

    /// Its name in metadata, which configuration files and records use as well.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256Proofs => "dpop_signing_alg_values_supported",
            Self::IssParameter => "authorization_response_iss_parameter_supported",
            Self::PushRequired => "require_pushed_authorization_requests",
            Self::SecretInHeader => "token_endpoint_auth_methods_supported",
        }
    }
}

/// The features that a server says it has, and those that it says it lacks. Of the others it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    has: u8,
    lacks: u8,
}

impl Features {
    pub(crate) const UNKNOWN: Self = Self { has: 0, lacks: 0 };

    pub(crate) const fn saying(self, feature: Feature, has: bool) -> Self {
        let bit = Self::bit(feature);
        let Self { has: had, lacks: lacked } = self;
        if has { Self { has: had | bit, lacks: lacked & !bit } } else { Self { has: had & !bit, lacks: lacked | bit } }
    }

    pub(crate) const fn has(self, feature: Feature) -> bool {
        self.has & Self::bit(feature) != 0
    }

    pub(crate) const fn lacks(self, feature: Feature) -> bool {
        self.lacks & Self::bit(feature) != 0
    }

    const fn bit(feature: Feature) -> u8 {
        1_u8.wrapping_shl(feature as u32)
    }
}

/// Something that one known server does otherwise than the specifications say. It is off unless it is switched on
/// ([`Server::with_quirk`](crate::Server::with_quirk)); the presets of [`Server`](crate::Server) have those of their server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// Twitch: while a device waits, `authorization_pending` stands in the member `message`, and not in `error`.
    ErrorInMessage,
    /// Microsoft Entra, for the tenants `common` and `organizations`: the metadata names the issuer
    /// `https://login.microsoftonline.com/{tenantid}/v2.0`, and each ID token names the tenant of its user there.
    TenantIssuer,
    /// Slack: the token is of the type `user`, which is sent as a Bearer token. Slack's other answer, with the user's token inside
    /// of `authed_user`, is refused: it comes from the endpoint for bots.
    UserToken,
}

impl Quirk {
    /// Every quirk, in the order of the variants.
    pub const ALL: &'static [Self] = &[Self::ErrorInMessage, Self::TenantIssuer, Self::UserToken];

    /// Its name, which configuration files and records use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ErrorInMessage => "error_in_message",
            Self::TenantIssuer => "tenant_issuer",
            Self::UserToken => "user_token",
        }
    }
}

/// A set of quirks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quirks(u8);

impl Quirks {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | Self::bit(quirk))
    }

    pub(crate) const fn has(self, quirk: Quirk) -> bool {
        self.0 & Self::bit(quirk) != 0
    }

    const fn bit(quirk: Quirk) -> u8 {
        match quirk {
            Quirk::ErrorInMessage => 1,
            Quirk::TenantIssuer => 2,
            Quirk::UserToken => 4,
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

    #[test]
    fn of_each_feature_what_was_said_last_counts() {
        for feature in Feature::ALL {
            let others = || Feature::ALL.iter().filter(|other| *other != feature);
            for first in [true, false] {
                let all = Feature::ALL.iter().fold(Features::UNKNOWN, |all, feature| all.saying(*feature, first));
                let (once, twice) =
                    (all.saying(*feature, !first), all.saying(*feature, !first).saying(*feature, !first));
                for said in [once, twice] {
                    assert_eq!((said.has(*feature), said.lacks(*feature)), (!first, first));
                    assert!(others().all(|other| (said.has(*other), said.lacks(*other)) == (first, !first)));
                }
            }
            let unknown = Features::UNKNOWN.saying(*feature, true);
            assert!(others().all(|other| !unknown.has(*other) && !unknown.lacks(*other)));
        }
    }
}
