//! A case: a folder tree of photos in, a folder of evidence out.
//!
//! [`run`] examines every photo that [`gather`] finds, once, and keeps what it did in the [`journal`]; [`assemble`] makes the
//! files of the [`folder`] out of that. What becomes of these: [`report`], [`pack`], [`check`], [`redact`], [`merge`],
//! [`leads`].

mod archive;
pub mod assemble;
pub mod bag;
pub mod check;
mod classes;
mod clones;
mod crop;
pub mod derived;
mod exif;
pub mod flows;
pub mod folder;
pub mod gather;
pub mod graphml;
pub mod journal;
pub mod known;
pub mod leads;
pub mod merge;
pub mod pack;
pub mod parts;
mod photos;
mod place;
pub mod record;
pub mod redact;
pub mod report;
pub mod run;
#[cfg(test)]
mod sample;
mod soft;
mod table;
pub mod watch;
