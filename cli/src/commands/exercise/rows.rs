//! The real data that the exercise's agencies file, read row by row out of `config/exercise/`.
//!
//! The files are part of the binary, so that the exercise runs from anywhere. Every data line becomes either a [`Row`]
//! or a [`Rejected`] with its line number and reason; none is corrected and none is dropped. What a file does not
//! say is not guessed:
//!
//! - a token such as USDT is no chain, so such a row is rejected; unless its address is TRON's own form, which no
//!   other chain that carries tokens writes and which has a checksum;
//! - a row that names no typology, directly or through its pack, is rejected;
//! - gradings and markings are the exercise's, one for each file or for each confidence that a pack claims.
//!
//! [`Row::source`] names who said it first, so that two files which repeat one source do not corroborate each other.

use std::collections::BTreeMap;

use entente_protocol::address::{Address, AddressError, Chain, ChainError};
use entente_protocol::grading::Grading;
use entente_protocol::marking::Marking;
use entente_protocol::typology::Typology;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

macro_rules! embedded {
    ($name:literal) => {
        include_str!(concat!("../../../../config/exercise/", $name))
    };
}

/// One of the exercise's files.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Dataset {
    /// OFAC's list of sanctioned addresses.
    Ofac,
    /// GraphSense's attribution tags.
    GraphSense,
    /// Forta's list of addresses that Etherscan labels as malicious.
    FortaMalicious,
    /// Forta's list of addresses that Etherscan labels as phishing.
    FortaPhishing,
    /// Addresses that scam sites showed to Polkadot users.
    Polkadot,
}

/// One line that an agency can file as a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Row {
    /// The file it stands in.
    pub(crate) file: &'static str,
    /// The line it begins on; the header is line 1.
    pub(crate) line: u64,
    /// The flagged address.
    pub(crate) address: Address,
    /// Of what crime the line speaks.
    pub(crate) typology: Typology,
    /// The exercise's grading of the file, or of the pack's confidence.
    pub(crate) grading: Grading,
    /// The exercise's marking of the file.
    pub(crate) marking: Marking,
    /// What the file calls the address or its holder.
    pub(crate) description: String,
    /// Who said it first: OFAC, Etherscan, `CryptoScamDB`, or the source that the line or its pack declares.
    pub(crate) source: String,
}

/// One line that no report can be made of.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(crate) struct Rejected {
    /// The file it stands in.
    pub(crate) file: &'static str,
    /// The line it begins on; the header is line 1.
    pub(crate) line: u64,
    /// Why.
    pub(crate) reason: String,
}

/// All data lines of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    /// Those that can be filed, in the file's order.
    pub(crate) rows: Vec<Row>,
    /// Those that cannot.
    pub(crate) rejected: Vec<Rejected>,
}

/// Why a line cannot be filed.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error("the line and its pack name no typology")]
    NoTypology,
    #[error("the pack {0} has no header")]
    NoPack(String),
    #[error("not a line of this file: {0}")]
    Csv(#[from] csv::Error),
}

/// A line's content, before file and line number are added.
struct Claim {
    address: Address,
    typology: Typology,
    grading: Grading,
    description: String,
    source: String,
}

