//! Who takes part, who files what, and which addresses show what the federation does: all taken from the data.
//!
//! Three agencies share one agreement, the fourth has another with the first alone:
//!
//! ```text
//!   A  OFAC's list ───────────┐
//!   B  GraphSense's tags ─────┼── one agreement of three
//!   C  Forta's labels ────────┘
//!   D  Polkadot scam sites ────── one agreement with A; and a few of A's reports go under both
//! ```

use std::collections::{BTreeMap, BTreeSet};

use entente_protocol::address::Address;
use serde::Serialize;

use super::rows::{Dataset, Rejected, Row};

/// A's first reports go to D too: the same report under two agreements.
const SHARED: usize = 12;
/// A's last reports are filed one by one, to measure how soon each is visible.
const SINGLES: usize = 40;
/// Every so manieth report carries a text made up for this run, and its address is searched for at the outsider.
const MARKED_EVERY: usize = 40;

/// A participant.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Party {
    A,
    B,
    C,
    /// The outsider to the agreement of the other three.
    D,
}

/// How a participant presents itself.
pub(super) struct Profile {
    /// Its data directory's name.
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) country: &'static str,
    pub(super) kind: &'static str,
    pub(super) contact: &'static str,
    /// What it files.
    pub(super) data: &'static [Dataset],
}

impl Party {
    pub(super) const ALL: [Party; 4] = [Party::A, Party::B, Party::C, Party::D];
    /// The parties of the agreement of three.
    pub(super) const TRIO: [Party; 3] = [Party::A, Party::B, Party::C];
    /// The parties of the agreement with the outsider.
    pub(super) const PAIR: [Party; 2] = [Party::A, Party::D];

    pub(super) const fn profile(self) -> Profile {
        match self {
            Party::A => Profile {
                slug: "a",
                name: "Cyber Unit A",
                country: "FR",
                kind: "police",
                contact: "soc@a.example.org",
                data: &[Dataset::Ofac],
            },
            Party::B => Profile {
                slug: "b",
                name: "FIU B",
                country: "NL",
                kind: "fiu",
                contact: "desk@b.example.org",
                data: &[Dataset::GraphSense],
            },
            Party::C => Profile {
                slug: "c",
                name: "Prosecutor C",
                country: "DE",
                kind: "prosecutor",
                contact: "crypto@c.example.org",
                data: &[Dataset::FortaMalicious, Dataset::FortaPhishing],
            },
            Party::D => Profile {
                slug: "d",
                name: "Cyber Unit D",
                country: "EE",
                kind: "police",
                contact: "soc@d.example.org",
                data: &[Dataset::Polkadot],
            },
        }
    }

    pub(super) const fn name(self) -> &'static str {
        self.profile().name
    }
}

/// A report as the API takes it, and the line that it was made of.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Draft {
    /// CAIP-10.
    pub(super) address: String,
    typology: String,
    grading: String,
    marking: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    source: String,
    case: String,
    #[serde(skip)]
    pub(super) file: &'static str,
    #[serde(skip)]
    pub(super) line: u64,
}

/// What is filed, by whom, and what is looked at afterwards.
#[derive(Debug)]
pub(super) struct Plan {
    /// A's reports for D as well as for B and C.
    pub(super) shared: Vec<Draft>,
    /// What each of the three files for the other two, in batches.
    pub(super) trio: BTreeMap<Party, Vec<Draft>>,
    /// What A files one by one.
    pub(super) singles: Vec<Draft>,
    /// What D files for A.
    pub(super) outsiders: Vec<Draft>,
    /// The lines that no report can be made of.
    pub(super) rejected: BTreeMap<Party, Vec<Rejected>>,
    /// An address that B and C flag on the word of different sources.
    pub(super) corroborated: Corroborated,
    /// An address of which A alone knows.
    pub(super) partner_only: Address,
    /// An address of which A alone knows, until it withdraws what it said.
    pub(super) retracted: Address,
    /// Texts made up for this run that stand in reports of the three.
    pub(super) secrets: Vec<String>,
    /// Canonical addresses of the three that nobody ever tells D.
    pub(super) addresses: Vec<String>,
}

/// An address that two agencies flag independently.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Corroborated {
    pub(super) address: Address,
    /// How many reports speak of it.
    pub(super) reports: usize,
}

/// Lays the exercise out; `secret` makes up a text.
pub(super) fn make(mut secret: impl FnMut() -> String) -> Plan {
    let mut rejected = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for party in Party::ALL {
        let contents: Vec<_> = party.profile().data.iter().map(|dataset| dataset.read()).collect();
        let (filed, refused): (Vec<_>, Vec<_>) =
            contents.into_iter().map(|contents| (contents.rows, contents.rejected)).unzip();
        rows.insert(party, filed.concat());
        rejected.insert(party, refused.concat());
    }
    let [ofac, graphsense, forta, polkadot] =
        Party::ALL.map(|party| rows.remove(&party).expect("every party has rows"));

    let corroborated = corroborated(&[&ofac, &graphsense, &forta]);
    let (shared, rest) = ofac.split_at(SHARED);
    let (bulk, singles) = rest.split_at(rest.len() - SINGLES);
    let once = known_once(&[&ofac, &graphsense, &forta]);
    let mut alone = bulk.iter().map(|row| &row.address).filter(|address| once.contains(address)).cloned();
    let mut next_alone = || alone.next().expect("most of OFAC's addresses are known to nobody else");
    let (partner_only, retracted) = (next_alone(), next_alone());

    let told: BTreeSet<&Address> =
        shared.iter().chain(&polkadot).map(|row| &row.address).chain([&corroborated.address]).collect();
    let mut secrets = Vec::new();
    let mut addresses = BTreeSet::new();
    let mut mark = |rows: &[Row]| -> Vec<Draft> {
        let draft = |(at, row): (usize, &Row)| {
            if at % MARKED_EVERY != 0 {
                return Draft::of(row);
            }
            if !told.contains(&row.address) {
                addresses.insert(row.address.canonical().to_owned());
            }
            let (text, case) = (secret(), secret());
            let draft = Draft::of(row).marked(&text, &case);
            secrets.extend([text, case]);
            draft
        };
        rows.iter().enumerate().map(draft).collect()
    };
    let trio = BTreeMap::from([(Party::A, mark(bulk)), (Party::B, mark(&graphsense)), (Party::C, mark(&forta))]);
    Plan {
        shared: shared.iter().map(Draft::of).collect(),
        trio,
        singles: singles.iter().map(Draft::of).collect(),
        outsiders: polkadot.iter().map(Draft::of).collect(),
        rejected,
        corroborated,
        partner_only,
        retracted,
        secrets,
        addresses: addresses.into_iter().collect(),
    }
}

