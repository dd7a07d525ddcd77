//! Options and table rows to orders.

use super::super::Io;
use super::args::{Args, Fields, serial};
use crate::error::{Error, Result};
use crate::files;
use crate::issue::{Content, Order, die_id};
use crate::line::issuer::MAX_MARKS;
use crate::table::Table;
use std::path::Path;
use std::str::FromStr;
use touchmark_formats::date::Date;
use touchmark_formats::mark::{Extension, Serial};

const COLUMNS: [&str; 5] = ["part", "lot", "date", "serial", "consignee"];

/// The marks asked for; `site` is the line's own.
pub(super) fn orders(args: &Args, site: u16, io: &mut Io<'_>) -> Result<Vec<Order>> {
    let fields = &args.fields;
    let today = crate::init::today(io.now)?;
    let Some(path) = &fields.csv else {
        let order =
            Order { content: content(fields, [""; 5], site, today)?, serial: fields.serial, count: fields.count };
        return Ok(vec![order]);
    };
    let (bytes, path) = match path.to_str() {
        Some("-") => (files::read_all(&mut *io.stdin, "standard input".as_ref())?, Path::new("standard input")),
        _ => (files::read(path)?, path.as_path()),
    };
    table(&bytes, path, |cells| content(fields, cells, site, today))
}

fn table(bytes: &[u8], path: &Path, content: impl Fn([&str; 5]) -> Result<Content>) -> Result<Vec<Order>> {
    let table = Table::new(bytes, path)?;
    let places = places(table.names()).map_err(|what| {
        Error::file(path, what)
            .hint(format!("the columns are {}, in any order; those not needed can be left out", COLUMNS.join(", ")))
    })?;
    let mut orders: Vec<Order> = Vec::new();
    for row in table.rows().take(MAX_MARKS as usize + 1) {
        let (line, row) = row?;
        let cells = places.map(|place| place.and_then(|n| row.get(n)).unwrap_or_default());
        let at_line = |e: Error| Error { message: format!("{}, line {line}: {e}", path.display()), ..e };
        let number = Some(cells[3]).filter(|c| !c.is_empty()).map(|c| serial(c).map_err(Error::unusable)).transpose();
        push(&mut orders, content(cells).map_err(at_line)?, number.map_err(at_line)?);
    }
    match orders.is_empty() {
        true => Err(Error::file(path, "a header without rows")),
        false => Ok(orders),
    }
}

/// Where each of [`COLUMNS`] stands.
fn places(header: &csv::StringRecord) -> std::result::Result<[Option<usize>; 5], String> {
    let found = || header.iter().collect::<Vec<_>>().join(",");
    let mut places = [None; 5];
    if header.is_empty() {
        return Err("it is empty".to_owned());
    }
    for (n, name) in header.iter().enumerate() {
        let column = COLUMNS.iter().position(|column| name.eq_ignore_ascii_case(column));
        let place = column.and_then(|column| places.get_mut(column));
        let place = place.ok_or_else(|| format!("its first line is {:?}, not names of columns", found()))?;
        if place.replace(n).is_some() {
            return Err(format!("its first line names {name:?} twice"));
        }
    }
    Ok(places)
}

/// Adds a mark, to the order before it where that says the same.
fn push(orders: &mut Vec<Order>, content: Content, serial: Option<Serial>) {
    let follows = |order: &&mut Order| {
        let next = order.serial.and_then(|s| Serial::new(s.get() + order.count));
        order.content == content && order.serial.is_none() == serial.is_none() && (serial.is_none() || next == serial)
    };
    match orders.last_mut().filter(follows) {
        Some(order) => order.count += 1,
        None => orders.push(Order { content, serial, count: 1 }),
    }
}

fn content(fields: &Fields, [part, lot, date, _, consignee]: [&str; 5], site: u16, today: Date) -> Result<Content> {
    let part = cell("part", part)?.or_else(|| fields.part.clone());
    Ok(Content {
        part: part.ok_or_else(|| Error::unusable("the part is missing").hint("say --part P"))?,
        lot: cell("lot", lot)?.or_else(|| fields.lot.clone()),
        date: cell("date", date)?.or(fields.date).unwrap_or(today),
        consignee: cell("consignee", consignee)?.or(fields.consignee),
        extension: Extension {
            site: fields.site.filter(|own| *own != site),
            die_id: fields.die_id.as_deref().map(die_id),
            grade: fields.grade,
        },
    })
}

fn cell<T: FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<Option<T>> {
    let value = (!text.is_empty()).then(|| text.parse()).transpose();
    value.map_err(|e: T::Err| Error::unusable(format!("{name} {text:?}: {e}")))
}
