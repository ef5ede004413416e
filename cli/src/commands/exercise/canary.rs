//! The search for what the outsider must not have: byte strings of the agreement of three, looked for in all that
//! reached the fourth agency and in all that it stored.
//!
//! A search that finds nothing proves nothing while nobody knows that it can find. So the same search runs over what
//! reached a party of the agreement, and must find canaries of every class there.
//!
//! What travels is taken from a party's tap: every signed header stands in it as one run of bytes, whichever protocol
//! carried it, and is found by its first bytes and the parser of the protocol itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use aho_corasick::{AhoCorasick, BuildError};
use entente_protocol::crypto::sign::SignError;
use entente_protocol::entry::header::Header;
use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, VersionHash};
use entente_protocol::limits;
use entente_protocol::wire::attest::{Claimed, ObjectError};

/// How every signed object begins: CBOR tag 18 on an array of four.
const SIGNED: [u8; 2] = [0xd2, 0x84];

/// What kind of secret a canary is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Class {
    /// Words of a report.
    Text,
    /// A reported address.
    Address,
    /// The agreement's id or title.
    Agreement,
    /// The other parties' ids.
    Party,
    /// The hash of an entry's header.
    Header,
    /// The name of a content key.
    Key,
    /// The name of the agreement's gossip protocol.
    Protocol,
}

impl Class {
    pub(super) const ALL: [Class; 7] =
        [Class::Text, Class::Address, Class::Agreement, Class::Party, Class::Header, Class::Key, Class::Protocol];

    pub(super) const fn words(self) -> &'static str {
        match self {
            Class::Text => "words of reports",
            Class::Address => "addresses",
            Class::Agreement => "agreement id and title",
            Class::Party => "ids of the other parties",
            Class::Header => "header hashes",
            Class::Key => "key ids",
            Class::Protocol => "gossip protocol name",
        }
    }
}

/// The byte strings to search for.
#[derive(Clone, Debug, Default)]
pub(super) struct Canaries(BTreeMap<Vec<u8>, Class>);

/// What a search found: for each class the different canaries.
pub(super) type Found = BTreeMap<Class, BTreeSet<Vec<u8>>>;

impl Canaries {
    pub(super) fn add(&mut self, class: Class, canary: impl Into<Vec<u8>>) {
        let canary = canary.into();
        assert!(canary.len() >= 8, "a shorter canary would be found by chance");
        self.0.insert(canary, class);
    }

    /// A hash as it travels, and as logs and documents write it.
    fn add_hash(&mut self, class: Class, bytes: &[u8; 32], text: String) {
        self.add(class, *bytes);
        self.add(class, text);
    }

    /// What names an agreement.
    pub(super) fn add_agreement(&mut self, id: AgreementId, title: &str) {
        self.add_hash(Class::Agreement, id.as_bytes(), id.to_string());
        self.add(Class::Agreement, title);
        let hash = Hash::of(&[b"entente.gossip.v1", id.as_bytes()]).to_string();
        self.add(Class::Protocol, format!("/entente/gossip/{}/1", &hash[..16]));
    }

    /// What names an agency.
    pub(super) fn add_party(&mut self, id: AgencyId) {
        self.add_hash(Class::Party, id.as_bytes(), id.to_string());
    }

