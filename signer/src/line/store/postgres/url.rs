//! The URL of a store, with libpq's `sslmode` and `sslrootcert`. Two ways are offered: in clear on this machine, and
//! encrypted to a server whose certificate was checked in full. In clear through a network only whoever says so.

use crate::error::{Error, Result};
use crate::tls;
use rustls::ClientConfig;
use std::net::IpAddr;
use std::path::Path;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How to connect; with the settings of TLS where the connection is encrypted.
pub(super) fn parse(url: &str) -> Result<(Config, Option<ClientConfig>)> {
    let (plain, mode, authority) = without_tls(url);
    // The parser's own message could quote the password.
    let mut config: Config = plain.parse().map_err(|_| {
        Error::unusable("the URL of the store is not one of PostgreSQL")
            .hint("it looks like postgresql://USER@HOST/DATABASE, or postgresql:///DATABASE?host=/run/postgresql")
    })?;
    let tls = match (mode.as_deref(), authority) {
        (Some("verify-full"), Some(path)) => Some(tls::client(Path::new(&path))?),
        (Some("verify-full"), None) => {
            return Err(Error::unusable("the URL of the store names no authority for the server's certificate")
                .hint("add &sslrootcert=FILE: the PEM file of whoever signed the certificate"));
        }
        (Some("disable"), _) => None,
        (None, _) if is_local(&config) => None,
        (None, _) => {
            return Err(
                Error::refused("the store is on another machine, and nothing protects the way to it").hint(WAYS)
            );
        }
        (Some(other), _) => {
            let what = format!("sslmode={other} does not say for sure that the server is the right one");
            return Err(Error::unusable(what).hint(WAYS));
        }
    };
    config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
    Ok((config, tls))
}

const WAYS: &str =
    "add ?sslmode=verify-full&sslrootcert=FILE to its URL; or sslmode=disable where a tunnel protects it";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_clear_goes_only_what_stays_here_or_is_said_to() {
        let says = |url: &str| parse(url).map(|(config, _)| config.get_ssl_mode()).map_err(|e| e.message);
        for url in ["postgresql://a@localhost/d", "postgresql://a@127.0.0.1/d", "postgresql:///d?host=/run/postgresql"]
        {
            assert_eq!(says(url), Ok(SslMode::Disable), "{url}");
        }
        assert_eq!(says("postgresql://a@db.example/d?sslmode=disable"), Ok(SslMode::Disable));
        let refused = |url: &str| says(url).unwrap_err();
        assert_eq!(
            refused("postgresql://a:secret@db.example/d"),
            "the store is on another machine, and nothing protects the way to it"
        );
        assert!(refused("postgresql://a@db.example/d?sslmode=require").starts_with("sslmode=require does not say"));
        assert!(refused("postgresql://a@localhost/d?sslmode=verify-full").contains("names no authority"));
        assert!(refused("postgresql://a@localhost/d?sslmode=verify-full&sslrootcert=/nowhere").contains("/nowhere"));
        assert_eq!(refused("postgres//:secret"), "the URL of the store is not one of PostgreSQL");
    }
}
