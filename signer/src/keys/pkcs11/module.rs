//! The PKCS#11 modules of this process: each is loaded once, and shared by the keys in its tokens.
//!
//! A module that has lost a token may not see it again until it was shut down and initialised anew, and that ends the
//! sessions of every key in it (PKCS#11 3.1, sections 5.4 and 5.6). So whoever calls a module holds its [`Use`], a restart
//! waits until nobody does, and each connection remembers the [`Module::age`] that it was made at: it is never used, nor
//! closed, at another, for the module may have given its numbers to others since.

use super::{Uri, trouble};
use crate::error::Result;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Fault, RvError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// The environment variable with the PKCS#11 module of URIs that do not name one.
pub(super) const MODULE_VARIABLE: &str = "TOUCHMARK_PKCS11_MODULE";

static MODULES: Mutex<BTreeMap<PathBuf, Arc<Module>>> = Mutex::new(BTreeMap::new());

/// A module that was loaded.
pub(super) struct Module {
    path: PathBuf,
    context: Pkcs11,
    /// How often it was restarted.
    age: RwLock<u64>,
}

/// The right to call the module, as long as it is held. One thread never holds two.
pub(super) struct Use<'m> {
    pub(super) context: &'m Pkcs11,
    age: RwLockReadGuard<'m, u64>,
}

impl Module {
    /// The module of `uri`, ready for use.
    pub(super) fn of(uri: &Uri) -> Result<Arc<Self>> {
        let path = uri.module_path.clone().or_else(|| std::env::var_os(MODULE_VARIABLE).map(PathBuf::from));
        let path = path.ok_or_else(trouble::which_module)?;
        let mut modules = MODULES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = modules.get(&path) {
            return Ok(Arc::clone(known));
        }
        let context = Pkcs11::new(&path).map_err(|e| trouble::no_module(&path, &e))?;
        initialize(&context, &path)?;
        let module = Arc::new(Self { path: path.clone(), context, age: RwLock::default() });
        modules.insert(path, Arc::clone(&module));
        Ok(module)
    }

    pub(super) fn enter(&self) -> Use<'_> {
        Use { context: &self.context, age: self.age.read().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Shuts it down and initialises it anew, unless that happened since it had the age `seen`.
    pub(super) fn restart(&self, seen: u64) -> Result<()> {
        let mut age = self.age.write().unwrap_or_else(PoisonError::into_inner);
        if *age != seen {
            return Ok(());
        }
        *age += 1;
        // One that was shut down already needs only the second half.
        let _ = self.context.clone().finalize();
        initialize(&self.context, &self.path)
    }
}

impl Use<'_> {
    /// How often the module was restarted before.
    pub(super) fn age(&self) -> u64 {
        *self.age
    }
}

fn initialize(context: &Pkcs11, path: &Path) -> Result<()> {
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Fault::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
        Err(e) => Err(trouble::no_start(path, &e)),
    }
}
