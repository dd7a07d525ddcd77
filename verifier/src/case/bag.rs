//! Bags (BagIt 1.0, RFC 8493): a folder of payload, and beside it what each file's hashes are.

use crate::hex::hex;
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::{Component, Path, PathBuf};

/// The folder with the payload.
pub(super) const PAYLOAD: &str = "data";
/// The largest manifest or tag file that is read, in bytes.
const MAX_TAG_BYTES: u64 = 512 << 20;

/// Why a bag cannot be made or read.
#[derive(Debug)]
pub struct BagError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for BagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl std::error::Error for BagError {}

impl From<super::folder::FolderError> for BagError {
    fn from(error: super::folder::FolderError) -> Self {
        let path = error.path.clone();
        let prefix = format!("{}: ", path.display());
        let said = error.to_string();
        Self { path, what: said.strip_prefix(&prefix).unwrap_or(&said).to_owned() }
    }
}

/// What is wrong at `path`, for `map_err`.
pub(super) fn at<E: fmt::Display>(path: &Path) -> impl Fn(E) -> BagError {
    move |e| BagError { path: path.to_owned(), what: e.to_string() }
}

/// The hashes of a file, hexadecimal, and its size.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hashes {
    sha256: String,
    sha512: String,
    bytes: u64,
}

fn hashes(path: &Path) -> Result<Hashes, BagError> {
    let (mut sha256, mut sha512, mut bytes) = (Sha256::new(), Sha512::new(), 0);
    read_all(path, |read| {
        sha256.update(read);
        sha512.update(read);
        bytes += read.len() as u64;
    })?;
    Ok(Hashes { sha256: hex(&sha256.finalize()), sha512: hex(&sha512.finalize()), bytes })
}

/// A regular file, opened; links are not followed.
pub(super) fn open_regular(path: &Path) -> Result<std::fs::File, BagError> {
    let metadata = std::fs::symlink_metadata(path).map_err(at(path))?;
    if !metadata.is_file() {
        return Err(at(path)("it is not a regular file"));
    }
    std::fs::File::open(path).map_err(at(path))
}

/// Reads a file to its end in pieces.
pub(super) fn read_all(path: &Path, mut seen: impl FnMut(&[u8])) -> Result<(), BagError> {
    let mut file = open_regular(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer).map_err(at(path))?;
        match buffer.get(..n) {
            Some(read) if !read.is_empty() => seen(read),
            _ => return Ok(()),
        }
    }
}

/// The longest line of a file of lines, in bytes: as of the case folder's.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// The lines of a file, one after the other, without their line feeds.
pub(super) fn lines(path: &Path) -> Result<impl Iterator<Item = Result<String, BagError>> + '_, BagError> {
    let mut file = io::BufReader::new(open_regular(path)?);
    let mut number = 0;
    let mut next = move || -> Result<Option<String>, BagError> {
        let mut line = Vec::new();
        number += 1;
        file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(at(path))?;
        if line.is_empty() {
            return Ok(None);
        }
        let wrong = |what: &str| at(path)(format!("line {number}: {what}"));
        if line.pop_if(|last| *last == b'\n').is_none() {
            let longer = line.len() as u64 == MAX_LINE_BYTES;
            return Err(wrong(if longer { "longer than 64 MiB" } else { "it does not end with a line feed" }));
        }
        String::from_utf8(line).map(Some).map_err(|_| wrong("not UTF-8"))
    };
    let mut failed = false;
    Ok(std::iter::from_fn(move || {
        let line = if failed { None } else { next().transpose() };
        failed = matches!(line, Some(Err(_)));
        line
    }))
}

/// Every file below `folder`, by its path from `root` with `/` between folders. What is neither file nor folder is an error:
/// a link could lead anywhere.
pub(super) fn files_below(root: &Path, folder: &Path) -> Result<Vec<String>, BagError> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(at(&folder))? {
            let entry = entry.map_err(at(&folder))?;
            let (path, kind) = (entry.path(), entry.file_type().map_err(at(&folder))?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let inner = path.strip_prefix(root).map_err(at(&path))?;
                let names: Option<Vec<&str>> = inner.components().map(|c| c.as_os_str().to_str()).collect();
                out.push(names.ok_or_else(|| at(&path)("its name is not UTF-8"))?.join("/"));
            } else {
                return Err(at(&path)("it is neither file nor folder; a bag holds nothing else"));
            }
        }
    }
    out.sort();
    Ok(out)
}

