//! TLS: the server's certificate, which is read again when it is renewed, and the authorities that
//! vouch for others.

use std::path::Path;
use std::sync::{Arc, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::options::Wrong;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Whom connections to others trust: Mozilla's authorities, and those that `SSL_CERT_FILE` and
/// `SSL_CERT_DIR` name.
pub(crate) fn client() -> Result<ClientConfig, Wrong> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some()) {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Wrong::new(format!("there is no TLS: {error}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The server's side of TLS, which can be exchanged.
pub(crate) struct Acceptor(RwLock<TlsAcceptor>);

impl Acceptor {
    pub(crate) fn new(cert: &[u8], key: &[u8]) -> Result<Self, Wrong> {
        acceptor(cert, key).map(|acceptor| Self(RwLock::new(acceptor)))
    }

    /// The one for the next connection.
    pub(crate) fn current(&self) -> Option<TlsAcceptor> {
        self.0.read().ok().map(|acceptor| acceptor.clone())
    }

    /// Takes another certificate.
    pub(crate) fn replace(&self, cert: &[u8], key: &[u8]) -> Result<(), Wrong> {
        let other = acceptor(cert, key)?;
        if let Ok(mut current) = self.0.write() {
            *current = other;
        }
        Ok(())
    }
}

fn acceptor(cert: &[u8], key: &[u8]) -> Result<TlsAcceptor, Wrong> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        Wrong::new(format!("{what} cannot be used: {error}"))
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(cert).collect();
    let chain = chain.map_err(|error| wrong("--tls-cert", &error))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong("--tls-key", &error))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong("TLS", &error))?;
    let mut config = config
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong("the pair of --tls-cert and --tls-key", &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Both files.
pub(crate) fn read((cert, key): (&Path, &Path)) -> Result<(Vec<u8>, Vec<u8>), Wrong> {
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| Wrong::new(format!("{} cannot be read: {error}", path.display())))
    };
    Ok((read(cert)?, read(key)?))
}
