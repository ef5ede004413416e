//! A signed object on its way to being believed: [`Claimed`] is well formed, [`Attested`] is signed by the key it
//! should be signed by. `attest` is the only way from one to the other; both keep the exact bytes received.

use crate::crypto::sign::{self, PublicKey, SignError, Signed, SigningKey};
use crate::id::{Hash, Mode};
use crate::wire::codec::{self, CodecError, MapReader};
use crate::wire::object::ObjectKind;

/// Why bytes are no signed object of the kind expected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ObjectError {
    /// Not a `COSE_Sign1` of ours, or the signature does not verify.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The payload is not what the specification gives.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The `typ` names no kind that this version knows: the object is held, not refused.
    #[error("the typ of this object is not known to this version")]
    UnknownTyp,
    /// The `typ` names another kind.
    #[error("this is a {found:?}, not a {expected:?}")]
    OtherKind {
        /// The kind asked for.
        expected: ObjectKind,
        /// The kind found.
        found: ObjectKind,
    },
}

impl ObjectError {
    /// Whether a later version may understand what this one does not.
    pub fn is_held(&self) -> bool {
        match self {
            ObjectError::UnknownTyp => true,
            ObjectError::Codec(error) => error.is_held(),
            _ => false,
        }
    }
}

/// What stands inside a signed object.
pub trait Payload: Sized {
    /// The kind that its `typ` names.
    const KIND: ObjectKind;
    /// The longest signed object of this kind, bytes.
    const MAX_BYTES: usize;
    /// Writes the payload: one canonical map.
    fn write(&self) -> Vec<u8>;
    /// Reads the payload, bounds included; `MapReader::end` is called by the caller.
    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError>;
}

/// A well-formed object that claims to be signed.
#[derive(Clone, Debug)]
pub struct Claimed<P>(Attested<P>);

/// An object whose signature was verified, or made here.
#[derive(Clone, Debug)]
pub struct Attested<P> {
    payload: P,
    signed: Signed,
    mode: Mode,
}

impl<P: Payload> Claimed<P> {
    /// Reads an object; nothing it says may be believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, ObjectError> {
        let signed = Signed::parse(bytes, P::MAX_BYTES)?;
        let (found, mode) = ObjectKind::of_typ(signed.typ()).ok_or(ObjectError::UnknownTyp)?;
        if found != P::KIND {
            return Err(ObjectError::OtherKind { expected: P::KIND, found });
        }
        let payload = codec::read_object(signed.payload(), P::read)?;
        Ok(Self(Attested { payload, signed, mode }))
    }

    /// The object as it came.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// What the object claims: enough to find the key that should have signed it.
    pub fn claim(&self) -> &P {
        &self.0.payload
    }

    /// Live or exercise, by its `typ`.
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// The object's hash.
    pub fn hash(&self) -> Hash {
        self.0.hash()
    }

    /// Believes the object, if `key` signed it.
    pub fn attest(self, key: &PublicKey) -> Result<Attested<P>, ObjectError> {
        self.0.signed.verify(key)?;
        Ok(self.0)
    }
}

impl<P: Payload> Attested<P> {
    /// Signs a payload.
    pub fn sign(payload: P, mode: Mode, key: &SigningKey) -> Self {
        let bytes = sign::sign(key, P::KIND.typ(mode), &payload.write());
        let signed = Signed::parse(&bytes, P::MAX_BYTES).expect("what we sign is well formed and within bounds");
        Self { payload, signed, mode }
    }
}

impl<P> Attested<P> {
    /// What the object says.
    pub fn payload(&self) -> &P {
        &self.payload
    }

    /// The exact bytes, to be kept and passed on.
    pub fn bytes(&self) -> &[u8] {
        self.signed.bytes()
    }

    /// The object's hash: SHA-256 over its `Sig_structure`.
    pub fn hash(&self) -> Hash {
        Hash(self.signed.hash())
    }

    /// Live or exercise.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

impl<P> std::ops::Deref for Attested<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.payload
    }
}
