//! Agreements as the specification tells them: the bytes, the line in force, and each term permitted, denied and at
//! its boundary.

#![expect(clippy::unwrap_used, reason = "a test fails where what it is made of does not hold")]

mod line;
mod make;
mod properties;
mod terms;
mod vectors;
