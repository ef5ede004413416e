//! Benign lists: who is this anyway. What an agency loads about wallets of exchanges, bridges, burn addresses, token
//! contracts and big services, shown beside reports and asked about before one is filed.
//!
//! A list is no truth: real ones hold the wallets of swindlers, too. So nothing is hidden and nothing is forbidden by
//! it. A list is replaced whole: its new edition counts once it has come to its end, and the old one goes then.
//! Everything stays on this machine. What is kept is found by a keyed hash of the indicator, as retractions are.

use std::collections::BTreeMap;

use entente_protocol::id::Hash;
use entente_protocol::indicator::Indicator;
use entente_protocol::statement::draft::Draft;
use entente_protocol::time::Time;
use entente_protocol::wire::codec::is_clean;

use super::ledger::local;
use super::{Desk, DeskError};
use crate::clock;
use crate::store::Item;

/// Entries of all lists together: their places are kept in memory, some 200 bytes each.
const ENTRIES: u64 = 1_000_000;

/// Lists.
const LISTS: usize = 64;

/// Entries erased or written at a time.
const AT_A_TIME: usize = 5000;

/// The longest name, source or label, bytes.
const TEXT_BYTES: usize = 256;

/// A list as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BenignList {
    /// What it is called here.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Of when it is, as its source says.
    pub date: Option<Time>,
    /// When it was loaded.
    pub loaded: Time,
    /// How many entries it has.
    pub entries: u64,
    edition: u64,
}

/// What a list says of an indicator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BenignEntry {
    /// By which list.
    pub list: BenignList,
    /// What it is said to be.
    pub label: String,
    /// As what the list names it: perhaps the same account on another chain.
    pub indicator: String,
}

/// A part of a list that is being loaded.
#[derive(Clone, Debug)]
pub struct BenignPart {
    /// The list's name.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Of when it is.
    pub date: Option<Time>,
    /// Which loading it is: the same number for all parts of one, greater than that of any before.
    pub edition: u64,
    /// Indicators and what they are said to be.
    pub entries: Vec<(Indicator, String)>,
    /// Whether it is the last part: the list takes effect.
    pub last: bool,
}

impl Desk {
    /// Takes a part of a list.
    pub fn load_benign(&self, part: &BenignPart) -> Result<u64, DeskError> {
        let fits = |text: &str| !text.trim().is_empty() && text.len() <= TEXT_BYTES && is_clean(text);
        if !fits(&part.name) || !fits(&part.source) || part.name.contains(['/', '\n']) {
            return Err(DeskError::Benign("its name and source have 1 to 256 bytes, and the name no slash"));
        }
        let _turn = self.turn();
        let lists = self.benign_lists();
        let known = lists.iter().find(|list| list.name == part.name);
        if known.is_none() && lists.len() >= LISTS {
            return Err(DeskError::Benign("64 are kept at most: remove one first"));
        }
        if known.is_some_and(|known| known.edition >= part.edition) {
            return Err(DeskError::Benign("a newer edition was loaded meanwhile"));
        }
        let of_edition = local::benign_edition(&part.name, part.edition);
        let so_far = self.store.local(&of_edition).and_then(|count| count.try_into().ok().map(u64::from_be_bytes));
        let others: u64 = lists.iter().filter(|list| list.name != part.name).map(|list| list.entries).sum();
        let mut count = so_far.unwrap_or(0);
        let mut entries = BTreeMap::new();
        for (indicator, label) in &part.entries {
            let key = self.benign_key(indicator, &part.name, part.edition);
            let label: String = label.chars().filter(|found| !found.is_control()).take(TEXT_BYTES).collect();
            entries.insert(key, format!("{indicator}\n{label}").into_bytes());
        }
        count += entries.keys().filter(|key| self.store.local(key).is_none()).count() as u64;
        let items = entries.into_iter().map(|(key, value)| Item::Local { key, value: Some(value) });
        let mut items: Vec<Item> = items.collect();
        if others + count > ENTRIES {
            return Err(DeskError::Benign("all lists together have 1,000,000 entries at most"));
        }
        items.push(Item::Local { key: of_edition.clone(), value: Some(count.to_be_bytes().to_vec()) });
        if part.last {
            let list = BenignList {
                name: part.name.clone(),
                source: part.source.clone(),
                date: part.date,
                loaded: clock::now(),
                entries: count,
                edition: part.edition,
            };
            items.push(Item::Local { key: local::benign_list(&part.name), value: Some(list.write()) });
            items.push(Item::Local { key: of_edition, value: None });
        }
        self.store.commit(items)?;
        if part.last {
            self.drop_editions(&part.name, Some(part.edition))?;
        }
        Ok(count)
    }

