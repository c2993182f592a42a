//! What a device may log with `defmt`: errors as they display, values as they debug. Neither holds a secret.

use crate::authorize::{AuthorizationUrl, Pending, Redirect};
use crate::bearer::{AccessToken, Authorization, Challenge, Param, Refusal};
use crate::client::{Client, Server};
use crate::discovery::{Discovery, NoMetadata};
use crate::error::{
    Advice, AuthorizeError, CallbackError, ConfigError, Excerpt, ParameterFault, ResponseError, ServerError, UriFault,
};
use crate::http::{Method, Request, Url};
use crate::lifetime::Lifetime;
use crate::loopback::{Reply, Step};
use crate::metadata::Metadata;
use crate::pkce::{CodeChallenge, CodeVerifier, State};
use crate::response::Response;
use crate::revoke::RevocationRequest;
use crate::token::{RefreshToken, Scope, ScopeChange, TokenRequest, Tokens};
use core::fmt::Display;
use defmt::{Debug2Format, Display2Format, Format, Formatter};

macro_rules! format_with {
    ($as:ident: $($type:ty),+ $(,)?) => {
        $(impl Format for $type {
            fn format(&self, f: Formatter<'_>) {
                defmt::write!(f, "{}", $as(self));
            }
        })+
    };
}

format_with!(Display2Format: CallbackError, ConfigError, Excerpt, ParameterFault, ResponseError, ServerError, UriFault);

format_with!(Debug2Format:
    AccessToken<'_>, Advice, Authorization<'_>, AuthorizationUrl<'_>, Challenge<'_>, Client<'_>, CodeChallenge,
    CodeVerifier, Discovery<'_>, Lifetime, Metadata<'_>, Method, NoMetadata, Param<'_>, Pending, Redirect<'_>, Refusal<'_>, RefreshToken<'_>, Reply,
    Request<'_>, Response<'_>, RevocationRequest<'_>, Scope<'_>, ScopeChange, Server<'_>, State, Step<'_>, TokenRequest<'_>,
    Tokens<'_>, Url<'_>,
);

impl<E: Display> Format for AuthorizeError<E> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "{}", Display2Format(self));
    }
}
