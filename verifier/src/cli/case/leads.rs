//! `case leads`.

use crate::case::folder::Folder;
use crate::case::leads::{Leads, write_leads};
use crate::cli::{Io, Stop, words};
use crate::material;
use crate::request::Requester;
use crate::verdict::Status;
use clap::Args;
use std::path::PathBuf;
use touchmark_formats::text::Label;

#[derive(Debug, Args)]
pub(in crate::cli) struct LeadsArgs {
    /// Case folder
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// Who asks: then a signed request for each maker is written
    #[arg(long, value_name = "NAME", requires_all = ["key", "recipient"])]
    requester: Option<Label>,
    /// Your signing key: PKCS#8, as `openssl genpkey -algorithm ed25519` makes it
    #[arg(long, value_name = "FILE", requires = "requester")]
    key: Option<PathBuf>,
    /// The age recipient to which the answers are to be encrypted
    #[arg(long, value_name = "age1...", requires = "requester")]
    recipient: Option<String>,
    /// What the case is called in the requests, if not by its own name
    #[arg(long, value_name = "TEXT", requires = "requester")]
    case_name: Option<String>,
    /// The new folder
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

pub(super) fn run(args: &LeadsArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let folder = Folder::at(&args.case);
    let key = args.key.as_deref().map(material::open_signing_key).transpose()?;
    let requester = match (&args.requester, &key, &args.recipient) {
        (Some(name), Some(key), Some(recipient)) => {
            let case = args.case_name.clone().map_or_else(|| folder.case().map(|case| case.name), Ok)?;
            Some(Requester { name: name.clone(), recipient: recipient.clone(), case, key, now: io.now })
        }
        _ => None,
    };
    let leads = write_leads(&folder, &args.out, requester.as_ref())?;
    write!(io.stdout, "{}", told(&leads))?;
    Ok(Status::AllAuthentic)
}

/// The most lines of each kind for people; all of them are in the file.
const MOST_TOLD: usize = 10;

fn told(leads: &Leads) -> String {
    let mut lines = Vec::new();
    for buyer in leads.consignees.iter().take(MOST_TOLD) {
        let country = buyer.country.as_ref().map_or_else(String::new, |country| format!(", {country}"));
        let doubtful = if buyer.doubtful > 0 { format!(" ({} doubtful)", buyer.doubtful) } else { String::new() };
        lines.push(format!("consignee  {:>6} parts{doubtful}  {}{country}", buyer.parts, buyer.name));
    }
    for pair in leads.lots_together.iter().take(MOST_TOLD) {
        lines.push(format!("together   {:>6} folders  {} and {}", pair.folders, pair.lots[0], pair.lots[1]));
    }
    for request in &leads.requests {
        let file = if request.files.is_empty() {
            "not signed: say who asks with --requester".into()
        } else {
            request.files.join(", ")
        };
        lines.push(format!("ask        {:>6} parts  {}: {file}", request.parts, request.maker));
    }
    if lines.is_empty() {
        lines.push("no leads: no mark in the case has a good signature".to_owned());
    }
    lines.iter().map(|line| words::plain(line) + "\n").collect()
}
