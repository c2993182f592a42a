//! `proofkey-devserver`: the development server on its own.

use clap::{Parser, ValueEnum};
use proofkey_devserver::{
    CallbackFault, ClientRegistration, DevServer, EndpointFault, Faults, IdTokenFault, MetadataFault, Options,
    ProofFault, ProofRules, RefreshFault, Successor, When,
};
use std::io::{self, Write};
use std::process::ExitCode;

/// A local OAuth 2.0 authorization server and protected API, for development only.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port on 127.0.0.1; 0 for any free port.
    #[arg(long, default_value_t = 9400)]
    port: u16,
    /// The lifetime of access tokens in seconds.
    #[arg(long, default_value_t = 3600)]
    access_token_ttl: u32,
    /// The lifetime of authorization codes in seconds.
    #[arg(long, default_value_t = 60)]
    code_ttl: u32,
    /// The lifetime of device codes in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    device_code_ttl: u32,
    /// How many seconds a device has to wait between two polls.
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    device_interval: u32,
    /// Whether a device that polls too early is only told to slow down from then on.
    #[arg(long)]
    unforgiving_polls: bool,
    /// The lifetime of pushed authorization requests in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    push_ttl: u32,
    /// Every token request needs a proof of possession (RFC 9449).
    #[arg(long)]
    dpop: bool,
    /// A proof needs a nonce of the authorization server.
    #[arg(long)]
    dpop_nonce: bool,
    /// A proof for the API needs a nonce of the API.
    #[arg(long)]
    dpop_api_nonce: bool,
    /// Whether every authorization request has to be pushed.
    #[arg(long)]
    require_push: bool,
    /// How long a spent refresh token is still accepted, in seconds from its first use; after that it revokes its family.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    refresh_grace: u32,
    /// The answer to a spent refresh token in its grace.
    #[arg(long, value_enum, value_name = "RULE", default_value_t = Rule::Newest)]
    successor: Rule,
    /// The client id to register.
    #[arg(long, value_name = "ID", default_value_t = ClientRegistration::default().client_id)]
    client_id: String,
    /// A redirect URI to register, instead of 127.0.0.1, [::1] and localhost on any port; can be repeated.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// A scope that the client can ask for, instead of itwin-platform, offline_access and admin; can be repeated.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// A fault to switch on, to see how an app copes with it; can be repeated, once for each endpoint.
    #[arg(long, value_enum, value_name = "FAULT")]
    fault: Vec<Fault>,
    /// A fault of some refreshes; can be repeated.
    ///
    /// FAULT is hangup-before (the request never arrives), hangup (its answer is lost), stall=MILLIS (it arrives late) or
    /// delay=MILLIS (its answer is late). WHEN is next=N or every=N.
    #[arg(long, value_name = "FAULT,WHEN", value_parser = refresh_fault)]
    refresh_fault: Vec<RefreshFault>,
    /// A fault of some polls of a device; can be repeated.
    ///
    /// FAULT is one of --refresh-fault, or down (503), page (a page of HTML), slow-down, denied, expired, not-found (an error code
    /// that no specification has) or denied-200 (an error with status 200). WHEN is next=N or every=N.
    #[arg(long, value_name = "FAULT,WHEN", value_parser = poll_fault)]
    poll_fault: Vec<RefreshFault>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rule {
    /// A fresh access token, and no refresh token
    AccessTokenOnly,
    /// A fresh pair, and the pair of the answer before is revoked
    Newest,
    /// The pair of the first answer
    Same,
}

impl Rule {
    fn successor(self) -> Successor {
        match self {
            Self::AccessTokenOnly => Successor::AccessTokenOnly,
            Self::Newest => Successor::Newest,
            Self::Same => Successor::Same,
        }
    }
}