/// Writes the tag files of the bag at `bag`, whose payload and own tag files are there already. `info` is for `bag-info.txt`.
pub(super) fn finish(bag: &Path, info: &[(&str, String)]) -> Result<(), BagError> {
    let write = |name: &str, text: &str| {
        let path = bag.join(name);
        crate::files::write_atomically(&path, text.as_bytes()).map_err(at(&path))
    };
    write("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")?;
    let mut manifests = [String::new(), String::new()];
    let (mut bytes, mut count) = (0, 0_u64);
    for name in files_below(bag, &bag.join(PAYLOAD))? {
        let own = hashes(&bag.join(&name))?;
        line(&mut manifests, &own, &name);
        bytes += own.bytes;
        count += 1;
    }
    write("manifest-sha256.txt", &manifests[0])?;
    write("manifest-sha512.txt", &manifests[1])?;
    let info = info.iter().map(|(label, value)| format!("{label}: {}\n", one_line(value))).collect::<String>();
    write("bag-info.txt", &format!("{info}Payload-Oxum: {bytes}.{count}\n"))?;
    let mut manifests = [String::new(), String::new()];
    for name in tag_files(bag)? {
        line(&mut manifests, &hashes(&bag.join(&name))?, &name);
    }
    write("tagmanifest-sha256.txt", &manifests[0])?;
    write("tagmanifest-sha512.txt", &manifests[1])
}

fn line(manifests: &mut [String; 2], own: &Hashes, name: &str) {
    let name = name.replace('%', "%25").replace('\n', "%0A").replace('\r', "%0D");
    manifests[0] += &format!("{}  {name}\n", own.sha256);
    manifests[1] += &format!("{}  {name}\n", own.sha512);
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The files beside the payload but the manifests of these.
fn tag_files(bag: &Path) -> Result<Vec<String>, BagError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(bag).map_err(at(bag))? {
        let entry = entry.map_err(at(bag))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == PAYLOAD || name.starts_with("tagmanifest-") {
            continue;
        }
        if entry.file_type().map_err(at(bag))?.is_dir() {
            names.extend(files_below(bag, &entry.path())?);
        } else {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// What differs between the bag at `bag` and its manifests, a sentence each.
///
/// # Errors
/// [`BagError`] if it is no bag.
pub(super) fn differences(bag: &Path) -> Result<Vec<String>, BagError> {
    let declaration = read(&bag.join("bagit.txt"))?;
    if !declaration.starts_with("BagIt-Version: 1.0\n") && !declaration.starts_with("BagIt-Version: 0.97\n") {
        return Err(at(&bag.join("bagit.txt"))("it does not begin as that of a bag: BagIt-Version: 1.0"));
    }
    let payload = bag.join(PAYLOAD);
    // A link would be followed to wherever it leads.
    if !std::fs::symlink_metadata(&payload).map_err(at(&payload))?.is_dir() {
        return Err(at(&payload)("it is no folder"));
    }
    let there = files_below(bag, &payload)?;
    let mut out = against(bag, "manifest", &there)?;
    out.extend(against(bag, "tagmanifest", &tag_files(bag)?)?);
    Ok(out)
}

/// Compares the files that are `there` with both manifests of a kind.
fn against(bag: &Path, kind: &str, there: &[String]) -> Result<Vec<String>, BagError> {
    let mut listed: [BTreeMap<String, String>; 2] = Default::default();
    for (own, hash) in listed.iter_mut().zip(["sha256", "sha512"]) {
        *own = manifest(&bag.join(format!("{kind}-{hash}.txt")))?;
    }
    let mut out = Vec::new();
    for name in there {
        let found = hashes(&bag.join(name))?;
        match (listed[0].remove(name), listed[1].remove(name)) {
            (Some(sha256), Some(sha512)) if sha256 == found.sha256 && sha512 == found.sha512 => {}
            (None, None) => out.push(format!("{name} is not in the {kind}")),
            _ => out.push(format!("{name} is not as the {kind} has it")),
        }
    }
    let mut missing: Vec<&String> = listed.iter().flat_map(BTreeMap::keys).collect();
    missing.sort();
    missing.dedup();
    out.extend(missing.into_iter().map(|name| format!("{name} is missing")));
    Ok(out)
}

fn read(path: &Path) -> Result<String, BagError> {
    let mut text = String::new();
    open_regular(path)?.take(MAX_TAG_BYTES).read_to_string(&mut text).map_err(at::<io::Error>(path))?;
    Ok(text)
}

/// The names and hashes in a manifest.
fn manifest(path: &Path) -> Result<BTreeMap<String, String>, BagError> {
    let mut out = BTreeMap::new();
    for (n, line) in read(path)?.lines().enumerate() {
        let wrong = |what: &str| at(path)(format!("line {}: {what}", n + 1));
        let (hash, name) = line.split_once([' ', '\t']).ok_or_else(|| wrong("not a hash and a name"))?;
        let name = name.trim_start_matches([' ', '\t', '*']);
        let name = name.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
        let inside = Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || name.is_empty() {
            return Err(wrong("the name leads out of the bag"));
        }
        if out.insert(name, hash.to_ascii_lowercase()).is_some() {
            return Err(wrong("the name stands there twice"));
        }
    }
    Ok(out)
}
