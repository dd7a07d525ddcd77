//! `touchmark-sign disclose`.

use super::secrets::PassphraseArgs;
use super::{Io, counted, trace};
use crate::disclose::{Knowledge, MAX_SERIALS, Made, Options, disclose, years};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::journal;
use crate::line::store::Which;
use crate::pack;
use crate::{consignees, init::BUNDLE_LIFE};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::disclosure::Scope;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::request::TraceRequest;
use touchmark_formats::signed::{MAX_LINE_BYTES, is_line};
use touchmark_formats::text::Label;
use zeroize::Zeroizing;

/// Write the consignees of some marks for one reader, encrypted
///
/// The file opens the marks of one lot, of a span of days, or of single serials, and names their consignees from
/// consignees.csv; nothing else. The maker's root key signs it, and age encrypts it to its reader.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Last day of the span, included
    #[arg(long, value_name = "D", requires = "from")]
    until: Option<Date>,
    /// A day on which the lot was made, if its marks are not on record in this home; as often as needed
    #[arg(long, value_name = "D", requires = "lot")]
    date: Vec<Date>,
    /// Name this consignee too, though no mark on record in this home has it; as often as needed
    #[arg(long, value_name = "N")]
    consignee: Vec<u64>,
    /// The reader's age recipient; a trace request names it itself
    #[arg(long, value_name = "age1...", required_unless_present = "request", conflicts_with = "request")]
    to: Option<String>,
    /// Answer the request with the keys that open the consignees sealed in its marks, in place of the ledger's records
    #[arg(long, requires = "request")]
    consignees: bool,
    /// The public key of whoever the request must be from, in base64
    #[arg(long, value_name = "KEY", requires = "request")]
    requester: Option<touchmark_formats::key::KeyBytes>,
    /// The case or request that it answers
    #[arg(long, value_name = "TEXT", default_value = "", conflicts_with = "request")]
    case: String,
    /// Last day on which it should be used [default: in a year]
    #[arg(long, value_name = "D")]
    expires: Option<Date>,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
}

/// One of these.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct ScopeArgs {
    /// Every mark of this lot
    #[arg(long, value_name = "L")]
    lot: Option<Label>,
    /// Every mark made from this day until --until
    #[arg(long, value_name = "D", requires = "until")]
    from: Option<Date>,
    /// The marks with these serials, as 1,5,10-20
    #[arg(long, value_name = "LIST", value_parser = serials)]
    serials: Option<std::sync::Arc<[u64]>>,
    /// What this trace request asks, from the ledger: the records of its serials, with their proofs
    #[arg(long, value_name = "F")]
    request: Option<PathBuf>,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let request = args.scope.request.as_ref().map(|path| trace::read(path, args.requester)).transpose()?;
    if let Some(request) = request.as_ref().filter(|_| !args.consignees) {
        let Args { home, out, .. } = &args;
        return trace::run(&trace::Answer { home, request, out }, args.passphrase.clone(), io);
    }
    let to = request.as_ref().map(|request| request.recipient.clone()).or(args.to.clone()).unwrap_or_default();
    let recipient = to.parse::<age::x25519::Recipient>().map_err(|e| {
        Error::unusable(format!("{to:?} is not an age recipient: {e}"))
            .hint("the reader makes one with `age-keygen`, and sends the public key, which begins with age1")
    })?;
    let home = Home::open(&args.home)?;
    let options = options(&args, request.as_ref(), &recipient, io.now)?;
    let which = match &options.scope {
        Scope::Lot(lot) => Which::Lot(lot),
        Scope::Days { from, to } => Which::Days(*from, *to),
        Scope::Serials(serials) => Which::Serials(serials),
    };
    let records = journal::records(&mut home.store(false)?, which)?;
    let mut secrets = args.passphrase.secrets();
    let root = home.root_key(&mut secrets.unlock(io))?;
    let mut keys = BTreeMap::new();
    let packed = pack::read(&home.packing_file())?;
    for year in years(&options, &records, &packed)? {
        if let Some(key) = home.year_key(year, &mut secrets.unlock(io))? {
            keys.insert(year, key);
        }
    }
    let customers = consignees::read(&home.consignees_file())?;
    let knowledge = Knowledge { records: &records, packed: &packed, consignees: &customers, years: &keys };
    let Made { envelope, unnamed } = disclose(&*root, &options, &knowledge)?;
    let json = Zeroizing::new(envelope.to_json());
    let sealed = age::encrypt_and_armor(&recipient, json.as_bytes())
        .map_err(|e| Error::unusable(format!("cannot encrypt the disclosure: {e}")))?;
    if let Some(request) = &request {
        // On record before it leaves.
        trace::note(&home, request, sealed.as_bytes(), io)?;
    }
    match args.out.to_str() {
        Some("-") => io.print(sealed)?,
        _ => files::write(&args.out, sealed.as_bytes(), Access::Ordinary)?,
    }
    let disclosed = &envelope.signed;
    let (keys, names) = (counted(disclosed.grants.len(), "key"), counted(disclosed.consignees.len(), "consignee"));
    io.say(format_args!("{}: {keys} and {names} for {}", disclosed.scope, disclosed.recipient));
    if !unnamed.is_empty() {
        let numbers = unnamed.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        io.say(format_args!("warning: not in {}: consignee {numbers}", home.consignees_file().display()));
    }
    Ok(())
}

