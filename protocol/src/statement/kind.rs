//! The kinds of statements. Numbers are the wire's; a kind that is not listed here is held until a later version
//! understands it, never dropped and never misread.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $word:literal;)*) => {
        /// What a statement is.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum StatementKind {
            $($(#[$doc])* $kind = $number,)*
        }

        impl StatementKind {
            /// All kinds, in the order of their numbers.
            pub const ALL: &[StatementKind] = &[$(StatementKind::$kind,)*];

            /// The word for people and configuration.
            pub const fn word(self) -> &'static str {
                match self {
                    $(StatementKind::$kind => $word,)*
                }
            }

            /// The number on the wire.
            pub const fn number(self) -> u64 {
                self as u64
            }

            /// The kind with this number.
            pub const fn of_number(number: u64) -> Option<StatementKind> {
                match number {
                    $($number => Some(StatementKind::$kind),)*
                    _ => None,
                }
            }

            /// The kind with this word.
            pub fn of_word(word: &str) -> Option<StatementKind> {
                Self::ALL.iter().copied().find(|kind| kind.word() == word)
            }
        }
    };
}

kinds! {
    /// An assessed claim that an indicator is linked to a crime.
    Report = 1, "report";
    /// A newer revision of a report, which replaces it whole.
    Revision = 2, "revision";
    /// Seen by us too, false positive, or expired.
    Sighting = 3, "sighting";
    /// A graded view on someone's report.
    Opinion = 4, "opinion";
    /// Value moved from one address to another.
    Flow = 5, "flow";
    /// What belongs together.
    Case = 6, "case";
    /// A request for information, or to freeze.
    Request = 7, "request";
    /// An answer to a request.
    Reply = 8, "reply";
}
