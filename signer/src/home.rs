//! The folder that holds what a maker or a line signs with:
//!
//! | file | what |
//! | --- | --- |
//! | `keys/root.pem` | the maker's root key; a line's own home has none |
//! | `keys/authority.pem` | the key that signs `trust.json`; where another authority does, none |
//! | `keys/LINE.pem` | a line key |
//! | `keys/NAME.uri` | in place of any of these: the PKCS#11 URI of a key in a hardware security module (RFC 7512) |
//! | `lines/LINE.json` | its delegation |
//! | `lines/LINE.request.json` | its request, until the delegation is there |
//! | `disclosure/YEAR.age`, `.key` | the year key of consignee capsules, under the passphrase or plain |
//! | `consignees.csv` | customers: number, name, country, address |
//! | `closed/LINE-FIRST-LAST.json` | serials of a line that are never issued again ([`crate::lot`]) |
//! | `serials.db` | the serials issued, with their marks ([`crate::line::store`]) |
//! | `serials.url` | where they are instead, if that is a PostgreSQL server: its URL |
//! | `packing.jsonl` | what is packed in what ([`crate::pack`]) |
//! | `trust.json` | the trust bundle with this maker in it |
//!
//! LINE is the line's name in small letters with `-` for everything but letters and digits.

use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::keys::file::is_encrypted;
use crate::keys::pkcs11::{Missing, Pkcs11Key, Uri};
use crate::keys::{SecretKey, SigningKey, Unlock, year};
use crate::line::store::Store;
use crate::line::witness;
use crate::pack::{self, Packed};
use crate::sign::LineKey;
use jiff::Timestamp;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use touchmark_formats::capsule::YearKey;
use touchmark_formats::close::{LotClose, Scrapped};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, SerialRange};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::Signed;

/// A home folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

/// A line in a home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of its files.
    pub slug: String,
    /// What it may mark. Its signatures were checked.
    pub delegation: Signed<Delegation>,
}

