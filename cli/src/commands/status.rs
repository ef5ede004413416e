//! `entente status`: the node at one glance.

use clap::Args;

use crate::args::Globals;
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::{Status, StatusStore};

const EXAMPLE: &str = "\
Example:
  entente status --data /var/lib/entente
  entente status --json | jq .outbox";

/// Show the state of the node: its agency, its store, its connections, and what waits to be sent.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct StatusArgs {}

pub(crate) fn run(_: &StatusArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let answer = Client::find(globals, out)?.get(&["v1", "status"], &[])?;
    if out.is_json() {
        return out.raw(&answer.0);
    }
    let status: Status = answer.read()?;
    let agency = &status.agency;
    let ready = if status.ready { Cell::good("ready") } else { Cell::bad("not ready") };
    out.fields(vec![
        ("agency", format!("{} ({}, {})", agency.name, agency.country, agency.kind).into()),
        ("id", agency.id.as_str().into()),
        ("mode", agency.mode.as_str().into()),
        ("node", ready),
        ("version", status.version.as_str().into()),
        ("started", out.when(&status.started).into()),
        ("store", store(&status.store)),
        ("reports", status.store.reports.to_string().into()),
        ("entries", status.store.entries.to_string().into()),
        ("objects", status.store.objects.to_string().into()),
        ("quarantined", status.store.quarantined.to_string().into()),
        ("on disk", mebibytes(status.store.disk_bytes).into()),
        ("listening", status.network.listening.join(" ").into()),
        ("connected", format!("{} of {} partners", status.network.connected, status.network.partners).into()),
        (
            "agreements",
            format!("{} in force, {} proposed", status.agreements.in_force, status.agreements.proposed).into(),
        ),
        ("waiting to be sent", status.outbox.to_string().into()),
    ])
}

fn store(store: &StatusStore) -> Cell {
    match (&store.reason, store.healthy) {
        (_, true) => Cell::good("healthy"),
        (Some(reason), false) => Cell::bad(format!("not healthy: {reason}")),
        (None, false) => Cell::bad("not healthy"),
    }
}

/// With one decimal, rounded down; in whole numbers, which do not lose digits.
fn mebibytes(bytes: u64) -> String {
    let tenths = u128::from(bytes) * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
