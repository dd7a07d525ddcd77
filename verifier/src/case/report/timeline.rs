//! Months as bars: when parts were made, and when they arrived at somebody.

use super::svg::{Drawing, tenth};
use super::tip::Tip;
use super::words::{Language, say};
use std::collections::BTreeMap;

const HEIGHT: f64 = 200.0;
const WIDTH: f64 = 640.0;
/// Beyond as many months, bars are years.
const MOST_MONTHS: usize = 72;

/// The bars, or nothing where no day is known.
pub(super) fn timeline(months: &BTreeMap<String, (u64, u64)>, language: Language) -> Option<String> {
    let bars = bars(months)?;
    let most = bars.iter().map(|(_, made, arrived)| *made.max(arrived)).max().filter(|most| *most > 0)?;
    let (left, bottom) = (44.0, HEIGHT - 26.0);
    let step = (WIDTH - left) / bars.len() as f64;
    let tall = |parts: u64| tenth((bottom - 14.0) * parts as f64 / most as f64);
    let mut drawing = Drawing::default();
    for part in [0, most.div_ceil(2), most] {
        let y = tenth(bottom - tall(part));
        drawing.shape("path", &[("class", &"grid"), ("d", &format!("M{left} {y}H{WIDTH}"))], None);
        drawing.text(
            "text",
            &[("x", &(left - 5.0)), ("y", &y), ("dy", &"0.3em"), ("text-anchor", &"end")],
            &part.to_string(),
        );
    }
    // As many labels as fit beside each other.
    let every = (46.0 / step).ceil().max(1.0) as usize;
    for (n, (name, made, arrived)) in bars.iter().enumerate() {
        let x = left + n as f64 * step;
        for (at, (class, parts)) in [("made", made), ("arrivals", arrived)].into_iter().enumerate() {
            let (wide, high) = (step * 0.4, tall(*parts));
            let place: [(&str, &dyn std::fmt::Display); 5] = [
                ("class", &class),
                ("x", &tenth(x + step * 0.08 + at as f64 * wide)),
                ("y", &tenth(bottom - high)),
                ("width", &tenth(wide.max(0.6))),
                ("height", &high),
            ];
            if *parts > 0 {
                let tip = Tip::new(language).text(format!("{name}: ")).word(class).text(format!(" {parts}"));
                drawing.shape("rect", &place, Some(&tip));
            }
        }
        if n % every == 0 {
            let middle = tenth(x + step / 2.0);
            drawing.text("text", &[("x", &middle), ("y", &(HEIGHT - 8.0)), ("text-anchor", &"middle")], name);
        }
    }
    Some(drawing.finish("timeline", WIDTH, HEIGHT, say(language, "timeline")))
}

/// Every month from the first to the last, or every year where these are too many. Nothing if a month is none.
fn bars(months: &BTreeMap<String, (u64, u64)>) -> Option<Vec<(String, u64, u64)>> {
    let number = |month: &str| -> Option<usize> {
        let (year, month) = month.split_once('-')?;
        let (year, month): (usize, usize) = (year.parse().ok()?, month.parse().ok()?);
        ((1900..3000).contains(&year) && (1..=12).contains(&month)).then_some(year * 12 + month - 1)
    };
    let known: Vec<(usize, (u64, u64))> = months.iter().filter_map(|(name, n)| Some((number(name)?, *n))).collect();
    let (first, last) = (known.iter().map(|(m, _)| *m).min()?, known.iter().map(|(m, _)| *m).max()?);
    let yearly = last - first >= MOST_MONTHS;
    let slot = |month: usize| if yearly { month / 12 } else { month };
    let name = |slot: usize| if yearly { slot.to_string() } else { format!("{}-{:02}", slot / 12, slot % 12 + 1) };
    let mut bars: Vec<_> = (slot(first)..=slot(last)).map(|n| (name(n), 0, 0)).collect();
    for (month, (made, arrived)) in known {
        if let Some(bar) = bars.get_mut(slot(month) - slot(first)) {
            bar.1 += made;
            bar.2 += arrived;
        }
    }
    Some(bars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(all: &[(&str, u64, u64)]) -> BTreeMap<String, (u64, u64)> {
        all.iter().map(|(name, made, arrived)| ((*name).to_owned(), (*made, *arrived))).collect()
    }

    #[test]
    fn months_between_are_there_too_and_many_become_years() {
        let few = bars(&months(&[("2025-11", 3, 0), ("2026-02", 1, 4)])).unwrap();
        let expected = [("2025-11", 3, 0), ("2025-12", 0, 0), ("2026-01", 0, 0), ("2026-02", 1, 4)];
        assert_eq!(few, expected.map(|(name, made, arrived)| (name.to_owned(), made, arrived)));
        let many = bars(&months(&[("2019-12", 1, 0), ("2026-01", 2, 0), ("2026-02", 4, 9)])).unwrap();
        assert_eq!((many.len(), many[0].clone(), many[7].clone()), (8, ("2019".into(), 1, 0), ("2026".into(), 6, 9)));
    }

    #[test]
    fn what_is_no_month_is_left_out() {
        assert_eq!(timeline(&months(&[("0000-99", 1, 1), ("x", 2, 2)]), Language::En), None);
        let drawn = timeline(&months(&[("9999-01", 1, 1), ("2026-01", 2, 0)]), Language::En).unwrap();
        assert_eq!(drawn.matches("<rect").count(), 1);
    }
}
