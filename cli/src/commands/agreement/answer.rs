//! Answers to an agreement: sign, reject, leave.

use serde_json::json;

use super::{LeaveArgs, SignArgs, print, words};
use crate::client::Client;
use crate::error::CliError;
use crate::output::Output;
use crate::prompt;
use crate::views::{Agreement, Answered};

pub(super) fn sign(args: &SignArgs, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement = answerable(&args.id, client)?;
    if !out.is_json() {
        print(&agreement, out)?;
    }
    prompt::confirm("sign it for this agency?", args.yes)?;
    let named = json!({ "version": agreement.version });
    let answer = client.write(&["v1", "agreements", &agreement.id, "signature"], &named)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let signed: Answered = answer.read()?;
    out.line(&format!("signed {}, which is now {}", signed.id, words(&signed.state)))
}

/// The version that waits for an answer, so that what is answered is what was shown. Of several one has to be named.
fn answerable(id: &str, client: &Client) -> Result<Agreement, CliError> {
    let agreement: Agreement = client.get(&["v1", "agreements", id], &[])?.read()?;
    match &agreement.open[..] {
        [only] if *only != agreement.version => Ok(client.get(&["v1", "agreements", only], &[])?.read()?),
        [_, _, ..] if !agreement.open.contains(&agreement.version) => {
            Err(CliError::SeveralVersions { open: agreement.open })
        }
        _ => Ok(agreement),
    }
}

pub(super) fn reject(id: &str, reason: &str, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement = answerable(id, client)?;
    let named = json!({ "version": agreement.version, "reason": reason });
    let answer = client.write(&["v1", "agreements", &agreement.id, "rejection"], &named)?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let rejected: Answered = answer.read()?;
    out.line(&format!("rejected {}, which is now {}", rejected.id, words(&rejected.state)))
}

pub(super) fn withdraw(args: &LeaveArgs, client: &Client, out: &Output) -> Result<(), CliError> {
    let agreement: Agreement = client.get(&["v1", "agreements", &args.id], &[])?.read()?;
    out.note(&format!("\"{}\": nothing more would be published or received under it here.", agreement.title));
    out.note(&format!(
        "What was published stays with the others until it is retracted or its retention ends; retractions still reach \
         this agency for {} days.",
        agreement.run_off_days
    ));
    prompt::confirm("leave it for this agency?", args.yes)?;
    let answer = client.write(&["v1", "agreements", &agreement.id, "withdrawal"], &json!({ "reason": args.reason }))?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let left: Answered = answer.read()?;
    out.line(&format!("left {}", left.id))
}
