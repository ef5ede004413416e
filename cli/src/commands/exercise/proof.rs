//! What the federation is for, shown: lookups that find what they should, and an outsider who has nothing.

use std::fs;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use entente_node::network::read_tap;
use entente_protocol::address::Address;
use entente_protocol::id::{AgencyId, AgreementId, IdError, VersionHash};

use super::agency::Agency;
use super::canary::{Canaries, Class, Found, Searcher};
use super::error::ExerciseError;
use super::plan::{Party, Plan};
use super::process::{Interrupt, until};
use super::report::LookupOutcome;
use crate::views::Agreement;

/// How long a retraction may take to the agency that looks next.
const ARRIVAL: Duration = Duration::from_secs(30);

/// The four lookups; the one of a withdrawn report waits for the withdrawal to arrive.
pub(super) fn look_up(
    agencies: &[Agency],
    plan: &Plan,
    interrupt: &Interrupt,
) -> Result<Vec<LookupOutcome>, ExerciseError> {
    let ask = |case, party: Party, address: &Address| -> Result<LookupOutcome, ExerciseError> {
        let lookup = agencies[party as usize].look_up(&address.caip10())?;
        Ok(LookupOutcome {
            case,
            asked_by: party.name(),
            address: address.caip10(),
            reports: lookup.reports.len(),
            distinct_originators: lookup.distinct_originators,
            retracted: lookup.retracted,
        })
    };
    let late = |error| if matches!(error, ExerciseError::Late { .. }) { Ok(()) } else { Err(error) };
    until("the retraction", ARRIVAL, interrupt, || {
        let lookup = agencies[Party::B as usize].look_up(&plan.retracted.caip10())?;
        Ok((lookup.retracted > 0).then_some(()))
    })
    .or_else(late)?;
    Ok(vec![
        ask("corroborated", Party::A, &plan.corroborated.address)?,
        ask("partner-only", Party::B, &plan.partner_only)?,
        ask("retracted", Party::B, &plan.retracted)?,
        ask("outsider", Party::D, &plan.corroborated.address)?,
    ])
}

/// Whether a lookup found what it should.
pub(super) fn as_promised(lookup: &LookupOutcome, plan: &Plan) -> bool {
    let found = (lookup.reports, lookup.distinct_originators, lookup.retracted);
    match lookup.case {
        "corroborated" => found == (plan.corroborated.reports, 2, 0),
        "partner-only" => found == (1, 1, 0),
        "retracted" => found == (0, 0, 1),
        _ => found == (0, 0, 0),
    }
}

/// What the outsider has of the agreement, and what a party has of it by the same search.
pub(super) struct Search {
    /// How many byte strings were searched for.
    pub(super) canaries: usize,
    pub(super) outsider: Found,
    pub(super) party: Found,
}

impl Search {
    /// Classes that the search did not find where they are: there it proves nothing.
    pub(super) fn blind(&self) -> Vec<&'static str> {
        let blind = Class::ALL.into_iter().filter(|class| !self.party.contains_key(class));
        blind.map(Class::words).collect()
    }
}

/// Searches for the agreement of three at the outsider: in every byte that reached it, decrypted, of all protocols,
/// and in its whole data directory. Then the same at a party: in what reached it, and in what its people read.
pub(super) fn search(agencies: &[Agency], plan: &Plan, trio: &Agreement) -> Result<Search, ExerciseError> {
    let party = &agencies[Party::B as usize];
    let outsider = &agencies[Party::D as usize];

    let mut canaries = Canaries::default();
    plan.secrets.iter().for_each(|text| canaries.add(Class::Text, text.as_str()));
    plan.addresses.iter().for_each(|address| canaries.add(Class::Address, address.as_str()));
    canaries.add_agreement(parse::<AgreementId>(&trio.id)?, &trio.title);
    for strange in [Party::B, Party::C] {
        canaries.add_party(parse::<AgencyId>(&agencies[strange as usize].id)?);
    }
    let version = parse::<VersionHash>(&trio.version)?;
    for party in Party::TRIO {
        canaries.add_headers(version, &streams(&agencies[party as usize])?);
    }

    let count = canaries.len();
    let searcher = canaries.searcher()?;
    Ok(Search {
        canaries: count,
        outsider: at_outsider(outsider, &searcher)?,
        party: at_party(party, plan, &searcher)?,
    })
}

fn at_outsider(outsider: &Agency, searcher: &Searcher) -> Result<Found, ExerciseError> {
    let mut found = Found::new();
    for stream in streams(outsider)? {
        searcher.search(&stream, &mut found);
    }
    let failed = |source| ExerciseError::File { path: outsider.data.clone(), source };
    searcher.search_files(&outsider.data, &mut found).map_err(failed)?;
    Ok(found)
}

/// What travels stands in the tap; what travels encrypted, the words of reports, stands in what its people read.
fn at_party(party: &Agency, plan: &Plan, searcher: &Searcher) -> Result<Found, ExerciseError> {
    let mut found = Found::new();
    for stream in streams(party)? {
        searcher.search(&stream, &mut found);
    }
    let marked = plan.trio.values().flatten().filter(|draft| plan.is_marked(draft));
    for draft in marked {
        searcher.search(party.look_up_text(&draft.address)?.as_bytes(), &mut found);
    }
    Ok(found)
}

/// What reached an agency, stream by stream. That there is nothing at all is a failure: it had a partner.
fn streams(agency: &Agency) -> Result<Vec<Vec<u8>>, ExerciseError> {
    let path = agency.tap();
    let failed = |source| ExerciseError::File { path: path.clone(), source };
    if fs::metadata(&path).map_err(failed)?.len() == 0 {
        return Err(failed(io::ErrorKind::UnexpectedEof.into()));
    }
    read_tap(&path).map_err(failed)
}

fn parse<T: FromStr<Err = IdError>>(id: &str) -> Result<T, ExerciseError> {
    id.parse().map_err(|source| ExerciseError::Id { id: id.to_owned(), source })
}
