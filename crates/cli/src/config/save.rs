//! `proofkey login --save`: the settings of a login go to the end of the configuration file. The rest of it stays as it is.

use super::{Config, Profile, parse};
use crate::args::{self, ProxyUrl};
use crate::failure::{Failure, Kind};
use crate::settings::{Choice, Settings};
use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// A profile that is to be added to the configuration file.
#[derive(Debug)]
pub struct Save {
    path: PathBuf,
    /// Empty if the file already has the same settings.
    section: Option<String>,
}

impl Save {
    /// Checks, before the user signs in, that the settings can be written.
    ///
    /// # Errors
    /// [`Kind::Configuration`] if no path for the file is known, or it already has the profile with other settings.
    pub fn plan(config: &Config, profile: &str, settings: &Settings, network: &args::Network) -> Result<Self, Failure> {
        let path = config.path.clone().ok_or_else(|| {
            Kind::Configuration
                .because("there is no place for a configuration file")
                .advise("set HOME, or use --config FILE")
        })?;
        if network.proxy.as_ref().is_some_and(ProxyUrl::has_user) {
            return Err(Kind::Configuration
                .because("--save does not write the password of a proxy")
                .advise(format_args!("write `proxy` to {} yourself, or set HTTPS_PROXY", path.display())));
        }
        let before = config.profiles.get(profile);
        let kept = before.map(|before| args::Network { proxy: before.proxy.clone(), cacert: before.cacert.clone() });
        let whole = network.clone().or(kept.unwrap_or_default());
        let section = Section { profile, settings, network: &whole }.to_string();
        let Some(before) = before else {
            return Self { path, section: Some(section) }.checked();
        };
        let differences = differences(config, profile, before, settings, network);
        if differences.is_empty() {
            return Ok(Self { path, section: None });
        }
        Err(Kind::Configuration
            .because(format_args!("{} already has a profile `{profile}` with {differences}", path.display()))
            .advise(format_args!(
                "save under another --profile, or change the file by hand to:\n\n{}",
                section.trim_start()
            )))
    }

    /// Writes the file, and returns its path and whether it was changed.
    ///
    /// # Errors
    /// [`Kind::Unexpected`] if it cannot be written.
    pub fn write(&self) -> Result<(&Path, bool), Failure> {
        let Some(section) = &self.section else { return Ok((&self.path, false)) };
        let written = read(&self.path).and_then(|text| replace(&self.path, &(text + section)));
        written.map_err(|error| Kind::Unexpected.because(format_args!("{}: {error}", self.path.display())))?;
        Ok((&self.path, true))
    }

    fn checked(self) -> Result<Self, Failure> {
        let fault = |what: &dyn fmt::Display| {
            Kind::Configuration.because(format_args!("{}: the profile cannot be added: {what}", self.path.display()))
        };
        let text = read(&self.path).map_err(|error| fault(&error))?;
        let section = self.section.as_deref().unwrap_or_default();
        parse(&(text + section)).map_err(|error| fault(&error.message))?;
        Ok(self)
    }
}

/// The settings as a section of the file.
struct Section<'a> {
    profile: &'a str,
    settings: &'a Settings,
    network: &'a args::Network,
}

impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            server,
            client_id,
            embedded_secret_file,
            embedded_secret_in_header,
            redirect_uri,
            push,
            dpop,
            scope,
            extra,
            api_hosts,
            store,
            is_named_after_user: _,
        } = self.settings;
        let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        match self.profile {
            bare if bare.bytes().all(is_bare) => writeln!(f, "\n[profile.{bare}]")?,
            name => writeln!(f, "\n[profile.{}]", Quoted(name))?,
        }
        match server {
            Choice::Endpoints(endpoints) => {
                for (endpoint, url) in endpoints.iter() {
                    writeln!(f, "{} = {}", endpoint.name(), Quoted(url))?;
                }
            }
            Choice::Issuer(issuer) => writeln!(f, "issuer = {}", Quoted(issuer))?,
            Choice::Provider(provider) => writeln!(f, "provider = {}", Quoted(provider.name()))?,
        }
        writeln!(f, "client_id = {}", Quoted(client_id))?;
        if let Some(file) = embedded_secret_file {
            writeln!(f, "embedded_secret_file = {}", Quoted(&file.to_string_lossy()))?;
        }
        writeln!(f, "redirect_uri = {}", Quoted(redirect_uri))?;
        let switches = [("embedded_secret_in_header", embedded_secret_in_header), ("push", push), ("dpop", dpop)];
        for (name, _) in switches.into_iter().filter(|(_, is_on)| **is_on) {
            writeln!(f, "{name} = true")?;
        }
        if !scope.is_empty() {
            writeln!(f, "scope = [{}]", list(scope.iter().map(|word| Quoted(word))))?;
        }
        if *store != args::StoreKind::default() {
            writeln!(f, "store = {}", Quoted(store.name()))?;
        }
        if !api_hosts.is_empty() {
            let hosts: Vec<String> = api_hosts.iter().map(ToString::to_string).collect();
            writeln!(f, "api_hosts = [{}]", list(hosts.iter().map(|host| Quoted(host))))?;
        }
        if !extra.is_empty() {
            let pairs = extra.iter().map(|(name, value)| format!("{} = {}", Quoted(name), Quoted(value)));
            writeln!(f, "extra = {{ {} }}", list(pairs))?;
        }
        if let Some(url) = self.network.proxy.as_ref().filter(|url| !url.has_user()) {
            writeln!(f, "proxy = {}", Quoted(url.expose()))?;
        }
        if let Some(file) = &self.network.cacert {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            writeln!(f, "cacert = {}", Quoted(&file.to_string_lossy()))?;
        }
        Ok(())
    }
}

