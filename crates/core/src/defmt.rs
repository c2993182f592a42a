//! What a device may log with `defmt`: errors as they display, values as they debug. Neither holds a secret.

use crate::loopback::{Reply, Step};
use crate::{
    AccessToken, Advice, Authorization, AuthorizationUrl, AuthorizeError, CallbackError, Challenge, Client,
    CodeChallenge, CodeVerifier, ConfigError, Lifetime, Metadata, Method, Param, Pending, Redirect, RefreshToken,
    Refusal, Request, Response, ResponseError, RevocationRequest, ScopeChange, Server, ServerError, State,
    TokenRequest, Tokens, UriFault, Url,
};
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

format_with!(Display2Format: CallbackError, ConfigError, ResponseError, ServerError, UriFault);

format_with!(Debug2Format:
    AccessToken<'_>, Advice, Authorization<'_>, AuthorizationUrl<'_>, Challenge<'_>, Client<'_>, CodeChallenge,
    CodeVerifier, Lifetime, Metadata<'_>, Method, Param<'_>, Pending, Redirect<'_>, Refusal<'_>, RefreshToken<'_>, Reply,
    Request<'_>, Response<'_>, RevocationRequest<'_>, ScopeChange, Server<'_>, State, Step<'_>, TokenRequest<'_>,
    Tokens<'_>, Url<'_>,
);

impl<E: Display> Format for AuthorizeError<E> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "{}", Display2Format(self));
    }
}
