//! `case verify`.

use crate::case::check::{Checked, check};
use crate::case::derived::Derived;
use crate::cli::{Io, Stop, words};
use crate::material;
use crate::verdict::Status;
use clap::Args;
use std::path::PathBuf;

pub(super) const STATUS: &str = "Exit status:
  0  the bag is what was signed; what was left out of it is said
  1  something is not as it was signed, the report or a table is not what this version makes of the evidence, or the key
     given did not sign it
  2  wrong usage, or no bag of a case";

#[derive(Debug, Args)]
pub(in crate::cli) struct VerifyArgs {
    /// Bag, as `case pack` and `case redact` make it
    #[arg(value_name = "BAG")]
    bag: PathBuf,
    /// The public key that must have signed it: PEM as `openssl pkey -pubout` writes it, or base64
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &VerifyArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let key = args.key.as_deref().map(material::open_public_key).transpose()?;
    let checked = check(&args.bag)?;
    let by_key = key.is_none_or(|key| checked.signers.contains(&key));
    let good = by_key && checked.problems.is_empty();
    if args.json {
        writeln!(io.stdout, "{}", as_json(&checked, good))?;
    } else {
        write!(io.stdout, "{}", for_people(&checked, &args.bag.display().to_string()))?;
        match (by_key, key) {
            (false, _) => writeln!(io.stdout, "NOT SIGNED by the key given")?,
            (true, None) => {
                writeln!(io.stdout, "  compare the key with the one that its owner tells you, or give it with --key")?
            }
            (true, Some(_)) => {}
        }
    }
    Ok(if good { Status::AllAuthentic } else { Status::NotAuthentic })
}

/// What is said of files that are made from the evidence; one that differs is among the problems.
const DERIVED: [(Derived, &str); 3] = [
    (Derived::AsMade, "what this program makes of the evidence"),
    (
        Derived::OtherVersion,
        "not what this version makes of the evidence; the case is of another one: compare with that",
    ),
    (Derived::NotCompared, "not compared: the evidence is not as it was signed, or of a kind that is not read here"),
];

fn for_people(checked: &Checked, bag: &str) -> String {
    let seal = &checked.seal;
    let word = if checked.problems.is_empty() { "AS SIGNED" } else { "NOT AS SIGNED" };
    let mut lines = vec![format!("{bag}: {word}"), format!("  case       {}", seal.case)];
    lines.push(format!("  sealed     {} by {}, {} pieces of evidence", seal.sealed, seal.tool, seal.pieces));
    lines.extend(checked.signers.iter().map(|key| format!("  signed by  {}", String::from(*key))));
    for (class, n) in &checked.left_out {
        lines.push(format!("  left out   {n} of class {}", class.name()));
    }
    if !checked.made_anew.is_empty() {
        lines.push(format!("  not signed {}: left out, and made anew since", checked.made_anew.join(", ")));
    }
    for (derived, words) in DERIVED {
        let names: Vec<&str> =
            checked.derived.iter().filter(|(_, own)| **own == derived).map(|(name, _)| name.as_str()).collect();
        if !names.is_empty() {
            lines.push(format!("  derived    {}: {words}", names.join(", ")));
        }
    }
    lines.extend(checked.problems.iter().map(|problem| format!("  differs    {problem}")));
    lines.iter().map(|line| words::plain(line) + "\n").collect()
}

fn as_json(checked: &Checked, good: bool) -> serde_json::Value {
    let left_out: serde_json::Map<_, _> =
        checked.left_out.iter().map(|(class, n)| (class.name().to_owned(), (*n).into())).collect();
    serde_json::json!({
        "as_signed": good, "case": checked.seal.case, "sealed": checked.seal.sealed, "tool": checked.seal.tool,
        "pieces": checked.seal.pieces, "signers": checked.signers, "left_out": left_out, "made_anew": checked.made_anew,
        "derived": checked.derived, "problems": checked.problems,
    })
}
