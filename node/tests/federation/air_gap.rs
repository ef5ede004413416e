//! Agencies that no network joins: everything travels in bundles, both ways.

use entente_node::desk::{BundlePage, DeskError, PartTaken};
use entente_protocol::id::AgreementId;

use crate::support::{Agency, address, introduce, until};

/// A bundle: its head, and its parts.
#[derive(Clone)]
struct Bundle {
    head: Vec<u8>,
    parts: Vec<Vec<u8>>,
    number: u64,
}

fn export(from: &Agency, agreement: AgreementId, since: Option<u64>, to: Option<&Agency>) -> Bundle {
    let (desk, id) = (from.desk(), agreement.to_string());
    let to = to.map(|agency| agency.id.to_string());
    let mut place = Some(desk.begin_bundle(&id, since, to.as_deref()).unwrap());
    let number = place.unwrap().number();
    let (mut head, mut parts) = (Vec::new(), Vec::new());
    while let Some(at) = place {
        let BundlePage { head: first, part, next, .. } = desk.export_bundle(&id, at).unwrap();
        head.extend(first.into_iter().flatten());
        parts.push(part);
        place = next;
    }
    Bundle { head, parts, number }
}

fn import(into: &Agency, bundle: &Bundle) -> Vec<PartTaken> {
    bundle.parts.iter().map(|part| into.desk().import_part(&bundle.head, part).unwrap()).collect()
}

/// All of an agreement from one to the other.
fn carry(from: &Agency, to: &Agency, agreement: AgreementId) -> Vec<PartTaken> {
    let taken = import(to, &export(from, agreement, None, None));
    assert!(taken.last().unwrap().last && taken.iter().all(|part| part.refused.is_empty() && part.objects.2 == 0));
    taken
}

/// Two agencies that agreed by courier.
fn agreed() -> (Agency, Agency, AgreementId) {
    let [a, b] = ["A", "B"].map(Agency::new);
    introduce(&a, &b);
    let shared = a.propose("By courier", &[&b]);
    carry(&a, &b, shared);
    b.desk().sign(&shared.to_string(), None).unwrap();
    carry(&b, &a, shared);
    assert!(a.in_force(shared) && b.in_force(shared));
    (a, b, shared)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_federation_by_courier() {
    let (a, b, shared) = agreed();
    // What B made after A had started tells A how its log stands there: it may publish.
    let filed = a.file(&address(1), shared);
    assert!(filed.under[0].published, "the bundle that brought B's signature is as good as contact");
    let first = export(&a, shared, None, None);
    import(&b, &first);
    assert!(b.finds(&address(1), &a));
    b.file(&address(2), shared);
    b.desk().issue_receipts().unwrap();
    carry(&b, &a, shared);
    assert!(a.finds(&address(2), &b));

    // Only what came since; repeated, it changes nothing.
    a.file(&address(3), shared);
    let second = export(&a, shared, Some(first.number), None);
    let bytes = |bundle: &Bundle| bundle.parts.iter().map(Vec::len).sum::<usize>();
    assert!(bytes(&second) < bytes(&first), "{} of {}", bytes(&second), bytes(&first));
    let entries: usize = import(&b, &second).iter().map(|part| part.entries).sum();
    assert_eq!(entries, 2, "A's second entry, and B's own first that came back");
    let again = import(&b, &second);
    assert!(again.iter().all(|part| part.advanced == 0 && part.early == 0 && part.refused.is_empty()));
    assert!(b.finds(&address(3), &a));

    // A retraction travels and is confirmed the same way.
    a.desk().retract(filed.report, "an exchange").unwrap();
    carry(&a, &b, shared);
    assert!(!b.finds(&address(1), &a));
    b.desk().issue_receipts().unwrap();
    carry(&b, &a, shared);
    let left = a.desk().report(filed.report, None).unwrap().retraction.unwrap();
    assert_eq!((left.confirmed.len(), left.outstanding.len()), (1, 0));
    // An older bundle brings nothing back.
    import(&b, &first);
    assert!(!b.finds(&address(1), &a));
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_in_any_order_come_to_the_same() {
    let (a, b, shared) = agreed();
    let addresses: Vec<String> = (0..1500).map(address).collect();
    a.file_all(&addresses[..700], shared);
    let first = export(&a, shared, None, None);
    a.file_all(&addresses[700..], shared);
    let second = export(&a, shared, Some(first.number), None);
    let early: usize = import(&b, &second).iter().map(|part| part.early).sum();
    assert!(early > 0, "what stands before it has not come");
    // Cut short: what was in it so far is kept.
    b.desk().import_part(&first.head, &first.parts[0]).unwrap();
    import(&b, &first);
    import(&b, &second);
    for address in &addresses {
        assert!(b.finds(address, &a), "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_for_its_readers_and_nobody_changes_it() {
    let (a, b, shared) = agreed();
    let c = Agency::new("C");
    introduce(&a, &c);
    a.file(&address(1), shared);
    let bundle = export(&a, shared, None, None);
    let refused = c.desk().import_part(&bundle.head, &bundle.parts[0]);
    assert!(matches!(refused, Err(DeskError::NotABundle(_))), "{refused:?}");
    assert!(matches!(
        a.desk().begin_bundle(&shared.to_string(), None, Some(&c.id.to_string())),
        Err(DeskError::NotForThem { .. })
    ));
    assert!(matches!(a.desk().begin_bundle(&shared.to_string(), Some(99), None), Err(DeskError::NoBundle { .. })));
    let plain: Vec<u8> = bundle.head.iter().chain(bundle.parts.iter().flatten()).copied().collect();
    let names = [shared.as_bytes().as_slice(), a.id.as_bytes().as_slice(), b.id.as_bytes().as_slice(), b"By courier"];
    for name in names {
        assert!(!plain.windows(name.len()).any(|window| window == name), "the file names nobody");
    }
    for at in (0..bundle.parts[0].len()).step_by(97) {
        let mut part = bundle.parts[0].clone();
        part[at] ^= 1;
        assert!(b.desk().import_part(&bundle.head, &part).is_err(), "byte {at}");
    }
    assert!(b.desk().import_part(&bundle.head[..9], &bundle.parts[0]).is_err());
    assert!(b.lookup(&address(1)).reports.is_empty(), "nothing was taken from what was altered");
    // Who does not know the maker takes nothing.
    let d = Agency::new("D");
    assert!(d.desk().import_part(&bundle.head, &bundle.parts[0]).is_err());
    import(&b, &bundle);
    until("it is there", || b.finds(&address(1), &a)).await;
}
