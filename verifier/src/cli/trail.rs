//! `touchmark-verify trail`: what a maker answered, with every proof checked.

use super::{Io, Stop, words};
use crate::material;
use crate::verdict::Status;
use crate::verify::Answered;
use clap::Args;
use jiff::Timestamp;
use std::path::PathBuf;
use touchmark_formats::ledger::note::NoteKey;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::What;
use touchmark_formats::ledger::trail::{Chain, Link};

#[derive(Debug, Args)]
pub(super) struct TrailArgs {
    /// The maker's answer to a trace request
    #[arg(value_name = "FILE")]
    trail: PathBuf,
    /// Trust bundle: whom to believe
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Your age identity, as age-keygen writes it (repeatable)
    #[arg(long, value_name = "FILE", required = true)]
    identity: Vec<PathBuf>,
    /// The key of a witness that must have cosigned, as NAME+ID+BASE64 (repeatable)
    #[arg(long, value_name = "VKEY", value_parser = super::witness)]
    witness: Vec<NoteKey>,
}

pub(super) fn run(args: &TrailArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let trust = material::open_trust(&args.trust, None)?.bundle.signed;
    let mut identities = Vec::new();
    for path in &args.identity {
        identities.extend(material::open_identities(path)?);
    }
    let Answered { maker, case, created, proven, .. } = material::open_trail(&args.trail, &identities, &trust)?;
    let maker = trust.makers.iter().find(|own| own.root == maker);
    let name = maker.map_or_else(String::new, |maker| format!("{} ({})", maker.name, maker.country));
    let mut status = Status::AllAuthentic;
    writeln!(io.stdout, "case {:?}: {name} answered on {}", words::plain(&case), created)?;
    writeln!(io.stdout, "ledger      {}, {} records", words::plain(&proven.checkpoint.origin), proven.checkpoint.size)?;
    for witness in &args.witness {
        match proven.witnessed(witness).and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok()) {
            Some(at) => writeln!(io.stdout, "witnessed   by {} on {at}", witness.name)?,
            None => {
                status = Status::NotAuthentic;
                writeln!(io.stdout, "NOT WITNESSED by {}", witness.name)?;
            }
        }
    }
    for chain in &proven.chains {
        print(chain, &name, io)?;
    }
    Ok(status)
}

fn print(chain: &Chain, maker: &str, io: &mut Io<'_>) -> Result<(), Stop> {
    let place = chain.place;
    writeln!(io.stdout, "serial {} of line key {}", place.serial, place.line.id())?;
    lines(&chain.links, maker).iter().try_for_each(|line| writeln!(io.stdout, "  {line}"))?;
    Ok(())
}

/// What happened to a part, a line for each event, and where the trail ends.
pub(super) fn lines(links: &[Link], maker: &str) -> Vec<String> {
    if links.is_empty() {
        return vec!["nothing is on record of it, which is proven".to_owned()];
    }
    let line = |link: &Link| {
        let struck = if link.corrected { " (said later to be wrong)" } else { "" };
        format!("{}  {}{struck}  [record {}]", link.event.date, said(link, maker), link.index)
    };
    let last = links.iter().rev().find(|link| !link.corrected && !matches!(link.event.what, What::Corrected { .. }));
    let end = last.map(|last| format!("the trail ends with {}", holder(last, maker)));
    links.iter().map(line).chain(end).collect()
}

/// An event in words.
fn said(link: &Link, maker: &str) -> String {
    let document = |document: &Option<_>| document.as_ref().map_or_else(String::new, |d| format!(", document {d}"));
    match &link.event.what {
        What::Commissioned { part, lot, .. } => {
            let lot = lot.as_ref().map_or_else(String::new, |lot| format!(", lot {lot}"));
            format!("made by {maker}: {part}{lot}, serials {}", link.event.serials)
        }
        What::Shipped { document: d, .. } => {
            let door = link.ship_to.as_ref().map_or_else(String::new, |to| format!(", delivered to {}", named(to)));
            format!("shipped to {}{door}{}", link.to.as_ref().map_or_else(String::new, named), document(d))
        }
        What::HandedOver(handed) => {
            format!(
                "handed over to {}{}, signed by key {}",
                named(&handed.to),
                document(&handed.document),
                handed.by.id()
            )
        }
        What::Returned { document: d } => format!("returned to {maker}{}", document(d)),
        What::Destroyed { document: d } => format!("destroyed{}", document(d)),
        What::Corrected { reason } => format!("corrected: {reason}"),
    }
}

fn holder(link: &Link, maker: &str) -> String {
    match (&link.event.what, &link.to) {
        (What::Destroyed { .. }, _) => "their destruction".to_owned(),
        (_, Some(to)) => named(to),
        _ => maker.to_owned(),
    }
}

/// A party with all that is known of it.
fn named(party: &Party) -> String {
    let mut out = party.name.to_string();
    let texts = [
        party.country.as_ref().map(ToString::to_string),
        party.address.clone(),
        party.number.map(|n| format!("customer {n}")),
        party.lei.as_ref().map(|id| format!("LEI {id}")),
        party.eori.as_ref().map(|id| format!("EORI {id}")),
        party.duns.as_ref().map(|id| format!("D-U-N-S {id}")),
    ];
    let known = texts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    if !known.is_empty() {
        out = format!("{out} ({known})");
    }
    out
}