impl Dataset {
    /// The file's name in `config/exercise/`.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Dataset::Ofac => "ofac_sdn.csv",
            Dataset::GraphSense => "graphsense_tags.csv",
            Dataset::FortaMalicious => "forta_etherscan_malicious.csv",
            Dataset::FortaPhishing => "forta_phishing.csv",
            Dataset::Polkadot => "polkadot_scam_addresses.csv",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Dataset::Ofac => embedded!("ofac_sdn.csv"),
            Dataset::GraphSense => embedded!("graphsense_tags.csv"),
            Dataset::FortaMalicious => embedded!("forta_etherscan_malicious.csv"),
            Dataset::FortaPhishing => embedded!("forta_phishing.csv"),
            Dataset::Polkadot => embedded!("polkadot_scam_addresses.csv"),
        }
    }

    /// How far the exercise lets the file's reports go: what a government published, what volunteers publish, and
    /// what an analyst worked out.
    const fn marking(self) -> Marking {
        match self {
            Dataset::Ofac => Marking::Clear,
            Dataset::FortaMalicious | Dataset::FortaPhishing | Dataset::Polkadot => Marking::Green,
            Dataset::GraphSense => Marking::Amber,
        }
    }

    /// Reads the whole file.
    pub(crate) fn read(self) -> Contents {
        match self {
            Dataset::Ofac => self.read_with(ofac),
            Dataset::GraphSense => {
                let packs = packs();
                self.read_with(|line: &GraphSenseLine| graphsense(&packs, line))
            }
            Dataset::FortaMalicious => self.read_with(forta_malicious),
            Dataset::FortaPhishing => self.read_with(forta_phishing),
            Dataset::Polkadot => self.read_with(polkadot),
        }
    }

    fn read_with<L: DeserializeOwned>(self, claim: impl Fn(&L) -> Result<Claim, Unfit>) -> Contents {
        let (file, marking) = (self.file(), self.marking());
        let mut reader = csv::Reader::from_reader(self.text().as_bytes());
        let headers = reader.headers().expect("an embedded file has a header").clone();
        let mut contents = Contents::default();
        for record in reader.records() {
            let record = record.expect("an embedded file is CSV");
            let line = record.position().expect("a record that was read has a position").line();
            match record.deserialize(Some(&headers)).map_err(Unfit::from).and_then(|line| claim(&line)) {
                Ok(Claim { address, typology, grading, description, source }) => {
                    contents.rows.push(Row { file, line, address, typology, grading, marking, description, source });
                }
                Err(unfit) => contents.rejected.push(Rejected { file, line, reason: unfit.to_string() }),
            }
        }
        contents
    }
}

#[derive(Deserialize)]
struct OfacLine {
    asset: String,
    address: String,
}

fn ofac(line: &OfacLine) -> Result<Claim, Unfit> {
    Ok(Claim {
        address: on_asset(&line.asset, &line.address)?,
        typology: typology("sanction"),
        grading: grading("A1"),
        description: format!("{} address on OFAC's list of specially designated nationals", line.asset),
        source: "OFAC".to_owned(),
    })
}

#[derive(Deserialize)]
struct GraphSenseLine {
    pack: String,
    address: String,
    currency: String,
    label: String,
    abuse: String,
    category: String,
    source: String,
}

/// The header of a pack, which its tags inherit.
#[derive(Deserialize)]
struct Header {
    pack: String,
    title: String,
    creator: String,
    abuse: String,
    confidence: String,
    source: String,
}

fn packs() -> BTreeMap<String, Header> {
    let mut reader = csv::Reader::from_reader(embedded!("graphsense_packs.csv").as_bytes());
    let packs = reader.deserialize().map(|pack| pack.expect("an embedded file is CSV with these columns"));
    packs.map(|pack: Header| (pack.pack.clone(), pack)).collect()
}

fn graphsense(packs: &BTreeMap<String, Header>, line: &GraphSenseLine) -> Result<Claim, Unfit> {
    let pack = packs.get(&line.pack).ok_or_else(|| Unfit::NoPack(line.pack.clone()))?;
    let address = on_asset(&line.currency, &line.address)?;
    // The pack is OFAC's list, and its lines give no abuse of their own.
    let listed = if line.pack == "ofac" { "sanction" } else { "" };
    let named = [line.abuse.as_str(), &pack.abuse, listed, &line.category];
    let named = named.into_iter().find_map(|name| Typology::parse(name).ok());
    let declared = [&line.source, &pack.source, &pack.creator].into_iter().find(|text| !text.is_empty());
    Ok(Claim {
        address,
        typology: named.ok_or(Unfit::NoTypology)?,
        grading: grading(graded(&pack.confidence)),
        description: format!("{} ({})", line.label, pack.title),
        source: first_source(declared.map_or("", String::as_str)),
    })
}

