//! Keys in a hardware security module, against SoftHSM2.

use super::kit::{Place, Ran, assert_authentic, finished};
use super::softhsm::{PIN, SoftHsm};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::signed::Signed;
use touchmark_formats::trust::Trust;
use touchmark_signer::error::Result;
use touchmark_signer::keys::pkcs11::{Missing, Uri};
use touchmark_signer::keys::{Passphrase, Pkcs11Key, SigningKey, Unlock, sign_checked};

/// A maker's home `h`, and a line's home `line` whose key is in the token `line`.
fn line_with_token() -> Option<SoftHsm> {
    let hsm = SoftHsm::in_place(Place::with_home())?;
    let request = format!(
        r#"delegate request --home line --line "Penang 3" --maker-root h/trust.json --out q.json --pkcs11 "{}""#,
        hsm.uri("line", "penang-3")
    );
    hsm.run(&request).says(0, "line/lines/penang-3.request.json: to be granted by the maker");
    hsm.place.run("delegate grant --home h --request q.json --part P --serials 1-1000 --out d.json").done();
    hsm.place.run("delegate accept --home line --delegation d.json --trust h/trust.json").done();
    Some(hsm)
}

const MARK: &str = "mark --home line --part P --format text --out -";

#[test]
fn a_line_key_is_made_in_the_token_and_marks_from_there() {
    let Some(hsm) = line_with_token() else { return };
    assert_eq!(hsm.place.names("line/keys"), ["penang-3.uri"]);
    let ran = hsm.run(&format!("{MARK} --count 20")).done();
    let marks = ran.marks();
    assert_eq!(marks.len(), 20);
    for mark in &marks {
        assert_authentic(mark, &hsm.place.path("h/trust.json"));
    }
    // The request can be made again, by the same key.
    let again = format!(
        r#"delegate request --home again --line "Penang 3" --maker-root h/trust.json --pkcs11 "{}""#,
        hsm.uri("line", "penang-3")
    );
    hsm.run(&again).done();
    assert_eq!(hsm.place.read("again/lines/penang-3.request.json"), hsm.place.read("q.json"));
}

#[cfg(unix)]
#[test]
fn a_running_line_signs_in_the_token() {
    let Some(hsm) = line_with_token() else { return };
    let start = || super::line::Running::spawn(hsm.command("line run --home line --tcp 127.0.0.1:0"));
    let line = start();
    let mut client = line.connect();
    let request = "{\"id\":\"a\",\"part\":\"P\",\"count\":20}";
    let first = client.ask(request);
    let text = first.marks.iter().map(|mark| mark.text.clone().unwrap() + "\n").collect::<String>();
    let made = super::kit::marks(&text);
    assert_eq!(made.len(), 20);
    for mark in &made {
        assert_authentic(mark, &hsm.place.path("h/trust.json"));
    }
    // The power goes; the next start logs in to the token again, and knows what it issued.
    line.kill();
    let line = start();
    let mut client = line.connect();
    assert_eq!(client.ask(request).marks, first.marks);
    assert_eq!(client.ask("{\"part\":\"P\"}").marks[0].serial, 21);
    drop(client);
    let log = line.stop();
    assert!(!log.contains(PIN), "{log}");
    hsm.run("line verify-journal --home line").done();
}

