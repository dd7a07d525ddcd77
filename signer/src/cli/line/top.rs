//! `touchmark-sign line top`.

mod frame;

use super::super::Io;
use super::status::ask;
use crate::error::{Error, Result};
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, poll, read};
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, queue, terminal};
use frame::{Frame, History};
use jiff::Timestamp;
use signal_hook::consts::{SIGHUP, SIGTERM};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often a signal is looked for.
const GLANCE: Duration = Duration::from_millis(200);
/// Width of the frame where there is no terminal.
const WIDTH: usize = 100;

/// Watch a line that runs: rate, serials left, delegation left, the last errors
#[derive(clap::Args)]
pub(super) struct Args {
    /// The TCP socket, as 127.0.0.1:7070, or the Unix socket of a line that runs
    #[arg(long, value_name = "SOCKET")]
    connect: String,
    /// Seconds between two looks
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// Print one look, and end
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let mut history = History::default();
    let every = Duration::from_secs(args.every);
    if args.once {
        history.add(ask(&args.connect)?, Timestamp::now());
        // A rate takes two looks.
        std::thread::sleep(every);
        history.add(ask(&args.connect)?, Timestamp::now());
        return io.print(Frame::of(&history, None, WIDTH, usize::MAX).plain());
    }
    if !io::stdout().is_terminal() {
        return Err(Error::unusable("there is no terminal to watch the line on").hint("for scripts there is --once"));
    }
    // A line that is not there is told of before the screen changes.
    history.add(ask(&args.connect)?, Timestamp::now());
    let screen = Screen::enter(io)?;
    let watched = watch(&args.connect, every, &mut history, screen.io);
    drop(screen);
    watched
}

/// Draws frames until a key or a signal ends it.
fn watch(socket: &str, every: Duration, history: &mut History, io: &mut Io<'_>) -> Result<()> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&ended)).map_err(|e| terminal_failed(&e))?;
    }
    let mut trouble = None;
    loop {
        let next = Instant::now() + every;
        draw(history, trouble.as_deref(), io).map_err(|e| terminal_failed(&e))?;
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            if ended.load(Ordering::Relaxed) {
                return Ok(());
            }
            if !poll(left.min(GLANCE)).map_err(|e| terminal_failed(&e))? {
                continue;
            }
            match read().map_err(|e| terminal_failed(&e))? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                    if control_c || matches!(key.code, KeyCode::Char('q' | 'Q') | KeyCode::Esc) {
                        return Ok(());
                    }
                }
                Event::Resize(..) => draw(history, trouble.as_deref(), io).map_err(|e| terminal_failed(&e))?,
                _ => {}
            }
        }
        trouble = match ask(socket) {
            Ok(status) => {
                history.add(status, Timestamp::now());
                None
            }
            Err(e) => Some(e.message),
        };
    }
}

fn draw(history: &History, trouble: Option<&str>, io: &mut Io<'_>) -> io::Result<()> {
    let (width, height) = terminal::size()?;
    let frame = Frame::of(history, trouble, width.into(), height.into());
    let out = &mut io.stdout;
    queue!(out, cursor::MoveTo(0, 0))?;
    for (n, line) in frame.styled(std::env::var_os("NO_COLOR").is_none()).into_iter().enumerate() {
        let row = u16::try_from(n).unwrap_or(u16::MAX);
        queue!(out, cursor::MoveTo(0, row), Print(line), Clear(ClearType::UntilNewLine))?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    out.flush()
}

fn terminal_failed(error: &io::Error) -> Error {
    Error::io("use", "the terminal".as_ref(), error)
}

/// The terminal while it shows the view; dropping it gives the terminal back as it was.
struct Screen<'a, 'io> {
    io: &'a mut Io<'io>,
}

impl<'a, 'io> Screen<'a, 'io> {
    fn enter(io: &'a mut Io<'io>) -> Result<Self> {
        terminal::enable_raw_mode().map_err(|e| terminal_failed(&e))?;
        let screen = Self { io };
        let out = &mut screen.io.stdout;
        queue!(out, EnterAlternateScreen, cursor::Hide).map_err(|e| terminal_failed(&e))?;
        Ok(screen)
    }
}

impl Drop for Screen<'_, '_> {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let out = &mut self.io.stdout;
        let _ = queue!(out, cursor::Show, LeaveAlternateScreen).and_then(|()| out.flush());
        let _ = terminal::disable_raw_mode();
    }
}
