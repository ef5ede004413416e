//! Two agencies in agreement, and the reports that the one files.

use entente_node::store::Options;
use entente_protocol::id::{AgreementId, KeyId, LogId};
use entente_protocol::statement::draft::{Draft, Field};
use serde_json::{Value, json};

use crate::apis::{Node, terms};

/// Reports filed together.
pub(crate) const TOGETHER: usize = 500;

pub(crate) struct World {
    pub(crate) a: Node,
    pub(crate) b: Node,
    pub(crate) agreement: AgreementId,
    pub(crate) reports: usize,
}

impl World {
    pub(crate) async fn new(reports: usize) -> World {
        let cache = Options::default().cache_bytes;
        let (a, b) = (Node::with_cache("Cyber Unit A", 1, cache), Node::with_cache("FIU B", 2, cache));
        a.pin(&b).await;
        b.pin(&a).await;
        let mut wide = terms(&[&a, &b]);
        wide["statements_per_day"] = json!(1_000_000_000_u64);
        wide["bytes_per_day"] = json!(1_u64 << 50);
        let proposed: Value = a.post("/v1/agreements", &wide).await.is(201);
        let text = proposed["id"].as_str().unwrap();
        let agreement = text.parse().unwrap();
        b.learn(&a, agreement);
        b.post(&format!("/v1/agreements/{text}/signature"), &json!({})).await.is(200);
        a.learn(&b, agreement);
        a.desk.compared(agreement).unwrap();
        World { a, b, agreement, reports }
    }

    /// The log of the one who files.
    pub(crate) fn log(&self) -> LogId {
        LogId { agreement: self.agreement, author: self.a.agency(), writer: 1, generation: 0 }
    }

    /// The batches that are filed.
    pub(crate) fn batches(&self) -> impl Iterator<Item = Vec<Draft>> {
        batches(0, self.reports)
    }

    /// Further batches, as many reports again.
    pub(crate) fn more(&self) -> impl Iterator<Item = Vec<Draft>> {
        batches(self.reports, 2 * self.reports)
    }

    /// Hands the content keys over.
    pub(crate) fn share_keys(&self) {
        self.b.learn(&self.a, self.agreement);
        let header = self.a.desk.store().entry(&self.log(), 0).unwrap().unwrap().header;
        let header = entente_protocol::wire::attest::Claimed::<entente_protocol::entry::header::Header>::parse(&header);
        let key: KeyId = header.unwrap().claim().key_id;
        let wraps = self.a.desk.wraps_for(self.agreement, &[key], self.b.agency(), 1);
        assert_eq!(self.b.desk.take_wraps(self.agreement, &wraps).unwrap(), [key]);
    }
}

fn batches(from: usize, until: usize) -> impl Iterator<Item = Vec<Draft>> {
    (from..until).step_by(TOGETHER).map(move |first| (first..(first + TOGETHER).min(until)).map(row).collect())
}

/// The address of the n-th report; what is above the number of reports is unknown.
pub(crate) fn address(n: usize) -> String {
    format!("eip155:1:0x{:040x}", (n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

/// A report as it is typically written.
fn row(n: usize) -> Draft {
    let (address, case) = (address(n), format!("2026/{n}"));
    let parts = [
        (Field::Indicator, address.as_str()),
        (Field::Typology, "ransomware"),
        (Field::Grading, "B2"),
        (Field::Marking, "amber"),
        (Field::Case, case.as_str()),
        (Field::Description, "paid to by a victim of the spring campaign, seen in two exchanges"),
    ];
    Draft::of(parts).unwrap()
}
