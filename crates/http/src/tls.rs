//! The TLS of every https request: ring, and whom to trust.

use crate::error::{TransportError, TransportKind};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// Which certificate authorities are trusted.
#[derive(Clone, Debug)]
pub(crate) enum Roots {
    /// These alone.
    Only(Vec<CertificateDer<'static>>),
    /// Those of the operating system, and these.
    System(Vec<CertificateDer<'static>>),
}

/// The configuration for these roots.
///
/// # Errors
/// [`TransportKind::Tls`] if the system has no certificate authorities.
pub(crate) fn client_config(roots: Roots) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(failed)?;
    let mut config = match roots {
        Roots::Only(roots) => builder.with_root_certificates(store(roots)?).with_no_client_auth(),
        Roots::System(more) => {
            let verifier = Verifier::new_with_extra_roots(more, provider).map_err(failed)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates of a PEM text, each of which can be trusted.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let broken = |_| failed(rustls::CertificateError::BadEncoding.into());
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(broken)?;
    if certificates.is_empty() {
        return Err(failed(rustls::Error::NoCertificatesPresented));
    }
    store(certificates.clone()).map(|_| certificates)
}

fn store(roots: Vec<CertificateDer<'static>>) -> Result<RootCertStore, TransportError> {
    let mut store = RootCertStore::empty();
    roots.into_iter().try_for_each(|root| store.add(root)).map_err(failed)?;
    Ok(store)
}

fn failed(error: rustls::Error) -> TransportError {
    TransportError::new(TransportKind::Tls, false).because(error)
}
