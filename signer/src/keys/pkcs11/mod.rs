//! Keys that never leave a hardware security module, spoken to by PKCS#11.
//!
//! Tokens differ where the standard leaves room, and every such place is dealt with here: CKA_EC_POINT comes as a DER
//! OCTET STRING or bare, the curve is named by its OID or by a printable string, and some tokens sign plain Ed25519
//! when they were asked for another variant. So CKM_EDDSA is always called without parameters, and every signature is
//! verified before it is used ([`super::sign_checked`]).

mod connection;
mod point;
mod trouble;
mod uri;

pub use uri::Uri;

use super::{Passphrase, SigningKey, Unlock};
use crate::error::{Error, Result};
use connection::{Connection, Refusal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use touchmark_formats::key::KeyBytes;

/// A signing key in a token. Signatures can be asked for on several threads at once: each takes a session of its own.
///
/// A token that was lost (taken out, restarted, its network gone) is looked for again at the next signature. The PIN is
/// kept in memory for that, and wiped with the key; once refused it is never tried again, for tokens lock themselves.
pub struct Pkcs11Key {
    uri: Uri,
    pin: Option<Passphrase>,
    public: KeyBytes,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// Counts connections, so that a session of an earlier one is not put back among those of a later one.
    generation: u64,
    pin_refused: bool,
}

impl std::fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pkcs11Key({} of {})", self.uri.as_str(), self.public)
    }
}

/// What is to be done where the token has no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Complain.
    Refuse,
    /// Make one: an Ed25519 key pair that the token does not give out.
    Generate,
}

impl Pkcs11Key {
    /// Opens the key that `uri` names. The PIN is asked only if the token wants one and `uri` does not say where it is.
    ///
    /// # Errors
    /// The module, the token or the key is not there, several are meant, the PIN is refused, or the key is no Ed25519
    /// key for signing. Each says the way out.
    pub fn open(uri: Uri, missing: Missing, unlock: &mut dyn Unlock) -> Result<Self> {
        let (context, slot) = connection::find_token(&uri)?;
        let pin = connection::pin(&uri, &context, slot, unlock)?;
        let opened = Connection::open(&uri, context, slot, pin.as_ref(), missing);
        let (connection, public) = opened.map_err(|refusal| refusal.error)?;
        let state = State { connection: Some(connection), ..State::default() };
        Ok(Self { uri, pin, public, state: Mutex::new(state) })
    }

    /// Whether the token would give the key out: whether it is marked extractable, or not as sensitive.
    ///
    /// # Errors
    /// The token does not answer.
    pub fn is_exportable(&self) -> Result<bool> {
        let mut state = self.state();
        self.connected(&mut state)?.is_exportable(&self.uri)
    }

    /// Where the key stands.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is in there is whole between any two calls.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection; a new one where the old one was lost.
    fn connected<'s>(&self, state: &'s mut State) -> Result<&'s mut Connection> {
        if state.connection.is_none() {
            if state.pin_refused {
                return Err(trouble::pin_refused_before(&self.uri));
            }
            let connection = self.reconnect().map_err(|refusal| {
                state.pin_refused |= refusal.pin;
                refusal.error
            })?;
            state.generation += 1;
            state.connection = Some(connection);
        }
        state.connection.as_mut().ok_or_else(|| Error::unusable("no connection to the token"))
    }

    fn reconnect(&self) -> std::result::Result<Connection, Refusal> {
        let (context, slot) = connection::find_token(&self.uri)?;
        let (connection, public) = Connection::open(&self.uri, context, slot, self.pin.as_ref(), Missing::Refuse)?;
        if public == self.public {
            return Ok(connection);
        }
        Err(Error::unusable(format!("the token {} came back with another key", self.uri.token_name()))
            .hint("put the token back that the line began with, or restart the line")
            .into())
    }

    fn try_sign(&self, message: &[u8]) -> std::result::Result<[u8; 64], Attempt> {
        let (session, key, generation) = {
            let mut state = self.state();
            let connection = self.connected(&mut state).map_err(Attempt::Failed)?;
            let session = connection.take().map_err(|e| self.failed(e, &mut state))?;
            let key = state.connection.as_ref().map(Connection::key);
            (session, key.ok_or_else(|| Attempt::Lost(trouble::lost(&self.uri)))?, state.generation)
        };
        let signed = connection::sign(&session, key, message);
        let mut state = self.state();
        match signed {
            Ok(signature) => {
                let current = state.generation == generation;
                if let Some(connection) = state.connection.as_mut().filter(|_| current) {
                    connection.put_back(session);
                }
                let length = signature.len();
                signature.try_into().map_err(|_| Attempt::Failed(trouble::not_ed25519(&self.uri, length)))
            }
            Err(e) if state.generation != generation => Err(Attempt::Lost(trouble::explain(&e, &self.uri))),
            Err(e) => Err(self.failed(e, &mut state)),
        }
    }

    /// What an error means; after a lost connection the next attempt makes a new one.
    fn failed(&self, error: cryptoki::error::Error, state: &mut State) -> Attempt {
        if !trouble::is_loss(&error) {
            return Attempt::Failed(trouble::explain(&error, &self.uri));
        }
        if let Some(lost) = state.connection.take() {
            lost.abandon();
        }
        Attempt::Lost(trouble::explain(&error, &self.uri))
    }
}

enum Attempt {
    /// The token, or the session with it, is gone; a new connection may help.
    Lost(Error),
    Failed(Error),
}

impl SigningKey for Pkcs11Key {
    fn public(&self) -> KeyBytes {
        self.public
    }

    /// CKM_EDDSA without parameters. A lost connection is made again once.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        let again = match self.try_sign(message) {
            Err(Attempt::Lost(_)) => self.try_sign(message),
            first => first,
        };
        again.map_err(|(Attempt::Failed(e) | Attempt::Lost(e))| e)
    }

    fn suspect(&self) -> &'static str {
        "the token is faulty, or does not make plain Ed25519 signatures (RFC 8032) when asked for CKM_EDDSA: do not sign \
         with it"
    }
}
