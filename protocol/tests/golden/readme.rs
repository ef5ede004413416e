//! Placeholder until README is written.
