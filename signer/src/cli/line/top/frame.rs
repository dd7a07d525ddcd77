//! What the live view shows, as lines of text.

use crate::cli::line::status::if_well;
use crate::line::adapters::metrics::days_left;
use crate::line::desk::Status;
use crossterm::style::Stylize;
use jiff::Timestamp;
use std::collections::VecDeque;

/// Looks that are remembered, for the rate and its course.
const REMEMBERED: usize = 240;
/// Heights of the bars of a course.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Days left of a delegation, and hours of work left in its serials, from which somebody should see to it.
const FEW_DAYS: u64 = 14;
const FEW_HOURS: f64 = 24.0;
/// Days beyond which nobody asks how long serials last.
const MANY_DAYS: f64 = 3650.0;

/// What was seen of a line.
#[derive(Debug, Default)]
pub(super) struct History {
    last: Option<(Status, Timestamp)>,
    /// Marks a second between one look and the next.
    rates: VecDeque<f64>,
}

impl History {
    /// Adds what was seen at `at`.
    pub(super) fn add(&mut self, status: Status, at: Timestamp) {
        if let Some((before, then)) = &self.last {
            let seconds = at.duration_since(*then).as_secs_f64();
            // A store that was put back counts from there on.
            let marks = status.issued.saturating_sub(before.issued) as f64;
            self.rates.push_back(if seconds > 0.0 { marks / seconds } else { 0.0 });
            if self.rates.len() > REMEMBERED {
                self.rates.pop_front();
            }
        }
        self.last = Some((status, at));
    }

    /// Marks a second over the last looks, ten at most.
    fn rate(&self) -> Option<f64> {
        let latest: Vec<f64> = self.rates.iter().rev().take(10).copied().collect();
        (!latest.is_empty()).then(|| latest.iter().sum::<f64>() / latest.len() as f64)
    }

    /// The rate's course in at most `width` bars, the latest last.
    fn course(&self, width: usize) -> String {
        let shown: Vec<f64> = self.rates.iter().skip(self.rates.len().saturating_sub(width)).copied().collect();
        let most = shown.iter().copied().fold(1.0, f64::max);
        let bar = |rate: &f64| BARS.get((rate / most * 7.0).round() as usize).copied().unwrap_or('█');
        shown.iter().map(bar).collect()
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Plain,
    Warn,
    Bad,
}

/// Lines with their looks, none longer than the terminal is wide.
#[derive(Debug)]
pub(super) struct Frame(Vec<(Tone, String)>);

impl Frame {
    /// What is known, in at most `height` lines of `width` letters. `trouble` says why nothing newer is known.
    pub(super) fn of(history: &History, trouble: Option<&str>, width: usize, height: usize) -> Self {
        let mut lines = Vec::new();
        if let Some((status, at)) = &history.last {
            about(status, *at, &mut lines);
            about_rate(history, status, width, &mut lines);
            about_delegation(status, *at, &mut lines);
            about_marks(status, &mut lines);
        }
        if let Some(trouble) = trouble {
            lines.push((Tone::Bad, format!("no answer  {trouble}")));
        }
        if let Some((status, _)) = &history.last {
            about_errors(status, &mut lines);
        }
        let whole = lines.into_iter().flat_map(|(tone, line)| {
            let line: String = line.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
            folded(&line, width).into_iter().map(move |line| (tone, line))
        });
        // A word that is longer than the terminal is wide is cut all the same.
        let cut = |(tone, line): (Tone, String)| (tone, line.chars().take(width).collect());
        Self(whole.take(height).map(cut).collect())
    }

    /// The lines as a text.
    pub(super) fn plain(self) -> String {
        self.0.into_iter().map(|(_, line)| line + "\n").collect()
    }

