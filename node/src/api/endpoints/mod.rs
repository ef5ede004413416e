//! One file an endpoint: what it takes, the one call to the desk, the shape of its answer.

pub(super) mod agencies;
pub(super) mod agency;
pub(super) mod agreement;
pub(super) mod agreements;
pub(super) mod benign;
pub(super) mod card;
pub(super) mod file_report;
pub(super) mod file_reports;
pub(super) mod health;
pub(super) mod held;
pub(super) mod import_card;
pub(super) mod lookup;
pub(super) mod lookups;
pub(super) mod own_reports;
pub(super) mod peers;
pub(super) mod propose;
pub(super) mod quarantine;
pub(super) mod ready;
pub(super) mod reject;
pub(super) mod report;
pub(super) mod retract;
pub(super) mod revise;
pub(super) mod sign;
pub(super) mod status;
pub(super) mod vocabularies;
