//! Where the time of a request goes, as the line itself counts it for Prometheus.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use touchmark_signer::line::stages::Stage;

/// What the line under `http` says of each of its stages: one line of text for each.
pub(crate) fn table(http: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(http).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    Stage::ALL.into_iter().map(|stage| row(stage, &text)).collect()
}

fn row(stage: Stage, metrics: &str) -> String {
    let of = format!("stage=\"{}\"", stage.name());
    let figures: Vec<(&str, f64)> = metrics
        .lines()
        .filter(|line| line.contains(&of))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    let one = |name: &str| figures.iter().find(|(key, _)| key.contains(name)).unwrap().1;
    let (count, sum) = (one("_count{"), one("_sum{"));
    let within: BTreeMap<u64, u64> = figures
        .iter()
        .filter_map(|(key, value)| Some((key.split("le=\"").nth(1)?.split('"').next()?, *value)))
        .filter_map(|(end, value)| Some(((end.parse::<f64>().ok()? * 1e6).round() as u64, value as u64)))
        .collect();
    let under = |share: f64| {
        let enough = (count * share).ceil() as u64;
        within.iter().find(|(_, n)| **n >= enough).map_or(f64::INFINITY, |(end, _)| *end as f64 / 1e3)
    };
    let mean = sum / count.max(1.0) * 1e3;
    let [half, most, nearly] = [0.5, 0.99, 0.999].map(under);
    format!(
        "  {:<8} {count:>9} times, mean {mean:.3}, half <= {half}, 99 % <= {most}, 99.9 % <= {nearly}",
        stage.name()
    )
}
