//! A case: a folder tree of photos in, a folder of evidence out.
//!
//! [`run`] examines every photo that [`gather`] finds, once, and keeps what it did in the [`journal`]; [`assemble`] makes the
//! files of the [`folder`] out of that.

mod archive;
pub mod assemble;
mod clones;
mod crop;
mod exif;
pub mod folder;
pub mod gather;
pub mod journal;
pub mod known;
pub mod parts;
pub mod record;
pub mod run;
mod soft;
mod table;
pub mod watch;
