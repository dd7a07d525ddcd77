//! From a URI to sessions with the token that it names, and to the key in it.

use super::module::{Module, Use};
use super::point::{ED25519_NAME, ED25519_OID, is_ed25519, public_key};
use super::{Missing, Uri, trouble};
use crate::error::{Error, Result};
use crate::files;
use crate::keys::{Passphrase, Unlock};
use cryptoki::error::{Error as Fault, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;
use std::sync::Arc;
use touchmark_formats::key::KeyBytes;

/// Logged-in sessions and the key, good as long as the module keeps its age.
pub(super) struct Connection {
    module: Arc<Module>,
    age: u64,
    slot: Slot,
    key: ObjectHandle,
    idle: Vec<Session>,
}

/// Why there is no connection.
pub(super) struct Refusal {
    pub(super) error: Error,
    /// Whether the token refused the PIN, which must then not be tried again.
    pub(super) pin: bool,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, pin: false }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.module.enter().age() == self.age {
            self.idle.drain(..).for_each(|session| drop(session.close()));
        }
    }
}

impl Connection {
    pub(super) fn open(
        uri: &Uri,
        module: &Arc<Module>,
        pin: Option<&Passphrase>,
        missing: Missing,
    ) -> std::result::Result<(Self, KeyBytes), Refusal> {
        let entered = module.enter();
        let slot = find_token(uri, &entered)?;
        let fault = |e: Fault| trouble::explain(&e, uri);
        let session = match missing {
            Missing::Generate => entered.context.open_rw_session_no_drop(slot),
            Missing::Refuse => entered.context.open_ro_session_no_drop(slot),
        };
        let session = session.map_err(fault)?;
        let open = || -> std::result::Result<(ObjectHandle, KeyBytes), Refusal> {
            log_in(uri, &entered, slot, &session, pin)?;
            let key = match (find_key(uri, &session)?, missing) {
                (Some(key), _) => key,
                (None, Missing::Refuse) => return Err(trouble::no_key(uri, &key_labels(&session)).into()),
                (None, Missing::Generate) => generate(uri, &session)?,
            };
            Ok((key, public_key_of(uri, &session, key)?))
        };
        match open() {
            Ok((key, public)) => {
                let (module, age) = (Arc::clone(module), entered.age());
                Ok((Self { module, age, slot, key, idle: vec![session] }, public))
            }
            Err(e) => {
                let _ = session.close();
                Err(e)
            }
        }
    }

    pub(super) fn key(&self) -> ObjectHandle {
        self.key
    }

    /// The module's age at which it was made.
    pub(super) fn age(&self) -> u64 {
        self.age
    }

    /// A session that nobody uses. A login holds for all of them.
    pub(super) fn take(&mut self, module: &Use<'_>) -> std::result::Result<Session, Fault> {
        self.idle.pop().map_or_else(|| module.context.open_ro_session_no_drop(self.slot), Ok)
    }

    pub(super) fn put_back(&mut self, session: Session) {
        self.idle.push(session);
    }

    /// Drops it without closing what the module has forgotten.
    pub(super) fn abandon(mut self) {
        self.idle.clear();
    }
}

/// Whether the token would give `key` out.
pub(super) fn is_exportable(session: &Session, key: ObjectHandle) -> std::result::Result<bool, Fault> {
    let found = session.get_attributes(key, &[AttributeType::Extractable, AttributeType::Sensitive])?;
    Ok(found.contains(&Attribute::Extractable(true)) || found.contains(&Attribute::Sensitive(false)))
}

/// Plain Ed25519 (RFC 8032). Without parameters, always: SoftHSM ignores them, others refuse them.
pub(super) fn sign(session: &Session, key: ObjectHandle, message: &[u8]) -> std::result::Result<Vec<u8>, Fault> {
    session.sign(&Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)), key, message)
}

/// The one token that fits.
fn find_token(uri: &Uri, module: &Use<'_>) -> Result<Slot> {
    let slots = module.context.get_slots_with_token().map_err(|e| trouble::explain(&e, uri))?;
    let tokens = slots.into_iter().filter_map(|slot| Some((slot, module.context.get_token_info(slot).ok()?)));
    let tokens: Vec<_> = tokens.filter(|(_, token)| token.token_initialized()).collect();
    let fitting: Vec<_> = tokens.iter().filter(|(slot, token)| fits(uri, *slot, token)).collect();
    match fitting.as_slice() {
        [(slot, _)] => Ok(*slot),
        [] => Err(trouble::no_token(uri, &names(tokens.iter()))),
        several => Err(trouble::several_tokens(uri, &names(several.iter().copied()))),
    }
}

fn names<'t>(tokens: impl Iterator<Item = &'t (Slot, TokenInfo)>) -> Vec<String> {
    tokens.map(|(_, token)| format!("{:?} (serial {})", token.label(), token.serial_number())).collect()
}

fn fits(uri: &Uri, slot: Slot, token: &TokenInfo) -> bool {
    let same = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
    same(&uri.token, token.label())
        && same(&uri.manufacturer, token.manufacturer_id())
        && same(&uri.model, token.model())
        && same(&uri.serial, token.serial_number())
        && uri.slot_id.is_none_or(|id| id == slot.id())
}

