//! TLS (RFC 8446, RFC 5246) to the line's servers. There is one way: the certificate must be signed by the authority whose
//! own certificate the user names, and be for the host that was asked for. What encrypts without that check protects from
//! nobody who can answer in the server's place.

use crate::error::{Error, Result};
use crate::files;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// What clients of a server need whose certificate was signed by one of those in the PEM file `authority`.
///
/// # Errors
/// The file cannot be read, or holds no certificate of an authority.
pub fn client(authority: &Path) -> Result<ClientConfig> {
    let none = |why: &str| {
        Error::file(authority, format!("no certificate of an authority: {why}"))
            .hint("name the PEM file of the authority that signed the server's certificate")
    };
    let pem = files::read(authority)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| none(&e.to_string()))?;
        roots.add(certificate).map_err(|e| none(&e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(none("there is none in it"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|e| Error::unusable(format!("TLS cannot be set up: {e}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
#[path = "../../tests/src/certificates.rs"]
#[allow(clippy::panic, unreachable_pub, missing_docs, reason = "the test kit")]
pub(crate) mod certificates;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_authority_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let said = |text: &str| {
            std::fs::write(&path, text).unwrap();
            client(&path).unwrap_err().message
        };
        assert!(said("").ends_with("no certificate of an authority: there is none in it"));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(said(broken).contains("no certificate of an authority: "));
    }
}
