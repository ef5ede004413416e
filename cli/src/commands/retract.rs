//! `entente retract`: withdraw an own report from everyone who holds it.

use clap::Args;
use serde_json::json;

use super::revise::{own_report, show_recipients};
use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::prompt;
use crate::views::Retracted;

const EXAMPLE: &str = "\
Example:
  entente retract 6f0c2d2a9f0e4c5fb1f1a3c0de5f7a11 --reason \"address of an exchange, not of the suspect\"
  entente show 6f0c2d2a9f0e4c5fb1f1a3c0de5f7a11     # who has confirmed it";

/// Withdraw an own report from everyone who holds it.
///
/// Every holder deletes it and confirms that in a receipt; `entente show ID` tells who has. This cannot be undone.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct RetractArgs {
    /// The report's id
    id: String,
    /// Why, in words; the holders read it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do not ask before sending
    #[arg(long, short)]
    yes: bool,
}

pub(crate) fn run(args: &RetractArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let report = own_report(&client, &args.id)?;
    show_recipients(&client, &report, out)?;
    prompt::confirm("retract it? this cannot be undone", args.yes)?;
    let body = json!({ "reason": args.reason });
    let answer = client.write(&["v1", "reports", &report.id, "retraction"], &body)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let retracted: Retracted = answer.read()?;
    out.line(&format!("retracted {} up to revision {}", retracted.id, retracted.up_to_revision))?;
    out.note("`entente show` tells who has confirmed it");
    Ok(())
}
