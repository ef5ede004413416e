//! What agencies say to each other: identities, agreements, statements, their encoding, and the rules that judge them.

pub mod address;
pub mod crypto;
pub mod grading;
pub mod handling;
pub mod id;
pub mod limits;
pub mod marking;
pub mod time;
pub mod typology;
pub mod wire;
