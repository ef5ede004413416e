//! A draft as the node's API takes it.

use entente_protocol::statement::draft::Draft;
use serde::Serialize;

use crate::output::Cell;

/// The keys of the API; what a draft does not say is left out.
#[derive(Serialize)]
pub(crate) struct Written {
    indicator: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_account: Option<SubAccount>,
    typology: String,
    grading: String,
    marking: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    handling: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precedence: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amounts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    victims: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pap: Option<&'static str>,
}

#[derive(Serialize)]
struct SubAccount {
    kind: &'static str,
    value: String,
}

impl Written {
    /// What a person looks at first.
    pub(super) const HEADER: [&str; 6] = ["INDICATOR", "TYPOLOGY", "GRADING", "TLP", "SOURCE", "DESCRIPTION"];

    /// The same of this one.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let words: String = self.description.iter().flat_map(|text| text.chars()).take(60).collect();
        vec![
            self.indicator.as_str().into(),
            self.typology.as_str().into(),
            self.grading.as_str().into(),
            self.marking.as_str().into(),
            self.source.clone().unwrap_or_default().into(),
            words.replace('\n', " ").into(),
        ]
    }

    pub(crate) fn of(draft: &Draft) -> Self {
        fn texts<T: ToString>(list: Option<&Vec<T>>) -> Vec<String> {
            list.into_iter().flatten().map(ToString::to_string).collect()
        }
        let (indicator, sub_account) = match &draft.indicator {
            Some((indicator, sub)) => (indicator.to_string(), sub.as_ref()),
            None => (String::new(), None),
        };
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self {
            indicator,
            sub_account: sub_account.map(|sub| SubAccount { kind: sub.kind(), value: sub.to_string() }),
            typology: draft.typology.as_ref().map(ToString::to_string).unwrap_or_default(),
            grading: draft.grading.map(|grading| grading.to_string()).unwrap_or_default(),
            marking: draft.marking.map(|marking| marking.word().to_lowercase()).unwrap_or_default(),
            handling: texts(draft.handling.as_ref()),
            case: said(&draft.case),
            description: said(&draft.description),
            source: said(&draft.source),
            reference: said(&draft.reference),
            observed_from: draft.observed_from.map(entente_protocol::time::Time::rfc3339),
            observed_until: draft.observed_until.map(entente_protocol::time::Time::rfc3339),
            precedence: draft.precedence.map(entente_protocol::handling::Precedence::word),
            role: draft.role.flatten().map(entente_protocol::statement::details::Role::word),
            amounts: texts(draft.amounts.as_ref()),
            victims: draft.victims.flatten(),
            evidence: texts(draft.evidence.as_ref()),
            terms: draft.terms.iter().flatten().map(|term| format!("{}#{}", term.scheme(), term.id())).collect(),
            pap: draft.pap.flatten().map(entente_protocol::statement::details::Pap::word),
        }
    }
}
