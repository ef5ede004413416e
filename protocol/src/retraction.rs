//! A retraction: the originator withdraws a report.
//!
//! It stands alone, so that it passes always and everywhere: to those who left, under agreements that ended, to
//! onward holders. It names the report and nothing of its content; the reason is sealed under a secret that only
//! holders of the report have (its `holder_secret`).

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::id::{AgencyId, ReportId};
use crate::limits;
use crate::time::Time;
use crate::wire::attest::Payload;
use crate::wire::codec::{self, CodecError, MapReader, MapWriter};
use crate::wire::object::ObjectKind;

/// The originator's word that a report is withdrawn.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Retraction {
    /// Who made the report; only this agency can withdraw it.
    pub originator: AgencyId,
    /// The serial of the originator's card that holds the signing key.
    pub card_serial: u32,
    /// Which of the originator's nodes signs.
    pub writer: u32,
    /// The report.
    pub report: ReportId,
    /// Withdrawn up to this revision, inclusive.
    pub up_to_revision: u32,
    /// When the target would have been deleted anyway, the latest date under any agreement; kept until then.
    pub delete_after: Time,
    /// When it was withdrawn.
    pub created: Time,
    /// The reason, sealed for the report's holders.
    pub sealed_reason: Vec<u8>,
}

impl Payload for Retraction {
    const KIND: ObjectKind = ObjectKind::Retraction;
    const MAX_BYTES: usize = limits::OBJECT_BYTES;

    fn write(&self) -> Vec<u8> {
        MapWriter::new()
            .put(0, &self.originator)
            .put(1, &self.card_serial)
            .put(2, &self.writer)
            .put(3, &self.report)
            .put(4, &self.up_to_revision)
            .put(5, &self.delete_after)
            .put(6, &self.created)
            .put_bytes(7, &self.sealed_reason)
            .finish()
    }

    fn read(map: &mut MapReader<'_, '_>) -> Result<Self, CodecError> {
        Ok(Self {
            originator: map.need(0)?,
            card_serial: map.need(1)?,
            writer: map.need(2)?,
            report: map.need(3)?,
            up_to_revision: map.need(4)?,
            delete_after: map.need(5)?,
            created: map.need(6)?,
            sealed_reason: map.bytes(7, limits::LONG_TEXT_BYTES + TAG_BYTES)?.ok_or(CodecError::Missing(7))?.to_vec(),
        })
    }
}

/// The length of a Poly1305 tag.
const TAG_BYTES: usize = 16;

/// The one-time key and nonce of a reason: HKDF-SHA256(holder secret, salt = report id, info = domain and revision).
///
/// A key seals one reason only: the report id and the revision are bound in, and an originator retracts a revision
/// once.
fn reason_cipher(secret: &[u8; 16], report: ReportId, up_to_revision: u32) -> (ChaCha20Poly1305, Nonce) {
    let mut okm = [0; 44];
    let info = [b"entente.retraction-reason.v1".as_slice(), &up_to_revision.to_be_bytes()].concat();
    Hkdf::<Sha256>::new(Some(report.as_bytes()), secret).expand(&info, &mut okm).expect("44 bytes is a valid length");
    let (key, nonce) = okm.split_at(32);
    (ChaCha20Poly1305::new(key.into()), *Nonce::from_slice(nonce))
}

/// Seals a reason for the holders of a report.
pub fn seal_reason(secret: &[u8; 16], report: ReportId, up_to_revision: u32, reason: &str) -> Vec<u8> {
    let (cipher, nonce) = reason_cipher(secret, report, up_to_revision);
    cipher.encrypt(&nonce, reason.as_bytes()).expect("a bounded reason can be sealed")
}

/// Opens a reason; `None` where it was not sealed for this secret, or is no text that may be shown.
pub fn open_reason(secret: &[u8; 16], retraction: &Retraction) -> Option<String> {
    let (cipher, nonce) = reason_cipher(secret, retraction.report, retraction.up_to_revision);
    let plain = cipher.decrypt(&nonce, retraction.sealed_reason.as_slice()).ok()?;
    String::from_utf8(plain).ok().filter(|reason| codec::is_clean(reason))
}