/// The faults that the command line has. The library has more.
#[derive(Clone, Copy, ValueEnum)]
enum Fault {
    /// The API answers 503
    ApiDown,
    /// The redirect carries a code and an error
    CallbackCodeAndError,
    /// The redirect carries the code twice
    CallbackDuplicateCode,
    /// The redirect carries the state twice
    CallbackDuplicateState,
    /// The redirect carries no iss
    CallbackMissingIss,
    /// The redirect carries no state
    CallbackMissingState,
    /// The redirect carries another server's iss
    CallbackWrongIss,
    /// The redirect carries another state
    CallbackWrongState,
    /// The device authorization endpoint answers 503
    DeviceDown,
    /// The ID token is for another client
    IdTokenAudience,
    /// The ID token has five parts, as if it were encrypted
    IdTokenEncrypted,
    /// The ID token expired an hour ago
    IdTokenExpired,
    /// The ID token is another server's
    IdTokenIssuer,
    /// The ID token does not say when the user signed in
    IdTokenNoAuthTime,
    /// The ID token has no nonce
    IdTokenNoNonce,
    /// The ID token has another nonce
    IdTokenNonce,
    /// The ID token says that the user signed in yesterday
    IdTokenOldSignIn,
    /// The ID token is for this client and an API, and was issued to the API
    IdTokenParty,
    /// The ID token is about another user
    IdTokenSubject,
    /// The metadata names another issuer
    MetadataIssuerMismatch,
    /// The metadata names no authorization endpoint
    MetadataNoAuthorization,
    /// The metadata names no revocation endpoint
    MetadataNoRevocation,
    /// The metadata offers PKCE without S256
    MetadataNoS256,
    /// The metadata's token endpoint is plain http
    MetadataPlainHttp,
    /// Every proof of possession is refused: it needs another nonce
    ProofAlwaysNonce,
    /// A proof of possession is ignored, and the token is a plain Bearer token
    ProofBearerAnswer,
    /// CORS does not expose the header field of the nonce
    ProofHiddenNonce,
    /// A nonce is asked for, and none is given
    ProofNoNonce,
    /// Each success gives a new nonce, and only that one is good
    ProofNonceInSuccess,
    /// Two header fields have a nonce each
    ProofTwoNonces,
    /// The endpoint for pushed authorization requests answers 503
    PushDown,
    /// A refresh gives no new refresh token
    RefreshKeepsToken,
    /// The revocation endpoint answers 503
    RevocationDown,
    /// The token endpoint answers 503, with Retry-After
    TokenDown,
    /// The token endpoint does its work, then hangs up without an answer
    TokenHangup,
    /// The token endpoint redirects to another host
    TokenRedirect,
    /// The token endpoint waits for a minute
    TokenStall,
}

impl Fault {
    fn set(self, faults: &mut Faults) {
        let respond = |status, name: &str, value: &str| EndpointFault::Respond {
            status,
            headers: vec![(name.to_owned(), value.to_owned())],
            body: String::new(),
        };
        let down = || Some(respond(503, "retry-after", "120"));
        match self {
            Self::ApiDown => faults.api = down(),
            Self::CallbackCodeAndError => faults.callback = Some(CallbackFault::CodeAndError),
            Self::CallbackDuplicateCode => faults.callback = Some(CallbackFault::DuplicateCode),
            Self::CallbackDuplicateState => faults.callback = Some(CallbackFault::DuplicateState),
            Self::CallbackMissingIss => faults.callback = Some(CallbackFault::MissingIss),
            Self::CallbackMissingState => faults.callback = Some(CallbackFault::MissingState),
            Self::CallbackWrongIss => faults.callback = Some(CallbackFault::WrongIss),
            Self::CallbackWrongState => faults.callback = Some(CallbackFault::WrongState),
            Self::DeviceDown => faults.device = down(),
            Self::IdTokenAudience => faults.id_token = Some(IdTokenFault::Audience),
            Self::IdTokenEncrypted => faults.id_token = Some(IdTokenFault::Encrypted),
            Self::IdTokenExpired => faults.id_token = Some(IdTokenFault::Expired),
            Self::IdTokenIssuer => faults.id_token = Some(IdTokenFault::Issuer),
            Self::IdTokenNoAuthTime => faults.id_token = Some(IdTokenFault::NoAuthTime),
            Self::IdTokenNoNonce => faults.id_token = Some(IdTokenFault::NoNonce),
            Self::IdTokenNonce => faults.id_token = Some(IdTokenFault::Nonce),
            Self::IdTokenOldSignIn => faults.id_token = Some(IdTokenFault::OldSignIn),
            Self::IdTokenParty => faults.id_token = Some(IdTokenFault::Party),
            Self::IdTokenSubject => faults.id_token = Some(IdTokenFault::Subject),
            Self::MetadataIssuerMismatch => faults.metadata = Some(MetadataFault::IssuerMismatch),
            Self::MetadataNoAuthorization => faults.metadata = Some(MetadataFault::NoAuthorization),
            Self::MetadataNoRevocation => faults.metadata = Some(MetadataFault::NoRevocation),
            Self::MetadataNoS256 => faults.metadata = Some(MetadataFault::NoS256),
            Self::MetadataPlainHttp => faults.metadata = Some(MetadataFault::PlainHttpTokenEndpoint),
            Self::ProofAlwaysNonce => faults.proof = Some(ProofFault::AlwaysNonce),
            Self::ProofBearerAnswer => faults.proof = Some(ProofFault::BearerAnswer),
            Self::ProofHiddenNonce => faults.proof = Some(ProofFault::HiddenNonce),
            Self::ProofNoNonce => faults.proof = Some(ProofFault::NoNonce),
            Self::ProofNonceInSuccess => faults.proof = Some(ProofFault::NonceInSuccess),
            Self::ProofTwoNonces => faults.proof = Some(ProofFault::TwoNonces),
            Self::PushDown => faults.push = down(),
            Self::RefreshKeepsToken => faults.keep_refresh_token = true,
            Self::RevocationDown => faults.revocation = down(),
            Self::TokenDown => faults.token = down(),
            Self::TokenHangup => faults.token = Some(EndpointFault::Hangup),
            Self::TokenRedirect => faults.token = Some(respond(307, "location", "https://other.example/token")),
            Self::TokenStall => faults.token = Some(EndpointFault::Stall { millis: 60_000 }),
        }
    }
}

