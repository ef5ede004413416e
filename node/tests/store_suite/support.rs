//! What the tests of the store share: small items, and a way to see all that a store answers.

use std::fs;
use std::path::Path;

use entente_node::store::{
    Counts, Gap, Head, Item, Options, Record, RecordId, RecordState, Result, Store, StoreKeys, StoredEntry,
};
use entente_protocol::id::{AgencyId, AgreementId, Hash, LogId, ReportId};

pub(crate) fn keys() -> StoreKeys {
    StoreKeys { index: [7; 32], records: [9; 32] }
}

/// Small segments, so that there are several.
pub(crate) fn options() -> Options {
    Options { segment_bytes: 4096, lock_wait_ms: 100, cache_bytes: 8 << 20, ..Options::default() }
}

pub(crate) fn open(dir: &Path) -> Result<Store> {
    open_with(dir, options())
}

pub(crate) fn open_with(dir: &Path, options: Options) -> Result<Store> {
    Store::open(dir, &keys(), options, &mut |_| {})
}

pub(crate) fn agency(n: u8) -> AgencyId {
    AgencyId::from_bytes([n; 32])
}

pub(crate) fn report(n: u64) -> ReportId {
    let mut bytes = [0x5a; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    ReportId::from_bytes(bytes)
}

pub(crate) fn log(agreement: u8, author: u8) -> LogId {
    LogId { agreement: AgreementId::from_bytes([agreement; 32]), author: agency(author), writer: 1, generation: 0 }
}

pub(crate) fn hash(log: &LogId, seq: u64) -> Hash {
    let mut bytes = *log.author.as_bytes();
    bytes[0] = log.agreement.as_bytes()[0];
    bytes[24..].copy_from_slice(&seq.to_be_bytes());
    Hash::from_bytes(bytes)
}

/// The address that report `n` is about; the text is a canary that no file may hold.
pub(crate) fn indicator(n: u64) -> Vec<u8> {
    format!("CANARY-ADDRESS-{n:08}").into_bytes()
}

pub(crate) fn record(log: LogId, seq: u64, leaf: u32, n: u64, revision: u32) -> Record {
    Record {
        id: RecordId { originator: log.author, report: report(n), revision, log, seq, leaf },
        indicator: indicator(n),
        received: 1_700_000_000_000 + seq,
        state: RecordState::Admitted,
        statement: format!("CANARY-STATEMENT {n} revision {revision}").into_bytes(),
    }
}

/// An entry whose body is "encrypted", with one record for each report named.
pub(crate) fn entry(log: LogId, seq: u64, reports: &[(u64, u32)]) -> Item {
    let records = (0..).zip(reports).map(|(leaf, (n, revision))| record(log, seq, leaf, *n, *revision)).collect();
    let header = format!("header {seq}").into_bytes();
    Item::Entry { log, seq, hash: hash(&log, seq), header, body: Some(body(seq)), records }
}

pub(crate) fn body(seq: u64) -> Vec<u8> {
    format!("SEALED-BODY-{seq:04}-").repeat(8).into_bytes()
}

pub(crate) fn object(scope: u8, n: u8) -> Item {
    Item::Object {
        scope: Hash::from_bytes([scope; 32]),
        kind: n,
        hash: Hash::from_bytes([n; 32]),
        bytes: format!("OBJECT-{n:03}").into_bytes(),
    }
}

pub(crate) fn local(key: &str, value: &str) -> Item {
    Item::Local { key: key.as_bytes().to_vec(), value: Some(value.as_bytes().to_vec()) }
}

/// All that a store of these tests answers.
#[derive(Debug, PartialEq)]
pub(crate) struct Answers {
    pub(crate) heads: Vec<(LogId, Head)>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) entries: Vec<StoredEntry>,
    pub(crate) lookups: Vec<Vec<Record>>,
    pub(crate) reports: Vec<Vec<Record>>,
    pub(crate) quarantine: Vec<Record>,
    pub(crate) objects: Vec<(u64, u8, Hash)>,
    pub(crate) bytes: Vec<Vec<u8>>,
    pub(crate) local: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) counts: Counts,
}

/// Asks for the logs, reports 0 to 49, and the objects of scopes 1 and 2.
pub(crate) fn answers(store: &Store, logs: &[LogId]) -> Answers {
    let scopes = [1, 2].map(|scope| Hash::from_bytes([scope; 32]));
    let objects: Vec<_> = scopes.iter().flat_map(|scope| store.objects(scope, 0, 1000).unwrap()).collect();
    let authors: Vec<AgencyId> = logs.iter().map(|log| log.author).collect();
    Answers {
        heads: store.heads().into_iter().collect(),
        gaps: store.gaps().unwrap(),
        entries: logs
            .iter()
            .flat_map(|log| (0..60).filter_map(|seq| store.entry(log, seq).unwrap()).collect::<Vec<_>>())
            .collect(),
        lookups: (0..50).map(|n| sorted(store.lookup(&indicator(n)).unwrap())).collect(),
        reports: authors
            .iter()
            .flat_map(|author| (0..50).map(|n| sorted(store.report(author, &report(n)).unwrap())))
            .collect(),
        quarantine: sorted(store.quarantine(None, 1000).unwrap().into_iter().map(|(_, record)| record).collect()),
        bytes: objects.iter().map(|(_, _, hash)| store.object(hash).unwrap().unwrap().bytes).collect(),
        objects,
        local: store.local_prefix(b""),
        counts: Counts { journal_bytes: 0, ..store.counts() },
    }
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_key(|record| record.id);
    records
}

/// What a machine that stops now would find: a copy of every file as it is.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Whether any file below this directory holds these bytes.
pub(crate) fn found_in(dir: &Path, needle: &[u8]) -> bool {
    fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found_in(&path, needle)
        } else {
            fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle)
        }
    })
}

/// The segments of a journal, by number.
pub(crate) fn segments(dir: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "seg")).collect();
    files.sort();
    files
}
