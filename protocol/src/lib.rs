//! What agencies say to each other: identities, agreements, statements, their encoding, and the rules that judge them.

pub mod id;
pub mod limits;
pub mod time;
pub mod wire;
