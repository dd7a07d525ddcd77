//! Every serial that was ever seen, over all cases: in a local file (SQLite), or on a server that a team shares (PostgreSQL).

mod database;
mod postgres_url;

use database::{Database, Value};
use std::fmt;
use std::path::Path;
use touchmark_formats::key::KeyBytes;

/// The version of the tables.
const VERSION: i64 = 1;

/// The store.
pub struct Sightings {
    db: Database,
}

/// Why the store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightingsError {
    what: String,
}

impl SightingsError {
    fn of(place: &str, why: &dyn fmt::Display) -> Self {
        Self { what: format!("{place}: {why}") }
    }
}

impl fmt::Display for SightingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for SightingsError {}

/// A photo that proves a serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The line's key.
    pub line_key: KeyBytes,
    /// The serial.
    pub serial: u64,
    /// The case: an id that no other has, and its name.
    pub case: (Vec<u8>, String),
    /// SHA-256 of the photo.
    pub photo: Vec<u8>,
    /// The photo's path in its case.
    pub path: String,
    /// Maker, part, lot and date, as the mark says.
    pub maker: String,
    /// The part number.
    pub part: String,
    /// The lot.
    pub lot: Option<String>,
    /// The day of production.
    pub date: String,
    /// When the photo was taken, by its camera.
    pub taken: Option<String>,
    /// Where: degrees north and east.
    pub place: Option<String>,
}

const COLUMNS: &str = "line_key, serial, case_id, case_name, photo, path, maker, part, lot, made, taken, place";

impl Sightings {
    /// Opens the store at `place`: a `postgresql://` URL, or a file, which is made if it is not there.
    ///
    /// # Errors
    /// [`SightingsError`].
    pub fn open(place: &str) -> Result<Self, SightingsError> {
        let url = place.starts_with("postgresql://") || place.starts_with("postgres://");
        let db = if url { Database::postgres(place)? } else { Database::sqlite(Path::new(place))? };
        let mut store = Self { db };
        // Where two begin a store at the same moment, one of them fails, and finds the other's.
        store.make_tables().or_else(|_| store.make_tables())?;
        Ok(store)
    }

    fn make_tables(&mut self) -> Result<(), SightingsError> {
        if let Ok(rows) = self.db.rows("SELECT version FROM sightings_version", &[]) {
            return match rows.first().and_then(|row| row.first()) {
                Some(Value::Int(VERSION)) => Ok(()),
                _ => {
                    Err(SightingsError::of("the store of sightings", &"it was made by a newer version of this program"))
                }
            };
        }
        let bytes = self.db.bytes();
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS sightings_version (only_row BIGINT PRIMARY KEY, version BIGINT NOT NULL);
             INSERT INTO sightings_version (only_row, version) VALUES (1, {VERSION}) ON CONFLICT (only_row) DO NOTHING;
             CREATE TABLE IF NOT EXISTS sighting (
                 line_key {bytes} NOT NULL, serial BIGINT NOT NULL, case_id {bytes} NOT NULL, case_name TEXT NOT NULL,
                 photo {bytes} NOT NULL, path TEXT NOT NULL, maker TEXT NOT NULL, part TEXT NOT NULL, lot TEXT,
                 made TEXT NOT NULL, taken TEXT, place TEXT, PRIMARY KEY (line_key, serial, case_id, photo));
             CREATE INDEX IF NOT EXISTS sighting_serial ON sighting (serial);"
        );
        self.transaction(|db| db.script(&sql))
    }

    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Database) -> Result<T, SightingsError>,
    ) -> Result<T, SightingsError> {
        self.db.begin()?;
        let done = work(&mut self.db).and_then(|value| self.db.script("COMMIT").map(|()| value));
        if done.is_err() {
            // It may be gone already, with its connection.
            let _ = self.db.script("ROLLBACK");
        }
        done
    }

    /// Puts all of `seen` on record, or nothing. What is there already stays as it is: a case can be run twice.
    ///
    /// # Errors
    /// [`SightingsError`].
    pub fn add(&mut self, seen: &[Sighting]) -> Result<(), SightingsError> {
        let values = (1..=12).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "INSERT INTO sighting ({COLUMNS}) VALUES ({values}) ON CONFLICT (line_key, serial, case_id, photo) DO NOTHING"
        );
        self.transaction(|db| seen.iter().try_for_each(|sighting| db.run(&sql, &row(sighting))))
    }

    /// All sightings of a serial; of any line where none is named; by case and path.
    ///
    /// # Errors
    /// [`SightingsError`].
    pub fn of(&mut self, line_key: Option<&KeyBytes>, serial: u64) -> Result<Vec<Sighting>, SightingsError> {
        let order = "ORDER BY case_name, case_id, path, photo, line_key";
        let serial = number(serial);
        let rows = match line_key {
            Some(key) => {
                let sql = format!("SELECT {COLUMNS} FROM sighting WHERE line_key = $1 AND serial = $2 {order}");
                self.db.rows(&sql, &[Value::Bytes(key.0.to_vec()), serial])?
            }
            None => self.db.rows(&format!("SELECT {COLUMNS} FROM sighting WHERE serial = $1 {order}"), &[serial])?,
        };
        let strange = || SightingsError::of("the store of sightings", &"it holds a row that nobody wrote there");
        rows.into_iter().map(|row| sighting(row).ok_or_else(strange)).collect()
    }

    /// How many sightings there are.
    ///
    /// # Errors
    /// [`SightingsError`].
    pub fn count(&mut self) -> Result<u64, SightingsError> {
        let rows = self.db.rows("SELECT CAST(COUNT(*) AS BIGINT) FROM sighting", &[])?;
        Ok(match rows.first().and_then(|row| row.first()) {
            Some(Value::Int(n)) => u64::try_from(*n).unwrap_or(0),
            _ => 0,
        })
    }
}

/// Serials stay below 2^53.
fn number(n: u64) -> Value {
    i64::try_from(n).map_or(Value::Null, Value::Int)
}

fn row(sighting: &Sighting) -> [Value; 12] {
    let text = |text: &str| Value::Text(text.to_owned());
    let optional = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    [
        Value::Bytes(sighting.line_key.0.to_vec()),
        number(sighting.serial),
        Value::Bytes(sighting.case.0.clone()),
        text(&sighting.case.1),
        Value::Bytes(sighting.photo.clone()),
        // PostgreSQL has no room for this character in texts.
        text(&sighting.path.replace('\0', "\u{fffd}")),
        text(&sighting.maker),
        text(&sighting.part),
        optional(&sighting.lot),
        text(&sighting.date),
        optional(&sighting.taken),
        optional(&sighting.place),
    ]
}

fn sighting(row: Vec<Value>) -> Option<Sighting> {
    let [line_key, Value::Int(serial), Value::Bytes(case), Value::Text(name), Value::Bytes(photo), rest @ ..] =
        <[Value; 12]>::try_from(row).ok()?
    else {
        return None;
    };
    let [Value::Text(path), Value::Text(maker), Value::Text(part), lot, Value::Text(date), taken, place] = rest else {
        return None;
    };
    let Value::Bytes(line_key) = line_key else { return None };
    let optional = |value| if let Value::Text(text) = value { Some(text) } else { None };
    Some(Sighting {
        line_key: KeyBytes(line_key.try_into().ok()?),
        serial: u64::try_from(serial).ok()?,
        case: (case, name),
        photo,
        path,
        maker,
        part,
        lot: optional(lot),
        date,
        taken: optional(taken),
        place: optional(place),
    })
}

#[cfg(test)]
mod tests;