/// A TOML string. Its escapes are those of JSON, and DEL must be escaped too.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        self.0.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c)),
            c => f.write_char(c),
        })?;
        f.write_char('"')
    }
}

fn list(items: impl Iterator<Item = impl fmt::Display>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// The settings that differ, each with both values.
fn differences(config: &Config, name: &str, profile: &Profile, new: &Settings, network: &args::Network) -> String {
    let Ok(old) = Settings::of_login(&args::Login::default(), config, name, None) else {
        return "no server or no client id".to_owned();
    };
    let mut found = Vec::new();
    let mut compare = |what: &str, old: &str, new: &str| {
        if old != new {
            found.push(format!("{what} `{old}` instead of `{new}`"));
        }
    };
    compare("server", old.server.name(), new.server.name());
    compare("client id", &old.client_id, &new.client_id);
    let file = |settings: &Settings| {
        settings.embedded_secret_file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()
    };
    compare("embedded secret file", &file(&old), &file(new));
    let in_header = |settings: &Settings| settings.embedded_secret_in_header.to_string();
    compare("embedded secret in header", &in_header(&old), &in_header(new));
    compare("redirect URI", &old.redirect_uri, &new.redirect_uri);
    compare("push", &old.push.to_string(), &new.push.to_string());
    compare("dpop", &old.dpop.to_string(), &new.dpop.to_string());
    compare("scope", &old.scope.join(" "), &new.scope.join(" "));
    compare("store", old.store.name(), new.store.name());
    let extra = |settings: &Settings| {
        let mut pairs: Vec<String> = settings.extra.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.sort();
        pairs.join(" ")
    };
    compare("extra parameters", &extra(&old), &extra(new));
    let hosts = |hosts: &mut dyn Iterator<Item = String>| hosts.collect::<Vec<_>>().join(" ");
    let known = |host: &&crate::hosts::ApiHost| old.api_hosts.contains(host) || profile.api_hosts.contains(host);
    if !new.api_hosts.iter().all(|host| known(&host)) {
        let before = old.api_hosts.iter().chain(&profile.api_hosts).map(ToString::to_string);
        compare(
            "API hosts",
            &hosts(&mut before.into_iter()),
            &hosts(&mut new.api_hosts.iter().map(ToString::to_string)),
        );
    }
    if old.server != new.server && found.is_empty() {
        found.push("other endpoints".to_owned());
    }
    if network.proxy.as_ref().is_some_and(|url| profile.proxy.as_ref() != Some(url)) {
        found.push("another proxy or none".to_owned());
    }
    let absolute = |file: &PathBuf| std::path::absolute(file).ok();
    let asked = network.cacert.as_ref().map(absolute);
    if asked.is_some_and(|asked| profile.cacert.as_ref().map(absolute) != Some(asked)) {
        found.push("another `cacert` or none".to_owned());
    }
    found.join(", ")
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) if text.is_empty() || text.ends_with('\n') => Ok(text),
        Ok(text) => Ok(text + "\n"),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Replaces the file in one step. A link is followed, so that it stays one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let path = &fs::canonicalize(path).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(path.to_owned()),
        _ => Err(error),
    })?;
    let permissions = fs::metadata(path).ok().map(|metadata| metadata.permissions());
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let write = |mut file: File| {
        file.write_all(text.as_bytes())?;
        permissions.map_or(Ok(()), |permissions| file.set_permissions(permissions))?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    OpenOptions::new().write(true).create_new(true).open(&new).and_then(write).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoints::Endpoints;
    use proofkey_core::Endpoint;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let mut endpoints = Endpoints::default();
        for endpoint in Endpoint::ALL {
            endpoints.set(*endpoint, format!("https://a.example/{endpoint:?}"));
        }
        let settings = Settings {
            server: Choice::Endpoints(endpoints),
            client_id: "a \"b\\c".to_owned(),
            is_named_after_user: false,
            embedded_secret_file: Some(std::path::absolute("secret \"1\".txt").unwrap()),
            embedded_secret_in_header: true,
            redirect_uri: "com.example.app:/x".to_owned(),
            push: true,
            dpop: true,
            scope: vec!["a".to_owned(), "b".to_owned()],
            extra: vec![("login_hint".to_owned(), "é\u{7f}\t\n\"".to_owned()), ("a.b".to_owned(), "=".to_owned())],
            api_hosts: vec!["[::1]:8080".parse().unwrap(), "h".parse().unwrap()],
            store: args::StoreKind::Keyring,
        };
        let network = args::Network {
            proxy: Some("https://proxy.example:3128".to_owned().into()),
            cacert: Some(std::path::absolute("ca \"1\".pem").unwrap()),
        };
        for name in ["work", "me@example.com"] {
            let text = format!("# mine\n{}", Section { profile: name, settings: &settings, network: &network });
            let mut config = Config { path: None, profiles: parse(&text).unwrap() };
            assert_eq!(differences(&config, name, &config.profile(name), &settings, &network), "", "{text}");
            config.profiles.get_mut(name).unwrap().scope = None;
            let said = differences(&config, name, &config.profile(name), &settings, &network);
            assert_eq!(said, "scope `` instead of `a b`");
        }
    }
}
