//! `touchmark-sign line verify-journal`.

use super::{Io, Which};
use crate::error::{Error, Result};
use crate::line::audit::audit;
use crate::line::newest;
use crate::line::store::Counts;
use crate::line::witness;

/// Check the journal from end to end: every serial accounted for, every signature good
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Leave the signatures out, which take most of the time
    #[arg(long)]
    quick: bool,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let (home, line) = args.which.open()?;
    let delegation = &line.delegation.signed;
    let key = delegation.key.check().map_err(|e| Error::unusable(format!("the line key: {e}")))?;
    let state = io.state(&home);
    let mut store = home.store_to_read(&state, &delegation.key)?;
    newest::check(&mut store, &state, &delegation.key)?;
    if !witness::knows(&state, &delegation.key) {
        io.say(format_args!(
            "note: whether it is the newest is not known: no line of it keeps how far it got in {} (TOUCHMARK_STATE names \
             another folder)",
            state.display()
        ));
    }
    let way_out = "issue nothing more from it: put the newest copy back, and see `touchmark-sign line recover`";
    let audit = audit(&mut store, delegation, &key, !args.quick).map_err(|e| e.hint(way_out))?;
    let Counts { reserved, issued, verified, void, lost, closed } = audit.counts;
    let signatures = if args.quick { "signatures not checked" } else { "every signature good" };
    for problem in &audit.problems {
        io.say(format_args!("error: {problem}"));
    }
    if audit.count > 0 {
        let name = home.store_name();
        return Err(Error::refused(format!("{name}: {} things do not fit", audit.count)).hint(way_out));
    }
    io.print(format!(
        "every serial is accounted for: {issued} issued ({verified} verified, {void} void), {reserved} reserved, {lost} \
         lost, {closed} closed; {signatures}\n"
    ))
}
