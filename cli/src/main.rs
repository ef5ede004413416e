//! Entente.
fn main() {}
