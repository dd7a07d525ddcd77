//! Homes, keys and passphrases.

use super::kit::{Place, finished, masked};
use std::process::{Command, Stdio};
use touchmark_formats::trust::Trust;
use touchmark_signer::cli;
use zeroize::Zeroizing;

#[test]
fn a_home_holds_keys_a_line_and_a_bundle_that_opens() {
    let place = Place::new();
    let ran = place.run(r#"init h --maker "Acme NV" --country NL --no-passphrase"#);
    ran.says(0, "warning: the keys are not encrypted; whoever copies them can sign as this maker");
    let expected = "h: home of Acme NV (NL)\nroot key KEY\nline \"line 1\" may mark dates DATE to DATE\n";
    assert_eq!(masked(&ran.out), expected);
    assert_eq!(place.names("h"), ["consignees.csv", "disclosure", "keys", "lines", "trust.json"]);
    assert_eq!(place.names("h/keys"), ["authority.pem", "line-1.pem", "root.pem"]);
    let bundle = Trust::open(place.read("h/trust.json").as_bytes()).unwrap();
    bundle.signed.check_all().unwrap();
    assert_eq!(bundle.signed.makers[0].name.as_str(), "Acme NV");
    assert_eq!(place.names("."), ["h"], "nothing is left beside the home");
}

#[cfg(unix)]
#[test]
fn secrets_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::with_home();
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    for folder in ["h", "h/keys", "h/disclosure", "h/lines"] {
        assert_eq!(mode(folder), 0o700, "{folder}");
    }
    for file in ["h/keys/root.pem", "h/keys/line-1.pem", "h/consignees.csv"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let place = Place::with_home();
    let before = place.read("h/trust.json");
    place
        .run("init h --maker Other --country DE --no-passphrase")
        .says(2, "error: h: there is something already; a home is made in a new or empty folder");
    assert_eq!(place.read("h/trust.json"), before);
    std::fs::create_dir(place.path("empty")).unwrap();
    place.run("init empty --maker Other --country DE --no-passphrase").done();
    place
        .run("init missing/h --maker Other --country DE --no-passphrase")
        .says(2, "error: cannot make missing/h: no such file or directory");
}

#[test]
fn openssl_reads_the_keys() {
    let place = Place::with_home();
    place.write("pw", "correct horse\n").run("init p --maker Acme --country NL --passphrase-file pw").done();
    for (file, passphrase) in [("h/keys/root.pem", "pass:"), ("p/keys/root.pem", "pass:correct horse")] {
        let file = place.path(file);
        let args = ["pkey", "-passin", passphrase, "-text", "-noout", "-in"];
        let Ok(output) = Command::new("openssl").args(args).arg(&file).output() else {
            println!("skipped: there is no openssl here");
            return;
        };
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("ED25519 Private-Key:"), "{output:?}");
    }
}

#[test]
fn marks_need_the_right_passphrase_and_nothing_shows_it() {
    let place = Place::new();
    place.write("pw", "correct horse\n").run("init p --maker Acme --country NL --passphrase-file pw").done();
    let mark = "mark --home p --part P --lot L --consignee 7 --format text --out -";
    let good = finished(place.command(mark).env("TOUCHMARK_PASSPHRASE", "correct horse")).done();
    assert_eq!(good.marks().len(), 1);
    let bad = finished(place.command(mark).env("TOUCHMARK_PASSPHRASE", "battery staple"));
    bad.says(2, "error: p/keys/line-1.pem: the passphrase is wrong, or the file damaged\nhint: it was taken from TOUCHMARK_PASSPHRASE");
    for ran in [good, bad] {
        for secret in ["correct", "battery", "PRIVATE"] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
        }
    }
    assert_eq!(place.names("p/disclosure").len(), 1);
    for file in ["keys/root.pem", "keys/line-1.pem", "keys/authority.pem"] {
        assert!(place.read(&format!("p/{file}")).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{file}");
    }
}

#[cfg(unix)]
#[test]
fn a_passphrase_file_that_others_can_read_is_pointed_out() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.write("pw", "x\r\nsecond line\n");
    std::fs::set_permissions(place.path("pw"), std::fs::Permissions::from_mode(0o644)).unwrap();
    place
        .run("init p --maker Acme --country NL --passphrase-file pw")
        .says(0, "warning: pw: others can read this secret; `chmod 600` it");
    finished(place.command("mark --home p --part P --format text --out -").env("TOUCHMARK_PASSPHRASE", "x")).done();
    place.write("pw", "\n").run("init q --maker Acme --country NL --passphrase-file pw").says(
        2,
        "warning: pw: others can read this secret; `chmod 600` it\nerror: pw: the secret in it is empty: it has 1 to 1024 bytes",
    );
}

/// Runs in this process, with a terminal that gives these answers.
fn run_with_terminal(args: &[&str], answers: &'static [&'static str]) -> (cli::ExitStatus, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut left = answers.iter();
    let mut io = cli::Io {
        stdin: &mut std::io::empty(),
        stdout: &mut out,
        stderr: &mut err,
        now: "2026-11-23T12:00:00Z".parse().unwrap(),
        passphrase: None,
        pin: None,
        credentials: None,
        state: None,
        prompt: Box::new(move |_| {
            left.next().map(|a| Zeroizing::new((*a).to_owned())).ok_or(std::io::ErrorKind::NotFound.into())
        }),
    };
    let status = cli::run(["touchmark-sign"].iter().chain(args).map(Into::into), &mut io);
    (status, String::from_utf8(err).unwrap())
}

#[test]
fn a_new_passphrase_is_asked_for_twice_and_an_old_one_once() {
    let place = Place::new();
    let home = place.path("p");
    let home = home.to_str().unwrap();
    let init = ["init", home, "--maker", "Acme", "--country", "NL"];
    let differing = run_with_terminal(&init, &["one", "two"]);
    assert_eq!(differing, (cli::ExitStatus::Unusable, "error: the two passphrases differ\n".to_owned()));
    let nobody = run_with_terminal(&init, &[]);
    assert!(nobody.1.starts_with("error: a passphrase is needed, and there is no terminal to ask for it\nhint: "));
    assert_eq!(run_with_terminal(&init, &["one", "one"]).0, cli::ExitStatus::Done);
    let out = place.path("m.txt");
    let mark =
        ["mark", "--home", home, "--part", "P", "--consignee", "7", "--format", "text", "--out", out.to_str().unwrap()];
    assert_eq!(run_with_terminal(&mark, &["one"]).0, cli::ExitStatus::Done);
}

#[test]
fn usage_is_refused_with_status_2_and_help_given_with_0() {
    let place = Place::new();
    assert_eq!(place.run("").status, Some(2));
    assert_eq!(place.run("init h --maker Acme --country Netherlands --no-passphrase").status, Some(2));
    assert_eq!(place.run("mark --home h --format gif --out x").status, Some(2));
    assert!(place.run("--help").done().out.contains("Exit status: 0 done; 1 refused"));
    place
        .run("mark --home nowhere --part P --format text --out -")
        .says(2, "error: nowhere: not a home folder: there is no keys and lines in it\nhint: `touchmark-sign init DIR --maker NAME --country CC` makes one");
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let place = Place::with_home();
    let mut child = place
        .command("mark --home h --part P --count 2000 --format matrix --out -")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
