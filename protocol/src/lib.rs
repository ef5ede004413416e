//! What agencies say to each other: identities, agreements, statements, their encoding, and the rules that judge them.
//!
//! No async, no clock, no files, no sockets: everything here takes values and yields values. `protocol/README.md` is
//! the normative specification of the wire.
//!
//! ```text
//!   &[u8] -> Envelope -> Verified -> Opened -> Judged
//!            well formed signature,  decrypted, each statement: the agreement version
//!                        chain,      batch      it names permits it
//!                        party       signatures
//! ```
//!
//! In reading order:
//! - what things are called: [`id`], [`time`], [`limits`];
//! - how objects become bytes: [`wire`], [`crypto`];
//! - who speaks: [`identity`];
//! - what is said: [`address`], [`indicator`], [`vocabulary`], [`typology`], [`grading`], [`marking`], [`handling`], [`statement`], [`retraction`];
//! - what is allowed: [`agreement`], [`rules`];
//! - how it travels: [`keys`], [`entry`], [`announcement`], [`receipt`], [`fork`], [`sync`].

pub mod address;
pub mod agreement;
pub mod announcement;
pub mod bundle;
pub mod crypto;
pub mod entry;
pub mod fork;
pub mod grading;
pub mod handling;
pub mod id;
pub mod identity;
pub mod indicator;
pub mod keys;
pub mod limits;
pub mod marking;
pub mod receipt;
pub mod retraction;
pub mod rules;
pub mod statement;
pub mod sync;
pub mod time;
pub mod typology;
pub mod vocabulary;
pub mod wire;
