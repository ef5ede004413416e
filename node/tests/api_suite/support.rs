//! Agencies whose desks and APIs run in this process, and requests to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use entente_node::api::{ApiState, Connections, ConnectionsView, hash_token, router};
use entente_node::clock;
use entente_node::desk::{Desk, Me, scope};
use entente_node::store::{Options, Store, StoreKeys};
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::id::{AgencyId, AgreementId, Hash, Mode};
use entente_protocol::identity::{
    AgreementKey, Card, CardExport, Fingerprint, NodeKeys, SignedCard, SignedInception, Validity,
};
use entente_protocol::time::DAY_MS;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const TOKEN: &str = "a-token-of-the-tests";
/// The address of Bitcoin's first block.
pub(crate) const ADDRESS: &str = "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
pub(crate) const OTHER: &str = "ethereum:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb";

/// One agency's node.
pub(crate) struct Node {
    pub(crate) desk: Arc<Desk>,
    pub(crate) state: Arc<ApiState>,
    pub(crate) api: Router,
    /// Where its store lies.
    pub(crate) _dir: TempDir,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body of an answer that is to have this status.
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The detail of a problem that is to have this slug; all that every problem has is checked.
    pub(crate) fn problem(&self, status: u16, slug: &str) -> String {
        let problem = self.is(status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["type"], format!("urn:entente:problem:{slug}"));
        assert_eq!(problem["status"], status);
        assert!(!problem["title"].as_str().unwrap().is_empty());
        problem["detail"].as_str().unwrap().to_owned()
    }
}

/// A view of a network that listens and has these partners connected.
pub(crate) fn network(connected: &[AgencyId]) -> ConnectionsView {
    let since: BTreeMap<_, _> = connected.iter().map(|agency| (*agency, clock::now())).collect();
    ConnectionsView::new(move || Connections {
        connected: since.clone(),
        last_seen: since.clone(),
        listening: vec!["/ip4/127.0.0.1/udp/7441/quic-v1".to_owned()],
        counters: vec![("gossip_in", "Gossip messages handed to the desk.", 7)],
    })
}

impl Node {
    /// An exercise agency with a name; the seed makes its keys.
    pub(crate) fn new(name: &str, seed: u8) -> Node {
        Node::with_cache(name, seed, 16 << 20)
    }

    /// The same with so many bytes of memory for the index's cache.
    pub(crate) fn with_cache(name: &str, seed: u8, cache_bytes: u64) -> Node {
        let key = |purpose: u8| SigningKey::from_seed(&[seed * 16 + purpose; 32]);
        let encryption = || EncryptionSecret::from_seed(&[seed * 16 + 5; 32]);
        let inception = SignedInception::create(&key(1), &key(2).public(), Mode::Exercise, [seed; 16]).unwrap();
        let began = clock::now().minus_ms(30 * DAY_MS);
        let card = Card {
            agency: inception.agency(),
            serial: 1,
            predecessor: None,
            name: name.to_owned(),
            country: "FR".parse().unwrap(),
            kind: "police".parse().unwrap(),
            contact: "soc@example.org".to_owned(),
            issued: began,
            agreement_keys: vec![AgreementKey { key: key(3).public(), validity: Validity::starting(began) }],
            nodes: vec![NodeKeys {
                writer: 1,
                signing: key(4).public(),
                encryption: encryption().public(),
                transport: vec![key(6).public()],
                validity: Validity::starting(began),
            }],
            revoked: Vec::new(),
        };
        let card = SignedCard::issue(&inception, &card, &key(1)).unwrap();
        let agency = inception.agency();
        let own = CardExport::new(inception, vec![card], Vec::new()).unwrap();
        let me = Me {
            agency,
            mode: Mode::Exercise,
            card_serial: 1,
            writer: 1,
            signing: key(4),
            agreement: key(3),
            encryption: encryption(),
            mark: [seed; 32],
        };
        let dir = tempfile::tempdir().unwrap();
        let keys = StoreKeys { index: [seed; 32], records: [seed + 1; 32] };
        let options = Options { cache_bytes, ..Options::default() };
        let store = Store::open(dir.path(), &keys, options, &mut |_| {}).unwrap();
        let desk = Arc::new(Desk::open(store, me, own).unwrap());
        let state = ApiState::new(Arc::clone(&desk), network(&[]), hash_token(TOKEN), false);
        Node { desk, api: router(Arc::clone(&state)), state, _dir: dir }
    }

    /// The same node after a restart of its API.
    pub(crate) fn restarted(self) -> Node {
        let state = ApiState::new(Arc::clone(&self.desk), network(&[]), hash_token(TOKEN), false);
        Node { api: router(Arc::clone(&state)), state, ..self }
    }

    pub(crate) fn agency(&self) -> AgencyId {
        self.desk.me().agency
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> Answer {
        let response = self.api.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.raw(request("GET", path, &[]).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[]).await
    }

    pub(crate) async fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let request = request("POST", path, headers).header("content-type", "application/json");
        self.raw(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Imports and pins another agency's card.
    pub(crate) async fn pin(&self, other: &Node) {
        let card = json!({ "card": other.desk.own_export().unwrap(), "fingerprint": Fingerprint::of(other.agency()).to_string() });
        self.post("/v1/cards", &card).await.is(200);
    }

    /// Takes all that another node has in the feed of an agreement.
    pub(crate) fn learn(&self, other: &Node, agreement: AgreementId) {
        let feed = scope::of_agreement(agreement);
        let names: Vec<Hash> =
            other.desk.feed_after(&feed, 0, 1000).unwrap().into_iter().map(|(_, _, name)| name).collect();
        let objects = names.iter().filter_map(|name| other.desk.object(&feed, name).unwrap()).collect();
        self.desk.take_objects(other.agency(), feed, objects).unwrap();
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> axum::http::request::Builder {
    let begin = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {TOKEN}"));
    headers.iter().fold(begin, |request, (name, value)| request.header(*name, *value))
}

/// Terms between agencies.
pub(crate) fn terms(parties: &[&Node]) -> Value {
    let party: Vec<_> = parties.iter().map(|node| json!({ "agency": node.agency().to_string() })).collect();
    json!({
        "title": "Ransomware addresses", "purpose": "to find payments", "legal_basis": "EU 2016/680 Art. 8",
        "valid_from": "2020-01-01", "valid_until": "2099-01-01T00:00:00+01:00", "retention_days": 365,
        "marking_ceiling": "amber", "statement_kinds": ["report", "revision"], "typologies": [], "party": party,
        "handling": ["H1"],
    })
}

/// Two agencies with an agreement in force, and its id.
pub(crate) async fn pair() -> (Node, Node, AgreementId) {
    let (a, b) = (Node::new("Cyber Unit A", 1), Node::new("FIU B", 2));
    a.pin(&b).await;
    b.pin(&a).await;
    let id = agree(&a, &b).await;
    (a, b, id)
}

/// A further agreement in force between two agencies that know each other.
pub(crate) async fn agree(a: &Node, b: &Node) -> AgreementId {
    let proposed = a.post("/v1/agreements", &terms(&[a, b])).await.is(201);
    let text = proposed["id"].as_str().unwrap();
    let id = text.parse().unwrap();
    b.learn(a, id);
    assert_eq!(b.post(&format!("/v1/agreements/{text}/signature"), &json!({})).await.is(200)["state"], "in_force");
    a.learn(b, id);
    id
}

/// A report as it is filed.
pub(crate) fn report(address: &str) -> Value {
    json!({ "address": address, "typology": "ransomware", "grading": "B2", "marking": "amber" })
}
