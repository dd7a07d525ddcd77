//! How the line is, in the text format of Prometheus (version 0.0.4).

use crate::line::desk::Status;
use crate::line::stages::{BUCKETS, Stages};
use jiff::Timestamp;
use std::fmt::Write;

/// The metrics.
#[must_use]
pub fn text(status: &Status, stages: &Stages) -> String {
    let labels = format!("line=\"{}\",key=\"{}\"", escaped(&status.line), escaped(&status.key));
    let mut text = String::new();
    for (name, kind, help, value) in figures(status) {
        head(&mut text, name, kind, help);
        // To write into a string cannot fail.
        let _ = writeln!(text, "{name}{{{labels}}} {value}");
    }
    histograms(&mut text, &labels, stages);
    text
}

type Figure = (&'static str, &'static str, &'static str, f64);

fn figures(status: &Status) -> Vec<Figure> {
    let count = |name, kind, help, n: u64| (name, kind, help, n as f64);
    let (counter, gauge) = ("counter", "gauge");
    let ok = |ok: bool| u64::from(ok);
    let days = days_left(status, Timestamp::now());
    let started = status.started.as_millisecond() as f64 / 1000.0;
    vec![
        count(
            "touchmark_line_issued_total",
            counter,
            "Marks on record under the line key, of all lines.",
            status.issued,
        ),
        count("touchmark_line_verified", gauge, "Of these, marks that were read back.", status.verified),
        count("touchmark_line_void", gauge, "Of these, marks that are on no good part.", status.void),
        count("touchmark_line_serials_left", gauge, "Serials of the delegation not issued yet.", status.left),
        count("touchmark_line_serials_reserved", gauge, "Serials reserved and not issued.", status.reserved),
        count("touchmark_line_serials_lost", gauge, "Serials that a restored store lost.", status.lost),
        count(
            "touchmark_line_serials_closed",
            gauge,
            "Serials that were not issued before their lot was closed.",
            status.closed,
        ),
        count("touchmark_line_requests_total", counter, "Requests to this process.", status.requests),
        count("touchmark_line_refused_total", counter, "Of these, requests that a rule refused.", status.refused),
        count(
            "touchmark_line_failed_total",
            counter,
            "Of these, requests that the store or the key failed.",
            status.failed,
        ),
        count("touchmark_line_store_ok", gauge, "1 while the store answers.", ok(status.store_ok)),
        count("touchmark_line_key_ok", gauge, "1 while the line key signs.", ok(status.key_ok)),
        count("touchmark_line_delegation_days_left", gauge, "Days that the delegation covers, today included.", days),
        ("process_start_time_seconds", gauge, "When the process began, in Unix time.", started),
    ]
}

fn histograms(text: &mut String, labels: &str, stages: &Stages) {
    let name = "touchmark_line_stage_seconds";
    head(text, name, "histogram", "What a request waits for: for wait and answer a request, else a commit, counts.");
    for (stage, passed) in stages.passed() {
        let labels = format!("{labels},stage=\"{}\"", stage.name());
        for (end, within) in BUCKETS.iter().zip(passed.within) {
            let end = *end as f64 / 1e6;
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{end}\"}} {within}");
        }
        let (count, seconds) = (passed.count, passed.seconds);
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum{{{labels}}} {seconds}\n{name}_count{{{labels}}} {count}");
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Days that marks may still be dated, the day of `now` (UTC) included; 0 when the delegation is over.
#[must_use]
pub fn days_left(status: &Status, now: Timestamp) -> u64 {
    let last = u64::from(status.not_after.days());
    crate::init::today(now).map_or(0, |today| (last + 1).saturating_sub(u64::from(today.days())))
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
