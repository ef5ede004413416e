//! The first half hour of a federation: nodes, cards, agreements.

use std::collections::BTreeMap;
use std::time::Duration;

use entente_node::clock;
use entente_protocol::time::{DAY_MS, Time};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::agency::Agency;
use super::error::ExerciseError;
use super::plan::Party;
use super::process::{Interrupt, Site, until};
use crate::output::Output;
use crate::views::Agreement;

/// How long a proposal and its signatures may take from node to node.
const TRAVEL: Duration = Duration::from_secs(90);

/// Starts all agencies.
pub(super) fn found(
    agencies: &mut Vec<Agency>,
    site: &Site,
    out: &Output,
    interrupt: &Interrupt,
) -> Result<(), ExerciseError> {
    for party in Party::ALL {
        interrupt.check()?;
        agencies.push(Agency::found(party, site)?);
    }
    agencies.iter_mut().try_for_each(|agency| agency.start(site, out, interrupt))
}

/// Lets those who will have an agreement import each other's cards, with fingerprints.
pub(super) fn introduce(agencies: &[Agency]) -> Result<(), ExerciseError> {
    let mut cards = BTreeMap::new();
    for agency in agencies {
        cards.insert(agency.party, agency.card()?);
    }
    for agency in agencies {
        let partners = Party::ALL.into_iter().filter(|other| *other != agency.party && partners(agency.party, *other));
        for partner in partners {
            agency.import(&cards[&partner])?;
        }
    }
    Ok(())
}

fn partners(one: Party, other: Party) -> bool {
    [&Party::TRIO[..], &Party::PAIR[..]].iter().any(|parties| parties.contains(&one) && parties.contains(&other))
}

/// Proposes an agreement at the first party, lets the others sign, and waits until it is in force everywhere.
pub(super) fn agree(
    agencies: &[Agency],
    parties: &[Party],
    title: &str,
    interrupt: &Interrupt,
) -> Result<Agreement, ExerciseError> {
    let parties: Vec<&Agency> = agencies.iter().filter(|agency| parties.contains(&agency.party)).collect();
    let (proposer, others) = parties.split_first().expect("an agreement has parties");
    let agreement = proposer.propose(&terms(title, &parties))?;
    for party in others {
        until("the proposal", TRAVEL, interrupt, || party.agreement(&agreement.id))?;
        party.sign(&agreement.id)?;
    }
    for party in &parties {
        until("the last signature", TRAVEL, interrupt, || {
            let known = party.agreement(&agreement.id)?;
            Ok(known.filter(|known| known.state == "in_force"))
        })?;
    }
    Ok(agreement)
}

/// Wide enough for all that is filed, and no wider.
fn terms(title: &str, parties: &[&Agency]) -> Value {
    let now = clock::now();
    let text = |time: Time| i64::try_from(time.ms()).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let text = |time| text(time).map(|moment| format!("{moment:.3}"));
    json!({
        "title": title,
        "purpose": "to recognise addresses that crime pays into, in an exercise with published data",
        "legal_basis": "exercise under Article 8 of Directive (EU) 2016/680",
        "valid_from": text(now),
        "valid_until": text(now.plus_ms(365 * DAY_MS)),
        "retention_days": 180,
        "marking_ceiling": "amber",
        "statement_kinds": ["report", "revision"],
        "typologies": [],
        "statements_per_day": 100_000,
        "bytes_per_day": 1_u64 << 30,
        "party": parties.iter().map(|party| json!({ "agency": party.id })).collect::<Vec<_>>(),
    })
}
