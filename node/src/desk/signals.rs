//! What the desk has to tell the federation task, gathered so that it stays bounded however busy the desk is.
//!
//! Repeated news of one thing become one; announcements beyond the room there is are dropped, and catch-up delivers
//! what they would have told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use entente_protocol::id::{AgencyId, AgreementId, Hash, KeyId, LogId};
use tokio::sync::Notify;

use crate::store::Head;

/// Announcements that wait for the network: a second of publishing at full speed.
const ANNOUNCEMENTS: usize = 1024;

/// A content key that an entry needs, and who may know it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyWanted {
    /// The scope of the agreement.
    pub scope: Hash,
    /// The key.
    pub key: KeyId,
    /// Who sent the entry.
    pub from: Option<AgencyId>,
}

/// News since the last time they were taken.
#[derive(Debug, Default)]
pub struct News {
    /// Logs that grew, and their heads.
    pub heads: BTreeMap<LogId, Head>,
    /// Logs that were proved to have forked.
    pub forked: BTreeSet<LogId>,
    /// Feeds that grew, and whether by an object of our own.
    pub feeds: BTreeMap<Hash, bool>,
    /// Announcements to publish.
    pub announcements: VecDeque<(AgreementId, Vec<u8>)>,
    /// Keys to be asked for.
    pub keys_wanted: BTreeSet<KeyWanted>,
    /// Keys that arrived.
    pub keys_taken: BTreeSet<(Hash, KeyId)>,
    /// Entries known to exist that are not held: the log, the position, and who told of it.
    pub gaps: BTreeMap<LogId, (u64, AgencyId)>,
    /// Partners, agreements or their parties changed.
    pub topology: bool,
}

impl News {
    /// A feed grew.
    pub fn feed(&mut self, scope: Hash, own: bool) {
        *self.feeds.entry(scope).or_default() |= own;
    }

    fn is_empty(&self) -> bool {
        self.heads.is_empty()
            && self.forked.is_empty()
            && self.feeds.is_empty()
            && self.announcements.is_empty()
            && self.keys_wanted.is_empty()
            && self.keys_taken.is_empty()
            && self.gaps.is_empty()
            && !self.topology
    }
}

/// The place where news are gathered.
#[derive(Debug, Default)]
pub struct Signals {
    news: Mutex<News>,
    wake: Notify,
}

impl Signals {
    /// Adds news.
    pub fn tell(&self, add: impl FnOnce(&mut News)) {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut news);
        let surplus = news.announcements.len().saturating_sub(ANNOUNCEMENTS);
        news.announcements.drain(..surplus);
        drop(news);
        self.wake.notify_one();
    }

    /// Takes all news that there are.
    pub fn take(&self) -> Option<News> {
        let news = std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner));
        (!news.is_empty()).then_some(news)
    }

    /// Waits for news and takes them all.
    pub async fn next(&self) -> News {
        loop {
            if let Some(news) = self.take() {
                return news;
            }
            self.wake.notified().await;
        }
    }
}
