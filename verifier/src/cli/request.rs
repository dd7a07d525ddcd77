//! `touchmark-verify request`: asks a maker where parts went.

use super::{Io, Stop};
use crate::material::{self, MaterialError, MaterialErrorKind};
use crate::request::{Places, Requester, collect, request};
use crate::verdict::Status;
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;
use touchmark_formats::text::Label;

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
    let mut found = Places::new();
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
    let requester = Requester {
        name: args.requester.clone(),
        recipient: args.recipient.clone(),
        case: args.case.clone(),
        key: &material::open_signing_key(&args.key)?,
        now: io.now,
    };
    let (envelope, public) = request(&requester, places).map_err(|e| Stop::unusable(&args.out, e.to_string()))?;
    std::fs::write(&args.out, envelope.to_json())
        .map_err(|e| Stop::Material(MaterialError { path: args.out.clone(), kind: MaterialErrorKind::Io(e) }))?;
    let serials = if places.len() == 1 { "1 serial".to_owned() } else { format!("{} serials", places.len()) };
    writeln!(io.stderr, "{}: asks {maker} where {serials} went; signed by {public}", args.out.display())?;
    Ok(Status::AllAuthentic)
}
