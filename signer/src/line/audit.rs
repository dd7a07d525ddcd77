//! The journal checked from end to end: every serial accounted for, every signature good, no limit broken.

use super::store::{Audit, Content, Run, Store};
use crate::error::Result;
use crate::line::issuer::marks_of_run;
use rayon::prelude::*;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::key::PublicKey;
use touchmark_formats::mark::SignedMark;

/// Reads every record of the delegation's line key. With `signatures`, each is checked too.
///
/// # Errors
/// The store failed. What is wrong *in* it is in the answer.
pub fn audit(store: &mut Store, delegation: &Delegation, key: &PublicKey, signatures: bool) -> Result<Audit> {
    store.audit(&key.bytes(), |runs| {
        if !signatures {
            return Vec::new();
        }
        runs.par_iter().flat_map_iter(|(run, content)| check_run(delegation, key, run, content)).collect()
    })
}

fn check_run(delegation: &Delegation, key: &PublicKey, run: &Run, content: &Content) -> Vec<String> {
    let Ok(marks) = marks_of_run(content, run) else {
        return vec![format!("the marks from serial {} on cannot be read", run.first)];
    };
    marks.iter().filter_map(|mark| check_mark(delegation, key, mark, content)).collect()
}

fn check_mark(delegation: &Delegation, key: &PublicKey, mark: &SignedMark, content: &Content) -> Option<String> {
    let message = mark.mark.message(&delegation.maker, &content.part, content.lot.as_ref());
    let serial = mark.mark.serial;
    (!key.verify(&message, &mark.signature)).then(|| format!("the signature of serial {serial} is wrong"))
}