    /// The headers of one agreement's entries in what reached one of its parties, and the keys that they name.
    pub(super) fn add_headers(&mut self, version: VersionHash, streams: &[Vec<u8>]) {
        let mut keys: BTreeSet<KeyId> = BTreeSet::new();
        for stream in streams {
            for (hash, header) in headers(stream).filter(|(_, header)| header.version == version) {
                self.add_hash(Class::Header, hash.as_bytes(), hash.to_string());
                keys.insert(header.key_id);
            }
        }
        for key in keys {
            self.add_hash(Class::Key, key.as_bytes(), key.to_string());
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Makes the search ready.
    pub(super) fn searcher(self) -> Result<Searcher, BuildError> {
        let (canaries, classes): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        Ok(Searcher { automaton: AhoCorasick::new(&canaries)?, canaries, classes })
    }
}

/// The search for all canaries at once.
pub(super) struct Searcher {
    automaton: AhoCorasick,
    canaries: Vec<Vec<u8>>,
    classes: Vec<Class>,
}

impl Searcher {
    /// Adds what stands in these bytes.
    pub(super) fn search(&self, bytes: &[u8], found: &mut Found) {
        for hit in self.automaton.find_overlapping_iter(bytes) {
            let at = hit.pattern().as_usize();
            found.entry(self.classes[at]).or_default().insert(self.canaries[at].clone());
        }
    }

    /// Adds what stands in any file under a directory, or in a file's name.
    pub(super) fn search_files(&self, dir: &Path, found: &mut Found) -> io::Result<()> {
        for entry in dir.read_dir()? {
            let entry = entry?;
            self.search(entry.file_name().as_encoded_bytes(), found);
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.search_files(&entry.path(), found)?;
            } else if kind.is_file() {
                match std::fs::read(entry.path()) {
                    Ok(bytes) => self.search(&bytes, found),
                    // A running node replaces files.
                    Err(gone) if gone.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// How many different canaries were found.
pub(super) fn count(found: &Found) -> usize {
    found.values().map(BTreeSet::len).sum()
}

/// All signed headers in a stream, with their hashes.
fn headers(stream: &[u8]) -> impl Iterator<Item = (Hash, Header)> {
    let starts = stream.windows(SIGNED.len()).enumerate().filter(|(_, window)| *window == SIGNED);
    starts.filter_map(|(at, _)| header(&stream[at..stream.len().min(at + limits::HEADER_BYTES)]))
}

/// The header that these bytes begin with; the parser says how many bytes follow it.
fn header(bytes: &[u8]) -> Option<(Hash, Header)> {
    let exact = match Claimed::<Header>::parse(bytes) {
        Err(ObjectError::Sign(SignError::Trailing { len })) => {
            Claimed::<Header>::parse(&bytes[..bytes.len() - len]).ok()?
        }
        parsed => parsed.ok()?,
    };
    Some((exact.hash(), exact.claim().clone()))
}

#[cfg(test)]
mod tests {
    use entente_protocol::crypto::sign::SigningKey;
    use entente_protocol::id::Mode;
    use entente_protocol::time::Time;
    use entente_protocol::wire::attest::Attested;

    use super::*;

    const VERSION: VersionHash = VersionHash::from_bytes([1; 32]);

    fn signed(version: VersionHash, seq: u64) -> Attested<Header> {
        let header = Header {
            version,
            author: AgencyId::from_bytes([2; 32]),
            card_serial: 1,
            writer: 1,
            generation: 0,
            seq,
            previous: (seq > 0).then_some(Hash([3; 32])),
            key_id: KeyId::from_bytes([4; 32]),
            body_length: 100,
            body_hash: Hash([5; 32]),
            content: Hash([6; 32]),
            created: Time::from_ms(1_000).unwrap(),
            delete_after: Time::from_ms(2_000).unwrap(),
        };
        Attested::sign(header, Mode::Exercise, &SigningKey::from_seed(&[7; 32]))
    }

    #[test]
    fn headers_are_found_in_the_middle_of_a_stream() {
        let (ours, other) = (signed(VERSION, 5), signed(VersionHash::from_bytes([9; 32]), 0));
        let stream = [b"\xd2\x84 noise".as_slice(), ours.bytes(), b"between", other.bytes()].concat();
        let hashes: Vec<Hash> = headers(&stream).map(|(hash, _)| hash).collect();
        assert_eq!(hashes, [ours.hash(), other.hash()]);

        let mut canaries = Canaries::default();
        canaries.add_headers(VERSION, std::slice::from_ref(&stream));
        assert_eq!(canaries.len(), 4, "hash and key, each raw and in digits, and nothing of the other agreement");
        let searcher = canaries.searcher().unwrap();
        let mut found = Found::new();
        searcher.search(&stream, &mut found);
        assert_eq!(found.keys().collect::<Vec<_>>(), [&Class::Key], "a header does not hold its own hash");
        searcher.search(ours.hash().to_string().as_bytes(), &mut found);
        assert_eq!(found[&Class::Header].len(), 1);
    }

    #[test]
    fn files_and_their_names_are_searched_at_any_depth() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("one/two");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("named-after-canary-1"), b"nothing").unwrap();
        std::fs::write(deep.join("file"), b"\0\0canary-2canary-22\0").unwrap();
        let mut canaries = Canaries::default();
        for text in ["canary-1", "canary-2", "canary-22", "canary-3"] {
            canaries.add(Class::Text, text);
        }
        let mut found = Found::new();
        canaries.searcher().unwrap().search_files(dir.path(), &mut found).unwrap();
        assert_eq!(count(&found), 3);
    }
}