/// The exercise's 4x4 grading of a pack's confidence.
fn graded(confidence: &str) -> &'static str {
    match confidence {
        "ledger_immanent" => "A1",
        "authority_data" => "A2",
        "service_data" | "forensic" => "B2",
        _ => "X4",
    }
}

#[derive(Deserialize)]
struct FortaMaliciousLine {
    banned_address: String,
    wallet_tag: String,
    data_source: String,
}

fn forta_malicious(line: &FortaMaliciousLine) -> Result<Claim, Unfit> {
    let crime = match line.data_source.as_str() {
        "etherscan-phish-hack-list" => "phishing",
        "etherscan-exploit-list" | "etherscan-heist-list" => "service_hack",
        _ => return Err(Unfit::NoTypology),
    };
    etherscan(&line.banned_address, crime, &line.wallet_tag)
}

#[derive(Deserialize)]
struct FortaPhishingLine {
    address: String,
    etherscan_tag: String,
    etherscan_labels: String,
}

fn forta_phishing(line: &FortaPhishingLine) -> Result<Claim, Unfit> {
    if line.etherscan_labels != "phish-hack" {
        return Err(Unfit::NoTypology);
    }
    etherscan(&line.address, "phishing", &line.etherscan_tag)
}

/// A label of Etherscan, which labels addresses of Ethereum's main network.
fn etherscan(address: &str, crime: &str, tag: &str) -> Result<Claim, Unfit> {
    Ok(Claim {
        address: Address::on(chain("ethereum"), address)?,
        typology: typology(crime),
        grading: grading("B3"),
        description: tag.to_owned(),
        source: "Etherscan".to_owned(),
    })
}

#[derive(Deserialize)]
struct PolkadotLine {
    site: String,
    address: String,
}

/// The file names no chain, but the SS58 prefix inside each address does.
fn polkadot(line: &PolkadotLine) -> Result<Claim, Unfit> {
    let on_polkadot = Address::on(chain("polkadot"), &line.address);
    Ok(Claim {
        address: on_polkadot.or_else(|refused| Address::on(chain("kusama"), &line.address).map_err(|_| refused))?,
        typology: typology("scam"),
        grading: grading("B2"),
        description: line.site.clone(),
        source: "polkadot-js phishing list".to_owned(),
    })
}

/// An address under the ticker that a file gives. A token names no chain, but TRON's form does.
fn on_asset(asset: &str, address: &str) -> Result<Address, Unfit> {
    match Chain::parse(asset) {
        Ok(chain) => Ok(Address::on(chain, address)?),
        Err(token @ ChainError::Token { .. }) if address.starts_with('T') => {
            Address::on(chain("tron"), address).map_err(|_| token.into())
        }
        Err(refused) => Err(refused.into()),
    }
}

/// Who said it first: packs and lists that repeat one publisher under several links count as that publisher.
fn first_source(declared: &str) -> String {
    const PUBLISHERS: [(&str, &str); 5] = [
        ("treasury.gov", "OFAC"),
        ("etherscan.io", "Etherscan"),
        ("cryptoscamdb.org", "CryptoScamDB"),
        ("EtherscamDB", "CryptoScamDB"),
        ("EtherScanDB", "CryptoScamDB"),
    ];
    let publisher = PUBLISHERS.iter().find(|(mark, _)| declared.contains(mark));
    publisher.map_or(declared, |(_, name)| name).to_owned()
}

fn chain(name: &str) -> Chain {
    Chain::parse(name).expect("a chain of the protocol's table")
}

fn typology(id: &str) -> Typology {
    Typology::parse(id).expect("a typology of the protocol's table")
}

