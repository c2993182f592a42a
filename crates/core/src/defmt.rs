//! What a device may log with `defmt`: errors as they display, values as they debug. Neither holds a secret.

use crate::client::Client;
use crate::endpoint::{Endpoint, Feature, Quirk};
use crate::error::{
    Advice, AuthorizeError, CallbackError, ConfigError, Excerpt, IdTokenError, ParameterFault, ResponseError,
    ServerError, UriFault,
};
use crate::flow::{
    AuthorizationUrl, CodeExpired, DeviceRequest, Discovery, EndSessionUrl, Ending, Metadata, NoMetadata, NoRoom,
    Pending, Poll, Prompt, PushRequest, PushedUrl, Redirect, RefreshToken, RevocationRequest, Scope, ScopeChange,
    TokenRequest, Tokens, TokensArray, UserInfoError, UserInfoRequest,
};
use crate::lifetime::Lifetime;
use crate::loopback::{Reply, Verdict};
use crate::message::{
    AccessToken, Authorization, Challenge, Header, Method, Param, Refusal, Request, Response, Thumbprint, Url,
};
use crate::oidc::{Claims, IdToken, IdTokenRules};
use crate::proof::{CodeChallenge, CodeVerifier, Proof, Provable, PublicKey, State, Unsigned};
use crate::server::Server;
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

format_with!(Display2Format:
    CallbackError, CodeExpired, ConfigError, Endpoint, Excerpt, IdTokenError, NoRoom, ParameterFault, ResponseError,
    ServerError, UriFault, UserInfoError,
);

format_with!(Debug2Format:
    AccessToken<'_>, Advice, Authorization<'_>, AuthorizationUrl<'_>, Challenge<'_>, Claims<'_>, Client<'_>, CodeChallenge, CodeVerifier, DeviceRequest<'_>, Discovery<'_>, Ending, EndSessionUrl<'_>, Feature, Header<'_>, IdToken<'_>, IdTokenRules<'_>, Lifetime, Metadata<'_>, Method, NoMetadata, Param<'_>, Pending, Poll<'_, '_>, Prompt<'_>, Proof<'_>, Provable<'_>, PublicKey, PushedUrl<'_>, PushRequest<'_>, Quirk, Redirect<'_>, RefreshToken<'_>, Refusal<'_>, Reply, Request<'_>, Response<'_>, RevocationRequest<'_>, Scope<'_>, ScopeChange, Server<'_>, State, Thumbprint, TokenRequest<'_>, Tokens<'_>, Unsigned<'_>, Url<'_>, UserInfoRequest<'_>, Verdict<'_>,
);

impl<const N: usize> Format for TokensArray<N> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "{}", Debug2Format(self));
    }
}

impl<E: Display> Format for AuthorizeError<E> {
    fn format(&self, f: Formatter<'_>) {
        defmt::write!(f, "{}", Display2Format(self));
    }
}
