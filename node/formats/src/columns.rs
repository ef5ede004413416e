//! Which column of a table is which part of a report: as it is told, or by its header and what stands in it.
//!
//! A guess is told to whoever imports, and nothing of a table is shared that no part was found for.

use std::collections::BTreeMap;

use entente_protocol::indicator::{Indicator, Kind, examine};
use entente_protocol::statement::draft::Field;

use crate::row::{Making, Origin};

/// What a column is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Column {
    /// What the report is about; of this kind, where the header says so.
    Indicator(Option<Kind>),
    /// The chain of the address.
    Chain,
    /// The kind of the indicator.
    Kind,
    /// A tag, memo or payment id beside the address.
    SubAccount,
    /// The file's own id of the row.
    Id,
    /// A name or words for people: into the description.
    Note,
    /// A word for the crime.
    Typology,
    /// Words of other vocabularies, with semicolons, commas or bars between them.
    Terms,
    /// How much was lost.
    Quantity,
    /// Of what.
    Asset,
    /// Who made a report that was exported.
    Originator,
    /// The number of a report that was exported.
    Report,
    /// The revision of a report that was exported.
    Revision,
    /// A part of a report.
    Field(Field),
    /// Nothing.
    Ignored,
}

impl Column {
    /// Reads the name of a part as `--map` takes it.
    pub fn parse(name: &str) -> Option<Column> {
        let name = normal(name);
        Some(match name.as_str() {
            "address" | "indicator" => Column::Indicator(None),
            "chain" => Column::Chain,
            "kind" => Column::Kind,
            "sub_account" => Column::SubAccount,
            "id" | "row" => Column::Id,
            "note" | "label" => Column::Note,
            "typology" => Column::Typology,
            "terms" => Column::Terms,
            "quantity" | "amount" => Column::Quantity,
            "asset" => Column::Asset,
            "originator" => Column::Originator,
            "report" => Column::Report,
            "revision" => Column::Revision,
            "ignore" | "ignored" => Column::Ignored,
            other => match Field::ALL.iter().find(|field| field.name() == other) {
                Some(field) => Column::Field(*field),
                None => return Kind::parse(other).map(|kind| Column::Indicator(Some(kind))),
            },
        })
    }

    /// Its name, as [`Column::parse`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Column::Indicator(None) => "indicator",
            Column::Indicator(Some(kind)) => kind.word(),
            Column::Chain => "chain",
            Column::Kind => "kind",
            Column::SubAccount => "sub_account",
            Column::Id => "id",
            Column::Note => "note",
            Column::Typology => "typology",
            Column::Terms => "terms",
            Column::Quantity => "quantity",
            Column::Asset => "asset",
            Column::Originator => "originator",
            Column::Report => "report",
            Column::Revision => "revision",
            Column::Field(field) => field.name(),
            Column::Ignored => "ignored",
        }
    }

    /// All names, for messages.
    pub fn names() -> String {
        let own = [
            "indicator",
            "chain",
            "kind",
            "sub_account",
            "id",
            "note",
            "typology",
            "terms",
            "quantity",
            "asset",
            "ignore",
        ];
        let fields = Field::ALL.iter().map(|field| field.name()).filter(|name| !own.contains(name));
        let kinds = Kind::ALL.iter().map(|kind| kind.word());
        own.into_iter().chain(fields).chain(kinds).collect::<Vec<_>>().join(", ")
    }
}