fn grading(codes: &str) -> Grading {
    Grading::parse(codes).expect("a 4x4 grading")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn addresses(dataset: Dataset) -> BTreeSet<(Address, String)> {
        dataset.read().rows.into_iter().map(|row| (row.address, row.source)).collect()
    }

    /// Addresses that both files flag on the word of different sources.
    fn corroborated(left: Dataset, right: Dataset) -> BTreeSet<Address> {
        let right = addresses(right);
        let by_two = |(address, source): &(Address, String)| {
            right.iter().any(|(other, other_source)| other == address && other_source != source)
        };
        addresses(left).into_iter().filter(by_two).map(|(address, _)| address).collect()
    }

    fn reason(dataset: Dataset, line: u64) -> String {
        let rejected = dataset.read().rejected;
        rejected.into_iter().find(|rejected| rejected.line == line).unwrap().reason
    }

    #[test]
    fn every_data_line_is_a_row_or_rejected() {
        let expected = [
            (Dataset::Ofac, 448, 17),
            (Dataset::GraphSense, 5932, 54),
            (Dataset::FortaMalicious, 2000, 1),
            (Dataset::FortaPhishing, 2000, 1),
            (Dataset::Polkadot, 193, 0),
        ];
        for (dataset, filed, refused) in expected {
            let Contents { rows, rejected } = dataset.read();
            assert_eq!((rows.len(), rejected.len()), (filed, refused), "{}", dataset.file());
            let mut lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
            lines.extend(rejected.iter().map(|rejected| rejected.line));
            lines.sort_unstable();
            let last_line = dataset.text().lines().count() as u64;
            assert!(lines.into_iter().eq(2..=last_line), "{}", dataset.file());
        }
    }

    #[test]
    fn malformed_lines_are_rejected_for_what_is_wrong_with_them() {
        let checksum = "the checksum is wrong: compare it with the original, character by character";
        let cases = [
            (Dataset::GraphSense, 2990, format!("not an address on Bitcoin: {checksum}")),
            (Dataset::FortaMalicious, 2002, format!("not an address on Ethereum: {checksum}")),
            (Dataset::FortaPhishing, 2002, format!("not an address on Ethereum: {checksum}")),
            (Dataset::GraphSense, 3996, "not an address on Bitcoin: character 11, 'l', cannot stand there".to_owned()),
            (Dataset::Ofac, 412, "not an address on Bitcoin: it is an address on TRON".to_owned()),
            (Dataset::Ofac, 465, "chain verge is not supported yet".to_owned()),
            (Dataset::GraphSense, 1476, "the line and its pack name no typology".to_owned()),
        ];
        for (dataset, line, expected) in cases {
            assert_eq!(reason(dataset, line), expected);
        }
        assert!(reason(Dataset::Ofac, 134).starts_with("USDT names a token, not a chain"));
    }

    #[test]
    fn a_token_in_trons_own_form_is_filed_under_tron() {
        let rows = Dataset::Ofac.read().rows;
        let usdt = rows.iter().filter(|row| row.description.starts_with("USDT"));
        let chains: Vec<Chain> = usdt.map(|row| row.address.chain()).collect();
        assert_eq!(chains, vec![chain("tron"); 10]);
    }

    #[test]
    fn graphsense_and_forta_flag_the_same_addresses_on_the_word_of_different_sources() {
        assert_eq!(corroborated(Dataset::GraphSense, Dataset::FortaMalicious).len(), 483);
        assert_eq!(corroborated(Dataset::GraphSense, Dataset::FortaPhishing).len(), 431);
        assert_eq!(corroborated(Dataset::Ofac, Dataset::GraphSense).len(), 1);
    }

    #[test]
    fn a_list_that_repeats_another_does_not_corroborate_it() {
        assert_eq!(corroborated(Dataset::FortaMalicious, Dataset::FortaPhishing), BTreeSet::new());
    }

    #[test]
    fn the_polkadot_list_shares_no_address_with_the_others() {
        let alone: BTreeSet<Address> = Dataset::Polkadot.read().rows.into_iter().map(|row| row.address).collect();
        assert_eq!(alone.len(), 178);
        let others = [Dataset::Ofac, Dataset::GraphSense, Dataset::FortaMalicious, Dataset::FortaPhishing];
        for other in others {
            assert!(other.read().rows.iter().all(|row| !alone.contains(&row.address)), "{}", other.file());
        }
    }
}