fn options(
    args: &Args,
    request: Option<&TraceRequest>,
    recipient: &age::x25519::Recipient,
    now: Timestamp,
) -> Result<Options> {
    let ScopeArgs { lot, from, serials, .. } = &args.scope;
    let places: Option<BTreeSet<Place>> = request.map(|request| request.places.iter().copied().collect());
    let asked = places.as_ref().map(|places| places.iter().map(|place| place.serial.get()).collect::<BTreeSet<u64>>());
    let asked = asked.map(|serials| serials.into_iter().collect());
    let scope = match (lot, from.zip(args.until), asked.as_ref().or(serials.as_ref())) {
        (Some(lot), ..) => Scope::Lot(lot.clone()),
        (_, Some((from, to)), _) => Scope::Days { from, to },
        (.., Some(serials)) => Scope::Serials(serials.to_vec()),
        _ => return Err(Error::unusable("nothing to disclose").hint("say --lot, --from and --until, or --serials")),
    };
    if !is_line(&args.case) {
        let what = format!("--case: more than {MAX_LINE_BYTES} bytes, or control or invisible characters");
        return Err(Error::unusable(what));
    }
    let expires = match args.expires {
        Some(day) => end_of(day),
        None => now.checked_add(BUNDLE_LIFE).ok(),
    };
    Ok(Options {
        scope,
        places,
        dates: args.date.clone(),
        recipient: recipient.to_string(),
        case: request.map_or_else(|| args.case.clone(), |request| request.case.clone()),
        created: now,
        expires: expires.filter(|e| *e > now).ok_or_else(|| Error::unusable("--expires: that day is over"))?,
        consignees: args.consignee.iter().copied().collect(),
    })
}

/// The last second of a day, UTC.
pub(super) fn end_of(day: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.civil().at(23, 59, 59, 0)).ok()
}

fn serials(text: &str) -> std::result::Result<std::sync::Arc<[u64]>, String> {
    let mut all = BTreeSet::new();
    for item in text.split(',').map(str::trim) {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let range = first.trim().parse::<u64>().ok().zip(last.trim().parse::<u64>().ok()).filter(|(a, b)| a <= b);
        let (first, last) = range.ok_or_else(|| format!("{item:?} is neither a serial nor a range of serials"))?;
        if last - first >= MAX_SERIALS as u64 {
            return Err(format!("{item:?} is more than {MAX_SERIALS} serials"));
        }
        all.extend(first..=last);
    }
    Ok(all.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_serials_are_read_exactly_or_refused() {
        assert_eq!(serials("5,1, 10-12,11").unwrap().as_ref(), [1, 5, 10, 11, 12]);
        for text in ["", "1,", "5-1", "a", "-3", "0-9007199254740991"] {
            assert!(serials(text).is_err(), "{text:?}");
        }
    }
}
