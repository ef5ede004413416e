//! Agreements as the specification tells them: the bytes, the line in force, and each term permitted, denied and at
//! its boundary.

mod line;
mod make;
mod properties;
mod terms;
mod vectors;