/// A line is told of a token that was drawn out by nobody: it notices, answers `retry`, and goes on once the token is back.
#[cfg(unix)]
#[test]
fn a_token_is_drawn_out_of_a_running_line_and_put_back() {
    let Some(hsm) = line_with_token() else { return };
    let line = super::line::Running::spawn(hsm.command("line run --home line --tcp 127.0.0.1:0"));
    let mut client = line.connect();
    let mut key_is = |ok: bool| {
        let until = Instant::now() + Duration::from_secs(30);
        while client.ask("{\"do\":\"status\"}").status.unwrap().key_ok != ok {
            assert!(Instant::now() < until, "the key's state is never {ok}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let mut asker = line.connect();
    let request = "{\"id\":\"a\",\"part\":\"P\",\"count\":2}";
    let first = asker.ask(request);
    assert_eq!(first.marks.len(), 2);
    let (tokens, away) = (hsm.place.path("tokens"), hsm.place.path("away"));
    std::fs::rename(&tokens, &away).unwrap();
    key_is(false);
    let failed = asker.ask("{\"id\":\"b\",\"part\":\"P\",\"count\":3}");
    assert_eq!(failed.error.as_ref().map(|e| e.kind.as_str()), Some("retry"), "{failed:?}");
    assert_eq!(asker.ask(request).marks, first.marks, "what is on record needs no key");
    std::fs::rename(&away, &tokens).unwrap();
    key_is(true);
    let again = asker.ask("{\"id\":\"b\",\"part\":\"P\",\"count\":3}");
    assert_eq!(again.marks.iter().map(|mark| mark.serial).collect::<Vec<_>>(), [3, 4, 5], "{again:?}");
    drop((client, asker));
    let log = line.stop();
    assert!(log.contains("\"event\":\"key-fails\"") && log.contains("\"event\":\"key-signs-again\""), "{log}");
    assert!(!log.contains("store-fails") && !log.contains(PIN), "{log}");
    hsm.run("line verify-journal --home line").done();
}

#[test]
fn pins_come_from_a_file_a_credential_or_the_uri() {
    let Some(hsm) = line_with_token() else { return };
    hsm.place.write("pin", &format!("{PIN}\n")).write("touchmark-pin", PIN);
    private(&hsm.place.path("pin"));
    let without = |line: &str| {
        let mut command = hsm.command(line);
        command.env_remove("TOUCHMARK_PIN");
        command
    };
    finished(&mut without(&format!("{MARK} --pin-file pin"))).done();
    finished(without(MARK).env("CREDENTIALS_DIRECTORY", hsm.place.path("."))).done();
    let uri = hsm.place.read("line/keys/penang-3.uri");
    hsm.place.write(
        "line/keys/penang-3.uri",
        &format!("{}&pin-source=file:{}", uri.trim(), hsm.place.path("pin").display()),
    );
    finished(&mut without(MARK)).done();
    hsm.place.write("line/keys/penang-3.uri", &uri);
    finished(&mut without(MARK)).says(
        2,
        "error: the PIN of the token \"line\" is needed, and there is no terminal to ask for it\nhint: give --pin-file F, \
         pin-source=file:F in the PKCS#11 URI, TOUCHMARK_PIN, or the systemd credential touchmark-pin",
    );
}

#[cfg(unix)]
#[test]
fn a_makers_root_key_stays_in_the_token() {
    let Some(hsm) = SoftHsm::in_place(Place::new()) else { return };
    let run = |line: &str| finished(hsm.command(line).env("TOUCHMARK_PASSPHRASE", "correct horse"));
    let init = |dir: &str, token: &str| {
        let (root, authority) = (hsm.uri(token, "root"), hsm.uri(token, "authority"));
        format!(r#"init {dir} --maker Acme --country NL --root-pkcs11 "{root}" --authority-pkcs11 "{authority}""#)
    };
    let refused = finished(hsm.command(&init("h", "line")).args(["--no-passphrase"]).env("TOUCHMARK_PIN", "987654"));
    refused.says(
        2,
        "error: the PIN was refused by the token \"line\"\nhint: nothing was tried again, for a token locks after a few wrong \
         PINs; set the right one and start anew",
    );
    assert!(!hsm.place.path("h").exists());
    let made = run(&init("h", "line")).done();
    assert_eq!(hsm.place.names("h/keys"), ["authority.uri", "line-1.pem", "root.uri"]);
    // Whatever the root key is for.
    hsm.place.write("h/consignees.csv", "number,name,country,address\n5,Five,,\n");
    run("mark --home h --part P --lot A --consignee 5 --format text --out codes").done();
    run("delegate grant --home h --new-line L2 --part P --lot B:1-30").done();
    assert!(hsm.place.read("h/keys/l2.pem").starts_with("-----BEGIN ENCRYPTED"), "as the others are");
    run("mark --home h --line L2 --part P --count 3 --format text --out -").done();
    run("lot close --home h --line L2 --lot B --out c.json").done();
    run("ledger init --home h").done();
    assert!(hsm.place.read("h/keys/ledger.pem").starts_with("-----BEGIN ENCRYPTED"));
    let reader = age::x25519::Identity::generate();
    run(&format!("disclose --home h --lot A --to {} --case K-7 --out d.age", reader.to_public())).done();
    let opened = age::decrypt(&reader, &std::fs::read(hsm.place.path("d.age")).unwrap()).unwrap();
    assert!(Signed::<Disclosure>::open_for(&opened, &reader.to_public().to_string()).is_ok());
    let bundle = Trust::open(hsm.place.read("h/trust.json").as_bytes()).unwrap().signed;
    bundle.check_all().unwrap();
    assert_eq!((bundle.version, bundle.makers[0].closed.len()), (4, 1));
    assert!(bundle.makers[0].ledger.is_some(), "signed by the key in the token, too");
    for mark in &super::kit::marks(&hsm.place.read("codes")) {
        assert_authentic(mark, &hsm.place.path("h/trust.json"));
    }
    // A line of the maker's own whose key is in the token too.
    let uri = hsm.uri("line", "l3");
    run(&format!(r#"delegate request --home h --line L3 --maker-root h/trust.json --pkcs11 "{uri}" --out q"#)).done();
    run("delegate grant --home h --request q --part P --serials 1-9").done();
    run("mark --home h --line L3 --part P --format text --out -").done();
    // A home that was lost is made anew around the same root key.
    let again = finished(hsm.command(&init("again", "line")).args(["--no-passphrase"]));
    again.says(0, "warning: the keys in files are not encrypted; whoever copies them can sign as this line");
    assert_eq!(again.out.lines().nth(1), made.out.lines().nth(1));
    hsm.run("delegate grant --home again --new-line L2 --part P --serials 1-9").done();
    assert!(hsm.place.read("again/keys/l2.pem").starts_with("-----BEGIN PRIVATE KEY"));
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// What `mark` says where the line's key is named by `uri`.
fn mark_by(hsm: &SoftHsm, uri: &str) -> Ran {
    hsm.place.write("line/keys/penang-3.uri", uri);
    hsm.run(MARK)
}

#[test]
fn what_is_not_there_is_named_with_the_way_out() {
    let Some(hsm) = line_with_token() else { return };
    let module = hsm.module.display().to_string();
    mark_by(&hsm, "pkcs11:token=line;object=penang-3?module-path=/nowhere/x.so").says(
        2,
        "error: /nowhere/x.so: cannot use the PKCS#11 module: there is no such file\nhint: module-path in the URI is the \
         vendor's library for this processor, as in /usr/lib/softhsm/libsofthsm2.so",
    );
    let text = hsm.place.path("h/trust.json");
    mark_by(&hsm, &format!("pkcs11:object=penang-3?module-path={}", text.display())).says(
        2,
        &format!(
            "error: {}: cannot use the PKCS#11 module: it is no library that can be loaded here\nhint: module-path in the URI \
             is the vendor's library for this processor, as in /usr/lib/softhsm/libsofthsm2.so",
            text.display()
        ),
    );
    mark_by(&hsm, "pkcs11:object=penang-3").says(
        2,
        "error: no PKCS#11 module was named\nhint: add ?module-path=FILE to the URI or set TOUCHMARK_PKCS11_MODULE: the file \
         is the vendor's library, as in /usr/lib/softhsm/libsofthsm2.so",
    );
    let absent = mark_by(&hsm, &format!("pkcs11:token=other;object=penang-3?module-path={module}"));
    assert!(absent.err.starts_with("error: there is no token \"other\": there is \"line\" (serial "), "{absent:?}");
    assert_eq!(absent.status, Some(2));
    mark_by(&hsm, &format!("pkcs11:token=line;object=ghost?module-path={module}")).says(
        2,
        "error: the token \"line\" has no private key \"ghost\": it has \"penang-3\"\nhint: `delegate request --pkcs11 \
         URI` makes one for a line, `init --root-pkcs11 URI` one for a maker",
    );
    mark_by(&hsm, &format!("pkcs11:token=line;object=penang-3?module-path={module}&pin-value=1234")).says(
        2,
        "error: line/keys/penang-3.uri: the PKCS#11 URI holds the PIN itself, where every list of processes and every backup \
         shows it\nhint: take pin-value out, and say pin-source=file:PATH, --pin-file or TOUCHMARK_PIN; then change the PIN",
    );
    hsm.make_token("line");
    let several = mark_by(&hsm, &format!("pkcs11:token=line;object=penang-3?module-path={module}"));
    assert!(several.err.contains("error: several tokens fit pkcs11:token=line;object=penang-3"), "{several:?}");
    assert!(several.err.contains("hint: name one by its serial: serial=NUMBER in the URI"), "{several:?}");
    assert_eq!(hsm.place.recorded("line"), [], "no serial was used for any of these");
}

#[test]
fn a_wrong_pin_is_tried_once_and_never_shown() {
    let Some(hsm) = line_with_token() else { return };
    let ran = finished(hsm.command(MARK).env("TOUCHMARK_PIN", "987654"));
    assert!(!ran.err.contains("987654"), "{ran:?}");
    ran.says(
        2,
        "error: the PIN was refused by the token \"line\"\nhint: nothing was tried again, for a token locks after a few wrong \
         PINs; set the right one and start anew",
    );
}

#[test]
fn a_key_of_another_kind_is_refused() {
    let Some(hsm) = line_with_token() else { return };
    let pem = hsm.place.path("rsa.pem");
    let mut openssl = Command::new("openssl");
    openssl.args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]).arg(&pem);
    if openssl.stderr(Stdio::null()).status().is_err() {
        println!("skipped: openssl is not there to make a key of another kind");
        return;
    }
    let pem = pem.display().to_string();
    hsm.util(&["--import", &pem, "--token", "line", "--label", "rsa", "--id", "07", "--pin", PIN]);
    mark_by(&hsm, &hsm.uri("line", "rsa")).says(
        2,
        "error: the key \"rsa\" in the token \"line\" is no Ed25519 key\nhint: marks are signed by Ed25519 alone \
         (CKK_EC_EDWARDS, curve edwards25519): name another key",
    );
    // Another Ed25519 key than the delegation names.
    hsm.run(&format!(
        r#"delegate request --home other --line X --maker-root h/trust.json --pkcs11 "{}""#,
        hsm.uri("line", "x")
    ))
    .done();
    mark_by(&hsm, &hsm.uri("line", "x"))
        .says(2, "error: line/keys/penang-3.uri: not the key that line/lines/penang-3.json names");
}

/// The environment variables by which a test below runs itself again, with the module's configuration set.
const URI: &str = "TOUCHMARK_TEST_TOKEN_URI";

#[test]
fn a_lost_token_is_found_again() {
    let Some(hsm) = line_with_token() else { return };
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "hsm::in_its_own_process", "--nocapture"]);
    again.env("SOFTHSM2_CONF", hsm.configuration()).env(URI, hsm.uri("line", "penang-3"));
    let ran = finished(&mut again);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(ran.out.contains("signed through every loss"), "{ran:?}");
}

struct Known(&'static str);

impl Unlock for Known {
    fn passphrase(&mut self) -> Result<Passphrase> {
        self.pin("")
    }

    fn pin(&mut self, _: &str) -> Result<Passphrase> {
        Passphrase::new(self.0.to_owned().into(), "a test")
    }
}

/// Does nothing unless [`a_lost_token_is_found_again`] calls it: the module reads its configuration once in a process.
#[test]
fn in_its_own_process() {
    let Ok(uri) = std::env::var(URI) else { return };
    let uri: Uri = uri.parse().unwrap();
    let key = Pkcs11Key::open(uri.clone(), Missing::Refuse, &mut Known(PIN)).unwrap();
    assert!(!key.is_exportable().unwrap());
    let public = key.public().check().unwrap();
    let sign = |n: u8| sign_checked(&key, &public, &[n; 40], &"a test").map(drop);
    let module = || Pkcs11::new(uri.module_path.as_ref().unwrap()).unwrap();
    sign(1).unwrap();
    // The module was shut down by somebody else in this process.
    module().finalize().unwrap();
    sign(2).unwrap();
    // It was shut down and started anew: sessions are unknown, and their numbers may be another's.
    module().finalize().unwrap();
    module().initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    sign(3).unwrap();
    // The token is gone, and comes back.
    let tokens = Path::new(&std::env::var("SOFTHSM2_CONF").unwrap()).with_file_name("tokens");
    let away = tokens.with_file_name("away");
    std::fs::rename(&tokens, &away).unwrap();
    std::fs::create_dir(&tokens).unwrap();
    module().finalize().unwrap();
    let gone = sign(4).unwrap_err();
    assert_eq!(gone.message, "there is no token \"line\": there is none");
    assert!(gone.hint.is_some());
    std::fs::remove_dir(&tokens).unwrap();
    std::fs::rename(&away, &tokens).unwrap();
    module().finalize().unwrap();
    // For half a second nobody looks for it again.
    std::thread::sleep(Duration::from_millis(600));
    sign(5).unwrap();
    // Many threads at once, each with a session of its own, as a line does.
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            scope.spawn(move || (0..50).for_each(|n| sign(thread ^ n).unwrap()));
        }
    });
    println!("signed through every loss");
}
