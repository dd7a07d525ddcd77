//! How far a run is: a line that is rewritten where standard error is a terminal, else a line once in a while.

use super::Io;
use crate::case::run::Progress;
use crate::verdict::Verdict;
use std::io;
use std::time::{Duration, Instant};

/// Between two lines.
const ON_TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(30);

pub(super) struct Display {
    terminal: bool,
    begun: Instant,
    last: Instant,
    shown: bool,
}

impl Display {
    pub(super) fn new(terminal: bool) -> Self {
        Self { terminal, begun: Instant::now(), last: Instant::now(), shown: false }
    }

    /// Says how far it is, if it is time for that.
    pub(super) fn show(&mut self, progress: &Progress, io: &mut Io<'_>) -> io::Result<()> {
        if self.last.elapsed() < if self.terminal { ON_TERMINAL } else { ELSEWHERE } {
            return Ok(());
        }
        self.last = Instant::now();
        let line = line(progress, self.begun.elapsed());
        if !self.terminal {
            return writeln!(io.stderr, "{line}");
        }
        self.shown = true;
        write!(io.stderr, "\r{line}\x1b[K")?;
        io.stderr.flush()
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self, io: &mut Io<'_>) -> io::Result<()> {
        if std::mem::take(&mut self.shown) { write!(io.stderr, "\r\x1b[K") } else { Ok(()) }
    }
}

fn line(progress: &Progress, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let now = progress.photos.saturating_sub(progress.before);
    let mut out = format!("{} photos, {:.1} a second", progress.photos, now as f64 / seconds);
    let verdicts =
        Verdict::ALL.iter().filter_map(|v| progress.verdicts.get(v).map(|count| format!("{} {count}", v.name())));
    out.extend(verdicts.map(|verdict| format!(", {verdict}")));
    if progress.errors > 0 {
        out += &format!(" ({} not opened)", progress.errors);
    }
    // By bytes: photos in archives are not counted beforehand.
    if let Some(all) = progress.bytes_all.filter(|all| *all > 0 && progress.bytes_now > 0) {
        let left = all.saturating_sub(progress.bytes) as f64 / (progress.bytes_now as f64 / seconds);
        out += &format!(", {} left", duration(left));
    }
    out
}

fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).ceil() as u64;
    match minutes {
        0..=1 if seconds < 60.0 => format!("{seconds:.0} s"),
        0..=119 => format!("{minutes} min"),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_it_is() {
        let mut progress = Progress { photos: 150, before: 50, bytes: 1500, bytes_now: 1000, ..Progress::default() };
        progress.verdicts.extend([(Verdict::NothingFound, 3), (Verdict::Authentic, 147)]);
        (progress.bytes_all, progress.errors) = (Some(100_500), 2);
        assert_eq!(
            line(&progress, Duration::from_secs(10)),
            "150 photos, 10.0 a second, authentic 147, nothing-found 3 (2 not opened), 17 min left"
        );
        assert_eq!((duration(30.0), duration(7300.0)), ("30 s".into(), "2 h 2 min".into()));
    }
}