/// The PIN, where the token wants one that is not typed on its own keys.
pub(super) fn pin(uri: &Uri, module: &Module, unlock: &mut dyn Unlock) -> Result<Option<Passphrase>> {
    let module = module.enter();
    let slot = find_token(uri, &module)?;
    let token = module.context.get_token_info(slot).map_err(|e| trouble::explain(&e, uri))?;
    if !token.login_required() || token.protected_authentication_path() {
        return Ok(None);
    }
    if token.user_pin_locked() {
        return Err(trouble::pin_locked(uri));
    }
    match &uri.pin_source {
        Some(path) => files::first_line(path).map(Some),
        None => unlock.pin(&uri.token_name()).map(Some),
    }
}

fn log_in(
    uri: &Uri,
    module: &Use<'_>,
    slot: Slot,
    session: &Session,
    pin: Option<&Passphrase>,
) -> std::result::Result<(), Refusal> {
    let token = module.context.get_token_info(slot).map_err(|e| trouble::explain(&e, uri))?;
    if !token.login_required() {
        return Ok(());
    }
    let pin = pin.map(|pin| AuthPin::from(pin.expose()));
    match session.login(UserType::User, pin.as_ref()) {
        Ok(()) | Err(Fault::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(e) => Err(Refusal { pin: trouble::is_pin_refusal(&e), error: trouble::explain(&e, uri) }),
    }
}

/// What the key is called in the token.
fn naming(uri: &Uri) -> Vec<Attribute> {
    let label = uri.object.iter().map(|label| Attribute::Label(label.clone().into_bytes()));
    label.chain(uri.id.iter().map(|id| Attribute::Id(id.clone()))).collect()
}

fn find_key(uri: &Uri, session: &Session) -> Result<Option<ObjectHandle>> {
    let template = [naming(uri), vec![Attribute::Class(ObjectClass::PRIVATE_KEY)]].concat();
    let found = session.find_objects(&template).map_err(|e| trouble::explain(&e, uri))?;
    match found.as_slice() {
        [] => Ok(None),
        [key] => Ok(Some(*key)),
        several => Err(Error::unusable(format!(
            "{} keys in the token {} are called {}",
            several.len(),
            uri.token_name(),
            uri.key_name()
        ))
        .hint("name one by its id as well: id=%01 in the URI; `pkcs11-tool --list-objects` shows them")),
    }
}

/// The labels of the private keys in the token.
fn key_labels(session: &Session) -> Vec<String> {
    let keys = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap_or_default();
    let label = |key| match session.get_attributes(key, &[AttributeType::Label]).ok()?.into_iter().next()? {
        Attribute::Label(label) => Some(format!("{:?}", String::from_utf8_lossy(&label))),
        _ => None,
    };
    keys.into_iter().filter_map(label).collect()
}

/// An Ed25519 key pair that the token keeps, does not give out, and uses for signatures alone.
fn generate(uri: &Uri, session: &Session) -> Result<ObjectHandle> {
    let mut named = uri.clone();
    // The id is what ties the two halves of the pair together.
    named.id.get_or_insert_with(|| named.object.clone().unwrap_or_default().into_bytes());
    let private = [
        naming(&named),
        vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ],
    ]
    .concat();
    let pair = |curve: &[u8]| {
        let usage = [Attribute::Token(true), Attribute::Private(false), Attribute::Verify(true)];
        let public = [naming(&named), usage.into(), vec![Attribute::EcParams(curve.to_vec())]].concat();
        session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private)
    };
    let made = pair(&ED25519_OID).or_else(|_| pair(&ED25519_NAME));
    made.map(|(_, private)| private).map_err(|e| trouble::cannot_generate(uri, &e))
}

/// The public half of a key for signing.
fn public_key_of(uri: &Uri, session: &Session, key: ObjectHandle) -> Result<KeyBytes> {
    let fault = |e: Fault| trouble::explain(&e, uri);
    let asked = [AttributeType::KeyType, AttributeType::Label, AttributeType::Id];
    let (mut kind, mut same) = (None, vec![Attribute::Class(ObjectClass::PUBLIC_KEY)]);
    for attribute in session.get_attributes(key, &asked).map_err(fault)? {
        match attribute {
            Attribute::KeyType(found) => kind = Some(found),
            Attribute::Id(id) if id.is_empty() => {}
            other => same.push(other),
        }
    }
    if kind.is_some_and(|kind| kind != KeyType::EC_EDWARDS) {
        return Err(trouble::other_key(uri));
    }
    // Some tokens keep the public half as an object of its own, others answer for it at the private one.
    let holders = session.find_objects(&same).map_err(fault)?;
    for holder in holders.into_iter().chain([key]) {
        let asked = [AttributeType::EcPoint, AttributeType::EcParams];
        let (mut point, mut other) = (None, false);
        for attribute in session.get_attributes(holder, &asked).unwrap_or_default() {
            match attribute {
                Attribute::EcPoint(bytes) if !bytes.is_empty() => point = Some(bytes),
                Attribute::EcParams(params) if !params.is_empty() => other = !is_ed25519(&params),
                _ => {}
            }
        }
        match point {
            Some(_) if other => return Err(trouble::other_key(uri)),
            Some(point) => return public_key(&point).ok_or_else(|| trouble::other_key(uri)),
            None => {}
        }
    }
    Err(trouble::no_public_key(uri))
}
