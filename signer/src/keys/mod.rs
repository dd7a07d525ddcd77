//! Secret keys: at rest in files, in memory only as long as they are used.

pub mod file;
pub mod passphrase;
pub mod year;

pub use file::SecretKey;
pub use passphrase::Passphrase;
