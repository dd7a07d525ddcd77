//! A real PKCS#11 token for tests: SoftHSM2, with its tokens in a temporary folder.

use super::kit::{Place, Ran, finished};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The PIN of every token here.
pub(crate) const PIN: &str = "1234";

/// A place in which the module sees the tokens of that place alone.
pub(crate) struct SoftHsm {
    pub(crate) place: Place,
    pub(crate) module: PathBuf,
}

impl SoftHsm {
    /// `place` with a token called `line`; `None`, and a word about it, where SoftHSM2 is not installed.
    pub(crate) fn in_place(place: Place) -> Option<Self> {
        let folders = ["/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm", "/opt/homebrew/lib/softhsm"];
        let modules = folders.map(|folder| Path::new(folder).join("libsofthsm2.so"));
        let Some(module) = modules.into_iter().find(|module| module.exists()) else {
            println!("skipped: SoftHSM2 is not installed (Debian: softhsm2)");
            return None;
        };
        std::fs::create_dir(place.path("tokens")).unwrap();
        let tokens = place.path("tokens");
        place.write("softhsm2.conf", &format!("directories.tokendir = {}\nlog.level = ERROR\n", tokens.display()));
        let hsm = Self { place, module };
        hsm.make_token("line");
        Some(hsm)
    }

    pub(crate) fn make_token(&self, label: &str) {
        self.util(&["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"]);
    }

    pub(crate) fn util(&self, args: &[&str]) {
        let ran = finished(Command::new("softhsm2-util").args(args).env("SOFTHSM2_CONF", self.configuration()));
        assert_eq!(ran.status, Some(0), "{ran:?}");
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.place.path("softhsm2.conf")
    }

    /// The URI of the key `object` in the token `token`.
    pub(crate) fn uri(&self, token: &str, object: &str) -> String {
        format!("pkcs11:token={token};object={object}?module-path={}", self.module.display())
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(line);
        command.env("SOFTHSM2_CONF", self.configuration()).env("TOUCHMARK_PIN", PIN);
        command.env_remove("TOUCHMARK_PKCS11_MODULE").env_remove("CREDENTIALS_DIRECTORY");
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        finished(&mut self.command(line))
    }
}
