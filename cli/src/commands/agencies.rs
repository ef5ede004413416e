//! `entente agencies`: whose cards this node knows, and why it trusts them.

use clap::Args;

use crate::args::{Globals, Reading};
use crate::client::Client;
use crate::error::CliError;
use crate::output::{Cell, Output};
use crate::views::Agency;

const EXAMPLE: &str = "\
Example:
  entente agencies
  entente agencies agency1q…";

/// List the agencies whose cards this node knows, or show one of them.
///
/// `pinned` agencies were compared by phone; `vouched` ones are known through a pinned partner's word alone.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLE)]
pub(crate) struct AgenciesArgs {
    /// Show this agency whole
    id: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(args: &AgenciesArgs, globals: &Globals, out: &Output) -> Result<(), CliError> {
    let client = Client::find(globals, out)?;
    let query = args.reading.query();
    if let Some(id) = &args.id {
        let answer = client.get(&["v1", "agencies", id], &query)?;
        return if out.is_json() { out.raw(&answer.0) } else { show(&answer.read()?, out) };
    }
    let items = client.list(&["v1", "agencies"], &query, usize::MAX)?;
    if out.is_json() {
        return out.raw_items(&items);
    }
    let rows = items.read::<Agency>()?.into_iter().map(|agency| {
        let trust = trust(&agency.trust);
        vec![
            agency.name.into(),
            agency.country.into(),
            agency.kind.into(),
            trust,
            agency.contact.into(),
            agency.id.into(),
        ]
    });
    out.table(&["NAME", "COUNTRY", "KIND", "TRUST", "CONTACT", "ID"], rows.collect())
}

/// One agency whole.
pub(super) fn show(agency: &Agency, out: &Output) -> Result<(), CliError> {
    let mut fields = fields(agency);
    fields.extend(agency.valid_until.as_deref().map(|until| ("valid until", out.when(until).into())));
    fields.push(("trust", trust(&agency.trust)));
    fields.push(("addresses", agency.addresses.join(" ").into()));
    fields.push(("fingerprint", agency.fingerprint.as_str().into()));
    out.fields(fields)
}

/// What a card says of its agency.
pub(super) fn fields(agency: &Agency) -> Vec<(&'static str, Cell)> {
    vec![
        ("name", agency.name.as_str().into()),
        ("id", agency.id.as_str().into()),
        ("country", agency.country.as_str().into()),
        ("kind", agency.kind.as_str().into()),
        ("contact", agency.contact.as_str().into()),
        ("mode", agency.mode.as_str().into()),
        ("card", format!("serial {}", agency.serial).into()),
    ]
}

fn trust(trust: &str) -> Cell {
    if trust == "vouched" { Cell::bad(trust) } else { Cell::good(trust) }
}
