//! `touchmark-sign disclose --request`: the answer to a trace request, from the ledger.

use super::secrets::PassphraseArgs;
use super::{Io, counted};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::keys::sign_document;
use crate::ledger::Keeper;
use crate::ledger::keeper::{Evidence, KEY};
use sha2::{Digest, Sha256};
use std::path::Path;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::request::TraceRequest;
use touchmark_formats::ledger::trail::Trail;
use touchmark_formats::signed::Signed;
use zeroize::Zeroizing;

/// What a trace request is answered with.
pub(super) struct Answer<'a> {
    pub(super) home: &'a Path,
    pub(super) request: &'a TraceRequest,
    pub(super) out: &'a Path,
}

pub(super) fn run(args: &Answer<'_>, passphrase: PassphraseArgs, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(args.home)?;
    let request = args.request;
    let recipient = request.recipient.parse::<age::x25519::Recipient>();
    let recipient = recipient.map_err(|e| Error::unusable(format!("the request's recipient is none of age: {e}")))?;
    let mut keeper = Keeper::open(&home)?;
    let mut secrets = passphrase.secrets();
    let root = home.root_key(&mut secrets.unlock(io))?;
    let key = home.key(KEY, &mut secrets.unlock(io))?;
    // What was recorded since the last checkpoint must be under one before it can be proven.
    keeper.checkpoint(&*key)?;
    let Evidence { records, answers, checkpoint, earlier } = keeper.evidence(&request.places)?;
    let (count, places) = (records.len(), request.places.len());
    let mut envelope = Signed::new(Trail {
        maker: root.public(),
        recipient: recipient.to_string(),
        case: request.case.clone(),
        created: io.now,
        ledger: keeper.document.clone(),
        checkpoint,
        records,
        answers,
        earlier,
    });
    sign_document(&*root, &mut envelope)?;
    let json = Zeroizing::new(envelope.to_json());
    let sealed = age::encrypt_and_armor(&recipient, json.as_bytes())
        .map_err(|e| Error::unusable(format!("cannot encrypt the answer: {e}")))?;
    // On record before it leaves.
    note(&home, request, sealed.as_bytes(), io)?;
    match args.out.to_str() {
        Some("-") => io.print(sealed)?,
        _ => files::write(args.out, sealed.as_bytes(), Access::Ordinary)?,
    }
    let (records, serials) = (counted(count, "record"), counted(places, "serial"));
    io.say(format_args!("{serials}: {records} with their proofs for {}, case {:?}", request.requester, request.case));
    Ok(())
}

/// The request, signed by the key of whoever the maker knows it to be from.
pub(super) fn read(path: &Path, requester: Option<KeyBytes>) -> Result<TraceRequest> {
    let envelope = Signed::<TraceRequest>::from_json(&files::read(path)?).map_err(|e| Error::file(path, e))?;
    let signers: Vec<KeyBytes> = envelope.signatures.iter().map(|entry| entry.key).collect();
    let good = |key: &KeyBytes| key.check().is_ok_and(|key| envelope.is_signed_by(&key));
    let named = signers.iter().map(KeyBytes::to_string).collect::<Vec<_>>().join(", ");
    match requester {
        Some(key) if good(&key) => Ok(envelope.signed),
        Some(key) => Err(Error::refused(format!("{}: not signed by {key}, but by {named}", path.display()))
            .hint("whoever signed it is not who you take it to be from: answer nothing before that is cleared up")),
        None => Err(Error::unusable(format!("{}: it is signed by {named}", path.display()))
            .hint("compare that key with the authority by another way, and name it with --requester")),
    }
}

/// Notes what was disclosed to whom, for the maker's own record: a line in the home.
pub(super) fn note(home: &Home, request: &TraceRequest, sealed: &[u8], io: &Io<'_>) -> Result<()> {
    let digest: String = Sha256::digest(sealed).iter().map(|byte| format!("{byte:02x}")).collect();
    let line = serde_json::json!({
        "at": io.now, "requester": request.requester, "case": request.case, "recipient": request.recipient,
        "places": request.places, "answer_sha256": digest,
    });
    let path = home.dir().join("disclosed.jsonl");
    let mut all = if path.exists() { files::read(&path)? } else { Vec::new() };
    all.extend(format!("{line}\n").bytes());
    files::write(&path, &all, Access::Private)
}