    /// Forgets a list.
    pub fn remove_benign(&self, name: &str) -> Result<BenignList, DeskError> {
        let _turn = self.turn();
        let list = self.benign_lists().into_iter().find(|list| list.name == name);
        let list = list.ok_or_else(|| DeskError::NoList(name.to_owned()))?;
        self.store.commit(vec![Item::Local { key: local::benign_list(name), value: None }])?;
        self.drop_editions(name, None)?;
        Ok(list)
    }

    /// The lists that are kept.
    pub fn benign_lists(&self) -> Vec<BenignList> {
        let lists = self.store.local_prefix(local::BENIGN_LISTS);
        lists.iter().filter_map(|(_, value)| BenignList::read(value)).collect()
    }

    /// What the lists say of an indicator.
    pub fn benign(&self, indicator: &Indicator) -> Vec<BenignEntry> {
        let found = self.store.local_prefix(&local::benign(&self.me.mark, &indicator.lookup_key()));
        let entry = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let (name, edition) = local::benign_of(key)?;
            let list = BenignList::read(&self.store.local(&local::benign_list(&name))?)?;
            let (indicator, label) = std::str::from_utf8(value).ok()?.split_once('\n')?;
            (list.edition == edition).then(|| BenignEntry {
                list,
                label: label.to_owned(),
                indicator: indicator.to_owned(),
            })
        };
        found.iter().filter_map(entry).collect()
    }

    /// Refuses a report on something that a list names, unless that is known to whoever files it.
    pub(super) fn check_benign(&self, draft: &Draft, confirmed: bool) -> Result<(), DeskError> {
        let Some((indicator, _)) = draft.indicator.as_ref().filter(|_| !confirmed) else { return Ok(()) };
        let listed = self.benign(indicator);
        if listed.is_empty() {
            return Ok(());
        }
        Err(DeskError::Listed {
            listed: listed.iter().map(|entry| format!("{} ({})", entry.label, entry.list.name)).collect(),
        })
    }

    fn benign_key(&self, indicator: &Indicator, list: &str, edition: u64) -> Vec<u8> {
        let of_indicator = local::benign(&self.me.mark, &indicator.lookup_key());
        // What a list says of one account on two chains is two entries.
        let exact = Hash::of(&[&self.me.mark, indicator.to_string().as_bytes()]);
        [&of_indicator[..], &exact.0[..8], &edition.to_be_bytes(), list.as_bytes()].concat()
    }

    /// Erases the entries of a list, but those of one edition.
    fn drop_editions(&self, name: &str, keep: Option<u64>) -> Result<(), DeskError> {
        let mut gone: Vec<Item> = Vec::new();
        for (key, _) in self.store.local_prefix(local::BENIGN) {
            let of_list = local::benign_of(&key).is_some_and(|(of, edition)| of == name && Some(edition) != keep);
            if of_list {
                gone.push(Item::Local { key, value: None });
            }
        }
        let begun = self.store.local_prefix(&local::benign_editions(name));
        gone.extend(begun.into_iter().map(|(key, _)| Item::Local { key, value: None }));
        while !gone.is_empty() {
            let rest = gone.split_off(AT_A_TIME.min(gone.len()));
            self.store.commit(std::mem::replace(&mut gone, rest))?;
        }
        Ok(())
    }
}

impl BenignList {
    fn write(&self) -> Vec<u8> {
        let date = self.date.map_or(0, |date| date.ms() + 1);
        let numbers = [self.edition, self.entries, self.loaded.ms(), date].map(u64::to_be_bytes).concat();
        [&numbers, self.name.as_bytes(), b"\n", self.source.as_bytes()].concat()
    }

    fn read(value: &[u8]) -> Option<BenignList> {
        let (numbers, texts) = value.split_at_checked(32)?;
        let number = |at: usize| numbers[at * 8..][..8].try_into().map(u64::from_be_bytes).ok();
        let (name, source) = std::str::from_utf8(texts).ok()?.split_once('\n')?;
        Some(BenignList {
            name: name.to_owned(),
            source: source.to_owned(),
            date: number(3)?.checked_sub(1).and_then(Time::from_ms),
            loaded: Time::from_ms(number(2)?)?,
            entries: number(1)?,
            edition: number(0)?,
        })
    }
}
