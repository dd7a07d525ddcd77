//! What goes wrong with tokens, in words for whoever stands before one.

use super::Uri;
use super::module::MODULE_VARIABLE;
use crate::error::{Error, Kind};
use cryptoki::error::{Error as Fault, RvError};
use std::path::Path;

/// Whether the token, the session with it, or the module's state is gone, so that a new connection may help.
pub(super) fn is_loss(fault: &Fault) -> bool {
    use RvError as Rv;
    let Fault::Pkcs11(code, _) = fault else { return false };
    matches!(
        code,
        Rv::SessionHandleInvalid
            | Rv::SessionClosed
            | Rv::CryptokiNotInitialized
            | Rv::DeviceRemoved
            | Rv::DeviceError
            | Rv::TokenNotPresent
            | Rv::TokenNotRecognized
            | Rv::SlotIdInvalid
            | Rv::UserNotLoggedIn
            | Rv::KeyHandleInvalid
            | Rv::ObjectHandleInvalid
            | Rv::GeneralError
            | Rv::FunctionFailed
    )
}

pub(super) fn explain(fault: &Fault, uri: &Uri) -> Error {
    use RvError as Rv;
    let token = uri.token_name();
    let Fault::Pkcs11(code, function) = fault else {
        return Error::unusable(format!("the token {token} gave no usable answer: {fault}"));
    };
    match code {
        Rv::PinIncorrect | Rv::PinInvalid | Rv::PinLenRange => Error::unusable(format!(
            "the PIN was refused by the token {token}"
        ))
        .hint("nothing was tried again, for a token locks after a few wrong PINs; set the right one and start anew"),
        Rv::PinLocked => pin_locked(uri),
        Rv::PinExpired => Error::unusable(format!("the PIN of the token {token} has expired"))
            .hint("set a new one with the token's own tool, or `pkcs11-tool --change-pin`"),
        Rv::UserPinNotInitialized => Error::unusable(format!("the token {token} has no user PIN yet"))
            .hint("its security officer sets one: `pkcs11-tool --init-pin`"),
        Rv::TokenNotPresent | Rv::DeviceRemoved | Rv::SlotIdInvalid => lost(uri),
        Rv::KeyFunctionNotPermitted => {
            Error::unusable(format!("the token {token} does not let the key {} sign", uri.key_name()))
                .hint("CKA_SIGN is not set on it: make a key for signing")
        }
        Rv::MechanismInvalid | Rv::FunctionNotSupported => no_ed25519(uri),
        _ => Error::unusable(format!("the token {token} refused ({function}: {code})"))
            .hint("the module's own log says more"),
    }
}

/// Whether the token refused the PIN, or is locked.
pub(super) fn is_pin_refusal(fault: &Fault) -> bool {
    use RvError as Rv;
    let Fault::Pkcs11(code, _) = fault else { return false };
    matches!(code, Rv::PinIncorrect | Rv::PinInvalid | Rv::PinLenRange | Rv::PinLocked | Rv::PinExpired)
}

pub(super) fn pin_refused_before(uri: &Uri) -> Error {
    Error::unusable(format!("the PIN was refused by the token {} when it came back", uri.token_name()))
        .hint("it is not tried again, for a token locks after a few wrong PINs; restart with the right one")
}

pub(super) fn pin_locked(uri: &Uri) -> Error {
    Error::unusable(format!("the PIN was refused: the token {} is locked after too many wrong ones", uri.token_name()))
        .hint("its security officer sets a new one: `pkcs11-tool --login --login-type so --init-pin`")
}

pub(super) fn lost(uri: &Uri) -> Error {
    Error::unusable(format!("the token {} is gone", uri.token_name()))
        .hint("put it back, or look at its network and power; nothing was signed, and it is looked for again")
}

pub(super) fn which_module() -> Error {
    Error::unusable("no PKCS#11 module was named").hint(format!(
        "add ?module-path=FILE to the URI or set {MODULE_VARIABLE}: the file is the vendor's library, as in \
         /usr/lib/softhsm/libsofthsm2.so"
    ))
}

pub(super) fn no_module(path: &Path, fault: &Fault) -> Error {
    let what = match fault {
        Fault::LibraryLoading(_) if !path.exists() => "there is no such file".to_owned(),
        Fault::LibraryLoading(_) => "it is no library that can be loaded here".to_owned(),
        Fault::MissingSymbol(_) => "it is a library, but no PKCS#11 module".to_owned(),
        other => format!("it cannot be started ({other})"),
    };
    Error::file(path, format_args!("cannot use the PKCS#11 module: {what}")).hint(
        "module-path in the URI is the vendor's library for this processor, as in /usr/lib/softhsm/libsofthsm2.so",
    )
}

