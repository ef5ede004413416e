//! Every number of the wire, once, with its unit and reason.

/// A signed header is about 330 bytes; this leaves room for ignorable keys of later versions.
pub const HEADER_BYTES: usize = 1024;

/// A body on the wire: what one catch-up page can always carry.
pub const BODY_BYTES: usize = 1 << 20;

/// A body unpacked: bounds the memory that one hostile entry can ask for.
pub const UNPACKED_BYTES: usize = 4 << 20;

/// Statements in one entry: bounds the work of judging it; a larger import becomes several entries.
pub const STATEMENTS_PER_ENTRY: usize = 4096;

/// One statement: room for a long narrative, and small enough that a batch holds many.
pub const STATEMENT_BYTES: usize = 64 << 10;

/// Batches in one entry: an author's own, and those it passes on.
pub const BATCHES_PER_ENTRY: usize = 256;

/// Any stand-alone signed object other than a receipt: an agreement version of 200 parties is about 12 KB.
pub const OBJECT_BYTES: usize = 256 << 10;

/// A receipt names every log of 200 agencies and the retractions carried out.
pub const RECEIPT_BYTES: usize = 1 << 20;

/// Parties of an agreement: five times the largest federation planned for.
pub const PARTIES: usize = 1024;

/// Nodes on one card.
pub const NODES_PER_CARD: usize = 64;

/// Keys revoked on one card.
pub const REVOKED_KEYS: usize = 1024;

/// Addresses in one address record.
pub const ADDRESSES_PER_NODE: usize = 16;

/// One multiaddress.
pub const ADDRESS_BYTES: usize = 256;

/// A title, a name, a contact point, a legal basis.
pub const SHORT_TEXT_BYTES: usize = 512;

/// A purpose, a description, a reason.
pub const LONG_TEXT_BYTES: usize = 16 << 10;

/// Typologies, chains or kinds that an agreement lists.
pub const TERMS_PER_LIST: usize = 1024;

/// A content key wrapped for one node: 1.75 KB of ML-KEM ciphertext and age framing, and room for grease.
pub const WRAP_BYTES: usize = 8 << 10;

/// A signed part of a bundle: what its maker aims at, one entry that passes it, and framing.
pub const BUNDLE_PART_BYTES: usize = 3 << 20;

/// Objects, wraps, entries or positions in one part of a bundle; wraps in its head.
pub const BUNDLED: usize = 8192;

/// Earlier generations that an opening names, per log.
pub const GENERATIONS: usize = 1024;

/// Logs that one receipt names: four of each party, at most, since nodes and generations are few.
pub const LOGS_PER_RECEIPT: usize = 4 * PARTIES;

/// Retractions that one receipt confirms.
pub const RETRACTIONS_PER_RECEIPT: usize = 16 << 10;

/// Refusals that one receipt tells.
pub const REFUSALS_PER_RECEIPT: usize = 1024;

/// How far ahead of one's own clock an entry may be dated and is still admitted.
pub const CLOCK_AHEAD_MS: u64 = 600 * 1000;

/// A CAIP-2 chain id: namespace of 8, colon, reference of 32.
pub const CHAIN_BYTES: usize = 41;

/// A canonical address; CAIP-10 allows 128, a Zcash unified address needs more.
pub const CANONICAL_ADDRESS_BYTES: usize = 512;

/// The canonical form of an indicator that is no address: a URL may be so long.
pub const CANONICAL_INDICATOR_BYTES: usize = 2048;

/// Amounts of one report: what was lost in each asset.
pub const AMOUNTS: usize = 16;

/// Pieces of evidence that one report refers to.
pub const EVIDENCE: usize = 64;

/// Further terms of vocabularies on one report.
pub const TERMS_PER_REPORT: usize = 32;

/// The longest time, in days, that an agreement may ask its parties to keep a statement, or to carry its retraction
/// on: ten years, the longest retention of the police files we know.
pub const RETENTION_DAYS: u32 = 3650;

/// The longest grace, milliseconds: 30 days, after which a party that is offline should rather catch up.
pub const GRACE_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Rejections of earlier children that one signature relies on.
pub const RELIANCES: usize = 64;

/// Versions, and answers to versions, that an agreement keeps while what they refer to has not arrived.
pub const OBJECTS_WAITING: usize = 4096;

/// A body that travels inside its announcement; larger ones are pulled, which costs a seventh on the wire.
pub const INLINE_BODY_BYTES: usize = 32 << 10;

/// The word for a kind of agency.
pub const KIND_BYTES: usize = 32;

/// Agreement-signing keys on one card: past, present and next.
pub const AGREEMENT_KEYS_PER_CARD: usize = 16;

/// Transport keys of one node: two while it changes from one to the other.
pub const TRANSPORT_KEYS_PER_NODE: usize = 2;

/// All cards of one agency: thousands of usual size, and what one hostile agency can make a node keep.
pub const CARDS_BYTES_PER_AGENCY: usize = 32 << 20;

/// A card file, armoured: the largest card, or a chain of dozens of usual size; passes as an e-mail.
pub const CARD_FILE_BYTES: usize = 256 << 10;

/// Cards in one card file.
pub const CARDS_PER_FILE: usize = 64;
