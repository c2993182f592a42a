//! How requests are sent: `http company|limits|kept|agent|client|stream|stream-async URL PEM_FILE`.

use proofkey_core::AccessToken;
use proofkey_ureq::{Http, Proxies, Settings};
use std::io::{self, Write};
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn in_a_company(pem: &[u8]) -> Result<Http> {
    let proxies = Proxies::new("http://proxy.example:3128")?.with_exceptions("intern.example, 10.0.0.0/8");
    let settings = Settings::new().with_proxies(proxies).with_root_certificates(pem)?;
    Ok(Http::with_settings(settings))
}

fn with_limits(settings: Settings) -> Settings {
    settings
        .with_deadline(Duration::from_secs(20))
        .with_connect_timeout(Duration::from_secs(5))
        .with_first_byte_timeout(Duration::from_secs(10))
        .with_read_timeout(Duration::from_secs(5))
}

fn with_kept_connections(settings: Settings) -> Settings {
    // Less than the 5 seconds of this server.
    settings.with_kept_connections(Duration::from_secs(4))
}

fn with_your_agent(pem: &[u8]) -> Result<Http> {
    let certificates: Vec<Certificate> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let tls = TlsConfig::builder().root_certs(RootCerts::from(certificates)).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).user_agent("my-app/1.0").build().new_agent();
    Ok(Http::with_agent(agent, Settings::new())?)
}

fn with_your_client(pem: &[u8]) -> Result<proofkey_reqwest::Http> {
    let certificate = reqwest::Certificate::from_pem(pem)?;
    let client = move || reqwest::Client::builder().tls_certs_only([certificate.clone()]).user_agent("my-app/1.0");
    Ok(proofkey_reqwest::Http::from_builder(client, Settings::new())?)
}

fn stream(http: &Http, url: &str, token: AccessToken<'_>, out: &mut dyn Write) -> Result<u64> {
    let mut response = http.call_streaming(http::Request::get(url).body(Vec::new())?, token)?;
    Ok(io::copy(response.body_mut(), out)?)
}

async fn stream_async(
    http: &proofkey_reqwest::Http,
    url: &str,
    token: AccessToken<'_>,
    out: &mut dyn Write,
) -> Result<u64> {
    let mut response = http.call_streaming(http::Request::get(url).body(Vec::new())?, token).await?;
    let mut length = 0;
    while let Some(chunk) = response.body_mut().chunk().await? {
        out.write_all(&chunk)?;
        length += chunk.len() as u64;
    }
    Ok(length)
}

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, kind, url, file] = args.as_slice() else {
        return Err("usage: http company|limits|kept|agent|client|stream|stream-async URL PEM_FILE".into());
    };
    // reqwest takes a provider of cryptography from the program.
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider")?;
    let pem = std::fs::read(file)?;
    let (token, mut body) = (AccessToken::new("example")?, Vec::new());
    let length = match kind.as_str() {
        "client" => {
            let request = http::Request::get(url).body(Vec::new())?;
            with_your_client(&pem)?.call(request, token).await?.body.len() as u64
        }
        "stream-async" => stream_async(&with_your_client(&pem)?, url, token, &mut body).await?,
        kind => stream(&blocking(kind, &pem)?, url, token, &mut body)?,
    };
    println!("{length} bytes");
    Ok(())
}

fn blocking(kind: &str, pem: &[u8]) -> Result<Http> {
    let trusting = Settings::new().with_only_root_certificates(pem)?;
    match kind {
        "company" => in_a_company(pem),
        "limits" => Ok(Http::with_settings(with_limits(trusting))),
        "kept" => Ok(Http::with_settings(with_kept_connections(trusting))),
        "agent" => with_your_agent(pem),
        _ => Ok(Http::with_settings(trusting)),
    }
}