impl Home {
    /// The home in `dir`.
    ///
    /// # Errors
    /// There is none.
    pub fn open(dir: &Path) -> Result<Self> {
        let mut there = true;
        for name in ["keys", "lines"] {
            let folder = dir.join(name);
            match std::fs::read_dir(&folder) {
                Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                    return Err(Error::io("read", &folder, &e)
                        .hint("run this as the user whose home it is, or give it to this one with `chown -R`"));
                }
                read => there &= read.is_ok(),
            }
        }
        if there {
            return Ok(Self(dir.to_owned()));
        }
        Err(Error::file(dir, "not a home folder: there is no keys and lines in it")
            .hint("`touchmark-sign init DIR --maker NAME --country CC` makes one"))
    }

    /// The home that is about to be made in `dir`.
    pub(crate) fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// The trust bundle.
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.0.join("trust.json")
    }

    /// The store of serials, where it is a file.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.0.join("serials.db")
    }

    /// What names the store of serials, where it is a server.
    #[must_use]
    pub fn store_url_file(&self) -> PathBuf {
        self.0.join("serials.url")
    }

    /// What the store of serials is, for people.
    #[must_use]
    pub fn store_name(&self) -> String {
        let url = self.store_url_file();
        if url.exists() { format!("PostgreSQL, by {}", url.display()) } else { self.store_file().display().to_string() }
    }

    /// Whether there is a store of serials, as far as that can be told without a server.
    #[must_use]
    pub fn has_store(&self) -> bool {
        self.store_url_file().exists() || self.store_file().exists()
    }

    /// The store of serials, for whoever only reads it: one that was there once, as the witnesses in `state` know, is not
    /// made anew.
    ///
    /// # Errors
    /// It is not there, or cannot be opened or reached.
    pub fn store_to_read(&self, state: &Path, key: &KeyBytes) -> Result<Store> {
        if !self.has_store() && witness::knows(state, key) {
            return Err(Error::file(
                &self.store_file(),
                "the store of serials is gone, and this machine knows of marks",
            )
            .hint("put the newest copy back, and see `touchmark-sign line recover`"));
        }
        self.store(false)
    }

    /// The store of serials. `busy` is for a line that commits all the time.
    ///
    /// # Errors
    /// It cannot be opened or reached.
    pub fn store(&self, busy: bool) -> Result<Store> {
        let old = self.0.join("serials.jsonl");
        if std::fs::metadata(&old).is_ok_and(|m| m.len() > 0) {
            return Err(Error::file(&old, "serials that a program before this one issued, which does not know them")
                .hint("grant a new line in this home and mark with that, so that no serial is issued twice; then move the file away"));
        }
        let url = self.store_url_file();
        if !url.exists() {
            return Store::sqlite(&self.store_file(), busy);
        }
        let store = Store::postgres(files::private_line(&url)?.expose(), busy);
        store.map_err(|e| Error { message: format!("{}: {e}", url.display()), ..e })
    }

    /// The table of customers.
    #[must_use]
    pub fn consignees_file(&self) -> PathBuf {
        self.0.join("consignees.csv")
    }

    /// Which GTIN is which part ([`crate::epcis`]), where the maker has some.
    #[must_use]
    pub fn gtins_file(&self) -> PathBuf {
        self.0.join("gtins.csv")
    }

    /// A secret key: `root`, `authority`, or a line's slug.
    #[must_use]
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.0.join("keys").join(format!("{name}.pem"))
    }

    /// Where a key in a hardware security module is named.
    #[must_use]
    pub fn key_uri_file(&self, name: &str) -> PathBuf {
        self.0.join("keys").join(format!("{name}.uri"))
    }

    /// Whether a key is here, or in a token that this home names.
    #[must_use]
    pub fn has_key(&self, name: &str) -> bool {
        self.key_file(name).exists() || self.key_uri_file(name).exists()
    }

    /// A line's delegation.
    #[must_use]
    pub fn delegation_file(&self, slug: &str) -> PathBuf {
        self.0.join("lines").join(format!("{slug}.json"))
    }

    /// A line's request for a delegation.
    #[must_use]
    pub fn request_file(&self, slug: &str) -> PathBuf {
        self.0.join("lines").join(format!("{slug}.request.json"))
    }

    /// Where the key of `year` stands, or would stand.
    #[must_use]
    pub fn year_file(&self, year: i16, encrypted: bool) -> PathBuf {
        self.0.join("disclosure").join(format!("{year}.{}", year::extension(encrypted)))
    }

    /// Whether the maker's disclosure secret is here: whether consignees can be sealed and disclosed.
    #[must_use]
    pub fn has_disclosure(&self) -> bool {
        self.0.join("disclosure").is_dir()
    }

    /// The maker's root key.
    ///
    /// # Errors
    /// It is not here, or cannot be opened.
    pub fn root_key(&self, unlock: &mut dyn Unlock) -> Result<Box<dyn SigningKey>> {
        if self.has_key("root") {
            return self.key("root", unlock);
        }
        Err(Error::file(&self.key_file("root"), "the maker's root key is not in this home")
            .hint("run this in the maker's home, the one that `touchmark-sign init` made"))
    }

    /// The key called `name`, in its file or in the token that its URI names.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn key(&self, name: &str, unlock: &mut dyn Unlock) -> Result<Box<dyn SigningKey>> {
        match self.key_uri(name)? {
            Some(uri) => Ok(Box::new(Pkcs11Key::open(uri, Missing::Refuse, unlock)?)),
            None => Ok(Box::new(SecretKey::read(&self.key_file(name), || unlock.passphrase())?)),
        }
    }

    /// Names the key of `uri` as the one called `name`; it is made if its token has none of that name.
    ///
    /// # Errors
    /// A key of that name is here already; or the token's cannot be opened or made.
    pub fn set_token_key(&self, name: &str, uri: Uri, unlock: &mut dyn Unlock) -> Result<Pkcs11Key> {
        if self.key_file(name).exists() {
            return Err(Error::file(&self.key_file(name), "this key is in a file already")
                .hint("take another name, or that file away"));
        }
        let file = self.key_uri_file(name);
        if self.key_uri(name)?.is_some_and(|known| known != uri) {
            return Err(Error::file(&file, "this key is named by another PKCS#11 URI already"));
        }
        let key = Pkcs11Key::open(uri, Missing::Generate, unlock)?;
        files::write(&file, format!("{}\n", key.uri().as_str()).as_bytes(), Access::Ordinary)?;
        Ok(key)
    }

    /// Where the key called `name` stands, if that is a token.
    ///
    /// # Errors
    /// What names it is no PKCS#11 URI.
    pub fn key_uri(&self, name: &str) -> Result<Option<Uri>> {
        let path = self.key_uri_file(name);
        if !path.exists() {
            return Ok(None);
        }
        let text = String::from_utf8(files::read(&path)?).map_err(|_| Error::file(&path, "not UTF-8"))?;
        let uri = text.trim().parse::<Uri>();
        uri.map(Some).map_err(|e| Error { message: format!("{}: {e}", path.display()), ..e })
    }

    /// The key of `line`, which must be the one that its delegation names.
    ///
    /// # Errors
    /// It cannot be opened, or is another.
    pub fn line_key(&self, line: &Line, unlock: &mut dyn Unlock) -> Result<LineKey> {
        let key = self.key(&line.slug, unlock)?;
        let uri = Some(self.key_uri_file(&line.slug)).filter(|path| path.exists());
        let path = uri.unwrap_or_else(|| self.key_file(&line.slug));
        let key = LineKey::new(key).map_err(|e| Error::file(&path, e))?;
        if key.public() == line.delegation.signed.key {
            return Ok(key);
        }
        Err(Error::file(&path, format_args!("not the key that {} names", self.delegation_file(&line.slug).display())))
    }

    /// The key of `year`; `None` if it is not here.
    ///
    /// # Errors
    /// It is here, and cannot be opened.
    pub fn year_key(&self, year: i16, unlock: &mut dyn Unlock) -> Result<Option<YearKey>> {
        let found = [true, false].map(|encrypted| self.year_file(year, encrypted)).into_iter().find(|p| p.exists());
        found.map(|path| year::read(&path, year, || unlock.passphrase())).transpose()
    }

    /// Makes the key of `year`, under which neither `store` nor what is packed has a sealed mark yet. `now` is this year.
    ///
    /// # Errors
    /// The disclosure secret is kept elsewhere; the key is there, or was once; or it cannot be written.
    pub fn new_year_key(&self, year: i16, now: i16, store: &mut Store, unlock: &mut dyn Unlock) -> Result<YearKey> {
        if !self.has_disclosure() {
            return Err(Error::file(&self.0, "consignees cannot be sealed here: this home has no disclosure secret")
                .hint("leave --consignee out and let the maker's ledger say where the goods went, or mark in the maker's home"));
        }
        let file = self.year_file(year, self.is_encrypted()?);
        // Keeps another process from making the same key.
        let _lock = files::lock_folder(&self.0.join("disclosure"));
        let day = |month, day| Date::try_from(jiff::civil::date(year, month, day)).unwrap_or(Date::MAX);
        let packed = || -> Result<bool> {
            let packed = pack::read(&self.packing_file())?;
            let sealed = |packed: &Packed| Ok(packed.date.year() == year && packed.is_sealed()?);
            packed.iter().map(sealed).find(|found| *found != Ok(false)).unwrap_or(Ok(false))
        };
        if year < now || store.has_sealed(day(1, 1), day(12, 31))? || packed()? {
            return Err(Error::file(&file, "the disclosure key of that year is missing")
                .hint("restore it from its copy, or take it from the PC of this maker that made it: no other opens what was sealed \
                       under it; marks without a consignee need none"));
        }
        if let Some(key) = self.year_key(year, &mut *unlock)? {
            return Ok(key);
        }
        let passphrase = if self.is_encrypted()? { Some(unlock.passphrase()?) } else { None };
        let key = year::generate()?;
        year::write(&file, year, &key, passphrase.as_ref())?;
        Ok(key)
    }

    /// Whether the keys in files of this maker's home are under a passphrase: its root key; where that is in a token, its
    /// authority's key; where that is too, its year keys. With none of these a new key is to be under one.
    ///
    /// # Errors
    /// A key is there and cannot be read.
    pub fn is_encrypted(&self) -> Result<bool> {
        if let Some(path) = ["root", "authority"].map(|name| self.key_file(name)).iter().find(|path| path.exists()) {
            let pem = zeroize::Zeroizing::new(files::read(path)?);
            return Ok(std::str::from_utf8(&pem).is_ok_and(is_encrypted));
        }
        let plain = std::ffi::OsStr::new(year::extension(false));
        let years = std::fs::read_dir(self.0.join("disclosure")).into_iter().flatten().flatten();
        Ok(!years.map(|entry| entry.path()).any(|path| path.extension() == Some(plain)))
    }

    /// Closes `serials` of `line`, of which some are `void`, at `now`: `make` makes the record from the serials issued so far, while nobody issues any, and
    /// none of the range is issued again.
    ///
    /// # Errors
    /// Those of `make`; the range is closed already; or the record cannot be kept.
    pub fn close_serials(
        &self,
        line: &Line,
        serials: SerialRange,
        void: &[Scrapped],
        now: Timestamp,
        make: impl FnOnce(Vec<SerialRange>) -> Result<Signed<LotClose>>,
    ) -> Result<Signed<LotClose>> {
        self.require_open(line, serials)?;
        let record = self.store(false)?.close(&line.delegation.signed.key, serials, void, now, make)?;
        let name = format!("{}-{}-{}.json", line.slug, serials.first, serials.last);
        crate::init::private_folder(&self.closed_folder())?;
        files::write(&self.closed_folder().join(name), record.to_json().as_bytes(), Access::Ordinary)?;
        Ok(record)
    }

    /// Refuses serials of `line` that are closed. The store of serials keeps them as well; this says where the account of it is.
    ///
    /// # Errors
    /// Some are closed; or what is closed cannot be read.
    pub fn require_open(&self, line: &Line, serials: SerialRange) -> Result<()> {
        let folder = self.closed_folder();
        let entries = match std::fs::read_dir(&folder) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|e| Error::io("read", &folder, &e))?,
        };
        for entry in entries {
            let path = entry.map_err(|e| Error::io("read", &folder, &e))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let closed = crate::lot::read(&path)?.signed;
            let meets = closed.serials.first <= serials.last && serials.first <= closed.serials.last;
            if meets && closed.key == line.delegation.signed.key {
                let what = format!("serials {} of line {:?} are closed", closed.serials, line.slug);
                return Err(Error::refused(format!("{what} ({})", path.display()))
                    .hint("what is closed is never issued again: name another lot, or serials outside that range"));
            }
        }
        Ok(())
    }

    fn closed_folder(&self) -> PathBuf {
        self.0.join("closed")
    }

    /// What is packed in what ([`crate::pack`]).
    #[must_use]
    pub fn packing_file(&self) -> PathBuf {
        self.0.join("packing.jsonl")
    }

    /// Every line with a delegation, by slug.
    ///
    /// # Errors
    /// A delegation cannot be read, or does not hold.
    pub fn lines(&self) -> Result<Vec<Line>> {
        let folder = self.0.join("lines");
        let unreadable = |e: std::io::Error| Error::io("read", &folder, &e);
        let mut slugs = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let slug = name.to_str().and_then(|n| n.strip_suffix(".json")).filter(|n| !n.ends_with(".request"));
            slugs.extend(slug.map(str::to_owned));
        }
        slugs.sort();
        slugs.into_iter().map(|slug| self.read_line(slug)).collect()
    }

    fn read_line(&self, slug: String) -> Result<Line> {
        let delegation = read_delegation(&self.delegation_file(&slug))?;
        Ok(Line { slug, delegation })
    }

    /// The public key of the line with this name, or of the only one; its secret key may be elsewhere.
    ///
    /// # Errors
    /// There is none, or there are several and none was named.
    pub fn line_public(&self, name: Option<&str>) -> Result<KeyBytes> {
        let lines = self.lines()?;
        let names = lines.iter().map(|l| format!("{:?}", l.delegation.signed.line.as_str()));
        let names = names.collect::<Vec<_>>().join(", ");
        let mut found = lines.iter().filter(|l| name.is_none_or(|n| l.delegation.signed.line.as_str() == n));
        match (found.next(), found.next()) {
            (Some(line), None) => Ok(line.delegation.signed.key),
            (None, _) => Err(Error::file(&self.0, format_args!("there is no such line, only {names}"))),
            _ => Err(Error::file(&self.0, format_args!("there are several lines: {names}"))
                .hint("name one with --line NAME")),
        }
    }

    /// The line with this name, or the only one, of those whose keys are here.
    ///
    /// # Errors
    /// There is none, or there are several and none was named.
    pub fn line(&self, name: Option<&str>) -> Result<Line> {
        let mut lines = self.lines()?;
        lines.retain(|line| self.has_key(&line.slug));
        let names = lines.iter().map(|l| format!("{:?}", l.delegation.signed.line.as_str()));
        let names = names.collect::<Vec<_>>().join(", ");
        let mut found = lines.into_iter().filter(|l| name.is_none_or(|n| l.delegation.signed.line.as_str() == n));
        match (found.next(), found.next(), name) {
            (Some(line), None, _) => Ok(line),
            (None, _, _) if names.is_empty() => Err(Error::file(&self.0, "no line has a delegation yet")
                .hint("`touchmark-sign delegate accept` takes the delegation in that the maker granted")),
            (None, _, Some(name)) => Err(Error::file(&self.0, format_args!("there is no line {name:?}, only {names}"))),
            _ => Err(Error::file(&self.0, format_args!("there are several lines: {names}"))
                .hint("name one with --line NAME")),
        }
    }
}

