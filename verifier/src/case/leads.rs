//! `case leads`: what to ask next. Consignees by number of parts, lots that turn up together, and the trace requests that are
//! still to be sent, a file for each maker.

use super::bag::{BagError, at};
use super::flows::{Count, counted, first_buyer};
use super::folder::Folder;
use super::place::{Place as NewFolder, write};
use super::record::PartResult;
use crate::request::{Places, Requester, request};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::request::MAX_PLACES;
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// Lots of one folder that are held against each other; beyond, a folder is a warehouse and says nothing.
const MOST_LOTS: usize = 50;
/// Pairs of lots that are told.
const MOST_PAIRS: usize = 200;

/// What a case leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leads {
    /// Those to whom makers sold first, by number of parts.
    pub consignees: Vec<Buyer>,
    /// Lots that turn up in the same folders, the most frequent pairs first.
    pub lots_together: Vec<Pair>,
    /// What makers can still be asked.
    pub requests: Vec<Request>,
}

/// A consignee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Buyer {
    /// Its name.
    pub name: String,
    /// Its country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Parts first sold to it.
    pub parts: u64,
    /// Those among them whose marks are in doubt.
    pub doubtful: u64,
}

/// Two lots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Maker and lot, each.
    pub lots: [String; 2],
    /// In how many folders both are.
    pub folders: u64,
}

/// What a maker can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The maker.
    pub maker: Label,
    /// Parts of which it has not answered where they went.
    pub parts: usize,
    /// The signed requests, by file; empty where nobody signs.
    pub files: Vec<String>,
}

/// What the parts lead to, and whom to ask of which.
#[must_use]
pub fn leads(parts: &[PartResult]) -> (Leads, Places) {
    let key =
        |part: &PartResult| first_buyer(part).map(|party| serde_json::json!([party.name, party.country]).to_string());
    let buyer = |(key, Count { parts, doubtful }): (String, Count)| {
        let (name, country) = serde_json::from_str(&key).unwrap_or_default();
        Buyer { name, country, parts, doubtful }
    };
    let consignees = counted(parts, key).into_iter().map(buyer).collect();
    let places = unanswered(parts);
    let ask = |(maker, places): (&Label, &BTreeSet<Place>)| Request {
        maker: maker.clone(),
        parts: places.len(),
        files: Vec::new(),
    };
    let requests = places.iter().map(ask).collect();
    (Leads { consignees, lots_together: together(parts), requests }, places)
}

/// Parts with a good signature of which no trail says where they went.
fn unanswered(parts: &[PartResult]) -> Places {
    let mut out = Places::new();
    for part in parts.iter().filter(|part| part.mark.trail.is_none()) {
        let mark = &part.mark;
        let maker = mark.maker.clone().and_then(|maker| Label::try_from(maker).ok());
        let line = mark.line_key.clone().and_then(|line| KeyBytes::try_from(line).ok());
        let serial = mark.serial.and_then(Serial::new);
        if let (Some(maker), Some(line), Some(serial)) = (maker, line, serial) {
            out.entry(maker).or_default().insert(Place { line, serial });
        }
    }
    out
}

/// Pairs of lots by the folders in which photos show both.
fn together(parts: &[PartResult]) -> Vec<Pair> {
    let mut folders: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for part in parts {
        let (Some(maker), Some(lot)) = (&part.mark.maker, &part.mark.lot) else { continue };
        for photo in &part.photos {
            let folder = photo.rsplit_once('/').map_or("", |(folder, _)| folder);
            folders.entry(folder).or_default().insert(format!("{maker} {lot}"));
        }
    }
    let mut pairs: BTreeMap<[String; 2], u64> = BTreeMap::new();
    for lots in folders.into_values().filter(|lots| lots.len() <= MOST_LOTS) {
        let lots: Vec<String> = lots.into_iter().collect();
        for (n, a) in lots.iter().enumerate() {
            for b in lots.iter().skip(n + 1) {
                *pairs.entry([a.clone(), b.clone()]).or_default() += 1;
            }
        }
    }
    let mut pairs: Vec<Pair> = pairs.into_iter().map(|(lots, folders)| Pair { lots, folders }).collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.folders));
    pairs.truncate(MOST_PAIRS);
    pairs
}

