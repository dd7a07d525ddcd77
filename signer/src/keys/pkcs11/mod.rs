//! Keys that never leave a hardware security module, spoken to by PKCS#11.
//!
//! Tokens differ where the standard leaves room, and every such place is dealt with here: CKA_EC_POINT comes as a DER
//! OCTET STRING or bare, the curve is named by its OID or by a printable string, and some tokens sign plain Ed25519
//! when they were asked for another variant. So CKM_EDDSA is always called without parameters, and every signature is
//! verified before it is used ([`super::sign_checked`]).

mod connection;
mod module;
mod point;
mod trouble;
mod uri;

pub use uri::Uri;

use super::{Passphrase, SigningKey, Unlock};
use crate::error::{Error, Result};
use connection::{Connection, Refusal};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use module::Module;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use touchmark_formats::key::KeyBytes;

/// How long a token that was not found again is not looked for: each time costs the other keys in the module their
/// sessions.
const PAUSE: Duration = Duration::from_millis(500);

/// A signing key in a token. Signatures can be asked for on several threads at once: each takes a session of its own.
///
/// A token that was lost (taken out, restarted, its network gone) is looked for again at the next signature, in a module
/// that was started anew. The PIN is kept in memory for that, and wiped with the key; once refused it is never tried
/// again, for tokens lock themselves.
pub struct Pkcs11Key {
    uri: Uri,
    pin: Option<Passphrase>,
    public: KeyBytes,
    module: Arc<Module>,
    state: Mutex<State>,
}

struct State {
    /// The connection, or what its loss left behind.
    connection: std::result::Result<Connection, Lost>,
}

/// What is known of a connection that was lost.
struct Lost {
    /// The module's age at which it was made.
    age: u64,
    /// When the token was last looked for in vain, and what came of that.
    looked: Option<(Instant, Error)>,
    pin_refused: bool,
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
        let module = Module::of(&uri)?;
        let pin = connection::pin(&uri, &module, unlock)?;
        let opened = Connection::open(&uri, &module, pin.as_ref(), missing);
        let (connection, public) = opened.map_err(|refusal| refusal.error)?;
        let state = Mutex::new(State { connection: Ok(connection) });
        Ok(Self { uri, pin, public, module, state })
    }

    /// Whether the token would give the key out: whether it is marked extractable, or not as sensitive.
    ///
    /// # Errors
    /// The token does not answer.
    pub fn is_exportable(&self) -> Result<bool> {
        self.with_session(connection::is_exportable).map_err(Attempt::error)
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
        if let Err(lost) = &mut state.connection {
            if lost.pin_refused {
                return Err(trouble::pin_refused_before(&self.uri));
            }
            if let Some((_, error)) = lost.looked.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
                return Err(error.clone());
            }
            let connection = self.reconnect(lost.age).map_err(|refusal| {
                lost.pin_refused = refusal.pin;
                lost.looked = Some((Instant::now(), refusal.error.clone()));
                // What this attempt started anew is to be started anew by the next.
                lost.age = self.module.enter().age();
                refusal.error
            })?;
            state.connection = Ok(connection);
        }
        state.connection.as_mut().map_err(|_| trouble::lost(&self.uri))
    }

    fn reconnect(&self, age: u64) -> std::result::Result<Connection, Refusal> {
        self.module.restart(age)?;
        let (connection, public) = Connection::open(&self.uri, &self.module, self.pin.as_ref(), Missing::Refuse)?;
        if public == self.public {
            return Ok(connection);
        }
        Err(Error::unusable(format!("the token {} came back with another key", self.uri.token_name()))
            .hint("put the token back that the line began with, or restart the line")
            .into())
    }

    /// Has `work` done in a session of its own, while others go on in theirs.
    fn with_session<T>(
        &self,
        work: impl FnOnce(&Session, ObjectHandle) -> std::result::Result<T, cryptoki::error::Error>,
    ) -> std::result::Result<T, Attempt> {
        let mut state = self.state();
        let connection = self.connected(&mut state).map_err(Attempt::Failed)?;
        let (key, age) = (connection.key(), connection.age());
        let module = self.module.enter();
        if module.age() != age {
            // Another key had lost its token, and the module was started anew.
            drop(module);
            state.lose(age);
            return Err(Attempt::Lost(trouble::lost(&self.uri)));
        }
        let session = match connection.take(&module) {
            Ok(session) => session,
            Err(e) => {
                drop(module);
                return Err(self.failed(&e, &mut state, age));
            }
        };
        drop(state);
        let done = work(&session, key);
        drop(module);
        let mut state = self.state();
        match done {
            Err(e) if trouble::is_loss(&e) => Err(self.failed(&e, &mut state, age)),
            done => {
                if let Some(connection) = state.connection.as_mut().ok().filter(|c| c.age() == age) {
                    connection.put_back(session);
                }
                done.map_err(|e| Attempt::Failed(trouble::explain(&e, &self.uri)))
            }
        }
    }

    /// What an error at the module's `age` means; after a lost connection the next attempt makes a new one.
    fn failed(&self, error: &cryptoki::error::Error, state: &mut State, age: u64) -> Attempt {
        let explained = trouble::explain(error, &self.uri);
        if !trouble::is_loss(error) {
            return Attempt::Failed(explained);
        }
        state.lose(age);
        Attempt::Lost(explained)
    }

    fn try_sign(&self, message: &[u8]) -> std::result::Result<[u8; 64], Attempt> {
        let signature = self.with_session(|session, key| connection::sign(session, key, message))?;
        let length = signature.len();
        signature.try_into().map_err(|_| Attempt::Failed(trouble::not_ed25519(&self.uri, length)))
    }
}

impl std::fmt::Debug for Pkcs11Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pkcs11Key({} of {})", self.uri.as_str(), self.public)
    }
}

impl State {
    /// The connection that was made at the module's `age` is no more; one that was made since is.
    fn lose(&mut self, age: u64) {
        if self.connection.as_ref().is_ok_and(|connection| connection.age() == age) {
            let lost = Err(Lost { age, looked: None, pin_refused: false });
            if let Ok(connection) = std::mem::replace(&mut self.connection, lost) {
                connection.abandon();
            }
        }
    }
}

enum Attempt {
    /// The token, or the session with it, is gone; a new connection may help.
    Lost(Error),
    Failed(Error),
}

impl Attempt {
    fn error(self) -> Error {
        match self {
            Self::Failed(e) | Self::Lost(e) => e,
        }
    }
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
        again.map_err(Attempt::error)
    }

    fn suspect(&self) -> &'static str {
        "the token is faulty, or does not make plain Ed25519 signatures (RFC 8032) when asked for CKM_EDDSA: do not sign \
         with it"
    }
}
