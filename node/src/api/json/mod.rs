//! The shapes of the API's JSON: types of their own, made from the desk's, so that neither binds the other.
//!
//! Times are RFC 3339 in UTC with milliseconds; words of lists are in lower case, as they are typed in.

pub(super) mod agency;
pub(super) mod agreement;
pub(super) mod benign;
pub(super) mod bundle;
pub(super) mod filing;
pub(super) mod lookup;
pub(super) mod peer;
pub(super) mod quarantine;
pub(super) mod reason;
pub(super) mod report;
pub(super) mod status;
pub(super) mod terms;

use entente_protocol::id::{AgencyId, AgreementId};
use entente_protocol::time::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::Paging;
use super::problem::Problem;
use crate::desk::Book;

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// What is on it.
    pub(super) items: Vec<T>,
    /// What to give as `after` for the next page; null on the last.
    pub(super) next: Option<String>,
}

impl<T> Page<T> {
    /// A page of a list that is short enough to be at hand whole; `id` orders it and is its cursor.
    pub(super) fn cut(mut all: Vec<T>, paging: &Paging, id: impl Fn(&T) -> &str) -> Self {
        all.sort_by(|a, b| id(a).cmp(id(b)));
        let after = paging.after.as_deref().unwrap_or_default();
        let begin = all.partition_point(|item| id(item) <= after);
        let mut items = all.split_off(begin);
        let more = items.len() > paging.limit.items();
        items.truncate(paging.limit.items());
        let next = items.last().filter(|_| more).map(|last| id(last).to_owned());
        Self { items, next }
    }
}

/// An agency as others refer to it.
#[derive(Serialize, ToSchema)]
pub(super) struct Named {
    /// Its id, `agency1…`.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

impl Named {
    pub(super) fn of(book: &Book, agency: AgencyId) -> Self {
        Self { id: agency.to_string(), name: book.name(agency) }
    }
}

/// An agreement as others refer to it.
#[derive(Serialize, ToSchema)]
pub(super) struct Titled {
    /// Its id, 64 hexadecimal digits.
    pub(super) id: String,
    /// Its title.
    pub(super) title: String,
}

impl Titled {
    pub(super) fn of(book: &Book, agreement: AgreementId) -> Self {
        Self { id: agreement.to_string(), title: book.title(agreement) }
    }
}

/// RFC 3339, UTC, milliseconds.
pub(super) fn time(at: Time) -> String {
    at.rfc3339()
}

/// A moment with its offset, or a day, which begins at midnight UTC.
pub(super) fn read_time(field: &str, text: &str) -> Result<Time, Problem> {
    Time::parse(text).ok_or_else(|| {
        Problem::invalid(field, "a time with its offset from UTC, as 2026-11-22T16:00:00Z, or a day, as 2026-11-22")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        let ms = |ms| Time::from_ms(ms).unwrap();
        assert_eq!(time(ms(1_795_363_200_000)), "2026-11-22T16:00:00.000Z");
        assert_eq!([time(ms(0)), time(Time::MAX)], ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"]);
        assert_eq!(read_time("t", "2026-11-22T17:00:00.001+01:00").ok(), Some(ms(1_795_363_200_001)));
        assert_eq!(read_time("t", "1970-01-02").ok(), Some(ms(86_400_000)));
        for text in ["", "2026-11-31", "2026-11-22T16:00:00", "1969-12-31T23:59:59Z", "soon", "2026-11-2€"] {
            assert!(read_time("t", text).is_err(), "{text}");
        }
    }
}
