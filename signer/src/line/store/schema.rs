//! The tables.
//!
//! A **place** is a line key's number in this store and a serial in one integer (number × 2^53 + serial), so that the
//! primary key of every table is one number, and marks of one key that follow one another lie beside one another.

use super::database::Dialect;
use touchmark_formats::mark::Serial;

/// The version of the tables.
pub(super) const VERSION: u64 = 1;
/// Line keys in one store: what a place of 63 bits has room for.
pub(super) const MAX_KEYS: u64 = 1 << 10;

/// The place of a serial.
pub(super) fn place(key: u64, serial: u64) -> u64 {
    (key << 53) | serial
}

/// The serial at a place.
pub(super) fn serial_at(place: u64) -> u64 {
    place & Serial::MAX
}

/// Whether there are tables: a query that fails where there are none, on SQLite and PostgreSQL alike.
pub(super) const FIND: &str = "SELECT version, id FROM store";

/// What makes the tables.
pub(super) fn tables(dialect: Dialect) -> String {
    let Dialect { bytes, key, .. } = dialect;
    // A run fits a page.
    let run = dialect.keep("run", "PLAIN");
    format!(
        "
        -- One row: which store this is. Whoever hands out blocks holds it while doing so.
        CREATE TABLE store (version BIGINT NOT NULL, id {bytes} NOT NULL, leases BIGINT NOT NULL);
        -- Line keys by number.
        CREATE TABLE signing_key (number {key}, public {bytes} NOT NULL UNIQUE);
        -- Who issues: one row for each line or command that ever did, with the count of its commits, a random number
        -- that the last of them wrote, and who may write the next.
        CREATE TABLE issuer (
            id {key}, key BIGINT NOT NULL, name TEXT NOT NULL, holder BIGINT NOT NULL, sequence BIGINT NOT NULL,
            nonce BIGINT NOT NULL, issued BIGINT NOT NULL, verified BIGINT NOT NULL, void BIGINT NOT NULL,
            UNIQUE (key, name));
        -- Serials taken, in disjoint blocks: those before next are issued (or lost), the others reserved for the issuer.
        CREATE TABLE block (
            place {key}, next BIGINT NOT NULL, last BIGINT NOT NULL, issuer BIGINT NOT NULL, lost BIGINT NOT NULL);
        CREATE INDEX open_block ON block (issuer) WHERE next <= last;
        -- What marks say but for serial and capsule.
        CREATE TABLE content (
            id {key}, part TEXT NOT NULL, lot TEXT, date BIGINT NOT NULL, mark {bytes} NOT NULL, capsule BIGINT NOT NULL);
        -- Marks issued: serials that follow one another with one content; for each its capsule and signature.
        CREATE TABLE run (
            place {key}, count BIGINT NOT NULL, content BIGINT NOT NULL, at BIGINT NOT NULL, client TEXT, request TEXT,
            piece BIGINT, body {bytes} NOT NULL);
        -- Requests are of a client, and of a line key: the number before the serial in its place.
        CREATE UNIQUE INDEX answered ON run (client, request, piece, (place >> 53)) WHERE request IS NOT NULL;
        CREATE INDEX run_of ON run (content);
        -- What became of them: 1 verified, 2 void.
        CREATE TABLE outcome (
            place {key}, state BIGINT NOT NULL, at BIGINT NOT NULL, reason TEXT, grade BIGINT);
        {run}"
    )
}
