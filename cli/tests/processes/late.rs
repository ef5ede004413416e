//! A partner that was away while thousands of reports were filed.

use super::agency::{Agency, ally, machine, until};

/// How many it missed.
const MISSED: usize = 10_000;

/// Reports filed together.
const TOGETHER: usize = 500;

#[test]
fn a_partner_that_was_away_for_ten_thousand_reports_catches_up_exactly() {
    let _machine = machine();
    let [mut a, mut b, mut c] = ["Unit A", "Unit B", "Unit C"].map(Agency::found);
    ally(&[&a, &b, &c]);
    c.stop();
    let ids: Vec<String> = (0..MISSED).step_by(TOGETHER).flat_map(|first| a.file_rows(first, TOGETHER)).collect();
    let count = MISSED as u64;
    until("the other partner has them", || (b.holds("reports") == count).then_some(()));
    c.start();
    until("it catches up", || (c.holds("reports") == count).then_some(()));
    assert_eq!(c.holds("quarantined"), 0);
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(c.finds(number), std::slice::from_ref(id));
    }
    // Before the first of them stops: nobody could learn of its last receipt after that.
    for agency in [&a, &b, &c] {
        until("all know it", || agency.partners().iter().all(|(_, lag, behind)| lag + behind == 0).then_some(()));
    }
    for agency in [&mut a, &mut b, &mut c] {
        agency.stop_sound();
    }
}
