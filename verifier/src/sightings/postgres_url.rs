//! The URL of a PostgreSQL server, with libpq's `sslmode` and `sslrootcert`. Two ways are offered: in clear on this machine,
//! and encrypted to a server whose certificate was checked in full. In clear through a network only whoever says so.

use super::SightingsError;
use postgres::Config;
use postgres::config::{Host, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::net::IpAddr;
use std::sync::Arc;

/// How to connect.
pub(super) struct Server {
    pub(super) config: Config,
    /// The settings of TLS, where the connection is encrypted.
    pub(super) tls: Option<ClientConfig>,
    /// Host and database, without user and password.
    pub(super) name: String,
}

const STORE: &str = "the store of sightings";
const WAYS: &str =
    "add ?sslmode=verify-full&sslrootcert=FILE to its URL, or sslmode=disable where a tunnel protects the way to it";

pub(super) fn parse(url: &str) -> Result<Server, SightingsError> {
    let (plain, mode, authority) = without_tls(url);
    let unusable = |what: String| SightingsError::of(STORE, &what);
    // The parser's own message could quote the password.
    let mut config: Config = plain.parse().map_err(|_| {
        unusable("its URL is not one of PostgreSQL, such as postgresql://USER@HOST/DATABASE".to_owned())
    })?;
    let tls = match (mode.as_deref(), authority) {
        (Some("verify-full"), Some(path)) => Some(client(&path)?),
        (Some("verify-full"), None) => {
            return Err(unusable(
                "its URL names no authority for the server's certificate: add &sslrootcert=FILE".into(),
            ));
        }
        (Some("disable"), _) => None,
        (None, _) if is_local(&config) => None,
        (None, _) => {
            return Err(unusable(format!("it is on another machine, and nothing protects the way to it: {WAYS}")));
        }
        (Some(other), _) => {
            let what = format!("sslmode={other} does not say for sure that the server is the right one: {WAYS}");
            return Err(unusable(what));
        }
    };
    config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
    let host = config.get_hosts().first().map_or_else(String::new, |host| match host {
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    let name = format!("PostgreSQL database {} at {host}", config.get_dbname().unwrap_or_default());
    Ok(Server { config, tls, name })
}

/// The URL without what it says of TLS, `sslmode`, and `sslrootcert`.
fn without_tls(url: &str) -> (String, Option<String>, Option<String>) {
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), None, None) };
    let (mut mode, mut authority, mut rest) = (None, None, Vec::new());
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => authority = Some(value.to_owned()),
            _ => rest.push(parameter),
        }
    }
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    (format!("{place}{query}"), mode, authority)
}

/// Whether every host is this machine.
fn is_local(config: &Config) -> bool {
    let local = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(local) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

/// TLS to a server whose certificate was signed by one of the authorities in the PEM file at `path`.
fn client(path: &str) -> Result<ClientConfig, SightingsError> {
    let none =
        |why: &dyn std::fmt::Display| SightingsError::of(path, &format!("no certificate of an authority: {why}"));
    let pem = std::fs::read(path).map_err(|e| SightingsError::of(path, &e))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.map_err(|e| none(&e))?).map_err(|e| none(&e))?;
    }
    if roots.is_empty() {
        return Err(none(&"there is none in it"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|e| SightingsError::of(STORE, &format!("TLS cannot be set up: {e}")))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_clear_goes_only_what_stays_here_or_is_said_to() {
        let says = |url: &str| parse(url).map(|server| server.config.get_ssl_mode()).map_err(|e| e.to_string());
        for url in ["postgresql://a@localhost/d", "postgresql://a@127.0.0.1/d", "postgresql:///d?host=/run/postgresql"]
        {
            assert_eq!(says(url), Ok(SslMode::Disable), "{url}");
        }
        assert_eq!(says("postgresql://a@db.example/d?sslmode=disable"), Ok(SslMode::Disable));
        let refused = |url: &str| says(url).unwrap_err();
        assert!(refused("postgresql://a:secret@db.example/d").contains("nothing protects the way to it"));
        assert!(refused("postgresql://a@db.example/d?sslmode=require").contains("sslmode=require does not say"));
        assert!(refused("postgresql://a@localhost/d?sslmode=verify-full").contains("names no authority"));
        assert!(refused("postgresql://a@localhost/d?sslmode=verify-full&sslrootcert=/nowhere").contains("/nowhere"));
        let message = refused("postgres//:secret");
        assert!(message.contains("not one of PostgreSQL") && !message.contains("secret"), "{message}");
    }
}
