//! How the line is, in the text format of Prometheus (version 0.0.4).

use crate::line::desk::Status;
use jiff::Timestamp;
use std::fmt::Write;

/// The metrics.
#[must_use]
pub fn text(status: &Status) -> String {
    let mut text = String::new();
    let labels = format!("{{line=\"{}\",key=\"{}\"}}", escaped(&status.line), escaped(&status.key));
    let mut add = |name: &str, kind: &str, help: &str, value: f64| {
        // To write into a string cannot fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}\n");
    };
    let count = |n: u64| n as f64;
    add(
        "touchmark_line_issued_total",
        "counter",
        "Marks on record under the line key, of all lines.",
        count(status.issued),
    );
    add("touchmark_line_verified", "gauge", "Of these, marks that were read back.", count(status.verified));
    add("touchmark_line_void", "gauge", "Of these, marks that are on no good part.", count(status.void));
    add("touchmark_line_serials_left", "gauge", "Serials of the delegation not issued yet.", count(status.left));
    add("touchmark_line_serials_reserved", "gauge", "Serials reserved and not issued.", count(status.reserved));
    add("touchmark_line_serials_lost", "gauge", "Serials that a restored store lost.", count(status.lost));
    add(
        "touchmark_line_serials_closed",
        "gauge",
        "Serials that were not issued before their lot was closed.",
        count(status.closed),
    );
    add("touchmark_line_requests_total", "counter", "Requests to this process.", count(status.requests));
    add("touchmark_line_refused_total", "counter", "Of these, requests that a rule refused.", count(status.refused));
    add("touchmark_line_failed_total", "counter", "Of these, requests that the store failed.", count(status.failed));
    add("touchmark_line_store_ok", "gauge", "1 while the store answers.", f64::from(u8::from(status.store_ok)));
    let days = days_left(status, Timestamp::now());
    add(
        "touchmark_line_delegation_days_left",
        "gauge",
        "Days that the delegation covers, today included.",
        count(days),
    );
    add("process_start_time_seconds", "gauge", "When the process began, in Unix time.", seconds(status.started));
    text
}

/// Days that marks may still be dated, the day of `now` (UTC) included; 0 when the delegation is over.
#[must_use]
pub fn days_left(status: &Status, now: Timestamp) -> u64 {
    let last = u64::from(status.not_after.days());
    crate::init::today(now).map_or(0, |today| (last + 1).saturating_sub(u64::from(today.days())))
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
