//! The configuration file: TOML, written by the user. `login --save` adds profiles to it.

mod profile;
mod save;

use crate::args::{self, Select};
use crate::failure::{Failure, Kind};
use crate::name::Name;
pub use profile::Profile;
pub use save::Save;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use toml::Spanned;

/// The configuration file.
#[derive(Debug, Default)]
pub struct Config {
    /// Path of the configuration file, if one can be determined.
    pub path: Option<PathBuf>,
    profiles: BTreeMap<String, Profile>,
}

impl Config {
    /// Reads the named file, or the default one if it exists.
    ///
    /// # Errors
    /// [`Kind::Configuration`], with file and line.
    pub fn load(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = named.map(Path::to_owned).or_else(usual_path) else { return Ok(Self::default()) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
                return Ok(Self { path: Some(path), ..Self::default() });
            }
            Err(error) => return Err(Kind::Configuration.because(format_args!("{}: {error}", path.display()))),
        };
        let mut profiles = parse(&text).map_err(|Fault { line, message }| {
            Kind::Configuration
                .because(format_args!("{}:{line}: {message}", path.display()))
                .advise("`proofkey --help` shows what the file may contain")
        })?;
        for profile in profiles.values_mut() {
            for file in [&mut profile.cacert, &mut profile.embedded_secret_file].into_iter().flatten() {
                *file = path.with_file_name(&file);
            }
        }
        Ok(Self { path: Some(path), profiles })
    }

    /// The names of its profiles.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// The settings of a profile; empty if the file does not have it.
    pub fn profile(&self, name: &str) -> Profile {
        self.profiles.get(name).cloned().unwrap_or_default()
    }

    /// The login that the command line and the file name.
    pub fn name(&self, select: &Select) -> Name {
        Name::new(&select.profile, select.account.clone().or_else(|| self.profile(&select.profile).account))
    }

    /// Its path, for messages.
    pub fn place(&self) -> String {
        self.path.as_ref().map_or_else(|| "the configuration file".to_owned(), |path| path.display().to_string())
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: BTreeMap<String, Spanned<Profile>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    message: String,
}

fn parse(text: &str) -> Result<BTreeMap<String, Profile>, Fault> {
    let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let file: File = toml::from_str(text).map_err(|error| Fault {
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: error.message().trim_end().replace('\n', "; "),
    })?;
    let check = |(name, profile): (String, Spanned<Profile>)| {
        let line = line_of(profile.span().start);
        match args::name(&name).and_then(|name| profile.into_inner().consistent().map(|profile| (name, profile))) {
            Ok(entry) => Ok(entry),
            Err(message) => Err(Fault { line, message: format!("profile `{name}`: {message}") }),
        }
    };
    file.profile.into_iter().map(check).collect()
}

/// `$XDG_CONFIG_HOME/proofkey/config.toml`, or its like on Windows and macOS.
fn usual_path() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = variable("XDG_CONFIG_HOME").or_else(|| {
        if cfg!(windows) { variable("APPDATA") } else { variable("HOME").map(|home| home.join(".config")) }
    })?;
    Some(directory.join("proofkey").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::StoreKind;
    use crate::provider::Provider;
    use proofkey_core::Endpoint;

    #[track_caller]
    fn fault(text: &str) -> Fault {
        parse(text).expect_err(text)
    }

    #[test]
    fn a_whole_profile_is_read() {
        let profiles = parse(
            r#"
            [profile.work]
            issuer = "https://login.example.com/t1"
            client_id = "my app"
            redirect_uri = "https://app.example.com/cb"
            scope = ["a", "b"]
            account = "me@example.com"
            store = "keyring"
            api_hosts = ["api.example.com", "127.0.0.1:8080"]
            extra = { prompt = "consent" }

            [profile.itwin]
            provider = "itwin"

            [profile.own]
            authorization_endpoint = "https://a.example/a"
            token_endpoint = "https://a.example/t"
            revocation_endpoint = "https://a.example/r"
            "#,
        )
        .unwrap();
        let work = &profiles["work"];
        assert_eq!(work.issuer.as_deref(), Some("https://login.example.com/t1"));
        assert_eq!(work.client_id.as_deref(), Some("my app"));
        assert_eq!(work.redirect_uri.as_deref(), Some("https://app.example.com/cb"));
        assert_eq!(work.scope.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
        assert_eq!(work.account.as_deref(), Some("me@example.com"));
        assert_eq!(work.store, Some(StoreKind::Keyring));
        assert_eq!(
            work.api_hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["api.example.com", "127.0.0.1:8080"]
        );
        assert_eq!(work.extra["prompt"], "consent");
        assert_eq!(profiles["itwin"].provider, Some(Provider::Itwin));
        let own = &profiles["own"];
        assert_eq!(own.endpoints.get(Endpoint::Authorization), Some("https://a.example/a"));
        assert_eq!(own.endpoints.get(Endpoint::Token), Some("https://a.example/t"));
        assert_eq!(own.endpoints.get(Endpoint::Revocation), Some("https://a.example/r"));
    }

    #[test]
    fn a_fault_is_told_with_its_line() {
        for (text, line, words) in [
            ("[profile.a]\nclientid = 'x'", 2, "unknown field `clientid`"),
            ("[profil.a]\nclient_id = 'x'", 1, "unknown field `profil`"),
            ("\n\n[profile.a]\nclient_id = ", 4, "value"),
            ("[profile.a]\n\nredirect_uri = 'http://app.example/cb'", 3, "redirect URI: it must start with https://"),
            ("[profile.a]\nredirect_uri = 'http://app.localhost/cb'", 2, "redirect URI: "),
            ("[profile.a]\nissuer = 'http://login.example.com'", 2, "issuer:"),
            (
                "[profile.a]\nauthorization_endpoint = 'x'\ntoken_endpoint = 'https://a.example/t'",
                2,
                "authorization endpoint:",
            ),
            ("[profile.a]\nauthorization_endpoint = 'https://a.example/a'\ntoken_endpoint = 'y'", 3, "token endpoint:"),
            ("[profile.a]\nrevocation_endpoint = 'z'", 2, "revocation endpoint:"),
            ("[profile.a]\nclient_id = ''", 2, "client id"),
            ("[profile.a]\nclient_id = 7", 2, "string"),
            ("[profile.a]\nstore = 'cloud'", 2, "`cloud`"),
            ("[profile.a]\nprovider = 'acme'", 2, "`acme`"),
            ("[profile.a]\napi_hosts = ['ok.example', 'https://x']", 2, "HOST"),
            ("[profile.a]\naccount = '../x'", 2, "a name is"),
            ("[profile.a]\nclient_id = 'x'\n[profile.'b/c']\nclient_id = 'x'", 3, "profile `b/c`"),
            ("[profile.a]\nprovider = 'itwin'\nissuer = 'https://a.example'", 1, "profile `a`: give only one of"),
            ("[profile.a]\ntoken_endpoint = 'https://a.example/t'", 1, "belong together"),
            ("[profile.a]\nprovider = 'itwin'\nrevocation_endpoint = 'https://a.example/r'", 1, "revocation_endpoint"),
        ] {
            let fault = fault(text);
            assert_eq!(fault.line, line, "{text}: {fault:?}");
            assert!(fault.message.contains(words), "{text}: {fault:?}");
        }
    }
}
