//! The inception document: its hash is the agency's id, so the id vouches for all it says, for ever.
//!
//! | key | value |
//! |---|---|
//! | 0 | root public key, 32 bytes |
//! | 1 | SHA-256 of the recovery root's public key |
//! | 2 | mode: 0 live, 1 exercise |
//! | 3 | nonce, 16 random bytes: two agencies never coincide, not even with keys made twice |
//!
//! The root key signs it, which proves that whoever made it holds the key. Names are deliberately absent: they
//! change, and stand on the card.

use crate::crypto::sign::{PublicKey, Signed, SigningKey, sign};
use crate::id::{AgencyId, Hash, Mode};
use crate::wire::codec::{CodecError, MapReader, MapWriter, read_object};
use crate::wire::object::ObjectKind;

use super::{IdentityError, parse_signed};

const ROOT: u64 = 0;
const RECOVERY: u64 = 1;
const MODE: u64 = 2;
const NONCE: u64 = 3;

/// A verified inception document.
#[derive(Clone, Debug)]
pub struct SignedInception {
    signed: Signed,
    mode: Mode,
    root: PublicKey,
    recovery: Hash,
}

struct Payload {
    root: PublicKey,
    recovery: Hash,
    mode: Mode,
}

impl SignedInception {
    /// Founds an agency. `nonce` is 16 random bytes; the recovery root's secret should never lie beside the root's.
    pub fn create(
        root: &SigningKey,
        recovery: &PublicKey,
        mode: Mode,
        nonce: [u8; 16],
    ) -> Result<SignedInception, IdentityError> {
        let payload = MapWriter::new()
            .put(ROOT, &root.public())
            .put(RECOVERY, &Hash::of(&[recovery.as_bytes()]))
            .put(MODE, &mode)
            .put(NONCE, &nonce)
            .finish();
        Self::parse(&sign(root, ObjectKind::Inception.typ(mode), &payload))
    }

    /// Reads and verifies an inception document.
    pub fn parse(bytes: &[u8]) -> Result<SignedInception, IdentityError> {
        let (signed, found) = parse_signed(bytes, ObjectKind::Inception)?;
        let Payload { root, recovery, mode } = read_object(signed.payload(), read)?;
        signed.verify(&root)?;
        if found != mode {
            return Err(IdentityError::Mode { expected: mode, found });
        }
        if recovery == Hash::of(&[root.as_bytes()]) {
            return Err(IdentityError::RootIsRecovery);
        }
        Ok(SignedInception { signed, mode, root, recovery })
    }

    /// The agency's id: the hash of the signed object.
    pub fn agency(&self) -> AgencyId {
        AgencyId::from_bytes(self.signed.hash())
    }

    /// Live or exercise.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The root public key.
    pub const fn root(&self) -> &PublicKey {
        &self.root
    }

    /// Whether this is the recovery root that the document commits to.
    pub fn is_recovery(&self, key: &PublicKey) -> bool {
        self.recovery == Hash::of(&[key.as_bytes()])
    }

    /// The signed bytes.
    pub fn bytes(&self) -> &[u8] {
        self.signed.bytes()
    }
}

fn read(map: &mut MapReader<'_, '_>) -> Result<Payload, CodecError> {
    let payload = Payload { root: map.need(ROOT)?, recovery: map.need(RECOVERY)?, mode: map.need(MODE)? };
    map.need::<[u8; 16]>(NONCE)?;
    Ok(payload)
}