/// What headers are called in the field, most telling first. The first header of a row that a table has counts.
const HEADERS: &[(Column, &[&str])] = &[
    (
        Column::Indicator(None),
        &[
            "indicator",
            "address",
            "banned_address",
            "wallet_address",
            "crypto_address",
            "blockchain_address",
            "contract_address",
            "account_address",
            "scam_address",
            "reported_address",
            "wallet",
            "addr",
            "mint",
            "mint_address",
            "caip10",
            "account_id",
            "btc_address",
            "eth_address",
            "account",
            "ioc",
            "ioc_value",
            "indicator_value",
            "value",
            "observable",
            "adresse",
            "direccion",
            "indirizzo",
            "adres",
            "address_hash",
            "to_address",
            "digital_currency_address",
        ],
    ),
    (Column::Indicator(Some(Kind::Domain)), &["domain", "domains", "domain_name", "hostname", "fqdn"]),
    (Column::Indicator(Some(Kind::Url)), &["url", "phishing_url", "website_url"]),
    (Column::Indicator(Some(Kind::Email)), &["email", "e_mail", "email_address", "mail"]),
    (Column::Indicator(Some(Kind::Phone)), &["phone", "phone_number", "telephone", "msisdn"]),
    (Column::Indicator(Some(Kind::BankAccount)), &["iban", "bank_account"]),
    (Column::Indicator(Some(Kind::Ip)), &["ip", "ip_address", "ipv4"]),
    (Column::Indicator(Some(Kind::FileHash)), &["sha256", "sha1", "md5", "file_hash", "hash_value"]),
    (Column::Indicator(Some(Kind::Transaction)), &["tx", "tx_hash", "txid", "transaction", "transaction_hash"]),
    (
        Column::Chain,
        &[
            "chain",
            "blockchain",
            "network",
            "chain_id",
            "chainid",
            "eip155_chain_id",
            "chain_name",
            "currency",
            "coin",
            "crypto",
            "cryptocurrency",
            "blockchain_name",
            "asset",
            "ticker",
            "coin_type",
            "kette",
            "waehrung",
            "moneda",
            "devise",
        ],
    ),
    (Column::Kind, &["kind", "indicator_type", "ioc_type", "observable_type", "address_type"]),
    (Column::SubAccount, &["sub_account", "memo", "tag_id", "destination_tag", "payment_id", "dt"]),
    (Column::Id, &["id", "uuid", "row_id", "record_id", "entry_id", "report_id", "reference_id"]),
    (
        Column::Typology,
        &[
            "typology",
            "abuse",
            "crime",
            "crime_type",
            "scam_type",
            "scam_category",
            "scamcategory",
            "abuse_type",
            "threat_type",
            "fraud_type",
            "offence",
            "offense",
            "category",
            "type",
            "etherscan_labels",
            "labels",
            "label_type",
            "notes_type",
        ],
    ),
    (Column::Field(Field::Grading), &["grading", "admiralty", "evaluation"]),
    (Column::Field(Field::Marking), &["marking", "tlp"]),
    (Column::Field(Field::Handling), &["handling", "handling_codes", "handling_code"]),
    (Column::Field(Field::Role), &["role"]),
    (
        Column::Field(Field::Case),
        &["case", "case_id", "case_number", "case_reference", "case_ref", "docket", "aktenzeichen", "file_number"],
    ),
    (
        Column::Field(Field::Source),
        &["source", "data_source", "reporter", "reported_by", "origin", "submitter", "creator"],
    ),
    (Column::Field(Field::Reference), &["reference", "link", "source_url", "reference_url", "href", "evidence_url"]),
    (
        Column::Field(Field::ObservedFrom),
        &["observed_from", "first_seen", "firstseen", "first_reported", "date", "date_reported", "reported_at"],
    ),
    (Column::Field(Field::ObservedUntil), &["observed_until", "last_seen", "lastseen", "last_reported"]),
    (Column::Field(Field::Precedence), &["precedence", "priority"]),
    (Column::Field(Field::Victims), &["victims", "victim_count", "number_of_victims"]),
    (Column::Field(Field::Evidence), &["evidence", "evidence_hash"]),
    (Column::Field(Field::Pap), &["pap"]),
    (Column::Field(Field::Amounts), &["amounts"]),
    (Column::Quantity, &["amount", "loss", "lost", "amount_lost", "loss_amount", "stolen", "value_lost", "quantity"]),
    (Column::Asset, &["loss_currency", "amount_currency", "amount_asset"]),
    (Column::Originator, &["originator", "originator_id"]),
    (Column::Report, &["report"]),
    (Column::Revision, &["revision"]),
    (Column::Terms, &["terms"]),
];

/// Headers of words of other vocabularies; every one of them that a table has and nothing else took.
const WORDS: &[&str] = &["concepts", "tags", "category", "labels", "confidence", "abuse", "type", "threat_type"];

/// Headers of what people are told in words; every one of them that a table has.
const NOTES: &[&str] = &[
    "label",
    "name",
    "description",
    "notes",
    "note",
    "comment",
    "comments",
    "wallet_tag",
    "contract_tag",
    "tag",
    "etherscan_tag",
    "title",
    "context",
    "narrative",
    "text",
    "entity",
    "actor",
    "contract_creator_tag",
    "contract_creator_etherscan_label",
    "pack",
    "site",
    "symbol",
    "owner",
    "holder",
    "remarks",
    "details",
    "beschreibung",
    "bemerkung",
    "descripcion",
];

