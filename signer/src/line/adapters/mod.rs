//! The line's ways in beside the sockets: HTTP, a hot folder, MQTT. Each is thin: it carries the requests and answers of
//! [`super::protocol`], and knows nothing of serials, keys or stores.
//!
//! | module | carries requests from |
//! | --- | --- |
//! | [`http`] | an MES or script that speaks HTTP; metrics, health and readiness too |
//! | [`folder`] | CSV files dropped into a folder |
//! | [`mqtt`] | a broker: plain JSON, or Sparkplug B |
//!
//! An adapter may ask twice, for its peer may: what makes that harmless is the request's `id`, under which the line gives
//! the same marks again.

pub mod folder;
pub mod http;
pub mod metrics;
pub mod mqtt;

use super::log::Level;
use super::stop::Stop;
use std::time::Duration;

/// Is told what happens on a way in.
pub type Say<'a> = dyn Fn(Level, &str) + 'a;

/// How often an adapter looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// Returns when the line is to stop.
async fn stopped(stop: &Stop) {
    while !stop.is_said() {
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests;