/// The delegation in a file, its signatures checked.
///
/// # Errors
/// It cannot be read, or does not hold.
pub fn read_delegation(path: &Path) -> Result<Signed<Delegation>> {
    let envelope = Signed::<Delegation>::from_json(&files::read(path)?).map_err(|e| Error::file(path, e))?;
    let root = envelope.signed.maker.check().map_err(|e| Error::file(path, format_args!("the maker's key: {e}")))?;
    Delegation::check(&envelope, &root).map_err(|e| Error::file(path, e))?;
    Ok(envelope)
}

/// The name of a line's files: small letters and digits of the name, `-` for each run of anything else.
///
/// # Errors
/// Nothing is left, or the name is kept for another key.
pub fn slug(line: &str) -> Result<String> {
    let words = line.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    match slug.as_str() {
        "" => Err(Error::unusable(format!("the line's name {line:?} has no letter or digit"))),
        "root" | "authority" => {
            Err(Error::unusable(format!("a line cannot be called {line:?}: that key has its place")))
        }
        _ => Ok(slug),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encrypted_if_the_first_that_is_in_a_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        for name in ["keys", "disclosure"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        assert_eq!(home.is_encrypted(), Ok(true), "nothing says that a new key may be plain");
        std::fs::write(home.year_file(2026, true), "").unwrap();
        assert_eq!(home.is_encrypted(), Ok(true));
        std::fs::write(home.year_file(2027, false), "").unwrap();
        assert_eq!(home.is_encrypted(), Ok(false));
        for (name, pem, expected) in [("authority", "ENCRYPTED PRIVATE", true), ("root", "PRIVATE", false)] {
            std::fs::write(home.key_file(name), format!("-----BEGIN {pem} KEY-----\n")).unwrap();
            assert_eq!(home.is_encrypted(), Ok(expected));
        }
    }

    #[test]
    fn slugs_are_plain_file_names() {
        for (name, expected) in [("line 1", "line-1"), ("  Eindhoven/3_b ", "eindhoven-3-b"), ("../../x", "x")] {
            assert_eq!(slug(name).as_deref(), Ok(expected));
        }
        for name in ["", "../", "Root", "authority"] {
            assert!(slug(name).is_err(), "{name:?}");
        }
    }
}
