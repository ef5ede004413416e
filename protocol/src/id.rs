//! Names of things: each is a hash or a random number of its own type, so that none is taken for another.
//!
//! An [`AgencyId`] is shown as bech32m (BIP-350) with the prefix `agency`, because people copy it by hand and
//! its checksum catches slips; all others are shown in lower-case hexadecimal.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Why a text names nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdError {
    /// The text has another length than this kind of id.
    #[error("an id of this kind has {expected} characters, this has {found}")]
    Length {
        /// Characters expected.
        expected: usize,
        /// Characters found.
        found: usize,
    },
    /// The text is not lower-case hexadecimal.
    #[error("an id of this kind is written in hexadecimal digits")]
    NotHex,
    /// The text is not bech32m, or its checksum is wrong.
    #[error("an agency id is written in bech32m, and the checksum of this one is wrong")]
    Checksum,
    /// The text is bech32m of something else.
    #[error("an agency id begins with agency1")]
    Prefix,
}

/// A SHA-256 value.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// SHA-256 over the parts, one after the other.
    pub fn of(parts: &[&[u8]]) -> Hash {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part);
        }
        Hash(sha.finalize().into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

macro_rules! hex_id {
    ($name:ident, $bytes:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.as_bytes()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $bytes];
                if text.len() != 2 * $bytes {
                    return Err(IdError::Length { expected: 2 * $bytes, found: text.chars().count() });
                }
                hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError::NotHex)?;
                Ok(Self::from_bytes(bytes))
            }
        }
    };
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub Hash);

        impl $name {
            /// The id with these 32 bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Hash(bytes))
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0.0
            }
        }
    };
}

impl Hash {
    /// The hash with these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}
hex_id!(Hash, 32);

hash_id!(
    /// An agency: the hash of its inception document, shown as bech32m `agency1…`.
    AgencyId
);
hash_id!(
    /// An agreement: the hash of its first version.
    AgreementId
);
hash_id!(
    /// One version of an agreement: the hash of the version's signed object.
    VersionHash
);
hash_id!(
    /// A content key: a hash commitment to the key itself.
    KeyId
);
hex_id!(AgreementId, 32);
hex_id!(VersionHash, 32);
hex_id!(KeyId, 32);

/// The human-readable prefix of agency ids.
const AGENCY_HRP: bech32::Hrp = bech32::Hrp::parse_unchecked("agency");

impl fmt::Display for AgencyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = bech32::encode::<bech32::Bech32m>(AGENCY_HRP, self.as_bytes()).expect("32 bytes fit in bech32m");
        f.write_str(&text)
    }
}

impl fmt::Debug for AgencyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgencyId({self})")
    }
}

impl FromStr for AgencyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        const LENGTH: usize = "agency1".len() + 52 + 6;
        if !text.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("agency1")) {
            return Err(IdError::Prefix);
        }
        if text.len() != LENGTH {
            return Err(IdError::Length { expected: LENGTH, found: text.chars().count() });
        }
        let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32m>(text)
            .map_err(|_| IdError::Checksum)?;
        let bytes: Vec<u8> = checked.byte_iter().collect();
        Ok(Self::from_bytes(bytes.try_into().map_err(|_| IdError::Checksum)?))
    }
}

/// A report, as its originator numbered it: 16 random bytes. A report is identified by (originator, id).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReportId([u8; 16]);

impl ReportId {
    /// The id with these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}
hex_id!(ReportId, 16);

/// One append-only sequence of entries.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LogId {
    /// The agreement that the log belongs to.
    pub agreement: AgreementId,
    /// The agency that writes it.
    pub author: AgencyId,
    /// Which of the agency's nodes writes it.
    pub writer: u32,
    /// Which of that node's generations; a restore, a revocation and the repair of a fork open a new one.
    pub generation: u32,
}

/// Whether an agency works on real cases or exercises; the two never mix.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mode {
    /// Real cases.
    Live,
    /// Exercises and tests.
    Exercise,
}

impl Mode {
    /// The word that signed objects carry in their `typ`, and documents show.
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Live => "live",
            Mode::Exercise => "exercise",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agency_id_reads_back_and_refuses_a_changed_letter() {
        let id = AgencyId(Hash::of(&[b"x"]));
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        let last = if text.ends_with('q') { 'p' } else { 'q' };
        let changed = format!("{}{last}", &text[..text.len() - 1]);
        assert_eq!(changed.parse::<AgencyId>(), Err(IdError::Checksum));
        assert_eq!("bc1qxyz".parse::<AgencyId>(), Err(IdError::Prefix));
        assert_eq!("agency1qq".parse::<AgencyId>(), Err(IdError::Length { expected: 65, found: 9 }));
    }

    #[test]
    fn hexadecimal_ids_read_back() {
        let id = ReportId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("zz".repeat(16).parse::<ReportId>(), Err(IdError::NotHex));
    }
}
