//! What sealing and opening cost a report, at 2, 10 and 200 parties; wraps apart.

use entente_protocol::crypto::ContentKey;
use entente_protocol::crypto::sign::SigningKey;
use entente_protocol::crypto::wrap::EncryptionSecret;
use entente_protocol::entry::body::Content;
use entente_protocol::id::{AgencyId, Hash, Mode};
use entente_protocol::keys::Wrap;
use entente_protocol::statement::batch::SignedBatch;

use crate::world::TOGETHER;
use crate::{line, timed};

/// Entries sealed for one figure.
const ENTRIES: u32 = 40;

/// Bytes of a statement, about those of a report with a line of text.
const STATEMENT_BYTES: usize = 300;

pub(crate) fn measure() {
    let signing = SigningKey::from_seed(&[1; 32]);
    let key = ContentKey::from_bytes(&[2; 32]);
    for parties in [2_u8, 10, 200] {
        let statements = |entry: u32| {
            let statement = |n: usize| {
                // As in a report: ids, secrets and an address, which do not compress, and words, which do.
                let hash = |part: u32| Hash::of(&[&entry.to_be_bytes(), &n.to_be_bytes(), &part.to_be_bytes()]).0;
                let mut bytes = [hash(0), hash(1), hash(2)].concat();
                bytes.resize(STATEMENT_BYTES, b'x');
                (hash(3)[..16].try_into().unwrap(), bytes)
            };
            (0..TOGETHER).map(statement).collect::<Vec<_>>()
        };
        let prepared: Vec<_> = (0..ENTRIES).map(statements).collect();
        let author = AgencyId::from_bytes([1; 32]);
        let mut files = Vec::new();
        let ((), sealing) = timed(|| {
            for statements in prepared {
                let batch = SignedBatch::sign(statements, author, 1, 1, Mode::Exercise, &signing);
                let content = Content { salt: [4; 16], opening: None, batches: vec![batch] };
                files.push(content.seal(&key).unwrap().file);
            }
        });
        let ((), opening) = timed(|| {
            for file in &files {
                let content = Content::open(file, &key).unwrap();
                let batch = content.batches.into_iter().next().unwrap();
                batch.root.attest(&signing.public()).unwrap();
            }
        });
        let reports = f64::from(ENTRIES) * f64::from(u32::try_from(TOGETHER).unwrap());
        let us = |took: std::time::Duration| took.as_secs_f64() * 1e6 / reports;
        let bytes: usize = files.iter().map(Vec::len).sum();
        #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
        let each = bytes as f64 / reports;
        let figure = format!("{:.2} + {:.2} us", us(sealing), us(opening));
        line(&format!("seal + open a report, {parties} parties"), &figure, &format!("{each:.0} B sent"));
        let to = EncryptionSecret::from_seed(&[5; 32]).public();
        let (wraps, took) = timed(|| (0..parties).map(|_| Wrap::seal(&key, &to).unwrap().len()).sum::<usize>());
        let each = took.as_secs_f64() * 1e3 / f64::from(parties);
        line(&format!("wraps of one key, {parties} parties"), &format!("{each:.2} ms each"), &format!("{wraps} B"));
    }
}
