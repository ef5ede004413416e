//! STIX 2.1: bundles, lists and single objects are read as rows, and reports are written as bundles.
//!
//! A row is made of every indicator with a pattern, and of every observable that no indicator of the file is about.
//! Wallets are read as OpenCTI, dogesec and Signals Corps write them. Markings, the author's name and relationships
//! are looked up within the file; a confidence is kept as a term, since it is no grading.

mod pattern;
mod read;
mod write;

pub(crate) use read::read;
pub use write::bundle;

/// Our namespace of ids, chosen once at random.
pub(crate) const NAMESPACE: uuid::Uuid = uuid::uuid!("6f3a2b0e-9d5c-5f4b-8d0e-2a1f4c7e9b30");

/// The extension that keeps what STIX has no place for.
pub(crate) const EXTENSION: &str = "extension-definition--8a4c5f4e-3b1d-5c77-9e0f-5d2b7a6c1e42";

/// The extension by which OpenCTI makes wallets observables.
pub(crate) const WALLET: &str = "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82";

/// TLP 2.0 as marking definitions, by OASIS (cti-stix-common-objects).
pub(crate) const TLP: [(&str, &str); 5] = [
    ("clear", "94868c89-83c2-464b-929b-a1a8aa3c8487"),
    ("green", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    ("amber", "55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    ("amber+strict", "939a9414-2ddd-4d32-a0cd-375ea402b003"),
    ("red", "e828b379-4e03-4974-9ac4-e53a884c97c1"),
];

/// TLP 1.0, which STIX 2.1 itself defines; WHITE is read as CLEAR.
pub(crate) const TLP_1: [(&str, &str); 4] = [
    ("clear", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    ("green", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    ("amber", "f88d31f6-486f-44da-b317-01333bde0b82"),
    ("red", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
];
