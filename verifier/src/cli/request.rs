//! `touchmark-verify request`: asks a maker where parts went.

use super::{Io, Stop};
use crate::material::{self, MaterialError, MaterialErrorKind};
use crate::verdict::Status;
use clap::Args;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::request::{MAX_PLACES, TraceRequest};
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::{Signed, is_line, message};
use touchmark_formats::text::Label;
use touchmark_formats::trust::Trust;

#[derive(Debug, Args)]
pub(super) struct RequestArgs {
    /// What `touchmark-verify photo --json` or `text --json` printed (repeatable): one verdict, or those of a whole case
    #[arg(required = true, value_name = "FILE")]
    verdicts: Vec<PathBuf>,
    /// The trust bundle under which they were verified
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Who asks
    #[arg(long, value_name = "NAME")]
    requester: Label,
    /// Your signing key: PKCS#8, as `openssl genpkey -algorithm ed25519` makes it
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The age recipient to which the answer is to be encrypted
    #[arg(long, value_name = "age1...")]
    recipient: String,
    /// The case
    #[arg(long, value_name = "TEXT")]
    case: String,
    /// Ask this maker, where the verdicts name several
    #[arg(long, value_name = "NAME")]
    maker: Option<Label>,
    /// Where the request goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &RequestArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let trust = material::open_trust(&args.trust, None)?.bundle.signed;
    let mut found: BTreeMap<Label, BTreeSet<Place>> = BTreeMap::new();
    for path in &args.verdicts {
        let bytes = material::read_file(path)?;
        for value in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            let value = value.map_err(|e| Stop::unusable(path, format!("not what --json printed: {e}")))?;
            collect(&value, &trust, &mut found);
        }
    }
    if let Some(maker) = &args.maker {
        found.retain(|name, _| name == maker);
    }
    let (Some((maker, places)), true) = (found.first_key_value(), found.len() == 1) else {
        let names = found.keys().map(Label::as_str).collect::<Vec<_>>().join(", ");
        let what = if names.is_empty() {
            "no verdict in it is of a mark with a good signature of a maker in the bundle".to_owned()
        } else {
            format!("they are of several makers, {names}: name one with --maker")
        };
        return Err(Stop::unusable(args.verdicts.first().unwrap_or(&args.out), what));
    };
    if places.len() > MAX_PLACES {
        return Err(Stop::unusable(&args.out, format!("more than {MAX_PLACES} serials: ask in several requests")));
    }
    if !is_line(&args.case) || args.recipient.parse::<age::x25519::Recipient>().is_err() {
        return Err(Stop::unusable(&args.out, "the case or the recipient is not one that a request can hold"));
    }
    let request = TraceRequest {
        requester: args.requester.clone(),
        recipient: args.recipient.clone(),
        case: args.case.clone(),
        // Files that people read say seconds.
        created: Timestamp::from_second(io.now.as_second()).unwrap_or(io.now),
        places: places.iter().copied().collect(),
    };
    let key = material::open_signing_key(&args.key)?;
    let mut envelope = Signed::new(request);
    let (public, signature) = key.sign(&message(&envelope.signed));
    envelope.attach(public, signature);
    std::fs::write(&args.out, envelope.to_json())
        .map_err(|e| Stop::Material(MaterialError { path: args.out.clone(), kind: MaterialErrorKind::Io(e) }))?;
    let serials = if places.len() == 1 { "1 serial".to_owned() } else { format!("{} serials", places.len()) };
    writeln!(io.stderr, "{}: asks {maker} where {serials} went; signed by {public}", args.out.display())?;
    Ok(Status::AllAuthentic)
}

/// Every mark with a good signature in a verdict, wherever it stands there: its line key by what the bundle says.
fn collect(value: &Value, trust: &Trust, found: &mut BTreeMap<Label, BTreeSet<Place>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, trust, found)),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            let serial = members.get("serial").and_then(Value::as_u64).and_then(Serial::new);
            if let (Some(maker), Some(line), Some(id), Some(serial)) =
                (text("maker"), text("line"), text("key_id"), serial)
                && let Some((maker, line)) = line_key(trust, maker, line, id)
            {
                found.entry(maker).or_default().insert(Place { line, serial });
            }
            members.values().for_each(|member| collect(member, trust, found));
        }
        _ => {}
    }
}

fn line_key(trust: &Trust, maker: &str, line: &str, id: &str) -> Option<(Label, KeyBytes)> {
    let maker = trust.makers.iter().find(|own| own.name.as_str() == maker)?;
    let own = maker.delegations.iter().map(|envelope| &envelope.signed);
    let found = own.into_iter().find(|d| d.line.as_str() == line && d.key.id().to_string() == id)?;
    Some((maker.name.clone(), found.key))
}
