//! The tables. A **place** is a line's number in this store and a serial in one integer, as in the store of serials.

use crate::line::store::Dialect;
use touchmark_formats::mark::Serial;

/// The version of the tables.
pub(super) const VERSION: u64 = 3;
/// The version before, with other tiles above those of the records: it is brought up to date when it is opened.
pub(super) const OTHER_TILES: u64 = 2;
/// Line keys in one ledger: what a place of 63 bits has room for.
pub(super) const MAX_LINES: u64 = 1 << 10;
/// Records in one row.
pub(super) const BUNDLE: u64 = 64;

/// The place of a serial.
pub(super) fn place(line: u64, serial: u64) -> u64 {
    (line << 53) | serial
}

/// The serial at a place.
pub(super) fn serial_at(place: u64) -> u64 {
    place & Serial::MAX
}

/// Whether there are tables: a query that fails where there are none.
pub(super) const FIND: &str = "SELECT version, secret, size FROM ledger";

/// What makes the tables.
pub(super) fn tables(dialect: Dialect) -> String {
    let Dialect { bytes, key, .. } = dialect;
    let hashes = ["ledger_tile", "ledger_page"].map(|table| dialect.keep(table, "EXTERNAL")).concat();
    format!(
        "
        -- One row: what the salts come from, and how many records there are. Whoever appends holds it while doing so.
        CREATE TABLE ledger (version BIGINT NOT NULL, secret {bytes} NOT NULL, size BIGINT NOT NULL);
        -- Line keys by number, and the part of the map that is theirs: how many ranges, where the first begins, the hash.
        CREATE TABLE ledger_line (
            number {key}, public {bytes} NOT NULL UNIQUE, count BIGINT NOT NULL, first BIGINT NOT NULL, hash {bytes} NOT NULL);
        -- The newest record of each customer, by its number.
        CREATE TABLE ledger_party (number {key}, record BIGINT NOT NULL);
        -- The lot of each commissioning that has one, by its record.
        CREATE TABLE ledger_lot (record {key}, lot TEXT NOT NULL);
        CREATE INDEX ledger_lot_records ON ledger_lot (lot);
        -- The record that answers for the serials from place to last, its commitment, and its state and day.
        CREATE TABLE ledger_segment (
            place {key}, last BIGINT NOT NULL, record BIGINT NOT NULL, state BIGINT NOT NULL, entry {bytes} NOT NULL);
        -- Records, each after its length in two bytes.
        CREATE TABLE ledger_bundle (number {key}, body {bytes} NOT NULL);
        -- Hashes of the Merkle tree: the rank in the highest byte, then which row of that rank.
        CREATE TABLE ledger_tile (number {key}, body {bytes} NOT NULL);
        -- Parts of the map of serials.
        CREATE TABLE ledger_page (number {key}, body {bytes} NOT NULL);
        -- Places where the map has changed since its last checkpoint: eight bytes each.
        CREATE TABLE ledger_changed (number {key}, body {bytes} NOT NULL);
        -- Signed checkpoints, with the cosignatures that were received.
        CREATE TABLE ledger_checkpoint (size {key}, note TEXT NOT NULL);
        {hashes}"
    )
}
