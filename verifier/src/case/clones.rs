//! What speaks for two parts with one mark. A mark can be copied, also onto an innocent's part: each of these is something to
//! look at, with both photos, and none is a verdict.

use super::parts::{Part, Shot};
use super::record::{CloneFinding, CloneKind, Group, Mark};
use jiff::Timestamp;
use jiff::civil::DateTime;
use std::collections::BTreeMap;

/// Findings of one kind that a part has at most: where there are more, the first ones show it.
pub(super) const MOST: usize = 8;
/// No part travels faster than this, in kilometres an hour, with what it takes to board and to leave a plane.
const FASTEST: f64 = 900.0;
/// What places from different cameras may be apart though they are one, in kilometres.
const NEAR: f64 = 50.0;
/// Hours by which two clocks may differ whose zones are not known: the earth has zones from -12 to +14.
const ZONES: f64 = 26.0;

/// Adds to each part what speaks for a second one, within one case.
pub(super) fn find(parts: &mut BTreeMap<String, Part>, group: Group) {
    let mut by_serial: BTreeMap<(String, u64), Vec<String>> = BTreeMap::new();
    for (id, part) in parts.iter() {
        if let Some((line, serial)) = part.serial() {
            by_serial.entry((line.to_owned(), serial)).or_default().push(id.clone());
        }
    }
    for ids in by_serial.values() {
        for id in ids {
            let Some(part) = parts.get(id) else { continue };
            let mut found: Vec<CloneFinding> = twice(part).into_iter().chain(too_far(part)).collect();
            let others = ids.iter().filter(|other| *other != id).filter_map(|other| Some((other, parts.get(other)?)));
            found.extend(others.filter_map(|(other, theirs)| between(part, other, theirs, group)).take(MOST));
            if let Some(part) = parts.get_mut(id) {
                part.clones = found;
            }
        }
    }
}

fn finding(why: CloneKind, detail: impl Into<String>, here: &Shot, there: &Shot) -> CloneFinding {
    let (here, there) = (here.exhibit(0), there.exhibit(0));
    CloneFinding { why, detail: detail.into(), here, there, part_id: None, case: None }
}

/// The photos of a part, those first that show its mark: these are the ones to look at.
fn showing(part: &Part) -> impl Iterator<Item = &Shot> {
    let those = |show: bool| part.shots.iter().filter(move |shot| (shot.times > 0) == show);
    those(true).chain(those(false))
}

/// A photo that shows the mark more than once.
fn twice(part: &Part) -> Option<CloneFinding> {
    let shot = part.shots.iter().find(|shot| shot.times > 1)?;
    let detail =
        format!("one photo shows this mark {} times: on several parts, or on a part and its label", shot.times);
    let found = finding(CloneKind::TwiceInOnePhoto, detail, shot, shot);
    Some(CloneFinding { there: shot.exhibit(1), ..found })
}

/// Two parts of one serial.
fn between(part: &Part, other: &str, theirs: &Part, group: Group) -> Option<CloneFinding> {
    let (first, second) = (showing(part).next()?, showing(theirs).next()?);
    let found = match contradiction(part.mark(), theirs.mark()) {
        Some(what) => {
            let detail = format!(
                "the line signed two marks with this serial that do not say the same ({what}): its key is in other hands, or it broke its rules"
            );
            finding(CloneKind::MarksContradict, detail, first, second)
        }
        // The same photo in two folders is a copy of a photo.
        None if group == Group::Folder => {
            let copied = |a: &Shot, b: &Shot| a.photo.sha256.is_some() && a.photo.sha256 == b.photo.sha256;
            let (own, their) = showing(part).find_map(|own| {
                let new = !theirs.shots.iter().any(|their| copied(own, their));
                let their = showing(theirs).find(|their| !part.shots.iter().any(|own| copied(own, their)));
                their.filter(|_| new).map(|their| (own, their))
            })?;
            let detail =
                "photos in two folders show this mark: it is on two parts, or the photos of one part are in both";
            finding(CloneKind::TwoFolders, detail, own, their)
        }
        None => return None,
    };
    Some(CloneFinding { part_id: Some(other.to_owned()), ..found })
}

/// What two marks of one serial do not say alike.
pub(super) fn contradiction(a: &Mark, b: &Mark) -> Option<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
    let pairs = [
        ("part", &a.part, &b.part),
        ("lot", &a.lot, &b.lot),
        ("date", &a.date, &b.date),
        ("die", &a.die_id, &b.die_id),
    ];
    let differ = pairs.iter().filter(|(_, a, b)| a != b);
    let said: Vec<String> = differ.map(|(name, a, b)| format!("{name} {} and {}", text(a), text(b))).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// Two photos between which there is no time to go from one place to the other.
fn too_far(part: &Part) -> Option<CloneFinding> {
    let mut seen: Vec<(f64, bool, (f64, f64), &Shot)> = part
        .shots
        .iter()
        .filter_map(|shot| {
            let (hours, sure) = hours(shot.photo.taken.as_deref()?)?;
            Some((hours, sure, shot.place?, shot))
        })
        .collect();
    seen.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.3.order.cmp(&b.3.order)));
    seen.windows(2).find_map(|pair| {
        let [(from, sure, here, first), (to, also_sure, there, second)] = pair else { return None };
        let far = kilometres(*here, *there);
        let hours = to - from + if *sure && *also_sure { 0.0 } else { ZONES };
        let detail = || {
            format!(
                "photographed at two places {far:.0} km apart within {hours:.1} hours, by what the cameras say: there are two, or a clock or a place is wrong"
            )
        };
        (far > NEAR && far > hours * FASTEST).then(|| finding(CloneKind::TooFarApart, detail(), first, second))
    })
}

/// Hours since 1970, and whether the zone of the clock is known.
fn hours(taken: &str) -> Option<(f64, bool)> {
    if let Ok(instant) = taken.parse::<Timestamp>() {
        return Some((instant.as_second() as f64 / 3600.0, true));
    }
    let local: DateTime = taken.parse().ok()?;
    let instant = jiff::tz::TimeZone::UTC.to_timestamp(local).ok()?;
    Some((instant.as_second() as f64 / 3600.0, false))
}

/// Along the surface of the earth: the haversine formula on a sphere of 6371 km.
fn kilometres(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (a, b) = ((a.0.to_radians(), a.1.to_radians()), (b.0.to_radians(), b.1.to_radians()));
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let h = half(b.0 - a.0) + a.0.cos() * b.0.cos() * half(b.1 - a.1);
    2.0 * 6371.0 * h.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_and_times_are_right() {
        // From the equator to the pole: a quarter of the circumference.
        let far = kilometres((0.0, 36.5), (90.0, 0.0));
        assert!((far - 10_007.5).abs() < 0.1, "{far}");
        // One degree of longitude at 60 degrees north is half of one at the equator.
        let [north, equator] = [60.0, 0.0].map(|north| kilometres((north, 10.0), (north, 11.0)));
        assert!((equator - 111.19).abs() < 0.01 && (north - equator / 2.0).abs() < 0.01, "{north} {equator}");
        assert!(kilometres((0.0, 179.9), (0.0, -179.9)) < 30.0);
        assert_eq!(hours("1970-01-02T02:00:00+02:00"), Some((24.0, true)));
        assert_eq!(hours("1970-01-02T02:00:00"), Some((26.0, false)));
        assert_eq!(hours("nonsense"), None);
    }
}
