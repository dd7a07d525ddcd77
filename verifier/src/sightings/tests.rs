use super::*;
use crate::postgres_server::server;

/// Runs `test` on an empty store of each kind; `test` gets what opens it.
fn on_both(test: impl Fn(&str)) {
    let folder = tempfile::tempdir().unwrap();
    test(folder.path().join("new/sightings.db").to_str().unwrap());
    test(&server().new_database());
}

fn seen(case: u8, photo: u8, serial: u64) -> Sighting {
    Sighting {
        line_key: KeyBytes([7; 32]),
        serial,
        case: (vec![case; 16], format!("case {case}")),
        photo: vec![photo; 32],
        path: format!("p/{photo}\0Київ'.jpg"),
        maker: "Acme".into(),
        part: "P".into(),
        lot: None,
        date: "2026-11-23".into(),
        taken: Some("2026-11-24T10:00:00".into()),
        place: Some("50.1, 30.2".into()),
    }
}

#[test]
fn what_was_seen_is_found_again_and_adding_it_twice_adds_nothing() {
    on_both(|place| {
        let mut store = Sightings::open(place).unwrap();
        let largest = (1 << 53) - 1;
        let all = [seen(2, 1, 5), seen(1, 1, 5), seen(1, 2, 5), seen(1, 3, largest)];
        store.add(&all).unwrap();
        store.add(&all).unwrap();
        drop(store);
        let mut store = Sightings::open(place).unwrap();
        assert_eq!(store.count().unwrap(), 4);
        let told = |mut sighting: Sighting| {
            sighting.path = sighting.path.replace('\0', "\u{fffd}");
            sighting
        };
        assert_eq!(
            store.of(Some(&KeyBytes([7; 32])), 5).unwrap(),
            [seen(1, 1, 5), seen(1, 2, 5), seen(2, 1, 5)].map(told)
        );
        assert_eq!(store.of(Some(&KeyBytes([8; 32])), 5).unwrap(), []);
        assert_eq!(store.of(None, largest).unwrap().len(), 1);
    });
}

#[test]
fn teams_write_at_the_same_time() {
    on_both(|place| {
        std::thread::scope(|scope| {
            for case in 0..4 {
                scope.spawn(move || {
                    let mut store = Sightings::open(place).unwrap();
                    (0..20).for_each(|n| store.add(&[seen(case, n, u64::from(n)), seen(9, n, 1)]).unwrap());
                });
            }
        });
        assert_eq!(Sightings::open(place).unwrap().count().unwrap(), 4 * 20 + 20);
    });
}

#[test]
fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("photo.jpg");
    std::fs::write(&path, b"this is no database, and long enough to be told from an empty one").unwrap();
    let message = Sightings::open(path.to_str().unwrap()).err().unwrap().to_string();
    assert!(message.contains("photo.jpg: "), "{message}");
    on_both(|place| {
        Sightings::open(place).unwrap().db.script("UPDATE sightings_version SET version = 2").unwrap();
        let message = Sightings::open(place).err().unwrap().to_string();
        assert!(message.contains("newer version"), "{message}");
    });
}