/// Writes the leads of the case in `folder` into a new folder `out`, whole or not at all: `leads.json` and, where somebody
/// asks, a signed request for each maker (several where it is asked of more serials than one holds).
///
/// # Errors
/// [`BagError`].
pub fn write_leads(folder: &Folder, out: &Path, requester: Option<&Requester<'_>>) -> Result<Leads, BagError> {
    let parts = folder.parts()?.collect::<Result<Vec<_>, _>>()?;
    let (mut leads, places) = leads(&parts);
    let place = NewFolder::beside(out)?;
    let mut taken = BTreeSet::new();
    for (lead, (maker, places)) in leads.requests.iter_mut().zip(&places) {
        let Some(requester) = requester else { break };
        let places: Vec<Place> = places.iter().copied().collect();
        for some in places.chunks(MAX_PLACES) {
            let (envelope, _) = request(requester, &some.iter().copied().collect()).map_err(at(out))?;
            let name = file_name(maker, &mut taken);
            write(&place.path().join(&name), envelope.to_json().as_bytes())?;
            lead.files.push(name);
        }
    }
    let json = serde_json::to_string_pretty(&leads).map_err(at(out))?;
    write(&place.path().join("leads.json"), (json + "\n").as_bytes())?;
    place.keep(out)?;
    Ok(leads)
}

/// `request-acme-semiconductors.json`, and `-2` where that is taken.
fn file_name(maker: &Label, taken: &mut BTreeSet<String>) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { '-' };
    let stem: String = maker.as_str().chars().map(plain).collect();
    let stem = format!("request-{}", stem.trim_matches('-'));
    let mut names = std::iter::once(format!("{stem}.json")).chain((2..).map(|n| format!("{stem}-{n}.json")));
    names.find(|name| taken.insert(name.clone())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn part(id: &str, lot: &str, folder: &str, more: Value) -> PartResult {
        let mut line = json!({
            "id": id, "verdict": "authentic", "reason": "r", "maker": "Acme", "lot": lot, "serial": 7,
            "line_key": String::from(KeyBytes([3; 32])), "consignee": { "status": "sealed" }, "photos": [format!("{folder}/{id}.jpg")],
        });
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(line).unwrap()
    }

    #[test]
    fn lots_in_one_folder_belong_together_and_answered_parts_are_not_asked_again() {
        let trail = json!({ "trail": { "ledger": "l", "records": 1, "hands": [] }, "serial": 9 });
        let bought =
            json!({ "consignee": { "status": "disclosed", "number": 1, "name": "N", "country": "NL" }, "serial": 8 });
        let parts = [
            part("a", "L1", "s/x", json!({})),
            part("b", "L2", "s/x", trail),
            part("c", "L1", "s/y", bought.clone()),
            part("d", "L2", "s/y", bought),
            part("e", "L3", "s/z", json!({ "maker": null })),
        ];
        let (leads, places) = leads(&parts);
        assert_eq!(leads.lots_together, [Pair { lots: ["Acme L1".into(), "Acme L2".into()], folders: 2 }]);
        assert_eq!(leads.consignees, [Buyer { name: "N".into(), country: Some("NL".into()), parts: 2, doubtful: 0 }]);
        let serials: Vec<u64> = places.values().flatten().map(|place| place.serial.get()).collect();
        assert_eq!((leads.requests.len(), serials), (1, vec![7, 8]));
    }

    #[test]
    fn a_maker_of_any_name_has_a_file_of_its_own() {
        let mut taken = BTreeSet::new();
        let name = |text: &str, taken: &mut _| file_name(&Label::try_from(text.to_owned()).unwrap(), taken);
        assert_eq!(name("../Acme & Co.", &mut taken), "request-acme---co.json");
        assert_eq!(name("Acme / Co", &mut taken), "request-acme---co-2.json");
        assert_eq!(name("Антонов", &mut taken), "request-антонов.json");
    }
}
