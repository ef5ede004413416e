//! What a version changes, term by term, for the people who decide on it. Nothing here is ever read back.

use std::collections::BTreeMap;

use crate::grading::GradingScheme;
use crate::id::AgencyId;
use crate::time::DAY_MS;

use super::explain::{date, kind_name, thousands};
use super::version::{Party, Version};

const HOUR_MS: u64 = DAY_MS / 24;

/// A term that differs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// Which: a key of `terms.toml`, or `party` and the agency's name.
    pub term: String,
    /// As it was.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// What changes from one version to another, in the order of the terms; `name_of` names an agency as the reader knows it.
pub fn changes(before: &Version, after: &Version, name_of: &dyn Fn(AgencyId) -> String) -> Vec<Change> {
    let differs = |((term, before), (_, after)): ((&'static str, String), (&'static str, String))| {
        (before != after).then(|| Change { term: term.to_owned(), before, after })
    };
    let mut changes: Vec<Change> = texts(before).into_iter().zip(texts(after)).filter_map(differs).collect();
    changes.extend(parties(before, after, name_of));
    let terms = terms(before).into_iter().zip(terms(after));
    changes.extend(terms.filter_map(differs));
    changes
}

fn texts(version: &Version) -> [(&'static str, String); 3] {
    [
        ("title", version.title.clone()),
        ("purpose", version.purpose.clone()),
        ("legal_basis", version.legal_basis.clone()),
    ]
}

fn parties(before: &Version, after: &Version, name_of: &dyn Fn(AgencyId) -> String) -> Vec<Change> {
    let roles = |version: &Version| -> BTreeMap<AgencyId, &'static str> {
        version.parties.iter().map(|party| (party.agency, role(party))).collect()
    };
    let (old, new) = (roles(before), roles(after));
    let mut all: Vec<AgencyId> = old.keys().chain(new.keys()).copied().collect();
    all.sort();
    all.dedup();
    let differs = |agency: &AgencyId| {
        let role_in = |roles: &BTreeMap<AgencyId, &'static str>| roles.get(agency).copied().unwrap_or("no party");
        let (before, after) = (role_in(&old), role_in(&new));
        let term = format!("party {}", name_of(*agency));
        (before != after).then(|| Change { term, before: before.to_owned(), after: after.to_owned() })
    };
    all.iter().filter_map(differs).collect()
}

/// What a party does, in words.
fn role(party: &Party) -> &'static str {
    match (party.contribute, party.receive) {
        (true, true) => "contributes and receives",
        (true, false) => "contributes",
        (false, true) => "receives",
        (false, false) => "neither contributes nor receives",
    }
}

fn terms(version: &Version) -> Vec<(&'static str, String)> {
    let terms = &version.terms;
    let or = |items: Vec<String>, none: &str| if items.is_empty() { none.to_owned() } else { items.join(", ") };
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    vec![
        ("valid_from", date(version.valid_from)),
        ("valid_until", date(version.valid_until)),
        ("statement_kinds", or(terms.kinds.iter().map(|kind| kind_name(*kind)).collect(), "none")),
        ("typologies", or(terms.typologies.iter().map(ToString::to_string).collect(), "all")),
        ("chains", or(terms.chains.clone(), "all")),
        ("marking_ceiling", terms.marking_ceiling.to_string()),
        ("required_grading", terms.required_grading.map_or("any", GradingScheme::name).to_owned()),
        ("handling", or(terms.handling.iter().map(ToString::to_string).collect(), "none")),
        ("retention_days", terms.retention_days.to_string()),
        ("onward", terms.onward.word().to_owned()),
        ("history", yes(terms.history)),
        ("statements_per_day", thousands(terms.statements_per_day)),
        ("bytes_per_day", thousands(terms.bytes_per_day)),
        ("grace_hours", (version.grace_ms / HOUR_MS).to_string()),
        ("run_off_days", version.run_off_days.to_string()),
        ("ends", yes(version.ends)),
    ]
}
