//! The reasons of refusals by their numbers, which is all that the quarantine and receipts keep of them.
//!
//! Numbers and short names are those of the protocol's `Refusal::reason`; a number of a later version is shown as it
//! is.

/// Number, short name, and what it means.
const REASONS: &[(u16, &str, &str)] = &[
    (1, "malformed-header", "the header is no signed object of this protocol"),
    (2, "newer-header", "the header is of a newer version of the protocol"),
    (3, "signature", "the signature of the header is wrong"),
    (4, "malformed-body", "the body is not what the protocol gives"),
    (5, "newer-body", "the body is of a newer version of the protocol"),
    (6, "mode", "the entry and the agreement are not both live or both exercise"),
    (7, "unknown-version", "the agreement version that the entry names is not known here"),
    (8, "not-a-party", "the author is no party of the agreement version"),
    (9, "unknown-card", "the author's card that should verify the entry is not known here"),
    (10, "no-key", "the author's card gives its node no valid key at that time"),
    (11, "not-in-force", "the agreement version was not in force for the author when the entry was made"),
    (12, "not-yet-in-force", "signatures of the agreement version are missing here"),
    (13, "future-dated", "the entry is dated more than 600 s ahead of the clock here"),
    (14, "gap", "entries before this one are missing"),
    (15, "taken", "the log already has another entry at this position"),
    (16, "fork", "the entry continues another branch of the log"),
    (17, "disowned", "a later generation of the log disowns the entry"),
    (18, "created-falls", "the entry is dated before the one that it follows"),
    (19, "version-falls", "the entry names an older agreement version than the one before it"),
    (20, "body-length", "the body has another length than the header says"),
    (21, "body-hash", "the body is not the one that the header names"),
    (22, "no-content-key", "the content key is not here"),
    (23, "foreign-content-key", "the content key is that of another log"),
    (24, "sealed", "the body cannot be opened with its content key"),
    (25, "unpacked", "the body cannot be unpacked within its bounds"),
    (26, "padding", "the padding of the body is not what it should be"),
    (27, "too-many-statements", "the entry holds more than 4096 statements"),
    (28, "commitment", "the body holds other statements than the header commits to"),
    (29, "opening", "an opening stands where none belongs, or is missing"),
    (30, "batch", "a batch is malformed, or not signed by its originator"),
    (31, "malformed-statement", "the statement is malformed"),
    (32, "newer-statement", "the statement is of a kind that this version does not understand"),
    (33, "foreign-originator", "the author passes on another agency's statement, which this version cannot judge"),
    (34, "report-id-reused", "the originator used the report's id and revision for another statement"),
    (35, "indicator-changed", "the revision speaks of another indicator than its report"),
    (36, "dated-after-entry", "the statement is dated after the entry that carries it"),
    (64, "not-a-party", "the author is not a party to the agreement"),
    (65, "does-not-contribute", "the author receives under the agreement, and does not contribute"),
    (66, "validity", "published outside the validity of the agreement"),
    (67, "statement-kind", "the agreement does not cover statements of this kind"),
    (68, "typology", "the agreement does not cover the typology"),
    (69, "chain", "the agreement does not cover the chain"),
    (70, "marking-ceiling", "marked more strictly than the agreement allows"),
    (71, "required-grading", "not graded in the scheme that the agreement requires"),
    (72, "retention", "to be kept longer than the agreement allows"),
    (73, "quota-statements", "more statements a day than the agreement allows"),
    (74, "quota-bytes", "more bytes of statements a day than the agreement allows"),
];

/// A reason's short name, and what it means.
pub(super) fn words(number: u16) -> (String, String) {
    match REASONS.iter().find(|(known, ..)| *known == number) {
        Some((_, slug, detail)) => ((*slug).to_owned(), (*detail).to_owned()),
        None => (format!("reason-{number}"), format!("reason {number}, of a newer version of the software")),
    }
}

#[cfg(test)]
mod tests {
    use entente_protocol::entry::refusal::Refusal;
    use entente_protocol::id::AgencyId;
    use entente_protocol::rules::Term;

    use super::*;

    #[test]
    fn the_table_is_the_protocols() {
        let author = AgencyId::from_bytes([0; 32]);
        let samples = [
            Refusal::Mode,
            Refusal::NotAParty(author),
            Refusal::Gap { expected: 0, found: 1 },
            Refusal::BodyHash,
            Refusal::NoContentKey,
            Refusal::Padding,
            Refusal::Commitment,
            Refusal::UnknownStatement,
            Refusal::ForeignOriginator(author),
            Refusal::ReportIdReused,
            Refusal::IndicatorChanged,
            Refusal::Term(Term::NotAParty { author }),
            Refusal::Term(Term::Typology { typology: None }),
        ];
        for refusal in samples {
            let reason = refusal.reason();
            assert_eq!(words(u16::try_from(reason.number).unwrap()).0, reason.slug);
        }
        assert!(REASONS.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(words(999).0, "reason-999");
    }
}