fn refresh_fault(text: &str) -> Result<RefreshFault, String> {
    fault(text, |fault| Err(format!("{fault:?} is not hangup-before, hangup, stall=MILLIS or delay=MILLIS")))
}

fn poll_fault(text: &str) -> Result<RefreshFault, String> {
    fault(text, |fault| {
        Ok(match fault {
            "denied" => EndpointFault::error(400, "access_denied"),
            "denied-200" => EndpointFault::error(200, "access_denied"),
            "down" => EndpointFault::error(503, "temporarily_unavailable"),
            "expired" => EndpointFault::error(400, "expired_token"),
            "not-found" => EndpointFault::error(400, "device_not_found"),
            "page" => EndpointFault::page(200),
            "slow-down" => EndpointFault::error(400, "slow_down"),
            _ => return Err(format!("{fault:?} is not a fault of a poll, such as slow-down or hangup")),
        })
    })
}

/// Reads `FAULT,WHEN`. A fault that not every endpoint has is read by `other`.
fn fault(text: &str, other: impl FnOnce(&str) -> Result<EndpointFault, String>) -> Result<RefreshFault, String> {
    let (fault, when) = text.split_once(',').ok_or("write FAULT,WHEN, such as hangup,next=1")?;
    let number = |digits: &str| digits.parse::<u32>().map_err(|_| format!("{digits:?} is not a number"));
    let fault = match fault.split_once('=').unwrap_or((fault, "")) {
        ("hangup-before", "") => EndpointFault::HangupBefore,
        ("hangup", "") => EndpointFault::Hangup,
        ("stall", millis) => EndpointFault::Stall { millis: number(millis)?.into() },
        ("delay", millis) => EndpointFault::Delay { millis: number(millis)?.into() },
        _ => other(fault)?,
    };
    let when = match when.split_once('=') {
        Some(("next", count)) => When::Next(number(count)?),
        Some(("every", count)) => When::Every(number(count)?),
        _ => return Err(format!("{when:?} is not next=N or every=N")),
    };
    Ok(RefreshFault { when, fault })
}

fn main() -> ExitCode {
    let args = Args::parse();
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proofkey-devserver: port {}: {error}", args.port);
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> io::Result<()> {
    let mut client = ClientRegistration { client_id: args.client_id.clone(), ..ClientRegistration::default() };
    if !args.redirect_uri.is_empty() {
        client.redirect_uris.clone_from(&args.redirect_uri);
    }
    if !args.scope.is_empty() {
        client.scopes.clone_from(&args.scope);
    }
    let (refresh, polls) = (args.refresh_fault.clone(), args.poll_fault.clone());
    let mut faults = Faults { refresh, polls, ..Faults::default() };
    args.fault.iter().for_each(|fault| fault.set(&mut faults));
    let clients = format!("{}, with {}", client.client_id, client.redirect_uris.join(" or "));
    let server = DevServer::start(Options {
        port: args.port,
        access_token_ttl: args.access_token_ttl,
        code_ttl: args.code_ttl,
        dpop: ProofRules { required: args.dpop, token_nonce: args.dpop_nonce, api_nonce: args.dpop_api_nonce },
        device_code_ttl: args.device_code_ttl,
        device_interval: args.device_interval,
        unforgiving_polls: args.unforgiving_polls,
        push_ttl: args.push_ttl,
        require_push: args.require_push,
        refresh_grace: args.refresh_grace,
        successor: args.successor.successor(),
        clients: vec![client],
        faults,
    })?;
    let text = format!(
        "For development only: any password is accepted, and nothing is stored.\n\
         Issuer  {}\n\
         Client  {clients}\n\
         API     {}\n\
         Counts  {}\n\
         Press Ctrl-C to stop.\n",
        server.issuer(),
        server.api("/api/me"),
        server.counts_url()
    );
    io::stdout().write_all(text.as_bytes())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())
}
