//! The kinds of signed objects, and the `typ` that names each in its protected header (RFC 9596).
//!
//! `typ` is `entente.<object>.v1.<live|exercise>`. It separates domains: a signature over one kind never passes as
//! one over another, and nothing that was signed as exercise passes as live.

use crate::id::Mode;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $name:literal;)*) => {
        /// A kind of signed object.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum ObjectKind {
            $($(#[$doc])* $kind = $number,)*
        }

        impl ObjectKind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &[ObjectKind] = &[$(ObjectKind::$kind,)*];

            /// The number that stands for the kind in messages between nodes.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The kind with this number.
            pub const fn of_number(number: u8) -> Option<ObjectKind> {
                match number {
                    $($number => Some(ObjectKind::$kind),)*
                    _ => None,
                }
            }

            /// The text of the `typ` header.
            pub const fn typ(self, mode: Mode) -> &'static str {
                match (self, mode) {
                    $(
                        (ObjectKind::$kind, Mode::Live) => concat!("entente.", $name, ".v1.live"),
                        (ObjectKind::$kind, Mode::Exercise) => concat!("entente.", $name, ".v1.exercise"),
                    )*
                }
            }

            /// What a `typ` text names.
            pub fn of_typ(typ: &str) -> Option<(ObjectKind, Mode)> {
                Self::ALL
                    .iter()
                    .flat_map(|kind| [(*kind, Mode::Live), (*kind, Mode::Exercise)])
                    .find(|(kind, mode)| kind.typ(*mode) == typ)
            }
        }
    };
}

kinds! {
    /// An agency's inception document.
    Inception = 1, "inception";
    /// An agency's card.
    Card = 2, "card";
    /// Where a node can be dialled.
    AddressRecord = 3, "address-record";
    /// A version of an agreement, signed by its proposer.
    AgreementVersion = 4, "agreement-version";
    /// A party's consent to a version.
    Signature = 5, "signature";
    /// A party's refusal of a version.
    Rejection = 6, "rejection";
    /// A party leaves an agreement.
    Withdrawal = 7, "withdrawal";
    /// Who may read under a content key.
    KeyDescriptor = 8, "key-descriptor";
    /// A content key, encrypted to one node.
    Wrap = 9, "wrap";
    /// The header of an entry.
    Header = 10, "header";
    /// The root over statements that one originator signed together.
    Batch = 11, "batch";
    /// The originator withdraws a report.
    Retraction = 12, "retraction";
    /// A party's latest word on what it holds, refused and deleted.
    Receipt = 13, "receipt";
    /// Two contradicting signed objects.
    ForkProof = 14, "fork-proof";
    /// A part of a bundle that travels as a file.
    BundlePart = 15, "bundle-part";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_typ_and_number_names_one_kind() {
        for kind in ObjectKind::ALL {
            for mode in [Mode::Live, Mode::Exercise] {
                assert_eq!(ObjectKind::of_typ(kind.typ(mode)), Some((*kind, mode)));
            }
            assert_eq!(ObjectKind::of_number(kind.number()), Some(*kind));
        }
        assert_eq!(ObjectKind::of_typ("entente.card.v2.live"), None);
    }
}
