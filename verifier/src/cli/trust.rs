//! `trust show` and `trust pin`.

use super::{Io, Stop, words};
use crate::material::{self, MaterialError, MaterialErrorKind};
use crate::pins::Pins;
use crate::verdict::Status;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use touchmark_formats::signed::Signed;
use touchmark_formats::trust::{Maker, Trust};

#[derive(Debug, Subcommand)]
pub(super) enum TrustCommand {
    /// Print what a trust bundle says, and check every signature in it
    Show(TrustArgs),
    /// Accept the authority that signed a bundle: from then on only its bundles are used, and none older than the
    /// newest seen
    Pin(TrustArgs),
}

#[derive(Debug, Args)]
pub(super) struct TrustArgs {
    /// Trust bundle
    #[arg(value_name = "FILE", required_unless_present = "trust")]
    file: Option<PathBuf>,
    /// The same, as the other commands spell it
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    trust: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl TrustArgs {
    fn path(&self) -> PathBuf {
        self.file.clone().or_else(|| self.trust.clone()).unwrap_or_default()
    }
}

pub(super) fn run(command: &TrustCommand, io: &mut Io<'_>) -> Result<Status, Stop> {
    match command {
        TrustCommand::Show(args) => show(args, io),
        TrustCommand::Pin(args) => pin(args, io),
    }
}

fn show(args: &TrustArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    // No pins here: a bundle must be looked at before it is accepted.
    let bundle = material::open_trust(&args.path(), None)?.bundle;
    if args.json {
        write!(io.stdout, "{}", bundle.to_json())?;
    } else {
        write!(io.stdout, "{}", describe(&bundle))?;
    }
    if let Some(warning) = material::expiry_warning(&bundle.signed, io.now) {
        writeln!(io.stderr, "warning: {warning}")?;
    }
    match bundle.signed.check_all() {
        Ok(()) => Ok(Status::AllAuthentic),
        Err(unsound) => {
            writeln!(io.stderr, "error: {}", words::plain(&unsound.to_string()))?;
            Ok(Status::Unusable)
        }
    }
}

fn pin(args: &TrustArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let path = args.path();
    let bundle = material::open_trust(&path, None)?.bundle;
    let Some(state) = io.state.clone() else {
        return Ok(super::complain(
            io,
            "there is no folder to remember authorities in",
            Some("set TOUCHMARK_STATE to one"),
        ));
    };
    let pins = Pins::in_folder(&state);
    let unusable = |e| MaterialError { path: pins.path().to_owned(), kind: MaterialErrorKind::Pins(e) };
    pins.accept(&bundle).map_err(unusable)?;
    let authority = &bundle.signed.authority;
    let fingerprint = words::fingerprint(&authority.fingerprint());
    writeln!(io.stdout, "accepted {} ({fingerprint}), version {}", authority.name, bundle.signed.version)?;
    Ok(Status::AllAuthentic)
}

fn describe(bundle: &Signed<Trust>) -> String {
    let trust = &bundle.signed;
    let authority = &trust.authority;
    let mut out = vec![
        format!("authority    {}, {} of {} signers", authority.name, authority.threshold, authority.signers.len()),
        format!("fingerprint  {}", words::fingerprint(&authority.fingerprint())),
        format!("signed by    {} of its holders", authority.count(bundle)),
        format!("version      {}, made {}, expires {}", trust.version, trust.created, trust.expires),
    ];
    out.extend(trust.makers.iter().flat_map(describe_maker));
    for revocation in &trust.revocations {
        out.push(format!("revoked      key {} as of {}: {}", revocation.key.id(), revocation.since, revocation.reason));
    }
    for void in &trust.voids {
        out.push(format!("void         serials {} of key {}: {}", void.serials, void.key.id(), void.reason));
    }
    out.iter().map(|line| words::plain(line) + "\n").collect()
}

fn describe_maker(maker: &Maker) -> Vec<String> {
    let mut out = vec![
        format!(
            "maker        {} ({}), vouched for {} to {}",
            maker.name, maker.country, maker.valid_from, maker.valid_until
        ),
        format!("  root       {}", words::fingerprint(&maker.root.fingerprint())),
    ];
    for delegation in maker.delegations.iter().map(|d| &d.signed) {
        let list = |listed: usize, others: bool| match (listed, others) {
            (0, true) => "any".to_owned(),
            (n, true) => format!("{n} listed and others"),
            (n, false) => format!("{n} listed"),
        };
        out.push(format!(
            "  line       {}, key {}, site {}: dates {} to {}, serials {}, parts: {}, lots: {}",
            delegation.line,
            delegation.key.id(),
            delegation.site,
            delegation.not_before,
            delegation.not_after,
            delegation.serials,
            list(delegation.parts.len(), delegation.other_parts),
            list(delegation.lots.len(), delegation.other_lots),
        ));
    }
    for close in maker.closed.iter().map(|close| &close.signed) {
        let (used, void, unused) = close.counts();
        let lot = close.lot.as_ref().map_or_else(String::new, |lot| format!("lot {lot}, "));
        out.push(format!(
            "  closed     {lot}serials {} of key {}: {used} used, {void} void, {unused} unused",
            close.serials,
            close.key.id(),
        ));
    }
    out.extend(maker.own_ledger().map(|ledger| format!("  ledger     {}, key {}", ledger.origin, ledger.key)));
    out
}
