//! New photos as they arrive in folders: a camera's tether, a shared drive.
//!
//! The folders are looked at once a second, which works on every file system, also over a network. A file is taken when two
//! looks in a row found the same size and time: then nobody writes it any more.

use super::gather::{Found, Gather, Walked, stamp};
use crate::pipeline::Put;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two looks.
pub const PAUSE: Duration = Duration::from_secs(1);
/// Between two looks whether to stop.
const SHORT: Duration = Duration::from_millis(50);

/// Puts every photo in and below `folders` as it comes to rest, until `stop` is set.
pub fn watch<'a>(gather: &Gather<'a>, folders: &[PathBuf], stop: &AtomicBool, put: Put<'_, Found<'a>>) {
    let (mut before, mut taken): (HashMap<PathBuf, String>, HashMap<PathBuf, String>) = Default::default();
    while !stop.load(Ordering::Relaxed) {
        let mut now = HashMap::new();
        let mut look = |walked| {
            // What cannot be looked at now may be there at the next look.
            let Walked::File(path) = walked else { return ControlFlow::Continue(()) };
            let stamp = stamp(&path);
            let is = |then: &HashMap<PathBuf, String>| then.get(&path).is_some_and(|then| *then == stamp);
            let flow = match is(&before) && !is(&taken) {
                true => {
                    taken.insert(path.clone(), stamp.clone());
                    gather.file_by_name(&path, put)
                }
                false => ControlFlow::Continue(()),
            };
            now.insert(path, stamp);
            flow
        };
        if folders.iter().any(|folder| gather.walk(folder, &mut look).is_break()) {
            return;
        }
        before = now;
        let begun = Instant::now();
        while begun.elapsed() < PAUSE && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(SHORT);
        }
    }
}
