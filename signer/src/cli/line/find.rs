//! `touchmark-sign line find`.

use super::{Io, Which, store_to_read};
use crate::error::{Error, Result};
use crate::line::issuer::marks_of_run;
use crate::line::store::State;
use jiff::Timestamp;
use touchmark_formats::base45;
use touchmark_formats::mark::Serial;

/// Say what was issued under a serial, and what became of it
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The serial
    #[arg(value_name = "SERIAL", value_parser = super::super::mark::serial)]
    serial: Serial,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let (home, line) = args.which.open()?;
    let (mut store, serial) = (store_to_read(&home, &line.delegation.signed.key, io)?, args.serial.get());
    let none = || Error::refused(format!("serial {serial} was not issued"));
    let key = store.known_key(&line.delegation.signed.key)?.ok_or_else(none)?;
    let run = store.issued(key, serial, serial)?.into_iter().next().ok_or_else(none)?;
    let content = store.content(run.content)?.ok_or_else(none)?;
    let mark =
        marks_of_run(&content, &run)?.into_iter().find(|mark| mark.mark.serial == args.serial).ok_or_else(none)?;
    let at = Timestamp::from_millisecond(run.at).unwrap_or_default();
    let mut text = format!("serial     {serial}\npart       {}\n", content.part);
    if let Some(lot) = &content.lot {
        text += &format!("lot        {lot}\n");
    }
    text += &format!("date       {}\nissued     {at}\n", content.date);
    if let Some((request, _)) = &run.request {
        text += &format!("request    {} of client {:?}\n", request.id, request.client);
    }
    if let Some(outcome) = store.outcome(key, serial)? {
        let at = Timestamp::from_millisecond(outcome.at).unwrap_or_default();
        let name = if outcome.state == State::Verified { "verified  " } else { "void      " };
        let reason = outcome.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        text += &format!("{name} {at}{reason}\n");
        if let Some(grade) = outcome.grade {
            text += &format!("grade      {}.{}\n", grade / 10, grade % 10);
        }
    }
    io.print(text + &format!("mark       {}\n", base45::encode(&mark.to_bytes())))
}
