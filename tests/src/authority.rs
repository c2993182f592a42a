//! A certificate authority of a company.

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, crypto::ring};
use std::ops::Range;
use std::sync::Arc;

/// An authority that no system knows.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate.
    pub pem: String,
}

impl Authority {
    /// One with a key of its own.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// The TLS of a server with these names or addresses.
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.server_in(names, VALID)
    }

    /// The same, with a certificate that is valid in these years.
    pub fn server_in(&self, names: &[&str], years: Range<i32>) -> Arc<ServerConfig> {
        let (mut params, key) = (params(names), KeyPair::generate().unwrap());
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        config(params.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

/// The TLS of a server that vouches for itself.
pub fn self_signed(names: &[&str]) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    config(params(names).self_signed(&key).unwrap(), &key)
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

fn config(certificate: Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
        .unwrap();
    Arc::new(config)
}

/// The years of a certificate that is valid.
pub const VALID: Range<i32> = 2000..4000;
