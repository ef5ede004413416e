//! `entente doctor`: look a data directory over while its node is stopped.
//!
//! Everything is looked at, also after the first fault, and each finding that needs somebody says what to do. The
//! store may be examined only while no node has it open; the rest is told anyway.

mod checks;
mod store;

use clap::Args;
use entente_node::vault::Vault;
use serde::Serialize;
use serde_json::json;

use crate::args::Globals;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::passphrase::{self, PassphraseArgs, Use};

const EXAMPLE: &str = "\
Example:
  entente doctor --data /var/lib/entente --rebuild-index";

/// Check the data directory of a stopped node, and rebuild its index.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct DoctorArgs {
    /// Throw the index away and make it anew from the journals
    #[arg(long)]
    pub(crate) rebuild_index: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Sound,
    /// It works, and somebody should know.
    Note,
    /// It does not work, or cannot be told.
    Fault,
}

/// What one look found.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    state: State,
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn sound(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, state: State::Sound, detail: detail.into(), next: None }
    }

    fn note(check: &'static str, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Note, detail: detail.into(), next: Some(next.into()) }
    }

    fn fault(check: &'static str, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, state: State::Fault, detail: detail.into(), next: Some(next.into()) }
    }
}

pub(crate) fn run(args: &DoctorArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let data = globals.data_dir()?;
    let export = entente_node::init::data_identity(data);
    if let Err(error @ entente_node::init::DataIdentityError::NoAgency { .. }) = export {
        return Err(error.into());
    }
    let passphrase = passphrase::obtain(&args.passphrase, Use::Open, "the node's keys", out)?;
    let secrets = Vault::of(data).open_node(&passphrase);
    let export = export.as_ref();

    let mut findings = vec![checks::directory(data), checks::configuration(data), checks::card(export)];
    findings.push(checks::keys(data, &secrets, export.ok()));
    findings.extend(checks::roots(data, export.ok()));
    findings.extend([checks::token(data), checks::clock(export.ok()), checks::space(data)]);
    match &secrets {
        Ok(secrets) => findings.extend(store::examine(data, secrets, args.rebuild_index, out)),
        Err(_) => findings.push(store::locked_away()),
    }
    report(data, &findings, out)
}

fn report(data: &std::path::Path, findings: &[Finding], out: &Output) -> Result<(), CliError> {
    let faults = findings.iter().filter(|finding| finding.state == State::Fault).count();
    if out.is_json() {
        let data = data.display().to_string();
        out.value(&json!({ "sound": faults == 0, "data": data, "findings": findings }))?;
    } else {
        let rows = findings.iter().map(|finding| {
            let state = match finding.state {
                State::Sound => Cell::good("sound"),
                State::Note => "note".into(),
                State::Fault => Cell::bad("fault"),
            };
            let next = finding.next.as_deref().unwrap_or_default();
            vec![finding.check.into(), state, finding.detail.as_str().into(), next.into()]
        });
        out.table(&["CHECK", "STATE", "FINDING", "WHAT TO DO"], rows.collect())?;
    }
    if faults == 0 { Ok(()) } else { Err(CliError::Unsound { faults }) }
}
