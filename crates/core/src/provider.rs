//! Servers that many apps sign in at, as constants. One that is not used costs nothing.

use crate::endpoint::{Endpoint, Feature, Quirk, Quirks};
use crate::server::Server;

/// Presets of known servers, as their documentation describes them, or else other clients; none was tried at the server itself. Where
/// the endpoints depend on a tenant (Auth0, Keycloak, Okta, Bluesky's many servers), [discover](crate::Discovery) them from
/// the issuer.
///
/// ```
/// use proofkey_core::{Client, Server};
///
/// let client = Client::without_redirect("my-app", Server::TWITCH)?;
/// # Ok::<(), proofkey_core::ConfigError>(())
/// ```
impl Server<'static> {
    /// Discord.
    pub const DISCORD: Self =
        Self::new("https://discord.com/api/oauth2/authorize", "https://discord.com/api/oauth2/token")
            .with(Endpoint::Revocation, "https://discord.com/api/oauth2/token/revoke")
            .with(Endpoint::UserInfo, "https://discord.com/api/oauth2/userinfo")
            .with_issuer("https://discord.com")
            .with_feature(Feature::IssParameter);

    /// Microsoft Entra, for users of every tenant and for personal accounts (`common`). If your app is for one tenant, discover
    /// `https://login.microsoftonline.com/TENANT/v2.0` with its id.
    pub const ENTRA: Self = Self::new(
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    )
    .with(Endpoint::DeviceAuthorization, "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode")
    .with(Endpoint::EndSession, "https://login.microsoftonline.com/common/oauth2/v2.0/logout")
    .with_issuer("https://login.microsoftonline.com/common/v2.0")
    .with_quirk(Quirk::TenantIssuer);

    /// GitHub. A login in the browser needs the app's secret ([`Client::with_embedded_secret`](crate::Client::with_embedded_secret));
    /// the device grant does not.
    pub const GITHUB: Self =
        Self::new("https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token")
            .with(Endpoint::DeviceAuthorization, "https://github.com/login/device/code");

    /// gitlab.com. For a server of your own, discover its address.
    pub const GITLAB: Self = Self::new("https://gitlab.com/oauth/authorize", "https://gitlab.com/oauth/token")
        .with(Endpoint::DeviceAuthorization, "https://gitlab.com/oauth/authorize_device")
        .with(Endpoint::Revocation, "https://gitlab.com/oauth/revoke")
        .with(Endpoint::UserInfo, "https://gitlab.com/oauth/userinfo")
        .with_issuer("https://gitlab.com");

    /// Google. It wants the secret that comes with the client id of a desktop app or a device
    /// ([`Client::with_embedded_secret`](crate::Client::with_embedded_secret)).
    pub const GOOGLE: Self =
        Self::new("https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token")
            .with(Endpoint::DeviceAuthorization, "https://oauth2.googleapis.com/device/code")
            .with(Endpoint::Revocation, "https://oauth2.googleapis.com/revoke")
            .with(Endpoint::UserInfo, "https://openidconnect.googleapis.com/v1/userinfo")
            .with_issuer("https://accounts.google.com");

    /// The iTwin platform's (Bentley IMS).
    pub const ITWIN: Self =
        Self::new("https://ims.bentley.com/connect/authorize", "https://ims.bentley.com/connect/token")
            .with(Endpoint::Revocation, "https://ims.bentley.com/connect/revocation")
            .with_issuer("https://ims.bentley.com");

    /// Slack, for the tokens of users. Bots have tokens of another kind.
    pub const SLACK: Self =
        Self::new("https://slack.com/oauth/v2_user/authorize", "https://slack.com/api/oauth.v2.user.access")
            .with_quirk(Quirk::UserToken);

    /// Spotify.
    pub const SPOTIFY: Self =
        Self::new("https://accounts.spotify.com/authorize", "https://accounts.spotify.com/api/token");

    /// Twitch, which has the device grant alone for apps without a secret. Its devices have to send their scopes as the parameter
    /// `scopes`.
    pub const TWITCH: Self = Self::device("https://id.twitch.tv/oauth2/device", "https://id.twitch.tv/oauth2/token")
        .with(Endpoint::Revocation, "https://id.twitch.tv/oauth2/revoke")
        .with_quirk(Quirk::ErrorInMessage);
}

/// What the server of an issuer does otherwise than the specifications say, if its address tells whose it is.
pub(crate) fn quirks_at(issuer: &str) -> Quirks {
    if ENTRA.iter().any(|start| issuer.starts_with(start)) {
        Quirks::NONE.with(Quirk::TenantIssuer)
    } else {
        Quirks::NONE
    }
}

/// Microsoft Entra: the worldwide one, that of the government of the United States, and the one in China.
const ENTRA: [&str; 3] = [
    "https://login.microsoftonline.com/",
    "https://login.microsoftonline.us/",
    "https://login.partner.microsoftonline.cn/",
];