/// Rows looked at to tell a column by what stands in it.
pub(crate) const SAMPLE: usize = 200;

/// The columns of a table, and how each was told.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Header and part, in the order of the table.
    pub columns: Vec<(String, Column)>,
    /// Whether this was guessed, and not told.
    pub guessed: bool,
}

/// Lower case, with underscores between words.
fn normal(header: &str) -> String {
    let mut out = String::new();
    for found in header.trim().trim_start_matches('\u{feff}').chars() {
        match found {
            found if found.is_alphanumeric() => out.extend(found.to_lowercase()),
            _ if !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    out.trim_matches('_').to_owned()
}

impl Columns {
    /// Tells the columns: by `map` (header, or number from 1), else by their headers, else by what stands in them.
    pub(crate) fn tell(
        headers: &[String],
        sample: &[Vec<String>],
        map: &BTreeMap<String, Column>,
    ) -> Result<Columns, String> {
        let mut columns: Vec<(String, Option<Column>)> = headers.iter().map(|header| (header.clone(), None)).collect();
        for (wanted, column) in map {
            let by_number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let by_name = columns.iter().position(|(header, _)| normal(header) == normal(wanted));
            match by_name.or(by_number.filter(|place| *place < columns.len())) {
                Some(place) => columns[place].1 = Some(*column),
                None => return Err(format!("there is no column {wanted:?}; there are {}", headers.join(", "))),
            }
        }
        let told = |columns: &[(String, Option<Column>)], wanted: Column| {
            columns.iter().any(|(_, told)| *told == Some(wanted))
        };
        let about = |columns: &[(String, Option<Column>)]| {
            columns.iter().any(|(_, column)| matches!(column, Some(Column::Indicator(_))))
        };
        for (column, names) in HEADERS {
            let taken = if matches!(column, Column::Indicator(_)) { about(&columns) } else { told(&columns, *column) };
            if taken {
                continue;
            }
            let place = names
                .iter()
                .find_map(|name| columns.iter().position(|(header, told)| told.is_none() && normal(header) == *name));
            // A column that is called like addresses and holds none is not told by its name.
            let holds = |place: usize| {
                !matches!(column, Column::Indicator(_)) || share(sample, place) > 0.0 || sample.is_empty()
            };
            if let Some(place) = place.filter(|place| holds(*place)) {
                columns[place].1 = Some(*column);
            }
        }
        if !about(&columns) {
            let free = (0..columns.len()).filter(|place| columns[*place].1.is_none());
            let best = free.map(|place| (share(sample, place), place)).max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((_, place)) = best.filter(|(share, _)| *share >= 0.5) {
                columns[place].1 = Some(Column::Indicator(None));
            }
        }
        let finished = columns.into_iter().map(|(header, told)| {
            let name = normal(&header);
            let otherwise = match name.as_str() {
                name if NOTES.contains(&name) => Column::Note,
                name if WORDS.contains(&name) => Column::Terms,
                _ => Column::Ignored,
            };
            (header, told.unwrap_or(otherwise))
        });
        Ok(Columns { columns: finished.collect(), guessed: map.is_empty() })
    }

    /// Whether a column says what rows are about.
    pub fn has_indicator(&self) -> bool {
        self.columns.iter().any(|(_, column)| matches!(column, Column::Indicator(_)))
    }

    /// Puts the cells of a row where they belong.
    pub(crate) fn fill<'c>(&self, making: &mut Making<'_>, cells: impl Iterator<Item = &'c str>) {
        let (mut originator, mut report, mut revision) = (None, None, 0);
        let mut typologies = Vec::new();
        for ((header, column), cell) in self.columns.iter().zip(cells) {
            match column {
                Column::Indicator(kind) => {
                    if let Some(kind) = kind {
                        making.kind(*kind);
                    }
                    making.indicator(header, cell);
                }
                Column::Chain => making.chain(cell),
                Column::Kind => Kind::parse(cell).into_iter().for_each(|kind| making.kind(kind)),
                Column::SubAccount => making.sub_account(cell),
                Column::Id => making.id = Some(cell.trim().to_owned()).filter(|id| !id.is_empty() && id.len() <= 256),
                Column::Note
                    if header.eq_ignore_ascii_case("label") || NOTES[..2].contains(&normal(header).as_str()) =>
                {
                    making.note(cell);
                }
                Column::Note if crate::row::is_nothing(cell) => {}
                Column::Note => making.note(&format!("{header}: {}", cell.trim())),
                Column::Typology => typologies.extend(words(cell).map(|word| (header.as_str(), word))),
                Column::Terms => words(cell).for_each(|word| terms(making, header, word)),
                Column::Quantity => making.quantity(cell),
                Column::Asset => making.asset(cell),
                Column::Originator => originator = Some(cell.trim()).filter(|cell| cell.starts_with("agency1")),
                Column::Report => report = Some(cell.trim()).filter(|cell| cell.len() == 32),
                Column::Revision => revision = cell.trim().parse().unwrap_or(0),
                Column::Field(field @ (Field::ObservedFrom | Field::ObservedUntil)) => {
                    making.time(*field, header, cell);
                }
                Column::Field(field) => making.set(*field, header, cell),
                Column::Ignored => {}
            }
        }
        for (header, word) in typologies {
            making.typology(&scheme(header), word);
        }
        if let (Some(originator), Some(report)) = (originator, report) {
            making.origin = Some(Origin { originator: originator.to_owned(), report: report.to_owned(), revision });
        }
    }
}

/// A term with its scheme is taken as it is; a bare word is one of its column.
fn terms(making: &mut Making<'_>, header: &str, word: &str) {
    match word.rsplit_once('#').filter(|(scheme, _)| scheme.contains(':')) {
        Some((scheme, id)) => making.term(scheme, id),
        None if making.has_typology() => making.term(&scheme(header), word),
        None => making.typology(&scheme(header), word),
    }
}

/// The words of a cell; a list in brackets, as some programs write it, too.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    let bare = cell.trim().trim_start_matches('[').trim_end_matches(']');
    bare.split([';', ',', '|']).map(|word| word.trim().trim_matches(['\'', '"'])).filter(|word| !word.is_empty())
}

