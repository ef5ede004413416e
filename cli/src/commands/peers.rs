//! `entente peers`: is everyone there, and does everyone have what was published?

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::{Peer, Shared};

const EXAMPLE: &str = "\
Example:
  entente peers
  entente peers --json | jq 'select(.connected | not) | .agency.name'";

/// Show the partners, and how far each has what the others published.
///
/// UNCONFIRMED counts entries that the partner has not confirmed in a receipt, MISSING those of theirs that
/// this node still lacks. A partner without a receipt for more than 24 hours is shown as silent.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct PeersArgs {
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &PeersArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let items = client.list(&["v1", "peers"], &args.reading.query(), usize::MAX)?;
    if out.is_json() {
        return out.raw_items(&items);
    }
    let peers = items.read::<Peer>()?;
    if peers.is_empty() {
        return out.line("no partners");
    }
    let rows = peers.iter().flat_map(|peer| rows(peer, out)).collect();
    out.table(&["AGENCY", "TRUST", "CONNECTION", "AGREEMENT", "UNCONFIRMED", "MISSING", "LAST RECEIPT"], rows)
}

/// A row for each agreement, and one for a partner without any.
fn rows(peer: &Peer, out: &Output) -> Vec<Vec<Cell>> {
    let connection = if peer.connected {
        Cell::good("connected")
    } else {
        Cell::bad(format!("last seen {}", out.when_or(peer.last_seen.as_deref(), "never")))
    };
    let head = vec![peer.agency.name.as_str().into(), peer.trust.as_str().into(), connection];
    if peer.agreements.is_empty() {
        let none = ["none", "", "", ""].map(Cell::from);
        return vec![head.into_iter().chain(none).collect()];
    }
    peer.agreements.iter().map(|shared| head.iter().cloned().chain(under(shared, out)).collect()).collect()
}

fn under(shared: &Shared, out: &Output) -> [Cell; 4] {
    let receipt = out.when_or(shared.last_receipt.as_deref(), "never");
    let receipt = if shared.silent { Cell::bad(format!("silent: {receipt}")) } else { receipt.into() };
    [shared.title.as_str().into(), shared.lag.to_string().into(), shared.behind.to_string().into(), receipt]
}