/// The module is the right one, and does not start.
pub(super) fn no_start(path: &Path, fault: &Fault) -> Error {
    let why = match fault {
        Fault::Pkcs11(code, _) => format!("{code:?}"),
        other => other.to_string(),
    };
    Error::file(path, format_args!("the PKCS#11 module does not start ({why}): it does not find its tokens")).hint(
        "look at the module's own configuration and log, at where it keeps its tokens, and at who may read that; a line that \
         runs tries again by itself",
    )
}

pub(super) fn no_token(uri: &Uri, found: &[String]) -> Error {
    let found = if found.is_empty() { "there is none".to_owned() } else { format!("there is {}", found.join(", ")) };
    Error::unusable(format!("there is no token {}: {found}", uri.token_name()))
        .hint("put it in, or look at the module's configuration; `pkcs11-tool --list-token-slots` shows what it sees")
}

pub(super) fn several_tokens(uri: &Uri, found: &[String]) -> Error {
    Error::unusable(format!("several tokens fit {}: {}", uri.as_str(), found.join(", ")))
        .hint("name one by its serial: serial=NUMBER in the URI")
}

pub(super) fn no_key(uri: &Uri, found: &[String]) -> Error {
    let found = if found.is_empty() { "it has none".to_owned() } else { format!("it has {}", found.join(", ")) };
    Error::unusable(format!("the token {} has no private key {}: {found}", uri.token_name(), uri.key_name()))
        .hint("`delegate request --pkcs11 URI` makes one for a line, `init --root-pkcs11 URI` one for a maker")
}

pub(super) fn other_key(uri: &Uri) -> Error {
    Error::unusable(format!("the key {} in the token {} is no Ed25519 key", uri.key_name(), uri.token_name()))
        .hint("marks are signed by Ed25519 alone (CKK_EC_EDWARDS, curve edwards25519): name another key")
}

pub(super) fn no_public_key(uri: &Uri) -> Error {
    Error::unusable(format!("the token {} does not say the public key of {}", uri.token_name(), uri.key_name()))
        .hint("keep the public key object beside the private one, with the same label and id")
}

pub(super) fn cannot_generate(uri: &Uri, fault: &Fault) -> Error {
    match fault {
        Fault::Pkcs11(
            RvError::MechanismInvalid
            | RvError::FunctionNotSupported
            | RvError::CurveNotSupported
            | RvError::DomainParamsInvalid
            | RvError::AttributeValueInvalid,
            _,
        ) => no_ed25519(uri),
        Fault::Pkcs11(RvError::TokenWriteProtected, _) => {
            Error::unusable(format!("the token {} is write-protected: no key can be made in it", uri.token_name()))
        }
        other => {
            let Error { message, hint, .. } = explain(other, uri);
            Error { kind: Kind::Unusable, message: format!("no key can be made: {message}"), hint }
        }
    }
}

fn no_ed25519(uri: &Uri) -> Error {
    Error::unusable(format!("the token {} has no Ed25519 (CKM_EDDSA)", uri.token_name()))
        .hint("newer firmware may have it; `pkcs11-tool --list-mechanisms` shows what it has")
}

pub(super) fn not_ed25519(uri: &Uri, length: usize) -> Error {
    Error::unusable(format!("the token {} made a signature of {length} bytes, not of 64", uri.token_name()))
        .hint("it does not make plain Ed25519 signatures (RFC 8032): do not sign with it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn what_no_software_token_does_is_explained_too() {
        let uri: Uri = "pkcs11:token=line;object=k".parse().unwrap();
        for (code, message) in [
            (RvError::PinLocked, "the PIN was refused: the token \"line\" is locked after too many wrong ones"),
            (RvError::PinExpired, "the PIN of the token \"line\" has expired"),
            (RvError::DeviceRemoved, "the token \"line\" is gone"),
            (RvError::KeyFunctionNotPermitted, "the token \"line\" does not let the key \"k\" sign"),
            (RvError::MechanismInvalid, "the token \"line\" has no Ed25519 (CKM_EDDSA)"),
        ] {
            let error = explain(&Fault::Pkcs11(code, Function::Sign), &uri);
            assert_eq!((error.message.as_str(), error.hint.is_some()), (message, true));
        }
        assert!(is_pin_refusal(&Fault::Pkcs11(RvError::PinIncorrect, Function::Login)));
        assert!(is_loss(&Fault::Pkcs11(RvError::DeviceRemoved, Function::Sign)));
        assert!(!is_loss(&Fault::Pkcs11(RvError::PinIncorrect, Function::Login)));
    }
}