/// The scheme of words that a column of a foreign table holds.
pub(crate) fn scheme(header: &str) -> String {
    format!("urn:entente:import:{}", normal(header))
}

/// The share of cells of a column that are addresses or other indicators by their look.
fn share(sample: &[Vec<String>], place: usize) -> f64 {
    let cells = sample.iter().filter_map(|row| row.get(place)).filter(|cell| !cell.trim().is_empty());
    let (mut all, mut fit) = (0_u32, 0_u32);
    for cell in cells {
        all += 1;
        let examined = examine(cell);
        let strong = |indicator: &Indicator| match indicator {
            Indicator::Address(_) => true,
            Indicator::Observable(observable) => !matches!(observable.kind(), Kind::Handle),
        };
        fit += u32::from(
            examined.refused.is_none() && examined.readings.first().is_some_and(|reading| strong(&reading.indicator)),
        );
    }
    if all == 0 { 0.0 } else { f64::from(fit) / f64::from(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(headers: &[&str], rows: &[&[&str]]) -> Vec<(String, &'static str)> {
        let headers: Vec<String> = headers.iter().map(ToString::to_string).collect();
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        let columns = Columns::tell(&headers, &rows, &BTreeMap::new()).unwrap().columns;
        columns.into_iter().map(|(header, column)| (header, column.name())).collect()
    }

    #[test]
    fn headers_of_the_field_are_known() {
        let told = tell(
            &["Site", "Wallet Address", "Currency", "Scam-Type", "Date", "foo"],
            &[&["x", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "BTC", "phishing", "2026-01-01", "1"]],
        );
        let names: Vec<&str> = told.iter().map(|(_, name)| *name).collect();
        assert_eq!(names, ["note", "indicator", "chain", "typology", "observed_from", "ignored"]);
    }

    #[test]
    fn a_column_is_told_by_what_stands_in_it() {
        let told = tell(
            &["a", "b"],
            &[&["1", "0xdac17f958d2ee523a2206206994597c13d831ec7"], &["2", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"]],
        );
        assert_eq!(told[1], ("b".to_owned(), "indicator"));
        assert_eq!(told[0].1, "ignored");
    }
}