    /// The lines for a terminal.
    pub(super) fn styled(self, coloured: bool) -> Vec<String> {
        let style = |(tone, line): (Tone, String)| match tone {
            Tone::Warn if coloured => line.yellow().to_string(),
            Tone::Bad if coloured => line.red().bold().to_string(),
            Tone::Bad | Tone::Warn => line.reverse().to_string(),
            Tone::Plain => line,
        };
        self.0.into_iter().map(style).collect()
    }
}

fn about(status: &Status, at: Timestamp, lines: &mut Vec<(Tone, String)>) {
    let Status { line, key, name, started, store, store_ok, store_since, key_ok, key_since, .. } = status;
    lines.push((Tone::Plain, format!("line       {line}, running as {name:?} since {}", second(*started))));
    lines.push((Tone::Plain, format!("seen       {}", second(at))));
    let tone = |ok: bool| if ok { Tone::Plain } else { Tone::Bad };
    let (store_does, key_does) = if_well(status);
    lines.push((tone(*key_ok), format!("key        {key} {key_does} since {}", second(*key_since))));
    lines.push((tone(*store_ok), format!("store      {store} {store_does} since {}", second(*store_since))));
}

fn about_rate(history: &History, status: &Status, width: usize, lines: &mut Vec<(Tone, String)>) {
    let Some(rate) = history.rate() else {
        return lines.push((Tone::Plain, "rate       ...".to_owned()));
    };
    let head = format!("rate       {rate:.1} marks/s  ");
    let course = history.course(width.saturating_sub(head.chars().count()).min(REMEMBERED));
    lines.push((Tone::Plain, head + &course));
    let hours = status.left as f64 / rate / 3600.0;
    let (tone, lasts) = match rate > 0.0 {
        true if hours < FEW_HOURS => (Tone::Warn, format!(": {hours:.1} hours at this rate")),
        true if hours < MANY_DAYS * 24.0 => (Tone::Plain, format!(": {:.0} days at this rate", hours / 24.0)),
        _ => (Tone::Plain, String::new()),
    };
    let tone = if status.left == 0 { Tone::Bad } else { tone };
    lines.push((tone, format!("serials    {} left, {} of them reserved{lasts}", status.left, status.reserved)));
}

fn about_delegation(status: &Status, now: Timestamp, lines: &mut Vec<(Tone, String)>) {
    let days = days_left(status, now);
    let tone = match days {
        0 => Tone::Bad,
        1..=FEW_DAYS => Tone::Warn,
        _ => Tone::Plain,
    };
    let (first, last) = (status.not_before, status.not_after);
    lines.push((tone, format!("delegation {first} to {last}: {days} days left")));
}

fn about_marks(status: &Status, lines: &mut Vec<(Tone, String)>) {
    let Status { issued, verified, void, lost, closed, requests, refused, failed, .. } = status;
    lines.push((
        Tone::Plain,
        format!("marks      {issued} issued, {verified} verified, {void} void, {lost} lost, {closed} closed"),
    ));
    lines.push((Tone::Plain, format!("requests   {requests}, {refused} refused, {failed} failed")));
}

fn about_errors(status: &Status, lines: &mut Vec<(Tone, String)>) {
    let newest_first = status.errors.iter().rev();
    lines.extend(newest_first.map(|e| (Tone::Plain, format!("error      {} {}", second(e.at), e.message))));
}

/// A line and those that go on with it, indented, each of at most `width` letters where that leaves room for words.
fn folded(line: &str, width: usize) -> Vec<String> {
    let indent = " ".repeat("error      ".len());
    let mut lines: Vec<String> = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let full = |line: &String| line.chars().count() + word.trim_end().chars().count() > width;
        if lines.last().is_some_and(|last| full(last) && last.trim() != "") {
            lines.push(indent.clone());
        }
        lines.last_mut().into_iter().for_each(|last| last.push_str(word));
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// An instant without the fractions of its second.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn status(issued: u64, left: u64) -> Status {
        serde_json::from_value(json!({
            "line": "Line 1", "name": "line", "key": "0a1b2c3d", "store": "h/serials.db", "store_ok": true,
            "store_since": at(0), "key_ok": true, "key_since": at(0), "started": at(0), "not_before": "2026-01-01", "not_after": "2026-12-31", "left": left,
            "reserved": 1000, "issued": issued, "verified": 3, "void": 1, "lost": 0, "closed": 0, "requests": 9, "refused": 2,
            "failed": 0, "errors": [{"at": at(1), "message": "older"}, {"at": at(2), "message": "newer \u{1b}[2J"}],
        }))
        .unwrap()
    }

    fn watched() -> History {
        let mut history = History::default();
        for (second, issued) in [(0, 0), (1, 100), (2, 300), (3, 300)] {
            history.add(status(issued, 500_000_000), at(second));
        }
        history
    }

    #[test]
    fn a_frame_shows_what_somebody_has_to_know() {
        let frame = Frame::of(&watched(), None, 100, 50).plain();
        assert_eq!(
            frame,
            "line       Line 1, running as \"line\" since 2026-09-21T14:13:20Z\n\
             seen       2026-09-21T14:13:23Z\n\
             key        0a1b2c3d signs since 2026-09-21T14:13:20Z\n\
             store      h/serials.db answers since 2026-09-21T14:13:20Z\n\
             rate       100.0 marks/s  ▅█▁\n\
             serials    500000000 left, 1000 of them reserved: 58 days at this rate\n\
             delegation 2026-01-01 to 2026-12-31: 102 days left\n\
             marks      300 issued, 3 verified, 1 void, 0 lost, 0 closed\n\
             requests   9, 2 refused, 0 failed\n\
             error      2026-09-21T14:13:22Z newer ?[2J\n\
             error      2026-09-21T14:13:21Z older\n"
        );
    }

    #[test]
    fn long_errors_go_on_below() {
        assert_eq!(folded("error      12:00 a b c", 40), ["error      12:00 a b c"]);
        assert_eq!(
            folded("error      12:00 there is no room on the disk", 24),
            ["error      12:00 there", "           is no room on", "           the disk"]
        );
        assert_eq!(folded("error      antidisestablishmentarianism it is", 20).len(), 3, "a long word is cut later");
    }

    #[test]
    fn what_needs_somebody_stands_out() {
        let mut history = watched();
        history.add(status(400, 360_000), at(4));
        let tones = |history: &History, trouble| {
            let frame = Frame::of(history, trouble, 100, 50);
            frame.0.into_iter().filter(|(tone, _)| *tone != Tone::Plain).collect::<Vec<_>>()
        };
        let few = "serials    360000 left, 1000 of them reserved: 1.0 hours at this rate";
        assert_eq!(tones(&history, None), [(Tone::Warn, few.to_owned())]);
        let ends = Status { not_after: "2026-09-20".parse().unwrap(), store_ok: false, left: 0, ..status(400, 0) };
        history.add(ends, at(5));
        let lines: Vec<String> = tones(&history, Some("gone")).into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert!(lines[0].contains("FAILS") && lines[2].ends_with(": 0 days left") && lines[3] == "no answer  gone");
    }

    #[test]
    fn a_frame_fits_its_terminal() {
        for (width, height) in [(1, 1), (20, 5), (80, 9), (0, 0)] {
            let Frame(lines) = Frame::of(&watched(), Some("gone"), width, height);
            assert!(lines.len() <= height && lines.iter().all(|(_, line)| line.chars().count() <= width));
        }
    }
}
