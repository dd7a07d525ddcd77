//! Trust bundles: several makers, M of N, revocation.

use super::kit::{Place, masked};
use touchmark_formats::trust::{Trust, TrustError};
use touchmark_signer::keys::{SecretKey, SigningKey};

/// Private keys of an authority's officials, and the home of a maker.
fn officials() -> Place {
    let place = Place::with_home();
    for (n, name) in ["anna", "bob", "eve"].iter().enumerate() {
        SecretKey::from_seed(&[n as u8; 32]).write(&place.path(&format!("{name}.pem")), None).unwrap();
    }
    let bob = SecretKey::from_seed(&[1; 32]).public();
    place
        .run(&format!(
            "trust create --trust eu.json --authority EU --signer Anna=anna.pem --signer Bob={bob} --threshold 2"
        ))
        .says(0, "eu.json: version 1 of EU, 0 makers\nnote: 0 of 2 signatures; 2 more with `trust sign --key PEM`");
    place
}

fn open(place: &Place, file: &str) -> Result<Trust, TrustError> {
    Trust::open(place.read(file).as_bytes()).map(|bundle| bundle.signed)
}

#[test]
fn m_of_n_sign_one_after_the_other() {
    let place = officials();
    let add = place.run("trust add --trust eu.json --from h/trust.json --sign-key anna.pem");
    add.says(
        0,
        "warning: nobody signed the version that this changes; look at it with `trust show`\neu.json: version 2 of EU, 1 maker\n\
         note: 1 of 2 signatures; 1 more with `trust sign --key PEM`",
    );
    assert_eq!(open(&place, "eu.json"), Err(TrustError::Signatures { good: 1, needed: 2 }));
    place.run("trust sign --trust eu.json --key anna.pem").done();
    assert_eq!(open(&place, "eu.json"), Err(TrustError::Signatures { good: 1, needed: 2 }), "nobody counts twice");
    let eve = place.run("trust sign --trust eu.json --key eve.pem");
    assert_eq!(eve.status, Some(1));
    assert!(masked(&eve.err).starts_with("error: the key KEY is not one of EU"), "{eve:?}");
    place.run("trust sign --trust eu.json --key bob.pem").says(0, "eu.json: version 2 of EU, 1 maker");
    assert_eq!(open(&place, "eu.json").unwrap().makers[0].name.as_str(), "Acme");
}

#[test]
fn every_change_is_a_new_version_without_the_old_signatures() {
    let place = officials();
    place.run("trust add --trust eu.json --from h/trust.json --sign-key anna.pem --sign-key bob.pem").done();
    place
        .run(r#"trust revoke --trust eu.json --line "line 1" --since 2026-11-01 --reason "stolen" --sign-key anna.pem"#)
        .done();
    assert_eq!(open(&place, "eu.json"), Err(TrustError::Signatures { good: 1, needed: 2 }));
    place.run("trust sign --trust eu.json --key bob.pem").done();
    let trust = open(&place, "eu.json").unwrap();
    assert_eq!((trust.version, trust.revocations.len()), (3, 1));
    assert_eq!(trust.revocations[0].key, trust.makers[0].delegations[0].signed.key);
}

#[test]
fn a_home_changes_its_own_bundle_with_its_own_key() {
    let place = Place::with_home();
    place
        .run(r#"trust void --home h --line "line 1" --serials 10-20 --reason scrapped"#)
        .says(0, "h/trust.json: version 2 of Acme, 1 maker");
    place.run("trust revoke --home h --maker Acme --since 2026-11-01 --reason sold").done();
    let shown = place.run("trust show --home h").done().out;
    assert_eq!(
        masked(&shown),
        "bundle of Acme, version 3, made TIME, expires TIME\n\
         signatures: 1 of 1 needed\n  signed   Acme  KEY\n\
         maker Acme (NL), DATE to DATE, root KEY, REVOKED since DATE: sold\n  \
         line \"line 1\", site 1: any part, any lot, any serial, dated DATE to DATE\n    key id ID, key KEY\n\
         void: serials 10 to 20 of key id ID: scrapped\n"
    );
    assert!(open(&place, "h/trust.json").is_ok());
    place
        .run("trust revoke --home h --maker Acme --since 2026-12-01 --reason again")
        .says(1, "error: the key is revoked since DATE already: sold");
    place
        .run("trust revoke --home h --line nobody --since 2026-12-01 --reason x")
        .says(2, "error: there is no line \"nobody\" in the bundle");
}

#[test]
fn changes_made_at_once_all_count() {
    let place = Place::with_home();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let line = format!(r#"trust void --home h --line "line 1" --serials {n}-{n} --reason scrapped"#);
            let place = &place;
            scope.spawn(move || place.run(&line).done());
        }
    });
    let trust = open(&place, "h/trust.json").unwrap();
    assert_eq!((trust.version, trust.voids.len()), (9, 8));
}

#[test]
fn a_bundle_changed_by_others_is_not_signed_further() {
    let place = Place::with_home();
    let forged = place.read("h/trust.json").replace("\"NL\"", "\"DE\"");
    place.write("h/trust.json", &forged);
    for line in
        ["trust show --home h", "trust sign --home h", "trust void --home h --line \"line 1\" --serials 1-2 --reason x"]
    {
        place.run(line).says(2, "error: h/trust.json: it is not what the key KEY signed");
    }
}

#[test]
fn authorities_that_cannot_work_are_refused() {
    let place = officials();
    for (line, error) in [
        ("--signer A=anna.pem --threshold 2", "error: the threshold must be 1 to 1, the number of holders"),
        (
            "--signer A=anna.pem --signer A=bob.pem --threshold 2",
            "error: the threshold must be 1 to 1, the number of holders",
        ),
        ("--signer A=anna.pem --signer B=anna.pem", "error: a signer's key stands there twice"),
        ("--signer anna.pem", "error: --signer \"anna.pem\": no HOLDER=KEY"),
        ("--signer A=nothing.pem", "error: cannot read nothing.pem: no such file or directory"),
    ] {
        place.run(&format!("trust create --trust x.json --authority X {line}")).says(2, error);
    }
    let again = "trust create --trust eu.json --authority X --signer A=anna.pem";
    place
        .run(again)
        .says(2, "error: eu.json: there is a bundle already\nhint: `trust add` and `trust revoke` change one");
}