impl Plan {
    /// Whether a report carries texts made up for this run.
    pub(super) fn is_marked(&self, draft: &Draft) -> bool {
        self.secrets.contains(&draft.case)
    }
}

impl Draft {
    fn of(row: &Row) -> Self {
        Self {
            address: row.address.caip10(),
            typology: row.typology.id().to_owned(),
            grading: row.grading.codes().to_owned(),
            marking: row.marking.word().to_lowercase(),
            description: row.description.clone(),
            source: row.source.clone(),
            case: format!("{}:{}", row.file, row.line),
            file: row.file,
            line: row.line,
        }
    }

    fn marked(mut self, text: &str, case: &str) -> Self {
        self.description = format!("{} {text}", self.description);
        case.clone_into(&mut self.case);
        self
    }
}

/// Addresses of exactly one row of all.
fn known_once(files: &[&Vec<Row>]) -> BTreeSet<Address> {
    let mut times: BTreeMap<&Address, usize> = BTreeMap::new();
    for row in files.iter().flat_map(|rows| rows.iter()) {
        *times.entry(&row.address).or_default() += 1;
    }
    times.into_iter().filter(|(_, times)| *times == 1).map(|(address, _)| address.clone()).collect()
}

/// The first address that exactly two agencies flag and no source of one is a source of the other.
fn corroborated(files: &[&Vec<Row>; 3]) -> Corroborated {
    type Said<'a> = BTreeMap<usize, (BTreeSet<&'a str>, usize)>;
    let mut said: BTreeMap<&Address, Said<'_>> = BTreeMap::new();
    for (agency, rows) in files.iter().enumerate() {
        for row in *rows {
            let (sources, reports) = said.entry(&row.address).or_default().entry(agency).or_default();
            sources.insert(&row.source);
            *reports += 1;
        }
    }
    let independent = |said: &Said<'_>| {
        let [(left, _), (right, _)] = said.values().collect::<Vec<_>>()[..] else { return false };
        left.is_disjoint(right)
    };
    let (address, said) = said.iter().find(|(_, said)| independent(said)).expect("B's and C's files overlap");
    Corroborated { address: (*address).clone(), reports: said.values().map(|(_, reports)| reports).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let mut number = 0;
        make(|| {
            number += 1;
            format!("secret-{number:04}")
        })
    }

    #[test]
    fn every_row_of_the_data_is_filed_once_or_rejected() {
        let plan = plan();
        let trio: Vec<usize> = plan.trio.values().map(Vec::len).collect();
        assert_eq!(trio, [448 - SHARED - SINGLES, 5932, 4000]);
        assert_eq!((plan.shared.len(), plan.singles.len(), plan.outsiders.len()), (SHARED, SINGLES, 193));
        let rejected: Vec<usize> = plan.rejected.values().map(Vec::len).collect();
        assert_eq!(rejected, [17, 54, 2, 0]);
    }

    #[test]
    fn the_addresses_shown_are_what_they_are_shown_as() {
        let plan = plan();
        let reports = |address: &Address| -> Vec<Party> {
            let filed = plan.trio.iter().flat_map(|(party, drafts)| drafts.iter().map(move |draft| (*party, draft)));
            filed.filter(|(_, draft)| draft.address == address.caip10()).map(|(party, _)| party).collect()
        };
        let by = reports(&plan.corroborated.address);
        assert_eq!(by.len(), plan.corroborated.reports);
        assert_eq!(by.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([Party::B, Party::C]));
        assert_ne!(plan.partner_only, plan.retracted);
        for address in [&plan.partner_only, &plan.retracted] {
            assert_eq!(reports(address), [Party::A]);
        }
    }

    #[test]
    fn nothing_that_the_outsider_may_not_see_is_told_to_it() {
        let plan = plan();
        let told: Vec<String> = [&plan.shared, &plan.outsiders]
            .into_iter()
            .flatten()
            .map(|draft| serde_json::to_string(draft).unwrap())
            .chain([plan.corroborated.address.caip10()])
            .collect();
        assert!(plan.addresses.len() > 100 && plan.secrets.len() > 400);
        for canary in plan.addresses.iter().chain(&plan.secrets) {
            assert!(told.iter().all(|text| !text.contains(canary.as_str())), "{canary}");
        }
        let filed = serde_json::to_string(&plan.trio.values().flatten().collect::<Vec<_>>()).unwrap();
        assert!(plan.addresses.iter().chain(&plan.secrets).all(|canary| filed.contains(canary.as_str())));
    }
}
